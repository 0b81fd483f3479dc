#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

#define MAP(name, value)                                                                           \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name "\"},\"data\":" \
    "{\"a\":\"" value "\"}}"

static const char *text_at(const json_t *json, const char *member, const char *key)
{
    return json_text(json_object_get(json, member), key);
}

static void an_object_lives_and_dies(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("life");
    site_begin(&site, NULL, NULL);
    struct salvor_kube_request create =
        site_request("create", "configmaps", "life", NULL, MAP("one", "1"));
    cleanup_json json_t *created = NULL;
    assert_int_equal(site_ask(&site, &create, &code, &created), SALVOR_OK);
    assert_int_equal(code, 201);
    assert_string_equal(text_at(created, "metadata", "namespace"), "life");

    cleanup_free char *updated =
        text_format("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\","
                    "\"resourceVersion\":\"%s\"},\"data\":{\"a\":\"2\"}}",
                    text_at(created, "metadata", "resourceVersion"));
    struct salvor_kube_request update =
        site_request("update", "configmaps", "life", "one", updated);
    assert_int_equal(site_ask(&site, &update, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 200);
    assert_int_equal(site_ask(&site, &update, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 409); /* answered: the caller judges */

    struct salvor_kube_request merge =
        site_request("patch", "configmaps", "life", "one", "{\"data\":{\"b\":\"3\"}}");
    merge.patch_type = "merge";
    cleanup_json json_t *patched = NULL;
    assert_int_equal(site_ask(&site, &merge, &code, &patched), SALVOR_OK);
    assert_string_equal(text_at(patched, "data", "a"), "2");
    assert_string_equal(text_at(patched, "data", "b"), "3");
    struct salvor_kube_request json =
        site_request("patch", "configmaps", "life", "one",
                     "[{\"op\":\"test\",\"path\":\"/data/a\",\"value\":\"2\"},"
                     "{\"op\":\"remove\",\"path\":\"/data/a\"}]");
    json.patch_type = "json";
    assert_int_equal(site_ask(&site, &json, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 200);

    struct salvor_kube_request remove = site_request(
        "delete", "configmaps", "life", "one", "{\"preconditions\":{\"uid\":\"somebody-else\"}}");
    assert_int_equal(site_ask(&site, &remove, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 409);
    remove.body = (struct salvor_span){NULL, 0};
    assert_int_equal(site_ask(&site, &remove, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 200);
    struct salvor_kube_request get = site_request("get", "configmaps", "life", "one", NULL);
    assert_int_equal(site_ask(&site, &get, &code, NULL), SALVOR_NOT_FOUND);
    assert_int_equal(code, 404);
    assert_string_equal(site_error(&site), "cannot get 'configmaps' 'life/one': it does not exist");
    site_end(&site);
}

static void groups_subresources_and_plain_paths(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("groups");
    site_begin(&site, NULL, NULL);
    struct salvor_kube_request create = site_request(
        "create", "deployments", "groups", NULL,
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":"
        "{\"replicas\":2,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":"
        "{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}"
        "}");
    create.group = "apps";
    assert_int_equal(site_ask(&site, &create, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 201);
    struct salvor_kube_request scale = site_request("get", "deployments", "groups", "d", NULL);
    scale.group = "apps";
    scale.subresource = "scale";
    cleanup_json json_t *scaled = NULL;
    assert_int_equal(site_ask(&site, &scale, &code, &scaled), SALVOR_OK);
    assert_int_equal(json_whole(json_object_get(scaled, "spec"), "replicas", 0), 2);
    struct salvor_kube_request status = site_request("patch", "deployments", "groups", "d",
                                                     "{\"status\":{\"observedGeneration\":1}}");
    status.group = "apps";
    status.subresource = "status";
    status.patch_type = "merge";
    assert_int_equal(site_ask(&site, &status, &code, NULL), SALVOR_OK);
    assert_int_equal(code, 200);
    struct salvor_kube_request version = {
        .struct_size = sizeof version, .verb = "get", .name = "/version"};
    cleanup_json json_t *said = NULL;
    assert_int_equal(site_ask(&site, &version, &code, &said), SALVOR_OK);
    assert_string_equal(json_text(said, "gitVersion"), "v1.36.0");
    struct salvor_kube_request list = site_request("list", "configmaps", "groups", NULL, NULL);
    list.query = "limit=1";
    cleanup_json json_t *listed = NULL;
    assert_int_equal(site_ask(&site, &list, &code, &listed), SALVOR_OK);
    assert_string_equal(json_text(listed, "kind"), "ConfigMapList");
    site_end(&site);
}

static void a_row_that_reads_changes_nothing(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_make_namespace("gate");
    site_make_config_maps("gate", 1);
    site_begin(&site, NULL, NULL);
    site.practice.call.effect = SALVOR_EFFECT_READ;
    struct salvor_kube_request requests[] = {
        site_request("create", "configmaps", "gate", NULL, MAP("new", "1")),
        site_request("update", "configmaps", "gate", "map-000", MAP("map-000", "1")),
        site_request("patch", "configmaps", "gate", "map-000", "{\"data\":{\"b\":\"3\"}}"),
        site_request("delete", "configmaps", "gate", "map-000", NULL),
        site_request("delete", "configmaps", "gate", "map-000",
                     "{\"propagationPolicy\":\"Background\"}"),
    };
    requests[2].patch_type = "merge";
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        requests[i].dry_run = 0;
        assert_int_equal(site_ask(&site, &requests[i], &code, NULL), SALVOR_REFUSED);
        assert_true(text_starts(site_error(&site), "refusing to "));
        assert_int_equal(code, 0);
        requests[i].dry_run = 1;
        assert_int_equal(site_ask(&site, &requests[i], &code, NULL), SALVOR_OK);
        assert_true(code == 200 || code == 201);
    }
    /* nothing of it happened: above all, a delete with a body is read from the body alone */
    cleanup_json json_t *left = NULL;
    assert_int_equal(site_admin("GET", "/api/v1/namespaces/gate/configmaps", NULL, &left), 200);
    assert_int_equal(json_array_size(json_object_get(left, "items")), 1);
    struct salvor_kube_request review = site_request(
        "create", "selfsubjectaccessreviews", NULL, NULL,
        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":"
        "{\"resourceAttributes\":{\"verb\":\"get\",\"resource\":\"pods\"}}}");
    review.group = "authorization.k8s.io";
    cleanup_json json_t *reviewed = NULL;
    assert_int_equal(site_ask(&site, &review, &code, &reviewed), SALVOR_OK);
    assert_true(json_flag(json_object_get(reviewed, "status"), "allowed"));
    site.practice.call.effect = SALVOR_EFFECT_CHANGE;
    site.practice.call.pre_image_needed = 1;
    requests[0].dry_run = 0;
    assert_int_equal(site_ask(&site, &requests[0], &code, NULL), SALVOR_REFUSED);
    site_end(&site);
}

static void what_is_no_request(void **state)
{
    static const struct {
        const char *verb, *resource, *sub, *name, *query, *body, *patch, *message;
        salvor_status status;
    } cases[] = {
        {"post", "a", NULL, "n", NULL, NULL, NULL,
         "kube.request: the verb is none of get, list, create, update, patch, delete", SALVOR_BUG},
        {"get", "a", NULL, NULL, NULL, NULL, NULL,
         "kube.request: this verb needs the name of an object", SALVOR_BUG},
        {"get", "a", NULL, "n", NULL, "{}", NULL, "kube.request: this verb has no body",
         SALVOR_BUG},
        {"create", "a", NULL, NULL, NULL, NULL, NULL, "kube.request: this verb needs a body",
         SALVOR_BUG},
        {"create", "a", NULL, "n", NULL, "{}", NULL,
         "kube.request: create takes a name for sub-resources, and for these only", SALVOR_BUG},
        {"patch", "a", NULL, "n", NULL, "{}", "wild",
         "kube.request: patch_type is none of json, merge, apply, strategic", SALVOR_BUG},
        {"get", "a", NULL, "..", NULL, NULL, NULL,
         "kube.request: the name '..' can be no part of a path", SALVOR_BUG},
        {"get", "a", NULL, "b/c", NULL, NULL, NULL,
         "kube.request: the name 'b/c' can be no part of a path", SALVOR_BUG},
        {"get", "A", NULL, "n", NULL, NULL, NULL,
         "kube.request: the resource 'A' is not made of a-z 0-9 - .", SALVOR_BUG},
        {"get", "a", NULL, "n", "a b", NULL, NULL, "kube.request: the query is not encoded",
         SALVOR_BUG},
        {"get", "a", NULL, "n", "watch=1", NULL, NULL, "kube.request: watches are for wait",
         SALVOR_BUG},
        {"get", "pods", "exec", "n", "command=id", NULL, NULL,
         "kube.request: sub-resource 'exec' is not offered", SALVOR_REFUSED},
        {"get", "services", "proxy", "n", NULL, NULL, NULL,
         "kube.request: sub-resource 'proxy' is not offered", SALVOR_REFUSED},
        {"get", "", NULL, "/api/v1/pods", NULL, NULL, NULL,
         "kube.request: a path without a resource is for get, and not below /api or /apis",
         SALVOR_BUG},
        {"get", "", NULL, "//api/v1/nodes/n/proxy/run", NULL, NULL, NULL,
         "kube.request: a path without a resource is for get, and not below /api or /apis",
         SALVOR_BUG},
        {"get", "", NULL, "/./api/v1/pods", NULL, NULL, NULL,
         "kube.request: a path without a resource is for get, and not below /api or /apis",
         SALVOR_BUG},
        {"get", "", NULL, "/readyz/../api/v1/pods", NULL, NULL, NULL,
         "kube.request: a path without a resource is for get, and not below /api or /apis",
         SALVOR_BUG},
    };
    struct site site;
    (void)state;
    site_begin(&site, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct salvor_kube_request request =
            site_request(cases[i].verb, cases[i].resource, "ns", cases[i].name, cases[i].body);
        request.subresource = cases[i].sub;
        request.query = cases[i].query;
        request.patch_type = cases[i].patch;
        assert_int_equal(site_ask(&site, &request, NULL, NULL), cases[i].status);
        assert_string_equal(site_error(&site), cases[i].message);
    }
    salvor_kube_client *closed = site_client(&site, NULL);
    kube_table.client_close(site_call(&site), closed);
    struct salvor_kube_request get = site_request("get", "pods", "ns", "n", NULL);
    struct salvor_span body;
    int32_t code = 0;
    assert_int_equal(kube_table.request(site_call(&site), closed, &get, &code, &body), SALVOR_BUG);
    site_end(&site);
}

static void options_that_are_none(void **state)
{
    static const char *const cases[][2] = {
        {"{\"kubeconfg\":\"x\"}", "kube.client_open: 'kubeconfg' is no option"},
        {"{\"as_groups\":\"x\"}", "kube.client_open: 'as_groups' is no list of texts"},
        {"{\"connections\":0}", "kube.client_open: 'connections' is not from 1 to 256"},
        {"{\"kubeconfig\":\"a\",\"kubeconfig_text\":\"b\"}",
         "kube.client_open: 'kubeconfig' and 'kubeconfig_text' are both given"},
    };
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    site_begin(&site, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(kube_table.client_open(site_call(&site), cases[i][0], &client),
                         SALVOR_BUG);
        assert_string_equal(site_error(&site), cases[i][1]);
        assert_null(client);
    }
    site_end(&site);
}

static void a_configuration_as_text(void **state)
{
    struct site site;
    int32_t code = 0;
    (void)state;
    site_begin(&site, NULL, NULL);
    cleanup_json json_t *options = json_make("{s:s}", "kubeconfig_text", site_server.kubeconfig);
    cleanup_free char *text = json_dumps(options, 0);
    salvor_kube_client *client = NULL;
    assert_int_equal(kube_table.client_open(site_call(&site), text, &client), SALVOR_OK);
    struct salvor_kube_request get = site_request("get", "namespaces", NULL, "default", NULL);
    struct salvor_span body;
    assert_int_equal(kube_table.request(site_call(&site), client, &get, &code, &body), SALVOR_OK);
    assert_int_equal(code, 200);
    site_end(&site);
}

static void evidence_has_no_bodies(void **state)
{
    struct site site;
    (void)state;
    site_make_namespace("evidence");
    site_begin(&site, NULL, NULL);
    struct salvor_kube_request create =
        site_request("create", "secrets", "evidence", NULL,
                     "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},"
                     "\"stringData\":{\"p\":\"hunter2\"}}");
    assert_int_equal(site_ask(&site, &create, NULL, NULL), SALVOR_OK);
    const json_t *evidence = practice_frame(&site.practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "service"), "kube");
    assert_int_equal(json_whole(evidence, "status", 0), 201);
    cleanup_free char *frames = json_dumps(site.practice.frames, 0);
    assert_null(strstr(frames, "hunter2"));
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_lives_and_dies),
        cmocka_unit_test(groups_subresources_and_plain_paths),
        cmocka_unit_test(a_row_that_reads_changes_nothing),
        cmocka_unit_test(what_is_no_request),
        cmocka_unit_test(options_that_are_none),
        cmocka_unit_test(a_configuration_as_text),
        cmocka_unit_test(evidence_has_no_bodies),
    };
    return cmocka_run_group_tests_name("kube/request", tests, site_start_server, site_stop_server);
}
