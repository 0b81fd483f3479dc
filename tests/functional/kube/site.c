#include "site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

struct sim_kube_process site_server;
static char folder[] = "/tmp/salvor-test-kube-site-XXXXXX";

/* ---- the server ------------------------------------------------------------------------------ */

static int start(struct sim_kube_options *options, sim_kube_prepare *prepare)
{
    struct error err = ERROR_INIT;
    if (mkdtemp(folder) == NULL)
        return -1;
    cleanup_free char *audit = text_format("%s/audit", folder);
    options->audit_path = audit;
    if (sim_kube_process_start(options, prepare, NULL, &site_server, &err) == 0)
        return 0;
    print_error("%s\n", err.message);
    error_clear(&err);
    return -1;
}

int site_start_server(void **state)
{
    (void)state;
    return start(&(struct sim_kube_options){0}, NULL);
}

static void add_user(struct sim_kube *sim, void *user)
{
    (void)user;
    sim_kube_add_token(sim, "t0ken-of-a-user", "somebody", "");
}

int site_start_strict_server(void **state)
{
    (void)state;
    return start(&(struct sim_kube_options){.tls = 1, .admin_token = "t0ken-of-the-admin"},
                 add_user);
}

int site_stop_server(void **state)
{
    (void)state;
    sim_kube_process_stop(&site_server);
    return file_remove_tree(folder, NULL);
}

int site_admin(const char *method, const char *path, const char *body, json_t **ret_json)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *parsed = body != NULL ? json_loads(body, 0, NULL) : NULL;
    const int status =
        sim_kube_process_request(&site_server, method, path, NULL, parsed, ret_json, &err);
    if (status < 0)
        fail_msg("%s %s: %s", method, path, err.message);
    return status;
}

void site_make_namespace(const char *name)
{
    cleanup_free char *body = text_format(
        "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}", name);
    assert_int_equal(site_admin("POST", "/api/v1/namespaces", body, NULL), 201);
}

void site_make_config_maps(const char *ns, int count)
{
    cleanup_free char *path = text_format("/api/v1/namespaces/%s/configmaps", ns);
    for (int i = 0; i < count; i++) {
        cleanup_free char *body =
            text_format("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                        "\"metadata\":{\"name\":\"map-%03d\"},\"data\":{\"a\":"
                        "\"}],\\\"{\"}}",
                        i);
        assert_int_equal(site_admin("POST", path, body, NULL), 201);
    }
}

size_t site_audit_size(void)
{
    struct stat status;
    assert_int_equal(stat(site_server.audit_path, &status), 0);
    return (size_t)status.st_size;
}

int site_count_since(size_t since, const char *verb, const char *resource, int status)
{
    cleanup_file FILE *log = fopen(site_server.audit_path, "re");
    cleanup_free char *line = NULL;
    size_t room = 0;
    int count = 0;
    assert_non_null(log);
    assert_int_equal(fseek(log, (long)since, SEEK_SET), 0);
    while (getline(&line, &room, log) > 0) {
        cleanup_json json_t *entry = json_loads(line, 0, NULL);
        count += text_equal(json_text(entry, "verb"), verb) &&
                 text_equal(json_text(entry, "resource"), resource) &&
                 (status < 0 || json_whole(entry, "status", 0) == status);
    }
    return count;
}

/* ---- one test -------------------------------------------------------------------------------- */

/* The server's own kubeconfig, led through the proxy. */
static char *write_kubeconfig(struct site *site)
{
    cleanup_error struct error err = ERROR_INIT;
    char *path = text_format("%s/kubeconfig", site->practice.folder);
    const char *url = site->proxy != NULL ? fault_proxy_url(site->proxy) : site_server.url;
    const char *at = strstr(site_server.kubeconfig, site_server.url);
    assert_non_null(at);
    cleanup_free char *text =
        text_format("%.*s%s%s", (int)(at - site_server.kubeconfig), site_server.kubeconfig, url,
                    at + strlen(site_server.url));
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
    return path;
}

int site_redacted;

static json_t *redact(struct practice *practice, const json_t *request)
{
    (void)practice;
    if (!text_equal(json_text(request, "ask"), "redact"))
        return NULL;
    site_redacted++;
    return json_make("{}");
}

salvor_kube_client *site_client(struct site *site, const char *options)
{
    salvor_kube_client *client = NULL;
    cleanup_json json_t *all = json_loads(options != NULL ? options : "{}", 0, NULL);
    if (json_object_get(all, "kubeconfig") == NULL)
        json_put_text(all, "kubeconfig", site->kubeconfig);
    if (json_object_get(all, "retry") == NULL)
        json_put(all, "retry", json_make("{s:i}", "backoff_ms", 1));
    cleanup_free char *text = json_dumps(all, 0);
    if (kube_table.client_open(site_call(site), text, &client) != SALVOR_OK)
        fail_msg("client_open: %s", site_error(site));
    return client;
}

void site_begin(struct site *site, const char *rules, const char *options)
{
    cleanup_error struct error err = ERROR_INIT;
    *site = (struct site){0};
    practice_begin(&site->practice);
    site->practice.answer = redact;
    site_redacted = 0;
    if (rules != NULL) {
        const struct fault_proxy_options proxy = {.upstream = site_server.url, .rules = rules};
        site->proxy = fault_proxy_start(&proxy, &err);
        if (site->proxy == NULL)
            fail_msg("fault proxy: %s", err.message);
    }
    site->kubeconfig = write_kubeconfig(site);
    site->client = site_client(site, options);
}

void site_end(struct site *site)
{
    practice_end(&site->practice);
    if (site->proxy != NULL)
        fault_proxy_stop(site->proxy);
    free(site->kubeconfig);
}

struct salvor_kube_request site_request(const char *verb, const char *resource, const char *ns,
                                        const char *name, const char *body)
{
    return (struct salvor_kube_request){
        .struct_size = sizeof(struct salvor_kube_request),
        .verb = verb,
        .group = "",
        .version = "v1",
        .resource = resource,
        .ns = ns,
        .name = name,
        .body = {body, body != NULL ? strlen(body) : 0},
    };
}

salvor_status site_ask(struct site *site, const struct salvor_kube_request *request,
                       int32_t *ret_code, json_t **ret_json)
{
    struct salvor_span body = {NULL, 0};
    int32_t code = 0;
    const salvor_status status =
        kube_table.request(site_call(site), site->client, request, &code, &body);
    if (ret_code != NULL)
        *ret_code = code;
    if (ret_json != NULL)
        *ret_json = body.size > 0 ? json_loadb(body.data, (size_t)body.size, 0, NULL) : NULL;
    return status;
}

const char *site_error(struct site *site)
{
    const char *message = site->practice.call.error.message;
    return message != NULL ? message : "";
}

const char *site_hint(struct site *site)
{
    const char *hint = site->practice.call.error.hint;
    return hint != NULL ? hint : "";
}
