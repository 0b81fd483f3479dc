#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "fault-proxy/fault-proxy.h"
#include "net/s3-store.h"
#include "practice-bucket.h"
#include "practice-call.h"

#define MIB ((size_t)1 << 20)

struct site {
    struct practice practice;
    struct practice_bucket *bucket;
    struct fault_proxy *proxy; /* or NULL */
    struct store *store;
    struct certificate authority, certificate;
};

static struct store *open_store(struct site *site, const char *url, const char *secret,
                                const char *prefix)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *ca = text_format("%s/ca.pem", site->practice.folder);
    const int tls = text_starts(url, "https:");
    if (tls && site->proxy == NULL)
        assert_int_equal(
            file_write_atomic(ca, site->authority.pem, strlen(site->authority.pem), 0600, NULL), 0);
    cleanup_json json_t *settings =
        json_make("{s:s,s:s,s:s,s:s,s:s,s:s?}", "name", "far", "type", "s3", "endpoint", url,
                  "bucket", BUCKET, "prefix", prefix, "ca-file", tls ? ca : NULL);
    const struct s3_credentials credentials = {ACCESS_KEY, secret, NULL};
    struct store *store = NULL;
    if (s3_store_open(&site->practice.call, settings, &credentials, &store, &err) != SALVOR_OK)
        fail_msg("%s", err.message != NULL ? err.message : site->practice.call.error.message);
    return store;
}

static int start(void **state, int tls, const char *rules)
{
    struct site *site = memory_new(1, sizeof *site);
    cleanup_error struct error err = ERROR_INIT;
    practice_begin(&site->practice);
    practice_certificates(&site->authority, &site->certificate);
    site->bucket = practice_bucket_start(tls ? &site->certificate : NULL, 2);
    if (rules != NULL)
        site->proxy = fault_proxy_start(
            &(struct fault_proxy_options){.upstream = practice_bucket_url(site->bucket),
                                          .rules = rules},
            &err);
    site->store = open_store(site,
                             site->proxy != NULL ? fault_proxy_url(site->proxy)
                                                 : practice_bucket_url(site->bucket),
                             SECRET_KEY, "sets/here");
    *state = site;
    return 0;
}

static int plain(void **state)
{
    return start(state, 0, NULL);
}

static int tls(void **state)
{
    return start(state, 1, NULL);
}

static int cut_bodies(void **state)
{
    return start(state, 0, "method=GET path=/bucket/sets/here/big nth=1-3 fault=cut bytes=300000");
}

static int lost_answers(void **state)
{
    return start(state, 0,
                 "method=PUT nth=1 fault=close forward=1\n"
                 "method=PUT nth=2 fault=reset\n"
                 "method=DELETE nth=1 fault=close forward=1\n"
                 "method=GET nth=1 fault=close\n"
                 "method=HEAD nth=1 fault=reset");
}

static int no_network(void **state)
{
    return start(state, 0, "nth=1+ fault=close");
}

static int stop(void **state)
{
    struct site *site = *state;
    store_free(site->store);
    practice_end(&site->practice);
    if (site->proxy != NULL)
        fault_proxy_stop(site->proxy);
    practice_bucket_stop(site->bucket);
    certificate_clear(&site->authority);
    certificate_clear(&site->certificate);
    free(site);
    return 0;
}

static void put(struct store *store, const char *key, const char *text)
{
    cleanup_error struct error err = ERROR_INIT;
    if (store_put_text(store, key, text, &err) != 0)
        fail_msg("%s: %s", key, err.message);
}

static void expect(struct store *store, const char *key, const char *text)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *found = NULL;
    int result = store_read(store, key, 1 << 20, &found, NULL, &err);
    if (result < 0)
        fail_msg("%s: %s", key, err.message);
    assert_int_equal(result, text != NULL ? 0 : STORE_ABSENT);
    if (text != NULL)
        assert_string_equal(found, text);
}

static int note(void *data, const char *key, const struct store_info *info, struct error *reterr)
{
    cleanup_free char *line =
        text_format("%s %d %lld", key, (int)info->kind, (long long)info->size);
    (void)reterr;
    json_add(data, json_string(line));
    return 0;
}

static void expect_list(struct store *store, const char *prefix, int deep, const char *wanted)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *lines = json_array();
    if (store_list(store, prefix, deep, note, lines, &err) != 0)
        fail_msg("%s", err.message);
    cleanup_free char *text = json_canonical(lines);
    assert_string_equal(text, wanted);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void what_is_put_is_there(void **state)
{
    struct site *site = *state;
    struct store *store = site->store;
    struct store_info info;
    char sha256[DIGEST_TEXT_SIZE];
    expect(store, "p/s/a", NULL);
    expect_list(store, "", 1, "[]");
    put(store, "p/s/a", "one");
    put(store, "p/s/a", "second");
    put(store, "p/s/deep/b c+\xc3\xa4=&", "odd");
    put(store, "p/t/c", "");
    put(store, "q", "x");
    practice_bucket_put(site->bucket, "elsewhere", "x", 1);
    practice_bucket_put(site->bucket, "sets/here/p/", "", 0); /* a "folder" of other programs */
    expect(store, "p/s/a", "second");
    expect(store, "p/s/deep/b c+\xc3\xa4=&", "odd");
    expect(store, "p/t/c", "");
    expect(store, "p/t", NULL);
    assert_int_equal(store_head(store, "p/s/a", &info, NULL), 0);
    digest_text_of("second", 6, sha256);
    assert_string_equal(info.sha256, sha256);
    assert_int_equal(info.size, 6);
    assert_int_equal(info.modified_ms, INT64_C(1767323045000));
    expect_list(store, "", 1,
                "[\"p/s/a 0 6\",\"p/s/deep/b c+\xc3\xa4=& 0 3\",\"p/t/c 0 0\",\"q 0 1\"]");
    expect_list(store, "p/", 0, "[\"p/s/ 1 0\",\"p/t/ 1 0\"]");
    assert_int_equal(store_remove(store, "q", NULL), 0);
    assert_int_equal(store_remove(store, "q", NULL), 0);
    assert_int_equal(store_remove_all(store, "p/s/", "a", NULL), 0);
    expect_list(store, "", 1, "[\"p/t/c 0 0\"]");
    assert_int_equal(practice_bucket_size(site->bucket, "elsewhere"), 1);
    cleanup_free char *place = store_place(store, "p/t/c");
    assert_string_equal(place, "s3://far/p/t/c");
}

static int take(void *data, size_t index, const char *text, size_t size, struct error *reterr)
{
    cleanup_free char *key = text_format("%zu", index);
    (void)size;
    (void)reterr;
    json_put_text(data, key, text);
    return 0;
}

static void many_are_read_at_once(void **state)
{
    struct site *site = *state;
    const char *keys[60];
    cleanup_json json_t *found = json_object();
    cleanup_error struct error err = ERROR_INIT;
    for (int i = 0; i < 60; i++) {
        keys[i] = text_format("p/%02d", i);
        if (i % 3 != 0)
            put(site->store, keys[i], keys[i]);
    }
    if (store_read_many(site->store, keys, 60, 1000, take, found, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(json_object_size(found), 60);
    for (int i = 0; i < 60; i++) {
        cleanup_free char *name = text_format("%d", i);
        if (i % 3 != 0)
            assert_string_equal(json_text(found, name), keys[i]);
        else
            assert_true(json_is_null(json_object_get(found, name)));
        free((char *)(uintptr_t)keys[i]);
    }
}

static int add(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)reterr;
    return buffer_append(data, bytes, size);
}

static int moved(void *data, int64_t bytes)
{
    *(int64_t *)data += bytes;
    return 0;
}

static void a_read_goes_on_where_it_broke_off(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *bytes = memory_new(MIB, 1);
    cleanup_buffer struct buffer found = BUFFER_INIT(2 * MIB);
    int64_t told = 0;
    for (size_t i = 0; i < MIB; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    practice_bucket_put(site->bucket, "sets/here/big", bytes, MIB);
    store_set_watch(site->store, (struct store_watch){moved, &told});
    if (store_get(site->store, "big", add, &found, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(found.size, MIB);
    assert_memory_equal(found.data, bytes, MIB);
    assert_int_equal(told, MIB);
    assert_int_equal(practice_bucket_count(site->bucket, "GET", "/big"), 4);
}

/* As a file on a disk that is full: so much, and no more. */
static int take_some(void *data, const void *bytes, size_t size, struct error *reterr)
{
    size_t *room = data;
    (void)bytes;
    if (*room < size)
        return error_set(reterr, EXIT_FAILED, "the disk is full");
    *room -= size;
    return 0;
}

static void what_is_not_taken_is_not_asked_for_again(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    size_t room = MIB / 2;
    cleanup_free char *bytes = memory_new(MIB, 1);
    practice_bucket_put(site->bucket, "sets/here/big", bytes, MIB);
    assert_int_equal(store_get(site->store, "big", take_some, &room, &err), -1);
    assert_string_equal(err.message, "the disk is full");
    assert_int_equal(practice_bucket_count(site->bucket, "GET", "/big"), 1);
}

static void lost_answers_are_asked_for_again(void **state)
{
    struct site *site = *state;
    struct store_info info;
    put(site->store, "a", "one");
    put(site->store, "b", "two");
    expect(site->store, "a", "one");
    assert_int_equal(store_head(site->store, "b", &info, NULL), 0);
    assert_int_equal(store_remove(site->store, "a", NULL), 0);
    expect(site->store, "a", NULL);
}

static void busy_servers_are_asked_again(void **state)
{
    struct site *site = *state;
    static const struct {
        int status;
        const char *code;
    } busy[] = {{503, "SlowDown"}, {500, "InternalError"}, {429, "TooManyRequests"}};
    for (size_t i = 0; i < 3; i++) {
        practice_bucket_answer(site->bucket, &(struct practice_answer){.method = "PUT",
                                                                       .part = "/a",
                                                                       .count = 1,
                                                                       .status = busy[i].status,
                                                                       .code = busy[i].code});
        put(site->store, "a", "one");
    }
    assert_int_equal(practice_bucket_count(site->bucket, "PUT", "/a"), 6);
}

static void a_lost_network_is_a_clear_error(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    site->practice.call.deadline = clock_monotonic_ms() + 1500;
    assert_int_equal(store_put_text(site->store, "a", "one", &err), -1);
    assert_non_null(err.message);
    assert_int_equal(practice_bucket_size(site->bucket, "sets/here/a"), -1);
}

static void refusals_say_what_to_do(void **state)
{
    struct site *site = *state;
    static const struct {
        int status;
        const char *code;
        enum exit_code exit;
        const char *hint;
    } cases[] = {
        {403, "AccessDenied", EXIT_REFUSED, "lacks 's3:PutObject'"},
        {403, "InvalidAccessKeyId", EXIT_USAGE, "access key"},
        {404, "NoSuchBucket", EXIT_USAGE, "bucket"},
        {400, "AuthorizationHeaderMalformed", EXIT_USAGE, "region"},
        {301, "PermanentRedirect", EXIT_USAGE, "endpoint"},
        {400, "XAmzContentSHA256Mismatch", EXIT_FAILED, "nothing was stored"},
        {507, "XMinioStorageFull", EXIT_FAILED, "make room"},
        {400, "NeverHeardOf", EXIT_FAILED, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_error struct error err = ERROR_INIT;
        practice_bucket_answer(site->bucket, &(struct practice_answer){.method = "PUT",
                                                                       .part = "/a",
                                                                       .count = 1,
                                                                       .status = cases[i].status,
                                                                       .code = cases[i].code});
        assert_int_equal(store_put_text(site->store, "a", "one", &err), -1);
        assert_int_equal(err.code, cases[i].exit);
        assert_non_null(strstr(err.message, cases[i].code));
        assert_non_null(strstr(err.message, "cannot write 's3://far/a'"));
        if (cases[i].hint != NULL)
            assert_non_null(strstr(err.hint, cases[i].hint));
    }
    /* a HEAD has no document */
    struct store_info info;
    cleanup_error struct error err = ERROR_INIT;
    practice_bucket_answer(
        site->bucket,
        &(struct practice_answer){.method = "HEAD", .part = "/a", .count = 1, .status = 403});
    assert_int_equal(store_head(site->store, "a", &info, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
}

static void the_server_checks_what_arrives(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    char sha256[DIGEST_TEXT_SIZE];
    digest_text_of("one", 3, sha256);
    const struct store_body body = {"two", -1, 3, sha256};
    assert_int_equal(store_put(site->store, "a", &body, &err), -1);
    assert_non_null(strstr(err.message, "XAmzContentSHA256Mismatch"));
    assert_int_equal(practice_bucket_size(site->bucket, "sets/here/a"), -1);
}

static void a_wrong_key_is_told_and_kept_secret(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_store struct store *wrong =
        open_store(site, practice_bucket_url(site->bucket), "canary/wrong+key", "");
    assert_int_equal(store_put_text(wrong, "a", "one", &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
    assert_non_null(strstr(err.hint, "secret key"));
    put(site->store, "a", "one");
    store_free(take_pointer(site->store)); /* sends its evidence */
    cleanup_free char *frames = json_canonical(site->practice.frames);
    assert_non_null(strstr(frames, "\"service\":\"store\""));
    assert_null(strstr(frames, "canary"));
    assert_null(strstr(err.message, "canary"));
}

static void a_clock_that_is_wrong_is_set_right(void **state)
{
    struct site *site = *state;
    practice_bucket_skew(site->bucket, INT64_C(5) * 3600000);
    put(site->store, "a", "one");
    expect(site->store, "a", "one");
    assert_int_equal(practice_bucket_count(site->bucket, "PUT", "/a"), 2);
    assert_int_equal(practice_bucket_count(site->bucket, "GET", "/a"), 1);
}

/* ---- large ones -------------------------------------------------------------------------------
 */

enum { LARGE = 40 << 20 };

static int large_file(char sha256[DIGEST_TEXT_SIZE])
{
    int fd = memfd_create("large", MFD_CLOEXEC);
    cleanup_free char *bytes = memory_new(LARGE, 1);
    for (size_t i = 0; i < LARGE; i += 4096)
        bytes[i] = (char)(i / 4096);
    assert_int_equal(file_write_all(fd, bytes, LARGE), 0);
    digest_text_of(bytes, LARGE, sha256);
    return fd;
}

static int put_large(struct site *site, int fd, const char *sha256, struct error *reterr)
{
    const struct store_body body = {NULL, fd, LARGE, sha256};
    return store_put(site->store, "large", &body, reterr);
}

static int digest_piece(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)reterr;
    digest_add(data, bytes, size);
    return 0;
}

static void expect_large(struct site *site, const char *sha256)
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char found[DIGEST_TEXT_SIZE];
    struct store_info info;
    digest_begin(&digest);
    assert_int_equal(store_get(site->store, "large", digest_piece, &digest, NULL), 0);
    digest_end(&digest, hash);
    digest_text(hash, found);
    assert_string_equal(found, sha256);
    assert_int_equal(store_head(site->store, "large", &info, NULL), 0);
    assert_string_equal(info.sha256, sha256);
    assert_int_equal(practice_bucket_uploads(site->bucket), 0);
}

static void large_ones_go_in_parts(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    char sha256[DIGEST_TEXT_SIZE];
    int64_t told = 0;
    cleanup_close int fd = large_file(sha256);
    /* a part that is refused once, and an answer that is lost when all was done */
    practice_bucket_answer(site->bucket, &(struct practice_answer){.method = "PUT",
                                                                   .part = "partNumber=2",
                                                                   .count = 1,
                                                                   .status = 503,
                                                                   .code = "SlowDown"});
    practice_bucket_answer(site->bucket, &(struct practice_answer){.method = "POST",
                                                                   .part = "uploadId=",
                                                                   .count = 1,
                                                                   .status = 500,
                                                                   .code = "InternalError",
                                                                   .act = 1});
    store_set_watch(site->store, (struct store_watch){moved, &told});
    if (put_large(site, fd, sha256, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(told, LARGE);
    expect_large(site, sha256);
    assert_int_equal(practice_bucket_count(site->bucket, "PUT", "partNumber="), 4);
}

static void a_failed_upload_leaves_no_parts(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_close int fd = large_file(sha256);
    const struct practice_answer denied = {
        .method = "PUT", .part = "partNumber=2", .count = 1, .status = 403, .code = "AccessDenied"};
    practice_bucket_answer(site->bucket, &denied);
    assert_int_equal(put_large(site, fd, sha256, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_int_equal(practice_bucket_uploads(site->bucket), 0);
    assert_int_equal(practice_bucket_size(site->bucket, "sets/here/large"), -1);
    /* one that could not even be given up goes with the next */
    const struct practice_answer deaf = {
        .method = "DELETE", .part = "uploadId=", .count = 1, .status = 403, .code = "AccessDenied"};
    practice_bucket_answer(site->bucket, &denied);
    practice_bucket_answer(site->bucket, &deaf);
    error_clear(&err);
    assert_int_equal(put_large(site, fd, sha256, &err), -1);
    assert_int_equal(practice_bucket_uploads(site->bucket), 1);
    assert_int_equal(put_large(site, fd, sha256, NULL), 0);
    expect_large(site, sha256);
    /* and other bytes than were said never become an object */
    char other[DIGEST_TEXT_SIZE];
    memcpy(other, sha256, sizeof other);
    other[0] = other[0] == '0' ? '1' : '0';
    error_clear(&err);
    assert_int_equal(put_large(site, fd, other, &err), -1);
    assert_non_null(strstr(err.message, "SHA-256"));
    expect_large(site, sha256);
}

static void an_error_after_success_counts(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_close int fd = large_file(sha256);
    practice_bucket_answer(site->bucket, &(struct practice_answer){.method = "POST",
                                                                   .part = "uploadId=",
                                                                   .count = 1,
                                                                   .status = 200,
                                                                   .code = "InternalError"});
    assert_int_equal(put_large(site, fd, sha256, &err), -1);
    assert_non_null(strstr(err.message, "InternalError"));
    assert_int_equal(practice_bucket_uploads(site->bucket), 0);
}

static void a_cancel_ends_it(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_close int fd = large_file(sha256);
    site->practice.interrupt = SALVOR_CANCELLED;
    site->practice.interrupt_after = 5;
    assert_int_equal(put_large(site, fd, sha256, &err), -1);
    assert_int_equal(err.code, EXIT_INTERRUPTED);
    assert_int_equal(practice_bucket_size(site->bucket, "sets/here/large"), -1);
}

/* A server, or a proxy before it, that does not mind the prefix: nothing is removed that was not
 * asked for. */
static void listings_hold_only_what_was_asked_for(void **state)
{
    struct site *site = *state;
    static const char *const lies[] = {"sets/here/p/t/c", "sets/here/p", "elsewhere", "s"};
    put(site->store, "p/s/a", "one");
    put(site->store, "p/t/c", "two");
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        cleanup_error struct error err = ERROR_INIT;
        practice_bucket_lie(site->bucket, lies[i], 0);
        assert_int_equal(store_remove_all(site->store, "p/s/", NULL, &err), -1);
        assert_non_null(strstr(err.message, "which was not asked for"));
    }
    practice_bucket_lie(site->bucket, NULL, 0);
    expect_list(site->store, "", 1, "[\"p/s/a 0 3\",\"p/t/c 0 3\"]");
}

static void a_listing_without_end_is_given_up(void **state)
{
    struct site *site = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *lines = json_array();
    practice_bucket_lie(site->bucket, NULL, 1);
    assert_int_equal(store_list(site->store, "", 1, note, lines, &err), -1);
    assert_non_null(strstr(err.message, "again and again"));
}

#define site_of(test, setup) cmocka_unit_test_setup_teardown(test, setup, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_of(what_is_put_is_there, plain),
        site_of(what_is_put_is_there, tls),
        site_of(many_are_read_at_once, plain),
        site_of(a_read_goes_on_where_it_broke_off, cut_bodies),
        site_of(what_is_not_taken_is_not_asked_for_again, plain),
        site_of(lost_answers_are_asked_for_again, lost_answers),
        site_of(busy_servers_are_asked_again, plain),
        site_of(a_lost_network_is_a_clear_error, no_network),
        site_of(refusals_say_what_to_do, plain),
        site_of(the_server_checks_what_arrives, plain),
        site_of(a_wrong_key_is_told_and_kept_secret, plain),
        site_of(a_clock_that_is_wrong_is_set_right, plain),
        site_of(large_ones_go_in_parts, plain),
        site_of(a_failed_upload_leaves_no_parts, plain),
        site_of(an_error_after_success_counts, plain),
        site_of(a_cancel_ends_it, plain),
        site_of(listings_hold_only_what_was_asked_for, plain),
        site_of(a_listing_without_end_is_given_up, plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
