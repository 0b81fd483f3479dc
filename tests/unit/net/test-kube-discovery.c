#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube.h"
#include "practice-call.h"
#include "practice-server.h"

static const char core_resources[] =
    "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":\"pods\","
    "\"singularName\":\"pod\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":[\"get\",\"list\"],"
    "\"shortNames\":[\"po\"]},{\"name\":\"pods/status\",\"singularName\":\"\",\"namespaced\":true,"
    "\"kind\":\"Pod\",\"verbs\":[\"get\"]},{\"name\":\"bindings/x\",\"kind\":\"Binding\"}]}";

static const char stale[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2beta1\",\"items\":"
    "[{\"metadata\":{\"name\":\"metrics.k8s.io\"},\"versions\":[{\"version\":\"v1beta1\","
    "\"freshness\":\"Stale\"}]},{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":"
    "\"v1\","
    "\"freshness\":\"Current\",\"resources\":[{\"resource\":\"deployments\",\"responseKind\":"
    "{\"group\":\"\",\"version\":\"\",\"kind\":\"Deployment\"},\"scope\":\"Namespaced\","
    "\"singularResource\":\"deployment\",\"verbs\":[\"get\"],\"subresources\":[{\"subresource\":"
    "\"scale\",\"responseKind\":{\"group\":\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\"},"
    "\"verbs\":[\"get\"]}]}]}]}]}";

/* A server of before 2022: one document a version; metrics are served by somebody who is gone. */
static void old_server(struct served *served, void *data)
{
    (void)data;
    served_set_header(served, "Content-Type", "application/json");
    if (text_equal(served->path, "/api")) {
        (void)buffer_append_text(&served->out, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}");
    } else if (text_equal(served->path, "/apis")) {
        (void)buffer_append_text(
            &served->out,
            "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[{\"name\":\"apps\","
            "\"versions\":[{\"groupVersion\":\"apps/v1beta1\",\"version\":\"v1beta1\"},"
            "{\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}],\"preferredVersion\":"
            "{\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}},{\"name\":\"metrics.k8s.io\","
            "\"versions\":[{\"groupVersion\":\"metrics.k8s.io/v1beta1\",\"version\":\"v1beta1\"}],"
            "\"preferredVersion\":{\"version\":\"v1beta1\"}},{\"name\":\"odd\",\"versions\":"
            "[{\"version\":\"v1\"}]}]}");
    } else if (text_equal(served->path, "/api/v1")) {
        (void)buffer_append_text(&served->out, core_resources);
    } else if (text_starts(served->path, "/apis/apps/")) {
        (void)buffer_format(
            &served->out, "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"deployments\","
                          "\"namespaced\":true,\"kind\":\"Deployment\",\"verbs\":[\"get\"]}]}");
    } else if (text_equal(served->path, "/apis/odd/v1")) {
        (void)buffer_append_text(&served->out, "{\"kind\":\"Status\"}");
    } else {
        served->status = 503;
        (void)buffer_append_text(&served->out, "service unavailable\n");
    }
}

static void new_server(struct served *served, void *data)
{
    (void)data;
    assert_non_null(strstr(served_header(served, "Accept"), "v=v2;as=APIGroupDiscoveryList"));
    (void)buffer_append_text(&served->out,
                             text_equal(served->path, "/apis")
                                 ? stale
                                 : "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[]}");
}

static void wrong_server(struct served *served, void *data)
{
    (void)data;
    (void)buffer_append_text(&served->out, "<html>");
}

static json_t *redact_nothing(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_make("{}");
}

static salvor_status discover(struct practice *practice,
                              void (*answer)(struct served *served, void *data), json_t **ret_json)
{
    const struct practice_server_options options = {.answer = answer};
    struct practice_server *server = practice_server_start(&options);
    salvor_kube_client *client = NULL;
    struct salvor_span json = {NULL, 0};
    practice_begin(practice);
    practice->answer = redact_nothing;
    cleanup_free char *config = text_format(
        "clusters: [{name: c, cluster: {server: '%s'}}]\nusers: [{name: u, user: {}}]\ncontexts: "
        "[{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n",
        practice_server_url(server));
    cleanup_json json_t *asked =
        json_make("{s:s,s:{s:i}}", "kubeconfig_text", config, "retry", "backoff_ms", 1);
    cleanup_free char *text = json_dumps(asked, 0);
    assert_int_equal(kube_table.client_open(practice_call(practice), text, &client), SALVOR_OK);
    const salvor_status status = kube_table.discovery(practice_call(practice), client, &json);
    *ret_json = status == SALVOR_OK ? json_loadb(json.data, (size_t)json.size, 0, NULL) : NULL;
    kube_table.client_close(practice_call(practice), client);
    practice_server_stop(server);
    return status;
}

static void one_document_a_version(void **state)
{
    struct practice practice;
    json_t *json = NULL;
    (void)state;
    assert_int_equal(discover(&practice, old_server, &json), SALVOR_OK);
    cleanup_json json_t *found = json;
    cleanup_free char *groups = json_canonical(json_object_get(found, "groups"));
    assert_string_equal(groups, "[{\"group\":\"\",\"versions\":[\"v1\"]},{\"group\":\"apps\","
                                "\"versions\":[\"v1\",\"v1beta1\"]},{\"group\":\"metrics.k8s.io\","
                                "\"versions\":[\"v1beta1\"]},{\"group\":\"odd\",\"versions\":"
                                "[\"v1\"]}]");
    const json_t *resources = json_object_get(found, "resources");
    assert_int_equal(json_array_size(resources), 3);
    cleanup_free char *pods = json_canonical(json_array_get(resources, 0));
    assert_string_equal(
        pods,
        "{\"categories\":[],\"group\":\"\",\"kind\":\"Pod\",\"namespaced\":true,\"preferred\":"
        "true,\"resource\":\"pods\",\"short_names\":[\"po\"],\"singular\":\"pod\","
        "\"subresources\":[{\"kind\":\"Pod\",\"name\":\"status\",\"verbs\":[\"get\"]}],"
        "\"verbs\":[\"get\",\"list\"],\"version\":\"v1\"}");
    assert_string_equal(json_text(json_array_get(resources, 1), "version"), "v1");
    assert_true(json_flag(json_array_get(resources, 1), "preferred"));
    assert_false(json_flag(json_array_get(resources, 2), "preferred"));
    /* who is dead is named, with what was said, and the rest is there all the same */
    const json_t *unavailable = json_object_get(found, "unavailable");
    assert_int_equal(json_array_size(unavailable), 2);
    assert_string_equal(json_text(json_array_get(unavailable, 0), "group"), "metrics.k8s.io");
    assert_string_equal(json_text(json_array_get(unavailable, 0), "reason"),
                        "cannot read '/apis/metrics.k8s.io/v1beta1': 503 Service Unavailable");
    assert_string_equal(json_text(json_array_get(unavailable, 1), "reason"),
                        "the answer is no list of API resources");
    const json_t *evidence = practice_frame(&practice, FRAME_EVIDENCE);
    assert_int_equal(json_array_size(json_object_get(evidence, "unavailable")), 2);
    practice_end(&practice);
}

static void a_stale_version_of_the_aggregated_form(void **state)
{
    struct practice practice;
    json_t *json = NULL;
    (void)state;
    assert_int_equal(discover(&practice, new_server, &json), SALVOR_OK);
    cleanup_json json_t *found = json;
    cleanup_free char *unavailable = json_canonical(json_object_get(found, "unavailable"));
    assert_string_equal(unavailable, "[{\"group\":\"metrics.k8s.io\",\"reason\":\"its server does "
                                     "not answer the API server\",\"version\":\"v1beta1\"}]");
    const json_t *resources = json_object_get(found, "resources");
    assert_int_equal(json_array_size(resources), 1);
    const json_t *subresources = json_object_get(json_array_get(resources, 0), "subresources");
    assert_string_equal(json_text(json_array_get(subresources, 0), "kind"), "Scale");
    practice_end(&practice);
}

static void no_api_server_at_all(void **state)
{
    struct practice practice;
    json_t *json = NULL;
    (void)state;
    assert_int_equal(discover(&practice, wrong_server, &json), SALVOR_FAILED);
    assert_string_equal(practice.call.error.message, "cannot read '/api': the answer is no JSON");
    practice_end(&practice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_document_a_version),
        cmocka_unit_test(a_stale_version_of_the_aggregated_form),
        cmocka_unit_test(no_api_server_at_all),
    };
    return cmocka_run_group_tests_name("net/kube-discovery", tests, NULL, NULL);
}
