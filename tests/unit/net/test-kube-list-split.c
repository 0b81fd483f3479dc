#include "../unit.h"

#include <salvor/scan.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "net/kube-list-split.h"

static struct kube_list_page page;

static void reads(const char *text)
{
    cleanup_error struct error err = ERROR_INIT;
    if (kube_list_split(salvor_span_of(text), &page, &err) != 0)
        fail_msg("not read: %s", err.message);
}

static void item_is(size_t index, const char *expected)
{
    assert_true(index < page.item_count);
    assert_true(salvor_span_is(page.items[index], expected));
}

static void fails(const char *text, const char *message)
{
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(kube_list_split(salvor_span_of(text), &page, &err), -1);
    assert_string_equal(err.message, message);
}

static void a_page_of_a_built_in_type(void **state)
{
    (void)state;
    reads("{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
          "\"1234\",\"continue\":\"eyJ2\\u003d\",\"remainingItemCount\":77},\"items\":[{\"a\":1},"
          "{\"b\":{\"c\":[\"}]\\\"\\\\\"]}}]}\n");
    assert_string_equal(page.kind, "ConfigMapList");
    assert_string_equal(page.resource_version, "1234");
    assert_string_equal(page.continue_token, "eyJ2=");
    assert_int_equal(page.remaining, 77);
    assert_int_equal(page.item_count, 2);
    item_is(0, "{\"a\":1}");
    item_is(1, "{\"b\":{\"c\":[\"}]\\\"\\\\\"]}}");
}

static void metadata_may_come_last(void **state)
{
    (void)state;
    reads("{\"apiVersion\":\"x/v1\",\"items\":[{}],\"kind\":\"XList\",\"metadata\":{\"continue\":"
          "\"\",\"resourceVersion\":\"9\"}}");
    assert_string_equal(page.resource_version, "9");
    assert_string_equal(page.continue_token, "");
    assert_string_equal(page.kind, "XList");
    assert_int_equal(page.remaining, 0);
    assert_int_equal(page.item_count, 1);
}

static void white_space_and_other_members(void **state)
{
    (void)state;
    reads(" {\n \"items\" : [ {\t\"a\" :\r\n1 } ,\n{ } ] , \"more\":[{\"items\":[]}],\n"
          "\"metadata\" : null, \"n\": -1.5e3 , \"kind\":\"List\" } \n");
    assert_int_equal(page.item_count, 2);
    item_is(0, "{\t\"a\" :\r\n1 }");
    item_is(1, "{ }");
    assert_string_equal(page.resource_version, "");
}

static void no_items(void **state)
{
    (void)state;
    reads("{\"kind\":\"SecretList\",\"metadata\":{},\"items\":null}");
    assert_int_equal(page.item_count, 0);
    reads("{\"kind\":\"SecretList\",\"items\":[]}");
    assert_int_equal(page.item_count, 0);
    reads("{\"kind\":\"SecretList\"}");
    assert_int_equal(page.item_count, 0);
    fails("{\"kind\":\"Secret\",\"metadata\":{}}",
          "the answer is not a list: it is of kind 'Secret'");
    fails("{}", "the answer is not a list: it is of kind ''");
}

/* Wherever a string, an escape or a bracket falls in the blocks that are looked at at once. */
static void every_place_in_a_block(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 140; shift++) {
        struct buffer text = BUFFER_INIT(4096);
        struct buffer item = BUFFER_INIT(4096);
        assert_int_equal(buffer_format(&item,
                                       "{\"%*s\":\"\\\\\\\"]}\\\\\",\"x\":[[],{\"\\\\\":0}]}",
                                       (int)shift, ""),
                         0);
        assert_int_equal(
            buffer_format(&text, "{\"kind\":\"L\",\"items\":[%s,%s]}", item.data, item.data), 0);
        reads(text.data);
        assert_int_equal(page.item_count, 2);
        item_is(0, item.data);
        item_is(1, item.data);
        /* and wherever it is cut off */
        for (size_t size = 0; size < text.size; size += 7) {
            cleanup_error struct error err = ERROR_INIT;
            assert_int_equal(kube_list_split((struct salvor_span){text.data, size}, &page, &err),
                             -1);
        }
        buffer_clear(&text);
        buffer_clear(&item);
    }
}

static void damage_is_an_error(void **state)
{
    (void)state;
    fails("", "the answer is not a list: an object was expected at byte 0");
    fails("[]", "the answer is not a list: an object was expected at byte 0");
    fails("{\"items\":[{}{}]}", "the answer is not a list: ',' or ']' was expected at byte 12");
    fails("{\"items\":[{},]}", "the answer is not a list: an item is no object at byte 13");
    fails("{\"items\":[1]}", "the answer is not a list: an item is no object at byte 10");
    fails("{\"items\":{}}", "the answer is not a list: 'items' is no array at byte 9");
    fails("{\"items\":[{\"a\":[}]}]}",
          "the answer is not a list: brackets do not match at byte 16");
    fails("{\"items\":[{\"a\":\"x\ny\"}]}",
          "the answer is not a list: control character in a string at byte 17");
    fails("{\"items\":[{\"a\":\"]}",
          "the answer is not a list: the page ends too early at byte 18");
    fails("{\"items\":[],\"items\":[]}",
          "the answer is not a list: 'items' stands there twice at byte 20");
    fails("{\"items\":[]} x", "the answer is not a list: something follows it at byte 13");
    fails("{\"items\":[],}", "the answer is not a list: a member name was expected at byte 12");
    fails("{\"kind\":nul,\"items\":[]}",
          "the answer is not a list: a value was expected at byte 8");
    fails("{\"metadata\":{\"continue\":7},\"items\":[]}",
          "the answer is not a list: 'continue' is no text of less than 4096 bytes");
}

static void depth_has_a_bound(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT(1 << 16);
    assert_int_equal(buffer_append_text(&text, "{\"items\":[{\"a\":"), 0);
    for (int i = 0; i < KUBE_LIST_DEPTH; i++)
        assert_int_equal(buffer_append_text(&text, "["), 0);
    fails(text.data, "the answer is not a list: nested too deeply at byte 526");
    buffer_clear(&text);
}

static int drop_page(void **state)
{
    (void)state;
    kube_list_page_clear(&page);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_a_built_in_type),
        cmocka_unit_test(metadata_may_come_last),
        cmocka_unit_test(white_space_and_other_members),
        cmocka_unit_test(no_items),
        cmocka_unit_test(every_place_in_a_block),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(depth_has_a_bound),
    };
    return cmocka_run_group_tests_name("net/kube-list-split", tests, NULL, drop_page);
}
