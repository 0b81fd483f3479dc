#include "site.h"

#include <stdio.h>
#include <string.h>

#include "cluster.h"

/* ---- looking --------------------------------------------------------------------------------- */

static salvor_status get(salvor_call *call, salvor_kube_client *client, const char *group,
                         const char *version, const char *resource, const char *ns,
                         const char *name, json_t **ret_json)
{
    const struct salvor_kube_request object = {
        .group = group, .version = version, .resource = resource, .ns = ns, .name = name};
    return cluster_get_json(call, client, &object, ret_json);
}

static void keep(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text);
}

static salvor_status look_at_cluster(salvor_call *call, salvor_kube_client *client,
                                     struct site *site)
{
    salvor_auto_json json_t *kube_system = NULL;
    SALVOR_TRY(get(call, client, "", "v1", "namespaces", NULL, "kube-system", &kube_system));
    if (kube_system == NULL)
        return salvor_fail(call, SALVOR_FAILED, NULL,
                           "namespace 'kube-system' does not exist: is this a Kubernetes cluster?");
    keep(site->cluster_uid, sizeof site->cluster_uid,
         salvor_json_text(kube_system, "/metadata/uid", ""));
    return SALVOR_OK;
}

/* "rancher/rancher:v2.12.3", with or without a digest. */
static void tag_of(const json_t *deployment, char *buffer, size_t size)
{
    const char *image = salvor_json_text(deployment, "/spec/template/spec/containers/0/image", "");
    const char *slash = strrchr(image, '/');
    const char *colon = strchr(slash != NULL ? slash : image, ':');
    buffer[0] = '\0';
    if (colon != NULL)
        (void)snprintf(buffer, size, "%.*s", (int)strcspn(colon + 1, "@"), colon + 1);
}

static salvor_status setting(salvor_call *call, salvor_kube_client *client, const char *name,
                             char *buffer, size_t size, int *ret_there)
{
    salvor_auto_json json_t *one = NULL;
    buffer[0] = '\0';
    SALVOR_TRY(get(call, client, "management.cattle.io", "v3", "settings", NULL, name, &one));
    const char *value = salvor_json_text(one, "/value", "");
    keep(buffer, size, *value != '\0' ? value : salvor_json_text(one, "/default", ""));
    *ret_there = *ret_there || one != NULL;
    return SALVOR_OK;
}

static salvor_status look_at_rancher(salvor_call *call, salvor_kube_client *client,
                                     struct site *site)
{
    salvor_auto_json json_t *deployment = NULL;
    char version[64];
    SALVOR_TRY(
        get(call, client, "apps", "v1", "deployments", RANCHER_NAMESPACE, "rancher", &deployment));
    SALVOR_TRY(
        setting(call, client, "server-version", version, sizeof version, &site->has_settings));
    SALVOR_TRY(setting(call, client, "server-url", site->server_url, sizeof site->server_url,
                       &site->has_settings));
    SALVOR_TRY(setting(call, client, "install-uuid", site->install_uuid, sizeof site->install_uuid,
                       &site->has_settings));
    if (deployment != NULL) {
        site->has_rancher = 1;
        site->replicas = salvor_json_integer(deployment, "/spec/replicas", 1);
        site->ready = salvor_json_integer(deployment, "/status/readyReplicas", 0);
        tag_of(deployment, site->image_version, sizeof site->image_version);
        if (version[0] == '\0')
            memcpy(version, site->image_version, sizeof version);
    }
    version_read(version, &site->rancher);
    return SALVOR_OK;
}

static salvor_status look_at_operator(salvor_call *call, salvor_kube_client *client,
                                      struct site *site)
{
    salvor_auto_json json_t *deployment = NULL;
    SALVOR_TRY(get(call, client, "apps", "v1", "deployments", OPERATOR_NAMESPACE, "rancher-backup",
                   &deployment));
    if (deployment == NULL)
        return SALVOR_OK;
    site->has_operator = 1;
    site->operator_replicas = salvor_json_integer(deployment, "/spec/replicas", 1);
    tag_of(deployment, site->operator_version, sizeof site->operator_version);
    keep(site->operator_chart, sizeof site->operator_chart,
         salvor_json_text(deployment, "/metadata/labels/helm.sh~1chart", ""));
    return SALVOR_OK;
}

static salvor_status look_at_kubernetes(salvor_call *call, salvor_kube_client *client,
                                        struct site *site)
{
    const struct salvor_kube_request version = {.name = "/version"};
    int32_t code = 0;
    struct salvor_span body = {NULL, 0};
    struct salvor_token token;
    char text[64] = "";
    SALVOR_TRY(cluster_get(call, client, &version, &code, &body));
    if (code == 200 && salvor_scan_find(body, "/gitVersion", &token, NULL, NULL) == SALVOR_OK &&
        salvor_token_decode(&token, text, sizeof text) != SALVOR_OK)
        text[0] = '\0';
    version_read(text, &site->kubernetes);
    return SALVOR_OK;
}

salvor_status site_look(salvor_call *call, salvor_kube_client *client, struct site *ret_site)
{
    memset(ret_site, 0, sizeof *ret_site);
    SALVOR_TRY(look_at_cluster(call, client, ret_site));
    SALVOR_TRY(look_at_kubernetes(call, client, ret_site));
    SALVOR_TRY(look_at_rancher(call, client, ret_site));
    return look_at_operator(call, client, ret_site);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static int is_wanted(const json_t *names, const char *name)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (names, index, one) {
        if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
            return 1;
    }
    return names == NULL;
}

static salvor_status put(salvor_call *call, const json_t *names, const char *name,
                         uint32_t fact_class, json_t *value)
{
    if (is_wanted(names, name))
        return salvor_observed(call, name, fact_class, value);
    json_decref(value);
    return SALVOR_OK;
}

salvor_status site_put_facts(salvor_call *call, const struct site *site, const json_t *names)
{
    SALVOR_TRY(
        put(call, names, FACT_CLUSTER, SALVOR_FACT_IDENTITY, json_string(site->cluster_uid)));
    SALVOR_TRY(put(call, names, FACT_REPLICAS, SALVOR_FACT_GUARD,
                   site->has_rancher ? json_integer(site->replicas) : json_null()));
    SALVOR_TRY(
        put(call, names, FACT_INSTALLATION, SALVOR_FACT_INFO, json_string(site->install_uuid)));
    SALVOR_TRY(
        put(call, names, FACT_RANCHER_VERSION, SALVOR_FACT_INFO, json_string(site->rancher.text)));
    SALVOR_TRY(
        put(call, names, FACT_KUBERNETES, SALVOR_FACT_INFO, json_string(site->kubernetes.text)));
    SALVOR_TRY(put(call, names, FACT_SERVER_URL, SALVOR_FACT_INFO, json_string(site->server_url)));
    return put(call, names, FACT_OPERATOR, SALVOR_FACT_INFO,
               site->has_operator ? json_string(site->operator_version) : json_null());
}

/* ---- items ----------------------------------------------------------------------------------- */

static salvor_status put_item(salvor_call *call, const char *kind, const char *name,
                              json_t *details)
{
    salvor_auto_json json_t *owned = details;
    salvor_auto_release char *text = owned != NULL ? salvor_json_write(owned) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "an item");
    return salvor_inventory_of(call)->item(call, kind, name, text);
}

static salvor_status put_items(salvor_call *call, const struct site *site)
{
    SALVOR_TRY(put_item(call, "cluster", "local",
                        json_pack("{s:s, s:s, s:s}", "uid", site->cluster_uid, "kubernetes",
                                  site->kubernetes.text, "distribution",
                                  kubernetes_distribution(site->kubernetes.text))));
    if (site->has_rancher || site->has_settings)
        SALVOR_TRY(put_item(call, "rancher", RANCHER_NAMESPACE "/rancher",
                            json_pack("{s:s, s:b, s:I, s:I, s:s, s:s}", "version",
                                      site->rancher.text, "installed", site->has_rancher,
                                      "replicas", (json_int_t)site->replicas, "ready",
                                      (json_int_t)site->ready, "server_url", site->server_url,
                                      "install_uuid", site->install_uuid)));
    if (site->has_operator)
        SALVOR_TRY(put_item(call, "operator", OPERATOR_NAMESPACE "/rancher-backup",
                            json_pack("{s:s, s:s, s:I}", "version", site->operator_version, "chart",
                                      site->operator_chart, "replicas",
                                      (json_int_t)site->operator_replicas)));
    return SALVOR_OK;
}

/* Two runs at once would undo each other: a Lease on the cluster itself, which no path sets back.
 */
static salvor_status put_lock(salvor_call *call)
{
    return salvor_observed(call, "salvor.lock", SALVOR_FACT_INFO,
                           salvor_json_build(call, "{s:s*, s:s*}", "kubeconfig",
                                             salvor_option_text(call, "kubeconfig", NULL),
                                             "context", salvor_option_text(call, "context", NULL)));
}

/* ---- hooks ----------------------------------------------------------------------------------- */

salvor_status rancher_discover(salvor_call *call)
{
    salvor_kube_client *client = NULL;
    struct site site;
    if (!cluster_is_named(call)) {
        salvor_logf(call, SALVOR_LOG_INFO,
                    "no cluster is looked at: neither 'kubeconfig' nor 'context' is given");
        return SALVOR_OK;
    }
    SALVOR_TRY(cluster_open(call, 0, &client));
    salvor_status status = site_look(call, client, &site);
    if (status == SALVOR_OK)
        status = put_items(call, &site);
    if (status == SALVOR_OK)
        status = site_put_facts(call, &site, NULL);
    if (status == SALVOR_OK)
        status = put_lock(call);
    salvor_kube_of(call)->client_close(call, client);
    return status;
}

salvor_status rancher_observe(salvor_call *call, const char *names)
{
    salvor_auto_json json_t *list = NULL;
    salvor_kube_client *client = NULL;
    struct site site;
    SALVOR_TRY(salvor_json_parse_text(call, names, "the list of facts", &list));
    SALVOR_TRY(cluster_open(call, 0, &client));
    salvor_status status = site_look(call, client, &site);
    if (status == SALVOR_OK)
        status = site_put_facts(call, &site, list);
    salvor_kube_of(call)->client_close(call, client);
    return status;
}
