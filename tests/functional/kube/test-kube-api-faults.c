/*
 * Every call site of salvor.kube meets every fault of the proxy, once and for ever: each ends in
 * time, in an answer or in an error that names what was tried, and nothing is made twice.
 */
#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

enum { TIMEOUT_MS = 250, MOST_MS = 4000 };

#define MAP                                                                                    \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"new\"},\"data\":{" \
    "\"a\":"                                                                                   \
    "\"1\"}}"

/* ---- the call sites -------------------------------------------------------------------------- */

static salvor_status ask(struct site *site, const char *verb, const char *name, const char *body,
                         const char *patch, int32_t *ret_code)
{
    struct salvor_kube_request request = site_request(verb, "configmaps", "faults", name, body);
    request.patch_type = patch;
    return site_ask(site, &request, ret_code, NULL);
}

static salvor_status do_get(struct site *site, int32_t *ret_code)
{
    return ask(site, "get", "map-000", NULL, NULL, ret_code);
}

static salvor_status do_create(struct site *site, int32_t *ret_code)
{
    return ask(site, "create", NULL, MAP, NULL, ret_code);
}

static salvor_status do_update(struct site *site, int32_t *ret_code)
{
    return ask(site, "update", "map-000",
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"map-000\"},"
               "\"data\":{\"a\":\"}],\\\"{\"}}",
               NULL, ret_code);
}

static salvor_status do_patch(struct site *site, int32_t *ret_code)
{
    return ask(site, "patch", "map-000", "{\"data\":{\"b\":\"2\"}}", "merge", ret_code);
}

static salvor_status do_delete(struct site *site, int32_t *ret_code)
{
    return ask(site, "delete", "map-001", NULL, NULL, ret_code);
}

static salvor_status do_list(struct site *site, int32_t *ret_code)
{
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    uint32_t items = 0;
    salvor_status status = kube_table.list_open(
        site_call(site), site->client,
        "{\"version\":\"v1\",\"resource\":\"configmaps\",\"namespace\":\"faults\",\"limit\":4}",
        &list);
    while (status == SALVOR_OK &&
           (status = kube_table.list_next(site_call(site), list, &page)) == SALVOR_OK)
        items += page.item_count;
    kube_table.list_close(site_call(site), list);
    if (status != SALVOR_END)
        return status;
    /* what ends well is whole */
    assert_true(items >= 9);
    *ret_code = 200;
    return SALVOR_OK;
}

static salvor_status do_discovery(struct site *site, int32_t *ret_code)
{
    struct salvor_span json = {NULL, 0};
    const salvor_status status = kube_table.discovery(site_call(site), site->client, &json);
    *ret_code = status == SALVOR_OK ? 200 : 0;
    return status;
}

static salvor_status do_wait(struct site *site, int32_t *ret_code)
{
    struct salvor_span body = {NULL, 0};
    const struct salvor_kube_request object =
        site_request("get", "configmaps", "faults", "map-000", NULL);
    const salvor_status status =
        kube_table.wait(site_call(site), site->client, &object,
                        "{\"path\":\"/data/b\",\"equals\":\"never\"}", 40, &body);
    /* as it shall be: nobody makes it so */
    if (status == SALVOR_TIMEOUT && body.size > 0) {
        *ret_code = 200;
        return SALVOR_OK;
    }
    return status;
}

struct call_site {
    const char *name, *rule; /* what its requests look like */
    salvor_status (*act)(struct site *site, int32_t *ret_code);
    const char *before; /* rules that bring it about */
};

static const struct call_site call_sites[] = {
    {"get", "site=get:*", do_get, ""},
    {"create", "site=create:*", do_create, ""},
    {"update", "site=update:*", do_update, ""},
    {"patch", "site=patch:*", do_patch, ""},
    {"delete", "site=delete:*", do_delete, ""},
    {"settle", "site=settle:*", do_create, "method=POST nth=1 fault=close forward=1\n"},
    {"list", "site=list:*", do_list, ""},
    {"list, second page", "site=list:* path=*", do_list, ""},
    {"discovery, /api", "site=discovery:/api", do_discovery, ""},
    {"discovery, /apis", "site=discovery:/apis", do_discovery, ""},
    {"wait, list", "site=wait-list:*", do_wait, ""},
    {"watch", "site=watch:*", do_wait, ""},
};

/* ---- the faults ------------------------------------------------------------------------------ */

static const char *const faults[] = {
    "refuse ms=20",
    "reset",
    "close",
    "stall ms=400",
    "delay ms=5",
    "status status=401",
    "status status=403",
    "status status=404",
    "status status=409",
    "status status=410",
    "status status=429 retry-after=0",
    "status status=500",
    "status status=502",
    "status status=503",
    "status status=504",
    "cut bytes=0",
    "cut bytes=40",
    "cut bytes=300",
    "drip bytes=40 ms=1",
    "bad-status-line",
    "bad-chunk",
    "short-body",
    "long-body",
    "oversized bytes=18000000",
};

static void prepare(void)
{
    (void)site_admin("DELETE", "/api/v1/namespaces/faults/configmaps/new", NULL, NULL);
    (void)site_admin("POST", "/api/v1/namespaces/faults/configmaps",
                     "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                     "\"map-001\"}}",
                     NULL);
}

static void meet(const struct call_site *call_site, const char *fault, const char *nth)
{
    struct site site;
    int32_t code = 0;
    cleanup_free char *rules =
        text_format("%s%s nth=%s fault=%s", call_site->before, call_site->rule, nth, fault);
    cleanup_free char *options = text_format(
        "{\"timeout_ms\":%d,\"retry\":{\"attempts\":3,\"backoff_ms\":1,\"backoff_most_ms\":10}}",
        TIMEOUT_MS);
    prepare();
    const size_t audited = site_audit_size();
    site_begin(&site, rules, options);
    const int64_t began = clock_monotonic_ms();
    const salvor_status status = call_site->act(&site, &code);
    const int64_t took = clock_monotonic_ms() - began;
    const char *error = site_error(&site);
    if (took > MOST_MS)
        fail_msg("%s, %s: %lld ms", call_site->name, rules, (long long)took);
    if (status == SALVOR_OK) {
        assert_true(code >= 200 && code < 600);
    } else {
        if (*error == '\0' || (strstr(error, "cannot ") == NULL && strstr(error, "failed") == NULL))
            fail_msg("%s, %s: %u with '%s'", call_site->name, rules, status, error);
        assert_true(status == SALVOR_FAILED || status == SALVOR_RETRY || status == SALVOR_TIMEOUT ||
                    status == SALVOR_NOT_FOUND);
    }
    const int created = site_count_since(audited, "create", "configmaps", 201);
    if (created > 1 ||
        (call_site->act == do_create && status == SALVOR_OK && code == 201 && created != 1))
        fail_msg("%s, %s: created %d times", call_site->name, rules, created);
    site_end(&site);
}

static void each_fault_once(void **state)
{
    (void)state;
    site_make_namespace("faults");
    site_make_config_maps("faults", 10);
    for (size_t i = 0; i < sizeof call_sites / sizeof call_sites[0]; i++) {
        for (size_t j = 0; j < sizeof faults / sizeof faults[0]; j++)
            meet(&call_sites[i], faults[j], strstr(call_sites[i].name, "second") ? "2" : "1");
    }
}

static void each_fault_for_ever(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof call_sites / sizeof call_sites[0]; i++) {
        /* one of each way of asking: alone, settled, paged, streamed */
        if (strcspn(call_sites[i].name, "gclw") != 0 || strchr(call_sites[i].name, ',') != NULL)
            continue;
        for (size_t j = 0; j < sizeof faults / sizeof faults[0]; j++) {
            /* as long as it lasts; three times would be a second */
            if (strstr(faults[j], "stall") == NULL)
                meet(&call_sites[i], faults[j], "1+");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_once),
        cmocka_unit_test(each_fault_for_ever),
    };
    return cmocka_run_group_tests_name("kube/faults", tests, site_start_server, site_stop_server);
}
