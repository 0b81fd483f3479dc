/* The parts with rules of their own: numbers and texts, patches, the store's history. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "json-text.h"
#include "json-tree.h"
#include "patch.h"
#include "store.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"

static void numbers_are_written_as_go_does(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"9007199254740993", "9007199254740993"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"0.1", "0.1"},
        {"1.0", "1"},
        {"1e6", "1000000"},
        {"123456.789", "123456.789"},
        {"1e-7", "1e-7"},
        {"0.000001", "0.000001"},
        {"1e21", "1e+21"},
        {"123456789012345678901234.0", "1.2345678901234569e+23"},
        {"100000000000000000000.0", "100000000000000000000"},
        {"-0.5", "-0.5"},
        {"2.5e-9", "2.5e-9"},
        {"1e-10", "1e-10"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"0.0", "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_json json_t *value = json_loads(cases[i][0], JSON_DECODE_ANY, NULL);
        cleanup_buffer struct buffer text = BUFFER_INIT(1024);
        assert_int_equal(json_text_write(&text, value), 0);
        assert_string_equal(text.data, cases[i][1]);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    cleanup_json json_t *value = json_pack("{s:[s,s]}", "key", "0123456789", "0123456789");
    for (size_t limit = 0; limit < 30; limit++) {
        cleanup_buffer struct buffer text = BUFFER_INIT(limit);
        assert_int_equal(json_text_write(&text, value), -1);
        assert_true(text.size <= limit);
    }
}

static void merge_patches_follow_the_rfc(void **state)
{
    (void)state;
    /* target, patch, result: the table of RFC 7386, as far as targets are objects. */
    static const char *const cases[][3] = {
        {"{'a':'b'}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}"},
        {"{'a':'b'}", "{'a':null}", "{}"},
        {"{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}"},
        {"{'a':['b']}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'c'}", "{'a':['b']}", "{'a':['b']}"},
        {"{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}"},
        {"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}"},
        {"{'e':null}", "{'a':1}", "{'a':1,'e':null}"},
        {"{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *trees[3];
        for (size_t t = 0; t < 3; t++) {
            cleanup_free char *text = text_copy(cases[i][t]);
            for (char *at = text; *at != '\0'; at++)
                if (*at == '\'')
                    *at = '"';
            trees[t] = json_loads(text, 0, NULL);
            assert_non_null(trees[t]);
        }
        patch_merge(trees[0], trees[1]);
        assert_true(json_equal(trees[0], trees[2]));
        for (size_t t = 0; t < 3; t++)
            json_decref(trees[t]);
    }
}

static json_t *object(const char *value)
{
    return json_pack("{s:{s:s}, s:s}", "metadata", "name", "x", "value", value);
}

static struct store_object *put(struct store *store, struct store_table *table, const char *key,
                                const char *value)
{
    json_t *tree = object(value);
    struct store_object *result = store_put(store, table, key, tree, NULL);
    json_decref(tree);
    return result;
}

/* "key=value" of all objects at the revision, separated by spaces. */
static char *contents(const struct store_table *table, int64_t revision, const char *prefix)
{
    struct buffer text = BUFFER_INIT(4096);
    struct store_cursor cursor;
    const struct store_object *state;
    const char *key;
    store_walk(&cursor, table, revision, prefix, prefix);
    while ((state = store_walk_next(&cursor, &key)) != NULL) {
        cleanup_json json_t *tree = store_object_tree(state);
        buffer_format(&text, "%s=%s ", key, tree_text(tree, "value"));
    }
    return buffer_take(&text);
}

static void expect(const struct store_table *table, int64_t revision, const char *wanted)
{
    cleanup_free char *got = contents(table, revision, "");
    assert_string_equal(got, wanted);
}

static void store_remembers_until_compacted(void **state)
{
    (void)state;
    struct store *store = store_new(100, 0);
    struct store_table *table = store_table(store, "", "things");
    assert_ptr_equal(table, store_table(store, "", "things"));
    put(store, table, "b", "1");           /* 101 */
    put(store, table, "a", "1");           /* 102 */
    put(store, table, "b", "2");           /* 103 */
    store_delete(store, table, "a", NULL); /* 104 */
    put(store, table, "a/c", "1");         /* 105 */
    assert_int_equal(store->revision, 105);
    expect(table, 100, "");
    expect(table, 101, "b=1 ");
    expect(table, 102, "a=1 b=1 ");
    expect(table, 103, "a=1 b=2 ");
    expect(table, 104, "b=2 ");
    expect(table, 105, "a/c=1 b=2 ");
    assert_int_equal(table->live, 2);

    const struct store_event *event = store_event_at(store, store_event_after(store, 103));
    assert_non_null(event);
    assert_true(event->deleted);
    assert_int_equal(event->revision, 104);
    assert_non_null(strstr(event->object->text, "\"resourceVersion\":\"104\""));

    store_compact(store, 103);
    assert_int_equal(store->compacted, 103);
    expect(table, 103, "a=1 b=2 ");
    expect(table, 104, "b=2 ");
    assert_int_equal(store_event_at(store, store_event_after(store, 103))->revision, 104);
    assert_null(store_event_at(store, 0));
    store_compact(store, 1000);
    assert_int_equal(store->compacted, 105);
    expect(table, 105, "a/c=1 b=2 ");
    put(store, table, "a", "again");
    expect(table, 106, "a=again a/c=1 b=2 ");
    store_free(store);
}

static void store_forgets_by_itself(void **state)
{
    (void)state;
    struct store *store = store_new(0, 10);
    struct store_table *table = store_table(store, "g", "things");
    for (int i = 0; i < 1000; i++)
        put(store, table, "x", "v");
    assert_true(store->event_count <= 10);
    assert_true(store->compacted >= 990);
    expect(table, 1000, "x=v ");
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_go_does),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(merge_patches_follow_the_rfc),
        cmocka_unit_test(store_remembers_until_compacted),
        cmocka_unit_test(store_forgets_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
