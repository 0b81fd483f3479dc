#include "read-managers.h"

#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

#include "certificate.h"
#include "picture.h"

static int put(json_t *object, const char *member, json_t *value)
{
    return json_object_set_new(object, member, value);
}

static salvor_status no_memory(struct manager *manager)
{
    return salvor_fail_memory(manager->call, "what the managers have");
}

/* NOT_FOUND is an answer: an object of that kind is not there, or this version has no such API. */
static salvor_status get_or_null(struct manager *manager, const char *site, const char *path,
                                 json_t **ret_json)
{
    const salvor_status status = manager_get(manager, site, path, ret_json);
    return status == SALVOR_NOT_FOUND ? SALVOR_OK : status;
}

static salvor_status list_or_empty(struct manager *manager, const char *site, const char *path,
                                   json_t **ret_list)
{
    const salvor_status status = manager_list(manager, site, path, ret_list);
    if (status != SALVOR_NOT_FOUND)
        return status;
    *ret_list = json_array();
    return *ret_list != NULL ? SALVOR_OK : no_memory(manager);
}

/* ---- the managers themselves
 * --------------------------------------------------------------------- */

salvor_status read_version(struct manager *manager, json_t **ret_version)
{
    salvor_auto_json json_t *node = NULL;
    SALVOR_TRY(manager_get(manager, "node.version", "/api/v1/node/version", &node));
    *ret_version = json_string(salvor_json_text(
        node, "/node_version", salvor_json_text(node, "/product_version", "unknown")));
    return *ret_version != NULL ? SALVOR_OK : no_memory(manager);
}

salvor_status read_restore(struct manager *manager, json_t **ret_restore)
{
    salvor_auto_json json_t *status = NULL;
    SALVOR_TRY(get_or_null(manager, "restore.status", "/api/v1/cluster/restore/status", &status));
    *ret_restore = json_pack(
        "{s:s, s:I, s:I, s:s?}", "status", salvor_json_text(status, "/status/value", "INITIAL"),
        "backup_timestamp", (json_int_t)salvor_json_integer(status, "/backup_timestamp", 0),
        "end_time", (json_int_t)salvor_json_integer(status, "/restore_end_time", 0), "id",
        text_at(status, "/id"));
    return *ret_restore != NULL ? SALVOR_OK : no_memory(manager);
}

static salvor_status read_cluster_status(struct manager *manager, json_t **ret_status)
{
    salvor_auto_json json_t *status = NULL;
    SALVOR_TRY(get_or_null(manager, "cluster.status", "/api/v1/cluster/status", &status));
    *ret_status =
        json_pack("{s:s, s:s}", "management",
                  salvor_json_text(status, "/mgmt_cluster_status/status", "UNKNOWN"), "control",
                  salvor_json_text(status, "/control_cluster_status/status", "UNKNOWN"));
    return *ret_status != NULL ? SALVOR_OK : no_memory(manager);
}

/* ---- control planes
 * ------------------------------------------------------------------------------ */

static int has_tag_scope(const json_t *object, const char *prefix)
{
    const json_t *tags = json_object_get(object, "tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *scope = salvor_json_text(json_array_get(tags, i), "/scope", "");
        if (strncmp(scope, prefix, strlen(prefix)) == 0)
            return 1;
    }
    return 0;
}

/* Why an entry of the list is not an Antrea cluster of this Local Manager; NULL: it is one. */
static const char *why_foreign(const json_t *entry, char *buffer, size_t size)
{
    const char *node_type = text_at(entry, "/node_type");
    const char *resource_type = text_at(entry, "/resource_type");
    const char *path = salvor_json_text(entry, "/path", "");
    if (node_type != NULL && strcmp(node_type, "ANTREA_NODE") != 0) {
        (void)snprintf(buffer, size, "its node type is '%s'", node_type);
        return buffer;
    }
    if (resource_type != NULL && strcmp(resource_type, "AntreaClusterControlPlane") != 0 &&
        strcmp(resource_type, "ClusterControlPlane") != 0) {
        (void)snprintf(buffer, size, "it is a '%s'", resource_type);
        return buffer;
    }
    if (salvor_json_flag(entry, "/_system_owned", 0))
        return "the system owns it";
    if (strncmp(path, "/global-infra/", 14) == 0)
        return "a Global Manager owns it";
    return NULL;
}

static json_t *control_plane_entry(const json_t *entry)
{
    char reason[300];
    char path[600];
    const char *id = text_at(entry, "/id");
    const char *pem = text_at(entry, "/certificate");
    (void)snprintf(path, sizeof path, "%s/%s", CONTROL_PLANES, id != NULL ? id : "");
    json_t *certificate = pem != NULL ? certificate_read(pem, strlen(pem)) : NULL;
    return json_pack(
        "{s:s?, s:s?, s:s, s:I, s:I, s:s?, s:s?, s:s?, s:b, s:o, s:i, s:{s:s, s:s, s:s}}", "id", id,
        "node_id", text_at(entry, "/node_id"), "path", salvor_json_text(entry, "/path", path),
        "revision", (json_int_t)salvor_json_integer(entry, "/_revision", -1), "create_time",
        (json_int_t)salvor_json_integer(entry, "/_create_time", 0), "create_user",
        text_at(entry, "/_create_user"), "protection", text_at(entry, "/_protection"), "foreign",
        why_foreign(entry, reason, sizeof reason), "supervised", has_tag_scope(entry, "nsx-op/"),
        "certificate", certificate != NULL ? certificate : json_null(), "report_interval", 60,
        "status", "controller", "UNKNOWN", "mp_adapter", "UNKNOWN", "ccp_adapter", "UNKNOWN");
}

/* ---- their status
 * -------------------------------------------------------------------------------- */

/* All conditions of one component: newest heartbeat, and whether one of that type is healthy. */
static int64_t read_conditions(const json_t *component, const char *type, int *ret_healthy)
{
    const json_t *conditions = json_object_get(component, "conditions");
    int64_t newest = 0;
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        const int64_t time = salvor_json_integer(condition, "/last_heartbeat_time", 0);
        if (time > newest)
            newest = time;
        if (type != NULL && strcmp(salvor_json_text(condition, "/condition_type", ""), type) == 0)
            *ret_healthy = strcmp(salvor_json_text(condition, "/status", ""), "HEALTHY") == 0;
    }
    return newest;
}

static json_t *status_entry(const json_t *status)
{
    static const char *const types[] = {NULL, "MP_CONNECTED", "CCP_SESSION_STATE_UP"};
    static const char *const members[] = {"controller_status", "mp_adapter_status",
                                          "ccp_adapter_status"};
    int healthy[3] = {0, 0, 0};
    const char *words[3];
    int64_t newest = 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *component = json_object_get(status, members[i]);
        const int64_t time = read_conditions(component, types[i], &healthy[i]);
        words[i] = salvor_json_text(component, "/status", "UNKNOWN");
        if (time > newest)
            newest = time;
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:I}", "controller", words[0], "mp_adapter",
                     words[1], "ccp_adapter", words[2], "mp_connected", healthy[1], "ccp_session",
                     healthy[2], "heartbeat", (json_int_t)newest);
}

/* By which key a status names its control plane is UNCONFIRMED: all of them are tried. */
static int is_status_of(const json_t *status, const json_t *plane)
{
    const char *path = text_at(plane, "/path");
    const char *own_path = text_at(status, "/path");
    const size_t size = path != NULL ? strlen(path) : 0;
    return same_text(text_at(status, "/parent_path"), path) ||
           (own_path != NULL && size > 0 && strncmp(own_path, path, size) == 0 &&
            (own_path[size] == '/' || own_path[size] == '\0')) ||
           same_text(text_at(status, "/id"), text_at(plane, "/id"));
}

static const char *last_word(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    return slash != NULL ? slash + 1 : path;
}

/* name -> status, under each name that it may belong to; who it is of is_status_of() decides. */
static json_t *index_statuses(const json_t *statuses)
{
    json_t *index = json_object();
    for (size_t i = 0; index != NULL && i < json_array_size(statuses); i++) {
        json_t *status = json_array_get(statuses, i);
        char parent[600] = "";
        const char *path = salvor_json_text(status, "/path", "");
        const char *slash = strrchr(path, '/');
        if (slash != NULL && (size_t)(slash - path) < sizeof parent)
            (void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
        const char *names[] = {text_at(status, "/id"), last_word(text_at(status, "/parent_path")),
                               last_word(path), last_word(parent)};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            if (names[k] != NULL && *names[k] != '\0' && json_object_get(index, names[k]) == NULL &&
                json_object_set(index, names[k], status) != 0) {
                json_decref(index);
                return NULL;
            }
        }
    }
    return index;
}

static salvor_status add_statuses(struct manager *manager, json_t *planes)
{
    salvor_auto_json json_t *statuses = NULL;
    SALVOR_TRY(list_or_empty(manager, "control-planes.status", POLICY_TREE CONTROL_PLANES "-status",
                             &statuses));
    salvor_auto_json json_t *index = index_statuses(statuses);
    if (index == NULL)
        return no_memory(manager);
    for (size_t i = 0; i < json_array_size(planes); i++) {
        json_t *plane = json_array_get(planes, i);
        const json_t *status = json_object_get(index, salvor_json_text(plane, "/id", ""));
        if (status != NULL && is_status_of(status, plane) &&
            put(plane, "status", status_entry(status)) != 0)
            return no_memory(manager);
    }
    return SALVOR_OK;
}

static salvor_status add_intervals(struct manager *manager, json_t *planes)
{
    salvor_auto_json json_t *configs = NULL;
    SALVOR_TRY(list_or_empty(manager, "control-planes.heartbeat",
                             POLICY_TREE CONTROL_PLANES "-heartbeat-config", &configs));
    salvor_auto_json json_t *index = index_statuses(configs);
    if (index == NULL)
        return no_memory(manager);
    for (size_t i = 0; i < json_array_size(planes); i++) {
        json_t *plane = json_array_get(planes, i);
        const json_t *config = json_object_get(index, salvor_json_text(plane, "/id", ""));
        const int64_t interval = salvor_json_integer(config, "/report_interval", 0);
        if (interval > 0 && put(plane, "report_interval", json_integer(interval)) != 0)
            return no_memory(manager);
    }
    return SALVOR_OK;
}

static salvor_status read_control_planes(struct manager *manager, json_t **ret_planes)
{
    salvor_auto_json json_t *list = NULL;
    salvor_auto_json json_t *planes = json_array();
    SALVOR_TRY(manager_list(manager, "control-planes.list", POLICY_TREE CONTROL_PLANES, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_array_append_new(planes, control_plane_entry(json_array_get(list, i))) != 0)
            return no_memory(manager);
    }
    SALVOR_TRY(add_statuses(manager, planes));
    SALVOR_TRY(add_intervals(manager, planes));
    *ret_planes = json_incref(planes);
    return SALVOR_OK;
}

/* ---- principal identities and certificates
 * ------------------------------------------------------- */

static json_t *principal_entry(const json_t *entry)
{
    return json_pack("{s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:b, s:b, s:s?}", "id",
                     text_at(entry, "/id"), "name", text_at(entry, "/name"), "node_id",
                     text_at(entry, "/node_id"), "certificate_id",
                     text_at(entry, "/certificate_id"), "create_time",
                     (json_int_t)salvor_json_integer(entry, "/_create_time", 0), "revision",
                     (json_int_t)salvor_json_integer(entry, "/_revision", -1), "system_owned",
                     salvor_json_flag(entry, "/_system_owned", 0), "supervised",
                     has_tag_scope(entry, "nsx-op/"), "protection", text_at(entry, "/_protection"));
}

static json_t *certificate_entry(const json_t *entry)
{
    const char *pem = text_at(entry, "/pem_encoded");
    json_t *certificate = pem != NULL ? certificate_read(pem, strlen(pem)) : NULL;
    return json_pack("{s:s?, s:s?, s:I, s:o}", "id", text_at(entry, "/id"), "display_name",
                     text_at(entry, "/display_name"), "revision",
                     (json_int_t)salvor_json_integer(entry, "/_revision", -1), "certificate",
                     certificate != NULL ? certificate : json_null());
}

static json_t *inventory_entry(const json_t *entry)
{
    return json_pack("{s:s?, s:s?, s:s?, s:s?, s:I}", "external_id", text_at(entry, "/external_id"),
                     "name", text_at(entry, "/display_name"), "cni", text_at(entry, "/cni_type"),
                     "network_status", text_at(entry, "/network_status"), "last_sync_time",
                     (json_int_t)salvor_json_integer(entry, "/_last_sync_time", 0));
}

static salvor_status read_list(struct manager *manager, const char *site, const char *path,
                               json_t *(*entry_of)(const json_t *entry), json_t **ret_entries)
{
    salvor_auto_json json_t *list = NULL;
    salvor_auto_json json_t *entries = json_array();
    SALVOR_TRY(manager_list(manager, site, path, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_array_append_new(entries, entry_of(json_array_get(list, i))) != 0)
            return no_memory(manager);
    }
    *ret_entries = json_incref(entries);
    return SALVOR_OK;
}

/* ---- inventory counts
 * ---------------------------------------------------------------------------- */

static salvor_status add_counts(struct manager *manager, json_t *inventory)
{
    static const struct {
        const char *kind;
        const char *path;
    } kinds[] = {
        {"nodes", "/api/v1/fabric/container-cluster-nodes"},
        {"namespaces", "/api/v1/fabric/container-projects"},
        {"services", "/api/v1/fabric/container-applications"},
        {"pods", "/api/v1/fabric/container-application-instances"},
        {"ingresses", "/api/v1/fabric/container-ingress-policies"},
    };
    for (size_t i = 0; i < json_array_size(inventory); i++) {
        json_t *entry = json_array_get(inventory, i);
        const char *id = text_at(entry, "/external_id");
        json_t *counts = json_object();
        if (put(entry, "counts", counts) != 0)
            return no_memory(manager);
        for (size_t k = 0; id != NULL && k < sizeof kinds / sizeof *kinds; k++) {
            salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(1000);
            int64_t count = 0;
            salvor_text_format(&path, "%s?container_cluster_id=", kinds[k].path);
            salvor_text_encode(&path, id);
            SALVOR_TRY(salvor_text_check(manager->call, &path, "the path of a count"));
            const salvor_status status =
                manager_count(manager, "inventory.count", salvor_text_get(&path), &count);
            if (status == SALVOR_NOT_FOUND)
                continue;
            SALVOR_TRY(status);
            if (put(counts, kinds[k].kind, json_integer(count)) != 0)
                return no_memory(manager);
        }
    }
    return SALVOR_OK;
}

/* ---- all of it
 * ----------------------------------------------------------------------------------- */

/* Search answers with an error of its own while its index is behind: a sign, not a failure. */
static salvor_status is_search_indexing(struct manager *manager, int *ret_indexing)
{
    struct answer answer;
    *ret_indexing = 0;
    const struct salvor_http_request request = {
        .struct_size = sizeof request,
        .method = "GET",
        .path = POLICY_TREE "/search/query?query=resource_type:clustercontrolplane&page_size=1",
        .call_site = "search.index"};
    struct salvor_http_response response = {.struct_size = sizeof response};
    SALVOR_TRY(manager->http->request(manager->call, manager->client, &request, &response));
    answer_read(response.code, response.body, &answer);
    *ret_indexing = answer.kind == ANSWER_NO_INDEX;
    answer_clear(&answer);
    return SALVOR_OK;
}

salvor_status read_managers(struct manager *manager, int count_inventory, json_t **ret_managers)
{
    salvor_auto_json json_t *version = NULL;
    salvor_auto_json json_t *restore = NULL;
    salvor_auto_json json_t *status = NULL;
    salvor_auto_json json_t *planes = NULL;
    salvor_auto_json json_t *principals = NULL;
    salvor_auto_json json_t *certificates = NULL;
    salvor_auto_json json_t *inventory = NULL;
    int indexing = 0;
    SALVOR_TRY(read_version(manager, &version));
    SALVOR_TRY(read_restore(manager, &restore));
    SALVOR_TRY(read_cluster_status(manager, &status));
    SALVOR_TRY(is_search_indexing(manager, &indexing));
    SALVOR_TRY(read_control_planes(manager, &planes));
    SALVOR_TRY(read_list(manager, "principals.list", TRUST_TREE "/principal-identities",
                         principal_entry, &principals));
    SALVOR_TRY(read_list(manager, "certificates.list", TRUST_TREE "/certificates?details=true",
                         certificate_entry, &certificates));
    SALVOR_TRY(read_list(manager, "inventory.list", "/api/v1/fabric/container-clusters",
                         inventory_entry, &inventory));
    if (count_inventory)
        SALVOR_TRY(add_counts(manager, inventory));
    *ret_managers = json_pack("{s:O, s:O, s:O, s:b, s:O, s:O, s:O, s:O}", "version", version,
                              "restore", restore, "cluster_status", status, "search_indexing",
                              indexing, "control_planes", planes, "principals", principals,
                              "certificates", certificates, "inventory", inventory);
    return *ret_managers != NULL ? SALVOR_OK : no_memory(manager);
}
