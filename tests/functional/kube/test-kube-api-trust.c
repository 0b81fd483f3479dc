/* Servers that are not what they should be: every fault of certificates and handshakes. */
#include "../../unit/unit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "site.h"

/* A client that reaches the simulator through a proxy with TLS, trusting the proxy's authority. */
static salvor_status ask_through(const char *rules, const char *cluster_more, int with_authority,
                                 int32_t *ret_code, char **ret_error)
{
    struct practice practice;
    cleanup_error struct error err = ERROR_INIT;
    const struct fault_proxy_options options = {
        .upstream = site_server.url, .rules = rules, .tls = 1};
    struct fault_proxy *proxy = fault_proxy_start(&options, &err);
    salvor_kube_client *client = NULL;
    struct salvor_span body = {NULL, 0};
    if (proxy == NULL)
        fail_msg("%s", err.message);
    const char *pem = fault_proxy_authority(proxy);
    const size_t room = sodium_base64_encoded_len(strlen(pem), sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *authority = memory_new(room, 1);
    (void)sodium_bin2base64(authority, room, (const unsigned char *)pem, strlen(pem),
                            sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *config = text_format(
        "clusters: [{name: c, cluster: {server: '%s'%s%s%s}}]\nusers: [{name: u, user: {}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n",
        fault_proxy_url(proxy), with_authority ? ", certificate-authority-data: " : "",
        with_authority ? authority : "", cluster_more);
    cleanup_json json_t *asked = json_make("{s:s,s:{s:i,s:i}}", "kubeconfig_text", config, "retry",
                                           "backoff_ms", 1, "attempts", 3);
    cleanup_free char *text = json_dumps(asked, 0);
    practice_begin(&practice);
    if (kube_table.client_open(practice_call(&practice), text, &client) != SALVOR_OK)
        fail_msg("%s", practice.call.error.message);
    struct salvor_kube_request get = site_request("get", "namespaces", NULL, "default", NULL);
    const salvor_status status =
        kube_table.request(practice_call(&practice), client, &get, ret_code, &body);
    *ret_error = text_copy(practice.call.error.message != NULL ? practice.call.error.message : "");
    practice_end(&practice);
    fault_proxy_stop(proxy);
    return status;
}

static void refused(const char *rules, const char *cluster_more, int with_authority)
{
    int32_t code = 0;
    char *error = NULL;
    const salvor_status status = ask_through(rules, cluster_more, with_authority, &code, &error);
    cleanup_free char *own = error;
    assert_int_equal(status, SALVOR_FAILED);
    assert_int_equal(code, 0);
    assert_true(text_starts(own, "cannot get 'namespaces' 'default': "));
}

static void accepted(const char *rules, const char *cluster_more, int with_authority)
{
    int32_t code = 0;
    char *error = NULL;
    const salvor_status status = ask_through(rules, cluster_more, with_authority, &code, &error);
    cleanup_free char *own = error;
    if (status != SALVOR_OK)
        fail_msg("%s", own);
    assert_int_equal(code, 200);
}

static void bad_certificates_are_never_accepted(void **state)
{
    static const char *const faults[] = {"fault=tls-expired", "fault=tls-wrong-name",
                                         "fault=tls-self-signed"};
    (void)state;
    accepted("path=/nothing fault=close", "", 1);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        refused(faults[i], "", 1);
    /* nor is one of an authority that nobody named */
    refused("path=/nothing fault=close", "", 0);
    refused("path=/nothing fault=close", ", tls-server-name: another.example", 1);
}

static void what_was_asked_for_by_name(void **state)
{
    (void)state;
    accepted("fault=tls-self-signed", ", insecure-skip-tls-verify: true", 0);
}

static void a_handshake_that_is_cut_is_tried_again(void **state)
{
    (void)state;
    accepted("nth=1 fault=tls-cut", "", 1);
    int32_t code = 0;
    char *error = NULL;
    const salvor_status status = ask_through("fault=tls-cut", "", 1, &code, &error);
    free(error);
    assert_int_equal(status, SALVOR_RETRY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_certificates_are_never_accepted),
        cmocka_unit_test(what_was_asked_for_by_name),
        cmocka_unit_test(a_handshake_that_is_cut_is_tried_again),
    };
    return cmocka_run_group_tests_name("kube/trust", tests, site_start_server, site_stop_server);
}
