#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "net/lease-object.h"

static const int64_t now_us = INT64_C(1767323045678901); /* 2026-01-02T03:04:05.678901Z */

static struct lease_self self_of(const json_t *who)
{
    return (struct lease_self){"kube-system", "salvor", "host-a/run-1/aa", who, 1500};
}

static json_t *who_of(const char *run)
{
    return json_make("{s:s, s:s, s:s, s:i}", "run", run, "host", "host-a", "boot", "b-1", "pid", 7);
}

static void nothing_is_nobodys(void **state)
{
    (void)state;
    cleanup_lease_seen struct lease_seen seen = {0};
    assert_int_equal(lease_seen_take(NULL, &seen, NULL), 0);
    assert_null(seen.object);
    assert_string_equal(seen.identity, "");
    cleanup_json json_t *heads = lease_heads(&seen);
    assert_int_equal(json_array_size(heads), 0);
}

/* As an API server gives it back: what was written can be read, by the same holder and others. */
static void what_is_written_is_read(void **state)
{
    (void)state;
    cleanup_json json_t *who = who_of("run-1");
    const struct lease_self self = self_of(who);
    cleanup_lease_seen struct lease_seen none = {0};
    assert_int_equal(lease_seen_take(NULL, &none, NULL), 0);
    json_t *object = lease_written(&none, &self, LEASE_WRITE_TAKE, now_us, NULL);
    const json_t *spec = json_object_get(object, "spec");
    assert_string_equal(json_text(spec, "renewTime"), "2026-01-02T03:04:05.678901Z");
    assert_string_equal(json_text(spec, "acquireTime"), "2026-01-02T03:04:05.678901Z");
    assert_int_equal(json_whole(spec, "leaseDurationSeconds", 0), 2); /* never less than meant */
    assert_int_equal(json_whole(spec, "leaseTransitions", -1), 0);
    json_put_text(json_object_get(object, "metadata"), "resourceVersion", "5");
    json_put_text(json_object_get(object, "metadata"), "uid", "u-1");
    json_put(json_object_get(object, "metadata"), "managedFields", json_array());
    cleanup_lease_seen struct lease_seen seen = {0};
    assert_int_equal(lease_seen_take(object, &seen, NULL), 0);
    assert_string_equal(seen.identity, "host-a/run-1/aa");
    assert_string_equal(json_text(seen.who, "run"), "run-1");
    assert_int_equal(json_whole(seen.who, "pid", 0), 7);
    assert_int_equal(seen.duration_ms, 2000);

    cleanup_json json_t *again = lease_written(&seen, &self, LEASE_WRITE_RENEW, now_us + 1, "h-1");
    const json_t *metadata = json_object_get(again, "metadata");
    assert_string_equal(json_text(metadata, "resourceVersion"), "5");
    assert_string_equal(json_text(metadata, "uid"), "u-1");
    assert_null(json_object_get(metadata, "managedFields"));
    assert_string_equal(json_text(json_object_get(again, "spec"), "acquireTime"),
                        "2026-01-02T03:04:05.678901Z");
    assert_string_equal(json_text(json_object_get(again, "spec"), "renewTime"),
                        "2026-01-02T03:04:05.678902Z");
}

static void released_lease_is_free_and_keeps_the_heads(void **state)
{
    (void)state;
    cleanup_json json_t *who = who_of("run-1");
    const struct lease_self self = self_of(who);
    cleanup_lease_seen struct lease_seen none = {0};
    assert_int_equal(lease_seen_take(NULL, &none, NULL), 0);
    json_t *object = lease_written(&none, &self, LEASE_WRITE_RELEASE, now_us, "h-end");
    json_put_text(json_object_get(object, "metadata"), "resourceVersion", "6");
    cleanup_lease_seen struct lease_seen seen = {0};
    assert_int_equal(lease_seen_take(object, &seen, NULL), 0);
    assert_string_equal(seen.identity, "");
    assert_null(seen.who);
    cleanup_json json_t *heads = lease_heads(&seen);
    assert_string_equal(json_text(json_array_get(heads, 0), "head"), "h-end");
    assert_string_equal(json_text(json_array_get(heads, 0), "run"), "run-1");
}

static void heads_are_one_a_run_and_not_too_many(void **state)
{
    (void)state;
    json_t *object = json_make("{s:{s:s}}", "metadata", "resourceVersion", "1");
    for (int i = 0; i < 40; i++) {
        char run[16];
        char head[16];
        (void)snprintf(run, sizeof run, "run-%d", i / 2);
        (void)snprintf(head, sizeof head, "h-%d", i);
        cleanup_json json_t *who = who_of(run);
        const struct lease_self self = self_of(who);
        cleanup_lease_seen struct lease_seen seen = {0};
        assert_int_equal(lease_seen_take(object, &seen, NULL), 0);
        object = lease_written(&seen, &self, LEASE_WRITE_RENEW, now_us, head);
    }
    cleanup_lease_seen struct lease_seen seen = {0};
    assert_int_equal(lease_seen_take(object, &seen, NULL), 0);
    cleanup_json json_t *heads = lease_heads(&seen);
    assert_int_equal(json_array_size(heads), 16);
    assert_string_equal(json_text(json_array_get(heads, 15), "head"), "h-39");
    assert_string_equal(json_text(json_array_get(heads, 0), "run"), "run-4");
}

/* Another tool took it over and left the annotations as they were. */
static void annotation_of_another_holder_is_not_believed(void **state)
{
    (void)state;
    cleanup_json json_t *who = who_of("run-1");
    const struct lease_self self = self_of(who);
    cleanup_lease_seen struct lease_seen none = {0};
    assert_int_equal(lease_seen_take(NULL, &none, NULL), 0);
    json_t *object = lease_written(&none, &self, LEASE_WRITE_TAKE, now_us, NULL);
    json_put_text(json_object_get(object, "metadata"), "resourceVersion", "5");
    json_put_text(json_object_get(object, "spec"), "holderIdentity", "operator_7");
    cleanup_lease_seen struct lease_seen seen = {0};
    assert_int_equal(lease_seen_take(object, &seen, NULL), 0);
    assert_string_equal(seen.identity, "operator_7");
    assert_null(seen.who);
}

static void unsound_objects_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "{\"metadata\":{\"resourceVersion\":\"\"}}",
        "{\"metadata\":{\"resourceVersion\":7}}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":[]}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{\"holderIdentity\":{}}}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{\"renewTime\":7}}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{\"leaseDurationSeconds\":\"7\"}}",
        "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":[]}}",
    };
    static const char *const odd[] = {
        "{\"metadata\":{\"resourceVersion\":\"7\"}}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":null}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{\"leaseDurationSeconds\":-3}}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{\"leaseDurationSeconds\":99999999}}",
        "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"salvor/holder\":\"{\"}}}",
        ("{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"salvor/"
         "journal-heads\":\"7\"}}}"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cleanup_lease_seen struct lease_seen seen = {0};
        if (lease_seen_take(json_loads(bad[i], 0, NULL), &seen, NULL) == 0)
            fail_msg("%s was taken for a Lease", bad[i]);
    }
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        cleanup_lease_seen struct lease_seen seen = {0};
        if (lease_seen_take(json_loads(odd[i], 0, NULL), &seen, NULL) != 0)
            fail_msg("%s was taken for none", odd[i]);
        assert_int_equal(seen.duration_ms, 0);
        cleanup_json json_t *heads = lease_heads(&seen);
        assert_int_equal(json_array_size(heads), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_nobodys),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(released_lease_is_free_and_keeps_the_heads),
        cmocka_unit_test(heads_are_one_a_run_and_not_too_many),
        cmocka_unit_test(annotation_of_another_holder_is_not_believed),
        cmocka_unit_test(unsound_objects_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
