#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/batch.h"

#include "site.h"

static char *map_body(int number)
{
    return text_format(
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m-%d\"},"
        "\"data\":{\"a\":\"%d\"}}",
        number, number);
}

struct tally {
    int created, conflicts, sent, other;
    uint32_t attempts;
    uint64_t tags; /* their sum */
};

static void take(struct site *site, salvor_batch *batch, struct tally *tally)
{
    struct salvor_batch_result result = {.struct_size = sizeof result};
    const salvor_status status = batch_table.next(site_call(site), batch, &result);
    if (status != SALVOR_OK)
        fail_msg("next: %u %s", status, site_error(site));
    tally->tags += result.tag;
    tally->attempts += result.attempts;
    if (result.status == SALVOR_OK && result.code == 201) {
        cleanup_json json_t *made = json_loadb(result.body.data, (size_t)result.body.size, 0, NULL);
        cleanup_free char *name = text_format("m-%d", (int)result.tag);
        assert_string_equal(json_text(json_object_get(made, "metadata"), "name"), name);
        tally->created++;
    } else if (result.status == SALVOR_OK && result.code == 409) {
        tally->conflicts++;
    } else if (result.certainty == SALVOR_CERTAINTY_SENT) {
        tally->sent++;
    } else {
        tally->other++;
    }
}

static struct tally create(struct site *site, const char *ns, int count, const char *options)
{
    salvor_batch *batch = NULL;
    struct tally tally = {0};
    int taken = 0;
    assert_int_equal(batch_table.open(site_call(site), options, &batch), SALVOR_OK);
    for (int i = 0; i < count; i++) {
        cleanup_free char *body = map_body(i);
        struct salvor_kube_request request = site_request("create", "configmaps", ns, NULL, body);
        salvor_status status = SALVOR_FULL;
        while ((status = kube_table.submit(site_call(site), batch, site->client, (uint64_t)i,
                                           &request)) == SALVOR_FULL) {
            take(site, batch, &tally);
            taken++;
        }
        assert_int_equal(status, SALVOR_OK);
    }
    for (; taken < count; taken++)
        take(site, batch, &tally);
    struct salvor_batch_result result = {.struct_size = sizeof result};
    assert_int_equal(batch_table.next(site_call(site), batch, &result), SALVOR_END);
    batch_table.close(site_call(site), batch);
    assert_int_equal(tally.tags, (uint64_t)count * (unsigned)(count - 1) / 2);
    return tally;
}

static int objects_in(const char *ns)
{
    cleanup_free char *path = text_format("/api/v1/namespaces/%s/configmaps", ns);
    cleanup_json json_t *list = NULL;
    assert_int_equal(site_admin("GET", path, NULL, &list), 200);
    return (int)json_array_size(json_object_get(list, "items"));
}

static void many_at_once(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("many");
    site_begin(&site, NULL, NULL);
    struct tally tally = create(&site, "many", 300, "{\"in_flight\":16,\"class\":\"maps\"}");
    assert_int_equal(tally.created, 300);
    assert_int_equal(tally.attempts, 300);
    assert_int_equal(objects_in("many"), 300);
    tally = create(&site, "many", 20, "{}");
    assert_int_equal(tally.conflicts, 20);
    site_end(&site);
}

static void a_rough_sea(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("rough");
    site_begin(&site,
               "method=POST probability=0.1 fault=close forward=1\n"
               "method=POST probability=0.1 fault=reset\n"
               "method=POST probability=0.05 fault=status status=429 retry-after=0\n"
               "method=POST probability=0.05 fault=status status=503\n"
               "method=POST probability=0.05 fault=status status=504 forward=1\n"
               "method=POST probability=0.05 fault=short-body\n"
               "method=GET probability=0.1 fault=close\n",
               NULL);
    const int before = site_count("create", "configmaps", 201);
    const struct tally tally = create(
        &site, "rough", 200,
        "{\"in_flight\":8,\"retry\":{\"attempts\":20,\"backoff_ms\":1,\"backoff_most_ms\":5}}");
    /* every one of them, and each made once */
    assert_int_equal(tally.created, 200);
    assert_int_equal(objects_in("rough"), 200);
    assert_int_equal(site_count("create", "configmaps", 201) - before, 200);
    assert_true(tally.attempts > 200);
    site_end(&site);
}

static void get_then_write(void **state)
{
    struct site site;
    salvor_batch *batch = NULL;
    struct salvor_batch_result result = {.struct_size = sizeof result};
    int writing = 0;
    int done = 0;
    (void)state;
    site_make_namespace("follow");
    site_make_config_maps("follow", 10);
    site_begin(&site, NULL, NULL);
    assert_int_equal(batch_table.open(site_call(&site), "{\"in_flight\":4}", &batch), SALVOR_OK);
    int next = 0;
    while (done < 10) {
        cleanup_free char *name = text_format("map-%03d", next);
        struct salvor_kube_request get = site_request("get", "configmaps", "follow", name, NULL);
        salvor_status status = SALVOR_FULL;
        if (next < 10)
            status = kube_table.submit(site_call(&site), batch, site.client, (uint64_t)next, &get);
        if (status == SALVOR_OK) {
            next++;
            continue;
        }
        assert_int_equal(batch_table.next(site_call(&site), batch, &result), SALVOR_OK);
        assert_int_equal(result.code, 200);
        if (result.tag >= 100) {
            done++;
            continue;
        }
        /* right after a result one submit finds room */
        cleanup_free char *body = text_copy_span(result.body.data, (size_t)result.body.size);
        cleanup_free char *written = text_format("map-%03d", (int)result.tag);
        struct salvor_kube_request update =
            site_request("update", "configmaps", "follow", written, body);
        assert_int_equal(
            kube_table.submit(site_call(&site), batch, site.client, result.tag + 100, &update),
            SALVOR_OK);
        writing++;
    }
    assert_int_equal(writing, 10);
    batch_table.close(site_call(&site), batch);
    site_end(&site);
}

static void what_is_refused_is_not_queued(void **state)
{
    struct site site;
    salvor_batch *batch = NULL;
    struct salvor_batch_result result = {.struct_size = sizeof result};
    (void)state;
    site_begin(&site, NULL, NULL);
    site.practice.call.effect = SALVOR_EFFECT_READ;
    assert_int_equal(batch_table.open(site_call(&site), "{}", &batch), SALVOR_OK);
    cleanup_free char *body = map_body(1);
    struct salvor_kube_request request =
        site_request("create", "configmaps", "default", NULL, body);
    assert_int_equal(kube_table.submit(site_call(&site), batch, site.client, 1, &request),
                     SALVOR_REFUSED);
    assert_int_equal(batch_table.next(site_call(&site), batch, &result), SALVOR_END);
    site_end(&site);
}

static void left_in_its_midst(void **state)
{
    struct site site;
    salvor_batch *batch = NULL;
    (void)state;
    site_make_namespace("midst");
    site_begin(&site, NULL, NULL);
    assert_int_equal(batch_table.open(site_call(&site), "{}", &batch), SALVOR_OK);
    for (int i = 0; i < 20; i++) {
        cleanup_free char *body = map_body(i);
        struct salvor_kube_request request =
            site_request("create", "configmaps", "midst", NULL, body);
        assert_int_equal(
            kube_table.submit(site_call(&site), batch, site.client, (uint64_t)i, &request),
            SALVOR_OK);
    }
    kube_table.client_close(site_call(&site), site.client); /* its requests hold it */
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once),      cmocka_unit_test(a_rough_sea),
        cmocka_unit_test(get_then_write),    cmocka_unit_test(what_is_refused_is_not_queued),
        cmocka_unit_test(left_in_its_midst),
    };
    return cmocka_run_group_tests_name("kube/batch", tests, site_start_server, site_stop_server);
}
