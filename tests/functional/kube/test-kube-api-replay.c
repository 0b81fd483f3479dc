/* What salvor.kube was answered, recorded and given again without any server. */
#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "net/batch.h"
#include "services/recorder.h"

#include "site.h"

static char recordings[] = "/tmp/salvor-test-kube-replay-XXXXXX";

static int start(void **state)
{
    return mkdtemp(recordings) != NULL ? site_start_server(state) : -1;
}

static int stop(void **state)
{
    (void)file_remove_tree(recordings, NULL);
    return site_stop_server(state);
}

/* Everything that a plugin may ask, as one text of what came back. */
static char *ask_everything(salvor_call *call, salvor_kube_client *client)
{
    struct buffer said = BUFFER_INIT(1 << 20);
    struct salvor_span body = {NULL, 0};
    int32_t code = 0;
    struct salvor_kube_request get = site_request("get", "configmaps", "replay", "map-001", NULL);
    salvor_status status = kube_table.request(call, client, &get, &code, &body);
    (void)buffer_format(&said, "get %u %d %s\n", status, (int)code, body.data);
    get.name = "nobody";
    status = kube_table.request(call, client, &get, &code, &body);
    (void)buffer_format(&said, "get %u %d %s\n", status, (int)code, call_of(call)->error.message);
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    assert_int_equal(kube_table.list_open(call, client,
                                          "{\"version\":\"v1\",\"resource\":\"configmaps\","
                                          "\"namespace\":\"replay\",\"limit\":3}",
                                          &list),
                     SALVOR_OK);
    while ((status = kube_table.list_next(call, list, &page)) == SALVOR_OK)
        (void)buffer_format(&said, "page %u %s %s\n", page.item_count, page.resource_version,
                            page.body.data);
    (void)buffer_format(&said, "list %u\n", status);
    kube_table.list_close(call, list);
    status = kube_table.discovery(call, client, &body);
    (void)buffer_format(&said, "discovery %u %s\n", status, body.data);
    get.name = "map-002";
    status = kube_table.wait(call, client, &get, "{\"exists\":true}", 1000, &body);
    (void)buffer_format(&said, "wait %u %s\n", status, body.data);
    salvor_batch *batch = NULL;
    struct salvor_batch_result result = {.struct_size = sizeof result};
    assert_int_equal(batch_table.open(call, "{}", &batch), SALVOR_OK);
    assert_int_equal(kube_table.submit(call, batch, client, 7, &get), SALVOR_OK);
    assert_int_equal(batch_table.next(call, batch, &result), SALVOR_OK);
    (void)buffer_format(&said, "batch %llu %u %d %s\n", (unsigned long long)result.tag,
                        result.status, (int)result.code, result.body.data);
    batch_table.close(call, batch);
    return buffer_take(&said);
}

static void recorder(struct practice *practice, const char *how)
{
    cleanup_error struct error err = ERROR_INIT;
    json_put_text(practice->session.open, how, recordings);
    assert_int_equal(recorder_open(practice->session.open, &practice->session.recorder, &err), 0);
}

static void answers_come_again_without_a_server(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("replay");
    site_make_config_maps("replay", 7);
    site_begin(&site, NULL, NULL);
    recorder(&site.practice, "record");
    kube_table.client_close(site_call(&site), site.client);
    site.client = site_client(&site, NULL);
    cleanup_free char *first = ask_everything(site_call(&site), site.client);
    recorder_close(site.practice.session.recorder);
    site.practice.session.recorder = NULL;
    site_end(&site);

    struct practice practice;
    salvor_kube_client *client = NULL;
    practice_begin(&practice);
    recorder(&practice, "replay");
    /* the same name of a kubeconfig, which need not be there */
    assert_int_equal(kube_table.client_open(practice_call(&practice),
                                            "{\"kubeconfig\":\"/nonexistent/kubeconfig\"}",
                                            &client),
                     SALVOR_OK);
    cleanup_free char *again = ask_everything(practice_call(&practice), client);
    assert_string_equal(first, again);
    struct salvor_kube_request other = site_request("get", "secrets", "replay", "x", NULL);
    struct salvor_span body;
    int32_t code = 0;
    assert_int_equal(kube_table.request(practice_call(&practice), client, &other, &code, &body),
                     SALVOR_FAILED);
    assert_non_null(strstr(practice.call.error.message, "has no recording of kube.request"));
    recorder_close(practice.session.recorder);
    practice_end(&practice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_again_without_a_server),
    };
    return cmocka_run_group_tests_name("kube/replay", tests, start, stop);
}
