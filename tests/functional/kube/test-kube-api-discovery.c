#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

static json_t *discover(struct site *site)
{
    struct salvor_span json = {NULL, 0};
    if (kube_table.discovery(site_call(site), site->client, &json) != SALVOR_OK)
        fail_msg("discovery: %s", site_error(site));
    return json_loadb(json.data, (size_t)json.size, 0, NULL);
}

static const json_t *find(const json_t *found, const char *group, const char *version,
                          const char *resource)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (json_object_get(found, "resources"), index, entry) {
        if (text_equal(json_text(entry, "group"), group) &&
            text_equal(json_text(entry, "version"), version) &&
            text_equal(json_text(entry, "resource"), resource))
            return entry;
    }
    return NULL;
}

static int has_text(const json_t *list, const char *text)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (list, index, entry) {
        if (text_equal(json_string_value(entry), text))
            return 1;
    }
    return 0;
}

static int has_subresource(const json_t *resource, const char *name)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (json_object_get(resource, "subresources"), index, entry) {
        if (text_equal(json_text(entry, "name"), name))
            return 1;
    }
    return 0;
}

static void make_definition(void)
{
    const int status = site_admin(
        "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
        "\"metadata\":{\"name\":\"lamps.example.org\"},\"spec\":{\"group\":\"example.org\","
        "\"names\":"
        "{\"plural\":\"lamps\",\"singular\":\"lamp\",\"kind\":\"Lamp\",\"listKind\":\"LampList\"},"
        "\"scope\":\"Cluster\",\"versions\":[{\"name\":\"v1beta1\",\"served\":true,\"storage\":"
        "false,"
        "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\"}}},{\"name\":\"v1\",\"served\":true,"
        "\"storage\":true,\"subresources\":{\"status\":{}},\"schema\":{\"openAPIV3Schema\":{"
        "\"type\":"
        "\"object\"}}}]}}",
        NULL);
    assert_true(status == 201 || status == 409);
}

static void check(const json_t *found)
{
    const json_t *deployments = find(found, "apps", "v1", "deployments");
    const json_t *nodes = find(found, "", "v1", "nodes");
    const json_t *lamps = find(found, "example.org", "v1", "lamps");
    assert_string_equal(json_text(deployments, "kind"), "Deployment");
    assert_true(json_flag(deployments, "namespaced"));
    assert_true(json_flag(deployments, "preferred"));
    assert_true(has_text(json_object_get(deployments, "verbs"), "list"));
    assert_true(has_subresource(deployments, "status"));
    assert_true(has_subresource(deployments, "scale"));
    assert_non_null(nodes);
    assert_false(json_flag(nodes, "namespaced"));
    assert_string_equal(json_text(lamps, "kind"), "Lamp");
    assert_string_equal(json_text(lamps, "singular"), "lamp");
    assert_true(has_subresource(lamps, "status"));
    assert_true(json_flag(lamps, "preferred"));
    assert_false(json_flag(find(found, "example.org", "v1beta1", "lamps"), "preferred"));
    assert_null(find(found, "apps", "v1", "deployments/status"));
    assert_int_equal(json_array_size(json_object_get(found, "unavailable")), 0);
}

static void everything_in_two_documents(void **state)
{
    struct site site;
    (void)state;
    make_definition();
    site_begin(&site, NULL, NULL);
    cleanup_json json_t *found = discover(&site);
    check(found);
    const json_t *evidence = practice_frame(&site.practice, FRAME_EVIDENCE);
    assert_int_equal(json_whole(evidence, "documents", 0), 2);
    assert_null(json_object_get(evidence, "unavailable"));
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_two_documents),
    };
    return cmocka_run_group_tests_name("kube/discovery", tests, site_start_server,
                                       site_stop_server);
}
