#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

/* Reads the whole list; the names in the order they came, "map-000 map-001 ...". */
static salvor_status read_all(struct site *site, const char *options, struct buffer *names,
                              uint32_t *ret_pages, int *ret_inconsistent)
{
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_status status = kube_table.list_open(site_call(site), site->client, options, &list);
    *ret_pages = 0;
    *ret_inconsistent = 0;
    while (status == SALVOR_OK &&
           (status = kube_table.list_next(site_call(site), list, &page)) == SALVOR_OK) {
        (*ret_pages)++;
        *ret_inconsistent |= (int)page.inconsistent;
        for (uint32_t i = 0; i < page.item_count; i++) {
            assert_true(page.items[i].data >= page.body.data &&
                        page.items[i].data + page.items[i].size <= page.body.data + page.body.size);
            cleanup_json json_t *item =
                json_loadb(page.items[i].data, (size_t)page.items[i].size, 0, NULL);
            assert_non_null(item);
            (void)buffer_format(names, "%s%s", names->size > 0 ? " " : "",
                                json_text(json_object_get(item, "metadata"), "name"));
        }
    }
    if (list != NULL)
        kube_table.list_close(site_call(site), list);
    return status;
}

static char *expected_names(int from, int to)
{
    struct buffer names = BUFFER_INIT(1 << 20);
    for (int i = from; i < to; i++)
        (void)buffer_format(&names, "%smap-%03d", i > from ? " " : "", i);
    return buffer_take(&names);
}

static void lists(struct site *site, const char *options, const char *expected, uint32_t pages)
{
    cleanup_buffer struct buffer names = BUFFER_INIT(1 << 20);
    uint32_t read = 0;
    int inconsistent = 0;
    if (read_all(site, options, &names, &read, &inconsistent) != SALVOR_END)
        fail_msg("list failed: %s", site_error(site));
    assert_string_equal(names.data != NULL ? names.data : "", expected);
    assert_int_equal(read, pages);
    assert_false(inconsistent);
}

#define MAPS(ns, more) \
    "{\"version\":\"v1\",\"resource\":\"configmaps\",\"namespace\":\"" ns "\"" more "}"

static void page_by_page(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("pages");
    site_make_config_maps("pages", 103);
    site_begin(&site, NULL, NULL);
    cleanup_free char *all = expected_names(0, 103);
    lists(&site, MAPS("pages", ",\"limit\":10"), all, 11);
    lists(&site, MAPS("pages", ""), all, 1);
    lists(&site, MAPS("pages", ",\"limit\":103"), all, 1);
    lists(&site, MAPS("pages", ",\"fieldSelector\":\"metadata.name=map-007\""), "map-007", 1);
    lists(&site, MAPS("pages", ",\"labelSelector\":\"a in (b, c),!d\""), "", 1);
    const json_t *evidence = practice_frame(&site.practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "what"), "list configmaps");
    site_end(&site);
}

/* The version goes with the first page only: servers refuse it beside a token. */
static void page_by_page_of_a_version(void **state)
{
    struct site site;
    cleanup_json json_t *now = NULL;
    (void)state;
    site_make_namespace("version");
    site_make_config_maps("version", 23);
    assert_int_equal(site_admin("GET", "/_sim/state", NULL, &now), 200);
    const long long revision = (long long)json_whole(now, "revision", 0);
    site_begin(&site, NULL, NULL);
    cleanup_free char *all = expected_names(0, 23);
    cleanup_free char *least =
        text_format(MAPS("version", ",\"limit\":10,\"resourceVersion\":\"%lld\""), revision);
    lists(&site, least, all, 3);
    cleanup_free char *exact =
        text_format(MAPS("version", ",\"limit\":10,\"resourceVersion\":\"%lld\","
                                    "\"resourceVersionMatch\":\"Exact\""),
                    revision);
    lists(&site, exact, all, 3);
    site_end(&site);
}

static void what_a_page_says(void **state)
{
    struct site site;
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    (void)state;
    site_make_namespace("says");
    site_make_config_maps("says", 5);
    site_begin(&site, NULL, NULL);
    assert_int_equal(kube_table.list_open(site_call(&site), site.client,
                                          MAPS("says", ",\"limit\":2,\"metadata_only\":true"),
                                          &list),
                     SALVOR_OK);
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    assert_string_equal(page.list_kind, "PartialObjectMetadataList");
    assert_int_equal(page.item_count, 2);
    assert_int_equal(page.remaining, 3);
    assert_true(strlen(page.resource_version) > 0);
    cleanup_free char *version = text_copy(page.resource_version);
    cleanup_json json_t *item = json_loadb(page.items[0].data, (size_t)page.items[0].size, 0, NULL);
    assert_null(json_object_get(item, "data"));
    /* objects that come in between are not of this list */
    site_make_namespace("says-more");
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    assert_string_equal(page.resource_version, version);
    kube_table.list_close(site_call(&site), list);
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_BUG);
    site_end(&site);
}

static void compact_to_now(void)
{
    cleanup_json json_t *state = NULL;
    assert_int_equal(site_admin("GET", "/_sim/state", NULL, &state), 200);
    cleanup_free char *body =
        text_format("{\"revision\":%lld}", (long long)json_whole(state, "revision", 0));
    assert_int_equal(site_admin("POST", "/_sim/compact", body, NULL), 200);
}

static void a_snapshot_that_is_gone_is_told(void **state)
{
    struct site site;
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    uint32_t items = 0;
    salvor_status status = SALVOR_OK;
    (void)state;
    site_make_namespace("gone");
    site_make_config_maps("gone", 20);
    site_begin(&site, NULL, NULL);
    assert_int_equal(
        kube_table.list_open(site_call(&site), site.client, MAPS("gone", ",\"limit\":4"), &list),
        SALVOR_OK);
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    assert_false(page.inconsistent);
    items = 8;
    /* the third page is there already; the fourth will be of another moment */
    site_make_namespace("gone-more");
    compact_to_now();
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    items += page.item_count;
    while ((status = kube_table.list_next(site_call(&site), list, &page)) == SALVOR_OK) {
        assert_true(page.inconsistent);
        items += page.item_count;
    }
    assert_int_equal(status, SALVOR_END);
    assert_int_equal(items, 20); /* on from where it was, never from the start */
    kube_table.list_close(site_call(&site), list);
    assert_true(json_flag(practice_frame(&site.practice, FRAME_EVIDENCE), "inconsistent"));
    site_end(&site);
}

static void a_snapshot_without_replacement_is_an_error(void **state)
{
    struct site site;
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    (void)state;
    site_make_namespace("lost");
    site_make_config_maps("lost", 6);
    site_begin(&site, "path=*/lost/* nth=2 fault=status status=410", NULL);
    assert_int_equal(
        kube_table.list_open(site_call(&site), site.client, MAPS("lost", ",\"limit\":2"), &list),
        SALVOR_OK);
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_FAILED);
    assert_string_equal(site_error(&site), "cannot list 'configmaps': 410 Gone");
    assert_string_equal(site_hint(&site), "the list grew too old while it was read: list it again");
    /* what failed never looks like a complete list afterwards */
    assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_FAILED);
    assert_string_equal(site_error(&site), "cannot list 'configmaps': it failed before its end");
    site_end(&site);
}

static void large_objects_come_in_smaller_pages(void **state)
{
    struct site site;
    cleanup_buffer struct buffer names = BUFFER_INIT(1 << 20);
    uint32_t pages = 0;
    int inconsistent = 0;
    enum { COUNT = 20, SIZE = 1000000 };
    (void)state;
    site_make_namespace("large");
    cleanup_free char *filling = memory_new(SIZE + 1, 1);
    memset(filling, 'x', SIZE);
    for (int i = 0; i < COUNT; i++) {
        cleanup_free char *body =
            text_format("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                        "\"map-%03d\"},\"data\":{\"a\":\"%s\"}}",
                        i, filling);
        assert_int_equal(site_admin("POST", "/api/v1/namespaces/large/configmaps", body, NULL),
                         201);
    }
    site_begin(&site, NULL, NULL);
    /* one page of 20 MB would be more than is ever held */
    assert_int_equal(read_all(&site, MAPS("large", ""), &names, &pages, &inconsistent), SALVOR_END);
    cleanup_free char *all = expected_names(0, COUNT);
    assert_string_equal(names.data, all);
    assert_true(pages > 2);
    site_end(&site);
    assert_int_equal(site_admin("DELETE", "/api/v1/namespaces/large", NULL, NULL), 200);
}

static void what_cannot_be_listed(void **state)
{
    static const struct {
        const char *options, *message;
        salvor_status status;
    } cases[] = {
        {"{\"version\":\"v1\"}", "kube.list_open: the resource is missing", SALVOR_BUG},
        {"{\"version\":\"v1\",\"resource\":\"pods\",\"labels\":\"a\"}",
         "kube.list_open: 'labels' is no option, or its value is none of it", SALVOR_BUG},
        {"{\"version\":\"v1\",\"resource\":\"pods\",\"limit\":0}",
         "kube.list_open: 'limit' is no option, or its value is none of it", SALVOR_BUG},
        {"{\"version\":\"v1\",\"resource\":\"things\"}", "cannot list 'things': 404 Not Found",
         SALVOR_NOT_FOUND},
        {"{\"version\":\"v1\",\"resource\":\"pods\",\"labelSelector\":\"==\"}",
         "cannot list 'pods': 400 Bad Request", SALVOR_FAILED},
    };
    struct site site;
    cleanup_buffer struct buffer names = BUFFER_INIT(1 << 20);
    uint32_t pages = 0;
    int inconsistent = 0;
    (void)state;
    site_begin(&site, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_all(&site, cases[i].options, &names, &pages, &inconsistent),
                         cases[i].status);
        assert_string_equal(site_error(&site), cases[i].message);
    }
    site_end(&site);
}

static void left_early_leaves_nothing(void **state)
{
    struct site site;
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    (void)state;
    site_make_namespace("early");
    site_make_config_maps("early", 10);
    site_begin(&site, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kube_table.list_open(site_call(&site), site.client,
                                              MAPS("early", ",\"limit\":2"), &list),
                         SALVOR_OK);
        assert_int_equal(kube_table.list_next(site_call(&site), list, &page), SALVOR_OK);
    }
    /* lists and client are closed with the call, in whatever order */
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_by_page),
        cmocka_unit_test(page_by_page_of_a_version),
        cmocka_unit_test(what_a_page_says),
        cmocka_unit_test(a_snapshot_that_is_gone_is_told),
        cmocka_unit_test(a_snapshot_without_replacement_is_an_error),
        cmocka_unit_test(large_objects_come_in_smaller_pages),
        cmocka_unit_test(what_cannot_be_listed),
        cmocka_unit_test(left_early_leaves_nothing),
    };
    return cmocka_run_group_tests_name("kube/list", tests, site_start_server, site_stop_server);
}
