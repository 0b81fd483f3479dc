#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/s3-xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define LIST HEAD "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"

static int note(void *data, const struct s3_entry *entry, struct error *reterr)
{
    cleanup_free char *line = text_format(
        "%s%s %lld", entry->key, entry->is_prefix ? " (prefix)" : "", (long long)entry->size);
    (void)reterr;
    json_add(data, json_string(line));
    return 0;
}

static int list(const char *text, json_t *lines, char **ret_token, struct error *err)
{
    return s3_xml_list(text, strlen(text), note, lines, ret_token, err);
}

static void a_page_is_read(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *lines = json_array();
    cleanup_free char *token = NULL;
    (void)state;
    int result = list(
        LIST "<Name>b</Name><Prefix>p%2F</Prefix><KeyCount>3</KeyCount><IsTruncated>true"
             "</IsTruncated><NextContinuationToken>a&amp;b=</NextContinuationToken>"
             "<Contents><Key>p%2Fa+b%2Bc</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
             "<ETag>&quot;x&quot;</ETag><Size>12</Size><Owner><ID>o</ID></Owner></Contents>"
             "<Contents><Size>0</Size><Key>p/\xc3\xa4</Key></Contents>"
             "<CommonPrefixes><Prefix>p%2Fq%2F</Prefix></CommonPrefixes></ListBucketResult>",
        lines, &token, &err);
    if (result != 0)
        fail_msg("%s", err.message);
    assert_string_equal(token, "a&b=");
    cleanup_free char *text = json_canonical(lines);
    assert_string_equal(text, "[\"p/a b+c 12\",\"p/\xc3\xa4 0\",\"p/q/ (prefix) 0\"]");
}

static int keep_times(void *data, const struct s3_entry *entry, struct error *reterr)
{
    (void)reterr;
    json_add(data, json_integer(entry->modified_ms));
    json_add(data, json_string(entry->key));
    return 0;
}

/* An old date would make a set that is being made look abandoned; a NUL names another object. */
static void odd_dates_and_keys_are_no_others(void **state)
{
    static const char text[] = LIST
        "<Contents><Key>a%00b</Key><LastModified>1013-01-02T03:04:05.678Z</LastModified></Contents>"
        "<Contents><Key>c+%2B+</Key><LastModified>never</LastModified></Contents></"
        "ListBucketResult>";
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *found = json_array();
    cleanup_free char *token = NULL;
    (void)state;
    assert_int_equal(s3_xml_list(text, strlen(text), keep_times, found, &token, &err), 0);
    cleanup_free char *all = json_canonical(found);
    assert_string_equal(all, "[-1,\"a%00b\",-1,\"c + \"]");
}

static void what_is_no_page_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "no xml",
        LIST,
        LIST "<Contents><Key>a</Key></ListBucketResult>",
        LIST "<Contents></Contents></ListBucketResult>",
        LIST "<Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
        LIST "<Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        LIST "<CommonPrefixes><Prefix>a</Prefix></CommonPrefixes></ListBucketResult>",
        LIST "<CommonPrefixes><Prefix></Prefix></CommonPrefixes></ListBucketResult>",
        LIST "<IsTruncated>true</IsTruncated></ListBucketResult>",
        LIST "<a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></ListBucketResult>",
        HEAD "<Error><Code>x</Code></Error>",
        HEAD "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult>&a;</ListBucketResult>",
        LIST "</ListBucketResult><more/>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *lines = json_array();
        cleanup_free char *token = NULL;
        if (list(texts[i], lines, &token, &err) == 0)
            fail_msg("accepted: %s", texts[i]);
        assert_non_null(err.message);
        assert_null(token);
    }
}

static void long_texts_end_it(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *lines = json_array();
    cleanup_free char *token = NULL;
    cleanup_free char *key = memory_new(20001, 1);
    (void)state;
    memset(key, 'k', 20000);
    cleanup_free char *text =
        text_format(LIST "<Contents><Key>%s</Key></Contents></ListBucketResult>", key);
    assert_int_equal(list(text, lines, &token, &err), -1);
    assert_non_null(strstr(err.message, "too long"));
}

static int refuse(void *data, const struct s3_entry *entry, struct error *reterr)
{
    (void)data;
    (void)entry;
    return error_set(reterr, EXIT_FAILED, "enough");
}

static void a_visit_that_fails_ends_it(void **state)
{
    static const char text[] = LIST "<Contents><Key>a</Key></Contents></ListBucketResult>";
    cleanup_error struct error err = ERROR_INIT;
    char *token = NULL;
    (void)state;
    assert_int_equal(s3_xml_list(text, strlen(text), refuse, NULL, &token, &err), -1);
    assert_string_equal(err.message, "enough");
}

static int note_id(void *data, const char *id, struct error *reterr)
{
    (void)reterr;
    json_add(data, json_string(id));
    return 0;
}

static void uploads_are_found_by_their_key(void **state)
{
    static const char text[] =
        HEAD "<ListMultipartUploadsResult><Bucket>b</Bucket><Upload><Key>p/a</Key><UploadId>1"
             "</UploadId></Upload><Upload><UploadId>2</UploadId><Key>p/ab</Key></Upload>"
             "<Upload><UploadId>3</UploadId><Key>p/a</Key></Upload></ListMultipartUploadsResult>";
    cleanup_json json_t *ids = json_array();
    (void)state;
    assert_int_equal(s3_xml_uploads(text, strlen(text), "p/a", note_id, ids, NULL), 0);
    cleanup_free char *found = json_canonical(ids);
    assert_string_equal(found, "[\"1\",\"3\"]");
}

static void ids_and_errors(void **state)
{
    static const char started[] =
        HEAD "<InitiateMultipartUploadResult><Bucket>b</Bucket><UploadId>abc</UploadId>"
             "</InitiateMultipartUploadResult>";
    static const char without[] = HEAD "<InitiateMultipartUploadResult/>";
    static const char denied[] =
        HEAD "<Error><Code>AccessDenied</Code><Message>no &lt;way&gt;</Message></Error>";
    cleanup_free char *id = NULL;
    cleanup_free char *code = NULL;
    cleanup_free char *message = NULL;
    (void)state;
    assert_int_equal(s3_xml_upload_id(started, strlen(started), &id, NULL), 0);
    assert_string_equal(id, "abc");
    free(take_pointer(id));
    assert_int_equal(s3_xml_upload_id(without, strlen(without), &id, NULL), -1);
    assert_int_equal(s3_xml_error(denied, strlen(denied), &code, &message), 1);
    assert_string_equal(code, "AccessDenied");
    assert_string_equal(message, "no <way>");
    char *none = NULL;
    char *nothing = NULL;
    assert_int_equal(s3_xml_error(started, strlen(started), &none, &nothing), 0);
    assert_int_equal(s3_xml_error("", 0, &none, &nothing), 0);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read),
        cmocka_unit_test(odd_dates_and_keys_are_no_others),
        cmocka_unit_test(what_is_no_page_is_refused),
        cmocka_unit_test(long_texts_end_it),
        cmocka_unit_test(a_visit_that_fails_ends_it),
        cmocka_unit_test(uploads_are_found_by_their_key),
        cmocka_unit_test(ids_and_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
