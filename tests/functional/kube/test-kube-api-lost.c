/* Requests whose answer is lost: nothing is made twice, nothing that was made is reported as a
 * failure, and what cannot be known is said to be unknown. */
#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

#define MAP(name, value)                                                                           \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name "\"},\"data\":" \
    "{\"a\":\"" value "\"}}"

static const json_t *evidence(struct site *site)
{
    return practice_frame(&site->practice, FRAME_EVIDENCE);
}

/* The server acts, its answer never comes: the ways for that. */
static const char *const losses[] = {"fault=close forward=1",
                                     "fault=reset forward=1",
                                     "fault=cut bytes=0",
                                     "fault=cut bytes=30",
                                     "fault=cut bytes=400",
                                     "fault=short-body",
                                     "fault=bad-status-line",
                                     "fault=status status=502 forward=1",
                                     "fault=status status=504 forward=1",
                                     "fault=status status=500 forward=1"};
enum { LOSSES = sizeof losses / sizeof losses[0] };

static void a_created_object_is_found(void **state)
{
    (void)state;
    site_make_namespace("create");
    for (size_t i = 0; i < LOSSES; i++) {
        struct site site;
        int32_t code = 0;
        cleanup_free char *rules = text_format("method=POST nth=1 %s", losses[i]);
        cleanup_free char *body =
            text_format("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                        "\"m-%zu\",\"labels\":{}},\"data\":{\"a\":\"1\"}}",
                        i);
        const int before = site_count("create", "configmaps", -1);
        site_begin(&site, rules, NULL);
        struct salvor_kube_request create =
            site_request("create", "configmaps", "create", NULL, body);
        cleanup_json json_t *made = NULL;
        if (site_ask(&site, &create, &code, &made) != SALVOR_OK)
            fail_msg("%s: %s", losses[i], site_error(&site));
        assert_int_equal(code, 201);
        assert_non_null(json_text(json_object_get(made, "metadata"), "uid"));
        assert_int_equal(site_count("create", "configmaps", -1) - before, 1);
        assert_true(json_flag(evidence(&site), "settled_by_reading"));
        site_end(&site);
    }
}

static void what_never_arrived_is_sent_again(void **state)
{
    static const char *const unseen[] = {"fault=close", "fault=reset", "fault=status status=503"};
    (void)state;
    site_make_namespace("again");
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++) {
        struct site site;
        int32_t code = 0;
        cleanup_free char *rules = text_format("method=POST nth=1 %s", unseen[i]);
        cleanup_free char *body =
            text_format("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                        "\"m-%zu\"}}",
                        i);
        site_begin(&site, rules, NULL);
        struct salvor_kube_request create =
            site_request("create", "configmaps", "again", NULL, body);
        assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_OK);
        assert_int_equal(code, 201);
        assert_int_equal(json_whole(evidence(&site), "attempts", 0), 2);
        assert_false(json_flag(evidence(&site), "settled_by_reading"));
        site_end(&site);
    }
}

static void somebody_elses_object_is_a_conflict(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("other");
    site_make_config_maps("other", 1);
    site_begin(&site, "method=POST nth=1 fault=close forward=1", NULL);
    struct salvor_kube_request create =
        site_request("create", "configmaps", "other", NULL, MAP("map-000", "mine"));
    assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 409); /* in the server's own words */
    site_end(&site);
}

static void looking_has_patience(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    const int conflicts = site_count("create", "configmaps", 409);
    site_make_namespace("patience");
    site_begin(&site,
               "method=POST nth=1 fault=close forward=1\n"
               "site=settle:* nth=1 fault=close\n"
               "site=settle:* nth=2 fault=status status=503\n",
               NULL);
    struct salvor_kube_request create =
        site_request("create", "configmaps", "patience", NULL, MAP("m", "1"));
    assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 201);
    assert_int_equal(site_count("create", "configmaps", 409), conflicts); /* never sent twice */
    site_end(&site);
    /* and an end: then it is unknown, and said to be */
    site_begin(&site,
               "method=POST nth=1 fault=close forward=1\n"
               "site=settle:* fault=close\n",
               NULL);
    create = site_request("create", "configmaps", "patience", NULL, MAP("n", "1"));
    assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_RETRY);
    assert_string_equal(json_text(evidence(&site), "certainty"), "sent");
    site_end(&site);
}

static void what_has_no_name_is_never_sent_twice(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("nameless");
    site_begin(&site, "method=POST nth=1 fault=close forward=1", NULL);
    struct salvor_kube_request create = site_request(
        "create", "configmaps", "nameless", NULL,
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"generateName\":\"m-\"}}");
    const int before = site_count("create", "configmaps", -1);
    assert_true(site_ask(&site, &create, &code, NULL) != SALVOR_OK);
    assert_int_equal(code, 0);
    assert_string_equal(json_text(evidence(&site), "certainty"), "sent");
    assert_string_equal(site_hint(&site),
                        "whether it took effect is not known: look before you do it again");
    assert_int_equal(site_count("create", "configmaps", -1) - before, 1);
    site_end(&site);
}

static void a_call_that_ends_meanwhile_knows_what_was_sent(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("meanwhile");
    site_begin(&site, "method=POST fault=stall", NULL);
    struct salvor_kube_request create =
        site_request("create", "configmaps", "meanwhile", NULL, MAP("m", "1"));
    site.practice.call.deadline = clock_monotonic_ms() + 500;
    assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_TIMEOUT);
    assert_string_equal(json_text(evidence(&site), "certainty"), "sent");
    assert_string_equal(json_text(evidence(&site), "fault"), "cancelled");
    site_end(&site);
}

static void updates_and_patches(void **state)
{
    static const struct {
        const char *verb, *patch, *body;
        int settled;
    } cases[] = {
        {"update", NULL,
         "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"map-000\","
         "\"resourceVersion\":\"%s\"},\"data\":{\"a\":\"%zu\"}}",
         1},
        {"update", NULL,
         "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"map-000\"},"
         "\"data\":{\"b\":\"%s\",\"a\":\"%zu\"}}",
         0},
        {"patch", "merge", "{\"metadata\":{\"resourceVersion\":\"%s\"},\"data\":{\"a\":\"%zu\"}}",
         1},
        {"patch", "merge", "{\"data\":{\"b\":\"%s\",\"a\":\"%zu\"}}", 0},
    };
    (void)state;
    site_make_namespace("change");
    site_make_config_maps("change", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int forward = 0; forward < 2; forward++) {
            struct site site;
            int32_t code = 0;
            cleanup_free char *rules =
                text_format("method=%s nth=1 fault=close forward=%d",
                            text_equal(cases[i].verb, "update") ? "PUT" : "PATCH", forward);
            cleanup_json json_t *before = NULL;
            assert_int_equal(
                site_admin("GET", "/api/v1/namespaces/change/configmaps/map-000", NULL, &before),
                200);
            const char *version = json_text(json_object_get(before, "metadata"), "resourceVersion");
            /* the two blanks of each body: version and value */
            struct buffer body = BUFFER_INIT(4096);
            const char *at = strstr(cases[i].body, "%s");
            const char *value = strstr(cases[i].body, "%zu");
            (void)buffer_append(&body, cases[i].body, (size_t)(at - cases[i].body));
            (void)buffer_append_text(&body, version);
            (void)buffer_append(&body, at + 2, (size_t)(value - at - 2));
            (void)buffer_format(&body, "%zu-%d%s", i, forward, value + 3);
            site_begin(&site, rules, NULL);
            struct salvor_kube_request change =
                site_request(cases[i].verb, "configmaps", "change", "map-000", body.data);
            change.patch_type = cases[i].patch;
            cleanup_json json_t *changed = NULL;
            if (site_ask(&site, &change, &code, &changed) != SALVOR_OK)
                fail_msg("%s: %s", body.data, site_error(&site));
            assert_int_equal(code, 200);
            cleanup_free char *expected = text_format("%zu-%d", i, forward);
            assert_string_equal(json_text(json_object_get(changed, "data"), "a"), expected);
            assert_int_equal(json_flag(evidence(&site), "settled_by_reading"),
                             cases[i].settled && forward);
            buffer_clear(&body);
            site_end(&site);
        }
    }
}

static void a_json_patch_is_never_sent_twice(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("json");
    site_make_config_maps("json", 1);
    site_begin(&site, "method=PATCH nth=1 fault=close forward=1", NULL);
    struct salvor_kube_request patch =
        site_request("patch", "configmaps", "json", "map-000",
                     "[{\"op\":\"add\",\"path\":\"/data/z\",\"value\":\"1\"}]");
    patch.patch_type = "json";
    const int before = site_count("patch", "configmaps", -1);
    assert_true(site_ask(&site, &patch, &code, NULL) != SALVOR_OK);
    assert_int_equal(site_count("patch", "configmaps", -1) - before, 1);
    assert_string_equal(json_text(evidence(&site), "certainty"), "sent");
    site_end(&site);
}

static void a_delete_is_repeated(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("delete");
    site_make_config_maps("delete", 1);
    site_begin(&site, "method=DELETE nth=1 fault=close forward=1", NULL);
    struct salvor_kube_request remove =
        site_request("delete", "configmaps", "delete", "map-000", NULL);
    assert_int_equal(site_ask(&site, &remove, &code, NULL), SALVOR_NOT_FOUND);
    assert_int_equal(code, 404); /* gone, as was asked */
    site_end(&site);
}

static void a_busy_server_is_asked_again(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("busy");
    site_begin(&site, "method=POST nth=1-2 fault=status status=429 retry-after=0", NULL);
    struct salvor_kube_request create =
        site_request("create", "configmaps", "busy", NULL, MAP("m", "1"));
    assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 201);
    assert_int_equal(json_whole(evidence(&site), "attempts", 0), 3);
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_created_object_is_found),
        cmocka_unit_test(what_never_arrived_is_sent_again),
        cmocka_unit_test(somebody_elses_object_is_a_conflict),
        cmocka_unit_test(looking_has_patience),
        cmocka_unit_test(what_has_no_name_is_never_sent_twice),
        cmocka_unit_test(a_call_that_ends_meanwhile_knows_what_was_sent),
        cmocka_unit_test(updates_and_patches),
        cmocka_unit_test(a_json_patch_is_never_sent_twice),
        cmocka_unit_test(a_delete_is_repeated),
        cmocka_unit_test(a_busy_server_is_asked_again),
    };
    return cmocka_run_group_tests_name("kube/lost", tests, site_start_server, site_stop_server);
}
