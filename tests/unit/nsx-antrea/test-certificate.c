/* Certificates read from any text form, pairs that belong together, pairs made new. */
#include "nsx-antrea/certificate.h"

#include <salvor/helpers.h>
#include <string.h>

#include "sdk/fake-host.h"
#include "unit.h"

enum { ROOM = 8192 };

struct pair {
    char certificate[ROOM];
    char key[ROOM];
};

static void make(struct pair *pair, const char *name)
{
    static struct fake_host host;
    assert_int_equal(certificate_make(fake_call(&host), name, 3650, pair->certificate,
                                      sizeof pair->certificate, pair->key, sizeof pair->key),
                     SALVOR_OK);
}

static struct salvor_span span(const char *text)
{
    return (struct salvor_span){text, strlen(text)};
}

static void a_new_pair(void **state)
{
    (void)state;
    struct pair one;
    struct pair other;
    make(&one, "cluster-sales");
    make(&other, "cluster-sales");
    json_t *read = certificate_read(one.certificate, strlen(one.certificate));
    json_t *read_other = certificate_read(other.certificate, strlen(other.certificate));
    assert_non_null(read);
    assert_string_equal(salvor_json_text(read, "/cn", ""), "cluster-sales");
    assert_int_equal(strlen(salvor_json_text(read, "/sha256", "")), 64);
    assert_string_not_equal(salvor_json_text(read, "/sha256", ""),
                            salvor_json_text(read_other, "/sha256", ""));
    const int64_t validity =
        salvor_json_integer(read, "/not_after", 0) - salvor_json_integer(read, "/not_before", 0);
    assert_int_equal(validity, INT64_C(3650) * 86400 * 1000);
    assert_true(certificate_matches_key(span(one.certificate), span(one.key)));
    assert_false(certificate_matches_key(span(one.certificate), span(other.key)));
    assert_false(certificate_matches_key(span(one.certificate), span("no key")));
    json_decref(read);
    json_decref(read_other);
}

/* Line ends and words around it are not the certificate. */
static void the_same_in_another_form(void **state)
{
    (void)state;
    struct pair pair;
    char dressed[2 * ROOM] = "subject=CN = x\r\n";
    make(&pair, "c");
    size_t used = strlen(dressed);
    for (const char *at = pair.certificate; *at != '\0'; at++) {
        if (*at == '\n')
            dressed[used++] = '\r';
        dressed[used++] = *at;
    }
    json_t *plain = certificate_read(pair.certificate, strlen(pair.certificate));
    json_t *read = certificate_read(dressed, used);
    assert_true(json_equal(plain, read));
    json_decref(plain);
    json_decref(read);
}

static void what_is_none(void **state)
{
    (void)state;
    struct pair pair;
    make(&pair, "c");
    assert_null(certificate_read(NULL, 0));
    assert_null(certificate_read("text", 4));
    assert_null(certificate_read(pair.key, strlen(pair.key)));
    for (size_t size = 0; size + 2 < strlen(pair.certificate); size += 7)
        assert_null(certificate_read(pair.certificate, size));
}

static void a_name_that_is_too_long(void **state)
{
    (void)state;
    static struct fake_host host;
    struct pair pair;
    char name[100];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(certificate_make(fake_call(&host), name, 1, pair.certificate,
                                      sizeof pair.certificate, pair.key, sizeof pair.key),
                     SALVOR_FAILED);
    assert_non_null(strstr(host.hint, "64 characters"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_pair),
        cmocka_unit_test(the_same_in_another_form),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(a_name_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
