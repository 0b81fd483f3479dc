#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/note-skim.h"
#include "sample.h"

/* What is skimmed from exactly these bytes, canonical; NULL when they are refused. */
static char *skim(const char *text, size_t size)
{
    /* Exactly sized, so that the sanitizers see a read of one byte too many. */
    cleanup_free char *bytes = malloc(size + (size == 0));
    memcpy(bytes, text, size);
    cleanup_json json_t *identity = note_skim(bytes, size);
    return identity != NULL ? json_canonical(identity) : NULL;
}

static void only_the_identity_is_taken(void **state)
{
    (void)state;
    const struct {
        const char *text, *identity;
    } cases[] = {
        {"{}", "{}"},
        {" { } ", "{}"},
        {"{\"name\":\"a\"}", "{\"name\":\"a\"}"},
        {"{ \"abi\" : \"0.1\" , \"x\" : 1 , \"name\" : \"a\" }",
         "{\"abi\":\"0.1\",\"name\":\"a\"}"},
        {"{\"x\":{\"name\":\"inner\"},\"y\":[\"]}\",{\"a\":\"\\\"}\"}],\"name\":\"outer\"}",
         "{\"name\":\"outer\"}"},
        {"{\"summary\":\"a \\\"b\\\" \\u00e4\"}", "{\"summary\":\"a \\\"b\\\" ä\"}"},
        {"{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"b\"}"},
        {"{\"names\":\"a\",\"nam\":\"b\"}", "{}"},
        {"", NULL},
        {"[]", NULL},
        {"\"name\"", NULL},
        {"{", NULL},
        {"{}x", NULL},
        {"{}{}", NULL},
        {"{,}", NULL},
        {"{\"name\"}", NULL},
        {"{\"name\":}", NULL},
        {"{\"name\":\"a\"", NULL},
        {"{\"name\":\"a\",}", NULL},
        {"{\"name\":\"a", NULL},
        {"{\"name\":\"a\\", NULL},
        {"{\"name\":5}", NULL},
        {"{\"name\":null}", NULL},
        {"{\"name\":[\"a\"]}", NULL},
        {"{\"name\":\"\\x\"}", NULL},
        {"{\"x\":[1}", NULL},
        {"{\"x\":1]}", NULL},
        {"{name:\"a\"}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_free char *identity = skim(cases[i].text, strlen(cases[i].text));
        if (!text_equal(identity, cases[i].identity))
            fail_msg("%s: %s", cases[i].text, identity != NULL ? identity : "refused");
    }
}

static void a_whole_descriptor_and_each_cut_of_it(void **state)
{
    (void)state;
    cleanup_free char *identity = skim(SAMPLE_JSON, strlen(SAMPLE_JSON));
    assert_string_equal(identity, "{\"abi\":\"0.1\",\"name\":\"sample\",\"summary\":\"a "
                                  "sample\",\"version\":\"1.0\"}");
    for (size_t size = 0; size < strlen(SAMPLE_JSON); size++) {
        cleanup_free char *cut = skim(SAMPLE_JSON, size);
        assert_null(cut);
    }
    assert_null(note_skim("{\"a\":\0}", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_identity_is_taken),
        cmocka_unit_test(a_whole_descriptor_and_each_cut_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
