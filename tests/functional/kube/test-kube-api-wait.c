#include "../../unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

/* What somebody else does meanwhile. */
struct deed {
    pthread_t thread;
    int after_ms;
    const char *method, *path, *body;
};

static void *do_it(void *data)
{
    const struct deed *deed = data;
    (void)usleep((useconds_t)deed->after_ms * 1000);
    (void)site_admin(deed->method, deed->path, deed->body, NULL);
    return NULL;
}

static void begin_deed(struct deed *deed)
{
    assert_int_equal(pthread_create(&deed->thread, NULL, do_it, deed), 0);
}

static void end_deed(struct deed *deed)
{
    assert_int_equal(pthread_join(deed->thread, NULL), 0);
}

static salvor_status wait_for(struct site *site, const char *ns, const char *name,
                              const char *condition, int64_t timeout_ms, json_t **ret_json)
{
    struct salvor_span body = {NULL, 0};
    const struct salvor_kube_request object = site_request("get", "configmaps", ns, name, NULL);
    const salvor_status status =
        kube_table.wait(site_call(site), site->client, &object, condition, timeout_ms, &body);
    if (ret_json != NULL)
        *ret_json = body.size > 0 ? json_loadb(body.data, (size_t)body.size, 0, NULL) : NULL;
    return status;
}

static int64_t evidence_of_wait(struct site *site, const char *member)
{
    return json_whole(practice_frame(&site->practice, FRAME_EVIDENCE), member, -1);
}

static void what_is_so_already(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("already");
    site_make_config_maps("already", 1);
    site_begin(&site, NULL, NULL);
    cleanup_json json_t *seen = NULL;
    assert_int_equal(wait_for(&site, "already", "map-000", "{\"exists\":true}", 5000, &seen),
                     SALVOR_OK);
    assert_string_equal(json_text(seen, "kind"), "ConfigMap");
    assert_int_equal(evidence_of_wait(&site, "watches"), 0);
    assert_int_equal(wait_for(&site, "already", "nobody", "{\"exists\":false}", 5000, NULL),
                     SALVOR_OK);
    assert_int_equal(wait_for(&site, "already", "map-000",
                              "{\"path\":\"/data/a\",\"equals\":\"}],\\\"{\"}", 5000, NULL),
                     SALVOR_OK);
    site_end(&site);
}

static void what_comes_to_be(void **state)
{
    struct site site;
    struct deed create = {.after_ms = 50,
                          .method = "POST",
                          .path = "/api/v1/namespaces/comes/configmaps",
                          .body = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":"
                                  "{\"name\":\"m\"},\"data\":{\"a\":\"1\"}}"};
    struct deed change = {.after_ms = 50,
                          .method = "PATCH",
                          .path = "/api/v1/namespaces/comes/configmaps/m",
                          .body = "{\"data\":{\"a\":\"2\"}}"};
    struct deed remove = {
        .after_ms = 50, .method = "DELETE", .path = "/api/v1/namespaces/comes/configmaps/m"};
    (void)state;
    site_make_namespace("comes");
    site_begin(&site, NULL, NULL);
    begin_deed(&create);
    assert_int_equal(wait_for(&site, "comes", "m", "{\"exists\":true}", 5000, NULL), SALVOR_OK);
    end_deed(&create);
    begin_deed(&change);
    cleanup_json json_t *seen = NULL;
    assert_int_equal(
        wait_for(&site, "comes", "m", "{\"path\":\"/data/a\",\"equals\":\"2\"}", 5000, &seen),
        SALVOR_OK);
    end_deed(&change);
    assert_string_equal(json_text(json_object_get(seen, "data"), "a"), "2");
    begin_deed(&remove);
    assert_int_equal(wait_for(&site, "comes", "m", "{\"exists\":false}", 5000, NULL), SALVOR_OK);
    end_deed(&remove);
    assert_int_equal(evidence_of_wait(&site, "watches"), 1);
    assert_int_equal(evidence_of_wait(&site, "lists"), 1);
    site_end(&site);
}

static void time_is_up(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("slow");
    site_make_config_maps("slow", 1);
    site_begin(&site, NULL, NULL);
    const int64_t began = clock_monotonic_ms();
    cleanup_json json_t *seen = NULL;
    assert_int_equal(
        wait_for(&site, "slow", "map-000", "{\"path\":\"/data/b\",\"equals\":\"2\"}", 200, &seen),
        SALVOR_TIMEOUT);
    assert_in_range(clock_monotonic_ms() - began, 200, 1500);
    assert_string_equal(site_error(&site),
                        "cannot wait for 'configmaps' 'slow/map-000': not within 200 ms");
    assert_string_equal(site_hint(&site), "waited until '/data/b' is \"2\"");
    assert_string_equal(json_text(json_object_get(seen, "metadata"), "name"), "map-000");
    assert_int_equal(wait_for(&site, "slow", "nobody", "{\"exists\":true}", 50, NULL),
                     SALVOR_TIMEOUT);
    assert_string_equal(site_hint(&site), "waited until it exists; the object does not exist");
    site_end(&site);
}

static void a_watch_that_ends_is_resumed(void **state)
{
    struct site site;
    struct deed change = {.after_ms = 300,
                          .method = "PATCH",
                          .path = "/api/v1/namespaces/resume/configmaps/map-000",
                          .body = "{\"data\":{\"a\":\"2\"}}"};
    (void)state;
    site_make_namespace("resume");
    site_make_config_maps("resume", 1);
    /* two watches end at once, then one holds */
    site_begin(&site,
               "site=watch:* nth=1 fault=status status=500\n"
               "site=watch:* nth=2 fault=status status=503\n",
               NULL);
    begin_deed(&change);
    assert_int_equal(wait_for(&site, "resume", "map-000", "{\"path\":\"/data/a\",\"equals\":\"2\"}",
                              20000, NULL),
                     SALVOR_OK);
    end_deed(&change);
    assert_int_equal(evidence_of_wait(&site, "watches"), 3);
    assert_int_equal(evidence_of_wait(&site, "lists"), 1); /* resumed, not begun anew */
    site_end(&site);
}

static void what_is_no_longer_known_is_listed_again(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("relist");
    site_make_config_maps("relist", 1);
    site_begin(&site, "site=watch:* nth=1 fault=status status=410", NULL);
    struct deed change = {.after_ms = 100,
                          .method = "PATCH",
                          .path = "/api/v1/namespaces/relist/configmaps/map-000",
                          .body = "{\"data\":{\"a\":\"2\"}}"};
    begin_deed(&change);
    assert_int_equal(wait_for(&site, "relist", "map-000", "{\"path\":\"/data/a\",\"equals\":\"2\"}",
                              20000, NULL),
                     SALVOR_OK);
    end_deed(&change);
    assert_int_equal(evidence_of_wait(&site, "lists"), 2);
    site_end(&site);
}

static void a_refusal_does_not_pass(void **state)
{
    struct site site;
    (void)state;
    site_begin(&site, "site=watch:* fault=status status=403", NULL);
    assert_int_equal(wait_for(&site, "default", "nobody", "{\"exists\":true}", 20000, NULL),
                     SALVOR_FAILED);
    assert_string_equal(site_error(&site),
                        "cannot wait for 'configmaps' 'default/nobody': 403 Forbidden");
    assert_int_equal(wait_for(&site, "default", "x", "{\"exists\":1}", 20000, NULL), SALVOR_BUG);
    site_end(&site);
}

static void a_call_that_shall_stop_does(void **state)
{
    struct site site;
    (void)state;
    site_begin(&site, NULL, NULL);
    site.practice.interrupt = SALVOR_CANCELLED;
    site.practice.interrupt_after = 3;
    assert_int_equal(wait_for(&site, "default", "nobody", "{\"exists\":true}", 20000, NULL),
                     SALVOR_CANCELLED);
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_so_already),
        cmocka_unit_test(what_comes_to_be),
        cmocka_unit_test(time_is_up),
        cmocka_unit_test(a_watch_that_ends_is_resumed),
        cmocka_unit_test(what_is_no_longer_known_is_listed_again),
        cmocka_unit_test(a_refusal_does_not_pass),
        cmocka_unit_test(a_call_that_shall_stop_does),
    };
    return cmocka_run_group_tests_name("kube/wait", tests, site_start_server, site_stop_server);
}
