#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "net/evidence.h"
#include "practice-call.h"

static void shown_as(const char *target, const char *expected)
{
    static const char *const shown[] = {"limit", "watch", NULL};
    cleanup_free char *text = evidence_target(target, shown);
    assert_string_equal(text, expected);
}

static void queries_keep_their_secrets(void **state)
{
    (void)state;
    shown_as("/a/b", "/a/b");
    shown_as("/a?limit=500", "/a?limit=500");
    shown_as("/a?token=s3cret", "/a?token=…");
    shown_as("/a?limit=1&token=s3cret&watch=true&x=1=2", "/a?limit=1&token=…&watch=true&x=…");
    shown_as("/a?uploads&limit=", "/a?uploads&limit=");
    shown_as("/a?", "/a?");
    shown_as("/a?=x", "/a?=…");
    cleanup_free char *text = evidence_target("/a?limit=1", NULL);
    assert_string_equal(text, "/a?limit=…");
}

static void a_class_counts(void **state)
{
    struct practice practice;
    (void)state;
    practice_begin(&practice);
    struct evidence_class *class = evidence_class_new("kube", "objects");
    evidence_class_send(&practice.call, class);
    assert_null(practice_frame(&practice, FRAME_EVIDENCE));
    for (int i = 0; i < 1000; i++)
        evidence_class_count(class, "create", i % 2 == 0 ? "configmaps" : "secrets", 201, i % 4);
    evidence_class_count(class, "create", "secrets", 409, 5000000);
    evidence_class_count(class, "create", "secrets", -1, -1);
    evidence_class_send(&practice.call, class);
    const json_t *record = practice_frame(&practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(record, "what"), "class objects");
    const json_t *counts = json_object_get(record, "counts");
    assert_int_equal(json_array_size(counts), 4);
    cleanup_free char *first = json_canonical(json_array_get(counts, 0));
    assert_string_equal(first, "{\"count\":500,\"ms\":{\"1\":250,\"4\":250},\"status\":201,"
                               "\"type\":\"configmaps\",\"verb\":\"create\"}");
    cleanup_free char *third = json_canonical(json_array_get(counts, 2));
    assert_string_equal(third, "{\"count\":1,\"ms\":{\"more\":1},\"status\":409,"
                               "\"type\":\"secrets\",\"verb\":\"create\"}");
    cleanup_free char *last = json_canonical(json_array_get(counts, 3));
    assert_string_equal(last, "{\"count\":1,\"ms\":{},\"type\":\"secrets\",\"verb\":\"create\"}");
    practice_forget_frames(&practice);
    evidence_class_send(&practice.call, class);
    assert_null(practice_frame(&practice, FRAME_EVIDENCE));
    int wanted = 0;
    for (int i = 0; i < 1000; i++)
        wanted += evidence_class_wants(class);
    assert_int_equal(wanted, 100);
    evidence_class_free(class);
    practice_end(&practice);
}

static void a_record_has_its_limit(void **state)
{
    struct practice practice;
    char type[300];
    (void)state;
    practice_begin(&practice);
    struct evidence_class *class = evidence_class_new("http", "many");
    memset(type, 'x', sizeof type);
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(type + 280, 20, "%d", i);
        evidence_class_count(class, "GET", type, 200, 1);
    }
    evidence_class_send(&practice.call, class);
    const json_t *record = practice_frame(&practice, FRAME_EVIDENCE);
    cleanup_free char *text = json_canonical(record);
    assert_true(strlen(text) < 512 * 1024);
    int64_t sum = 0;
    size_t index = 0;
    const json_t *each = NULL;
    json_array_foreach (json_object_get(record, "counts"), index, each)
        sum += json_whole(each, "count", 0);
    assert_int_equal(sum, 2000);
    evidence_class_free(class);
    practice_end(&practice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_keep_their_secrets),
        cmocka_unit_test(a_class_counts),
        cmocka_unit_test(a_record_has_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
