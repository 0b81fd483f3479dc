#include "../unit.h"

#include <salvor/object.h>

static const char pod[] =
    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web-0\",\"namespace\":"
    "\"shop\","
    "\"uid\":\"11\",\"resourceVersion\":\"900\",\"labels\":{\"app.kubernetes.io/name\":\"web\","
    "\"x\":null},\"annotations\":{\"note\":\"a\\nb\"},\"finalizers\":[\"keep\"],"
    "\"ownerReferences\":["
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"name\":\"web\",\"uid\":\"7\","
    "\"controller\":true,\"blockOwnerDeletion\":true},{\"apiVersion\":\"v1\",\"kind\":\"Node\","
    "\"name\":\"n1\",\"uid\":\"8\"}]},\"spec\":{\"status\":{}},\"status\":{\"phase\":\"Running\","
    "\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"},{\"status\":\"False\","
    "\"type\":"
    "\"Ready\",\"reason\":\"Crash\",\"message\":\"it \\\"fell\\\"\"}]}}";

static struct salvor_object read_pod(void)
{
    struct salvor_object object;
    struct salvor_scan_error error = {"", 0};
    if (salvor_object_read(salvor_span_of(pod), &object, &error) != SALVOR_OK)
        fail_msg("%s at %u", error.problem, (unsigned)error.offset);
    return object;
}

static void reads_the_identity(void **state)
{
    const struct salvor_object object = read_pod();
    (void)state;
    assert_true(salvor_span_is(object.kind, "Pod"));
    assert_true(salvor_span_is(object.api_version, "v1"));
    assert_true(salvor_span_is(object.name, "web-0"));
    assert_true(salvor_span_is(object.ns, "shop"));
    assert_true(salvor_span_is(object.uid, "11"));
    assert_true(salvor_span_is(object.resource_version, "900"));
    assert_true(salvor_span_is(object.finalizers, "[\"keep\"]"));
    assert_int_equal(object.deletion_timestamp.size, 0);
}

static void reads_labels_and_annotations(void **state)
{
    const struct salvor_object object = read_pod();
    struct salvor_token value;
    char text[16];
    (void)state;
    assert_int_equal(salvor_object_label(&object, "app.kubernetes.io/name", &value), SALVOR_OK);
    assert_true(salvor_token_is(&value, "web"));
    assert_int_equal(salvor_object_label(&object, "x", &value), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_object_label(&object, "y", &value), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_object_annotation(&object, "note", &value), SALVOR_OK);
    assert_int_equal(salvor_token_decode(&value, text, sizeof text), SALVOR_OK);
    assert_string_equal(text, "a\nb");
}

static void reads_owners_and_conditions(void **state)
{
    const struct salvor_object object = read_pod();
    struct salvor_owner owner;
    struct salvor_condition condition;
    (void)state;
    assert_int_equal(salvor_object_owner(&object, 0, &owner), SALVOR_OK);
    assert_true(salvor_span_is(owner.kind, "StatefulSet"));
    assert_true(salvor_span_is(owner.uid, "7"));
    assert_int_equal(owner.controller, 1);
    assert_int_equal(salvor_object_owner(&object, 1, &owner), SALVOR_OK);
    assert_true(salvor_span_is(owner.name, "n1"));
    assert_int_equal(owner.controller, 0);
    assert_int_equal(salvor_object_owner(&object, 2, &owner), SALVOR_END);

    assert_int_equal(salvor_object_condition(&object, "Ready", &condition), SALVOR_OK);
    assert_true(salvor_span_is(condition.status, "False"));
    assert_true(salvor_span_is(condition.reason, "Crash"));
    assert_true(salvor_span_is(condition.message, "it \\\"fell\\\""));
    assert_int_equal(salvor_object_condition(&object, "Gone", &condition), SALVOR_NOT_FOUND);
    assert_true(salvor_object_is(&object, "PodScheduled"));
    assert_false(salvor_object_is(&object, "Ready"));
}

static void copes_with_little(void **state)
{
    struct salvor_object object;
    struct salvor_owner owner;
    struct salvor_token value;
    struct salvor_condition condition;
    (void)state;
    assert_int_equal(
        salvor_object_read(salvor_span_of("{\"metadata\":{\"name\":null,\"labels\":null,"
                                          "\"ownerReferences\":[]},\"status\":null}"),
                           &object, NULL),
        SALVOR_OK);
    assert_int_equal(object.name.size, 0);
    assert_int_equal(salvor_object_owner(&object, 0, &owner), SALVOR_END);
    assert_int_equal(salvor_object_label(&object, "a", &value), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_object_condition(&object, "Ready", &condition), SALVOR_NOT_FOUND);
}

static void refuses_what_is_no_object(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } bad[] = {
        {"[]", "not a JSON object"},
        {"{\"kind\":7}", "a name of the object is not a text"},
        {"{\"metadata\":{\"name\":\"a\\u0062\"}}", "a name of the object has an escape in it"},
        {"{\"metadata\":{\"labels\":[]}}",
         "labels, annotations, owners or finalizers have another type"},
        {"{\"kind\":\"A\"}}", "something follows the document"},
        {"{\"kind\":\"A\",\"spec\":{\"a\":01}}", "',' or the end of the container was expected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct salvor_object object;
        struct salvor_scan_error error = {"", 0};
        assert_int_equal(salvor_object_read(salvor_span_of(bad[i].text), &object, &error),
                         SALVOR_FAILED);
        assert_string_equal(error.problem, bad[i].problem);
    }
}

static void splits_group_and_version(void **state)
{
    struct salvor_span group;
    struct salvor_span version;
    char small[4];
    (void)state;
    salvor_group_version(salvor_span_of("apps/v1"), &group, &version);
    assert_true(salvor_span_is(group, "apps"));
    assert_true(salvor_span_is(version, "v1"));
    salvor_group_version(salvor_span_of("v1"), &group, &version);
    assert_true(salvor_span_is(group, ""));
    assert_true(salvor_span_is(version, "v1"));
    assert_int_equal(salvor_span_copy(salvor_span_of("abc"), small, sizeof small), SALVOR_OK);
    assert_string_equal(small, "abc");
    assert_int_equal(salvor_span_copy(salvor_span_of("abcd"), small, sizeof small), SALVOR_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_identity),
        cmocka_unit_test(reads_labels_and_annotations),
        cmocka_unit_test(reads_owners_and_conditions),
        cmocka_unit_test(copes_with_little),
        cmocka_unit_test(refuses_what_is_no_object),
        cmocka_unit_test(splits_group_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
