#include "read-cluster.h"

#include <salvor/helpers.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "picture.h"
#include "settings-text.h"

enum { CERTIFICATE_LIMIT = 64 * 1024 };

static salvor_status no_memory(salvor_call *call)
{
    return salvor_fail_memory(call, "what a cluster has");
}

/* ---- asking
 * -------------------------------------------------------------------------------------- */

salvor_status cluster_open(salvor_call *call, const char *reference,
                           salvor_kube_client **ret_client)
{
    const char *hash = strrchr(reference, '#');
    const int is_file = strchr(reference, '/') != NULL;
    salvor_auto_release char *file =
        is_file ? salvor_copy_bytes(reference,
                                    hash != NULL ? (size_t)(hash - reference) : strlen(reference))
                : NULL;
    const char *context = is_file ? (hash != NULL ? hash + 1 : NULL) : reference;
    if (is_file && file == NULL)
        return no_memory(call);
    salvor_auto_json json_t *options =
        salvor_json_build(call, "{s:s*, s:s*}", "kubeconfig", file, "context", context);
    salvor_auto_release char *text = options != NULL ? salvor_json_write(options) : NULL;
    if (text == NULL)
        return no_memory(call);
    return salvor_kube_of(call)->client_open(call, text, ret_client);
}

salvor_status cluster_get(salvor_call *call, salvor_kube_client *client, const char *group,
                          const char *version, const char *resource, const char *ns,
                          const char *name, json_t **ret_object)
{
    const struct salvor_kube_request request = {.struct_size = sizeof request,
                                                .verb = "get",
                                                .group = group,
                                                .version = version,
                                                .resource = resource,
                                                .ns = ns,
                                                .name = name};
    struct salvor_span body = {NULL, 0};
    int32_t code = 0;
    SALVOR_TRY(salvor_kube_of(call)->request(call, client, &request, &code, &body));
    if (code != 200)
        return salvor_fail(call, code == 403 ? SALVOR_REFUSED : SALVOR_FAILED, NULL,
                           "cannot read %s '%s': the server answered %d", resource, name,
                           (int)code);
    return salvor_json_parse(call, body, name, ret_object);
}

static salvor_status get_or_null(salvor_call *call, salvor_kube_client *client,
                                 const char *resource, const char *ns, const char *name,
                                 json_t **ret_object)
{
    const salvor_status status =
        cluster_get(call, client, "", "v1", resource, ns, name, ret_object);
    return status == SALVOR_NOT_FOUND ? SALVOR_OK : status;
}

static int put(json_t *object, const char *member, json_t *value)
{
    return json_object_set_new(object, member, value);
}

/* ---- who it is
 * ----------------------------------------------------------------------------------- */

static salvor_status read_identity(salvor_call *call, salvor_kube_client *client, json_t *cluster)
{
    salvor_auto_json json_t *system = NULL;
    salvor_auto_json json_t *antrea = NULL;
    SALVOR_TRY(cluster_get(call, client, "", "v1", "namespaces", NULL, "kube-system", &system));
    SALVOR_TRY(
        get_or_null(call, client, "configmaps", "kube-system", "antrea-cluster-identity", &antrea));
    const char *uid = text_at(system, "/metadata/uid");
    const char *uuid = text_at(antrea, "/data/uuid");
    if (uid == NULL)
        return salvor_fail(call, SALVOR_FAILED, NULL, "namespace 'kube-system' has no uid");
    if (put(cluster, "kube_system_uid", json_string(uid)) != 0 ||
        put(cluster, "antrea_uuid", uuid != NULL ? json_string(uuid) : json_null()) != 0)
        return no_memory(call);
    return SALVOR_OK;
}

/* ---- what it was registered as
 * ------------------------------------------------------------------- */

static salvor_status read_settings(salvor_call *call, salvor_kube_client *client, const char *name,
                                   const char *pointer, json_t **ret_settings)
{
    char problem[200];
    salvor_auto_json json_t *map = NULL;
    SALVOR_TRY(get_or_null(call, client, "configmaps", INTERWORKING_NAMESPACE, name, &map));
    const char *text = text_at(map, pointer);
    if (text == NULL || *text == '\0')
        return SALVOR_OK;
    *ret_settings =
        settings_read((struct salvor_span){text, strlen(text)}, problem, sizeof problem);
    if (*ret_settings == NULL)
        return salvor_fail_detail(call, SALVOR_FAILED, problem, NULL,
                                  "cannot read ConfigMap '%s' of namespace '%s'", name,
                                  INTERWORKING_NAMESPACE);
    return SALVOR_OK;
}

static salvor_status read_registration(salvor_call *call, salvor_kube_client *client,
                                       json_t *cluster)
{
    salvor_auto_json json_t *bootstrap = NULL;
    salvor_auto_json json_t *id = NULL;
    SALVOR_TRY(read_settings(call, client, "bootstrap-config", "/data/bootstrap.conf", &bootstrap));
    SALVOR_TRY(read_settings(call, client, "cluster-id", "/data/cluster-id.conf", &id));
    const char *name = text_at(bootstrap, "/clusterName");
    const char *from = salvor_json_text(bootstrap, "/bootstrapFrom", "Inline");
    const char *node_id = text_at(id, "/clusterID");
    if (name != NULL && *name == '\0')
        name = NULL;
    if (put(cluster, "name", name != NULL ? json_string(name) : json_null()) != 0 ||
        put(cluster, "id", node_id != NULL ? json_string(node_id) : json_null()) != 0 ||
        put(cluster, "supervised", json_boolean(strcmp(from, "SupervisorCluster") == 0)) != 0)
        return no_memory(call);
    return SALVOR_OK;
}

/* ---- with which certificate
 * ---------------------------------------------------------------------- */

/* Decodes into memory of its own (salvor_release); NULL: not base64, too large, or no memory. */
static char *decoded(const char *text, size_t *ret_size)
{
    const size_t length = text != NULL ? strlen(text) : 0;
    if (length == 0 || length > CERTIFICATE_LIMIT)
        return NULL;
    char *bytes = salvor_allocate(length + 1);
    if (bytes == NULL)
        return NULL;
    if (sodium_base642bin((unsigned char *)bytes, length, text, length, " \r\n", ret_size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        salvor_release(bytes);
        return NULL;
    }
    bytes[*ret_size] = '\0';
    return bytes;
}

/* The key comes with the answer: from here on it is redacted everywhere. */
static salvor_status hide_key(salvor_call *call, const json_t *secret)
{
    size_t size = 0;
    char *key = decoded(text_at(secret, "/data/tls.key"), &size);
    salvor_secret *handle = NULL;
    salvor_status status = SALVOR_OK;
    if (key == NULL)
        return SALVOR_OK;
    status = salvor_secrets_of(call)->adopt(call, key, size, &handle);
    sodium_memzero(key, size);
    salvor_release(key);
    if (status == SALVOR_OK)
        salvor_secrets_of(call)->close(call, handle);
    return status;
}

static salvor_status read_certificate(salvor_call *call, salvor_kube_client *client,
                                      json_t *cluster)
{
    salvor_auto_json json_t *secret = NULL;
    size_t size = 0;
    SALVOR_TRY(get_or_null(call, client, "secrets", INTERWORKING_NAMESPACE, "nsx-cert", &secret));
    SALVOR_TRY(hide_key(call, secret));
    char *pem = decoded(text_at(secret, "/data/tls.crt"), &size);
    json_t *certificate = pem != NULL ? certificate_read(pem, size) : NULL;
    salvor_release(pem);
    if (put(cluster, "certificate", certificate != NULL ? certificate : json_null()) != 0)
        return no_memory(call);
    return SALVOR_OK;
}

/* ---- how much it has
 * ----------------------------------------------------------------------------- */

static salvor_status count_of(salvor_call *call, salvor_kube_client *client, const char *group,
                              const char *version, const char *resource, int64_t *ret_count)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    char options[300];
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    (void)snprintf(options, sizeof options,
                   "{\"group\": \"%s\", \"version\": \"%s\", \"resource\": \"%s\", "
                   "\"limit\": 500, \"metadata_only\": true}",
                   group, version, resource);
    *ret_count = 0;
    SALVOR_TRY(kube->list_open(call, client, options, &list));
    salvor_status status = SALVOR_OK;
    while ((status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        *ret_count += page.item_count;
        /* what remains is the server's own count for lists without selectors */
        if (page.remaining > 0) {
            *ret_count += (int64_t)page.remaining;
            status = SALVOR_END;
            break;
        }
    }
    kube->list_close(call, list);
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status read_counts(salvor_call *call, salvor_kube_client *client, json_t *cluster)
{
    static const struct {
        const char *kind, *group, *version, *resource;
    } kinds[] = {{"nodes", "", "v1", "nodes"},
                 {"namespaces", "", "v1", "namespaces"},
                 {"services", "", "v1", "services"},
                 {"pods", "", "v1", "pods"},
                 {"ingresses", "networking.k8s.io", "v1", "ingresses"}};
    json_t *counts = json_object();
    if (put(cluster, "counts", counts) != 0)
        return no_memory(call);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int64_t count = 0;
        const salvor_status status =
            count_of(call, client, kinds[i].group, kinds[i].version, kinds[i].resource, &count);
        if (status == SALVOR_NOT_FOUND)
            continue;
        SALVOR_TRY(status);
        if (put(counts, kinds[i].kind, json_integer(count)) != 0)
            return no_memory(call);
    }
    return SALVOR_OK;
}

/* ---- all of it
 * ----------------------------------------------------------------------------------- */

static salvor_status read_all(salvor_call *call, const char *reference, int count, json_t *cluster)
{
    salvor_kube_client *client = NULL;
    SALVOR_TRY(cluster_open(call, reference, &client));
    salvor_status status = read_identity(call, client, cluster);
    if (status == SALVOR_OK)
        status = read_registration(call, client, cluster);
    if (status == SALVOR_OK)
        status = read_certificate(call, client, cluster);
    if (status == SALVOR_OK && count)
        status = read_counts(call, client, cluster);
    salvor_kube_of(call)->client_close(call, client);
    return status;
}

salvor_status read_cluster(salvor_call *call, const char *reference, int count,
                           json_t **ret_cluster)
{
    salvor_auto_json json_t *cluster =
        json_pack("{s:s, s:b, s:n, s:n, s:n, s:b, s:n}", "context", reference, "reachable", 0,
                  "problem", "name", "id", "supervised", 0, "certificate");
    if (cluster == NULL)
        return no_memory(call);
    const salvor_status status = read_all(call, reference, count, cluster);
    /* half an answer is none: what was read before it broke off decides nothing */
    if (status == SALVOR_CANCELLED || status == SALVOR_BUG)
        return status;
    if (status != SALVOR_OK) {
        const char *problem = call->host->last_error(call);
        *ret_cluster =
            json_pack("{s:s, s:b, s:s}", "context", reference, "reachable", 0, "problem", problem);
        return *ret_cluster != NULL ? SALVOR_OK : no_memory(call);
    }
    if (put(cluster, "reachable", json_true()) != 0)
        return no_memory(call);
    *ret_cluster = json_incref(cluster);
    return SALVOR_OK;
}

salvor_status read_clusters(salvor_call *call, int count, json_t **ret_clusters)
{
    salvor_auto_json json_t *references = NULL;
    salvor_auto_json json_t *clusters = json_array();
    SALVOR_TRY(salvor_option_list(call, "cluster", &references));
    for (size_t i = 0; i < json_array_size(references); i++) {
        json_t *cluster = NULL;
        const char *reference = json_string_value(json_array_get(references, i));
        SALVOR_TRY(read_cluster(call, reference, count, &cluster));
        if (json_array_append_new(clusters, cluster) != 0)
            return no_memory(call);
        call->host->progress(call, i + 1, json_array_size(references), "clusters");
    }
    *ret_clusters = json_incref(clusters);
    return SALVOR_OK;
}
