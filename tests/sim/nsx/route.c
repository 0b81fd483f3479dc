#include "route.h"

#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "handlers.h"

#include "base/banned.h"
#include "base/text.h"

#define TRUST "/api/v1/trust-management/"
#define FABRIC "/api/v1/fabric/"
#define POINT "/policy/api/v1/infra/sites/{site}/enforcement-points/{point}/"
#define DOMAIN "/policy/api/v1/infra/domains/{domain}/"
#define REALIZED "/policy/api/v1/infra/realized-state/"

enum { ALWAYS = NSX_WHILE_RESTORING };

static const struct nsx_route routes[] = {
    {"POST", "/api/session/create", NSX_FREE, nsx_session_create, ALWAYS},
    {"POST", "/api/session/destroy", NSX_ANY, nsx_session_destroy, ALWAYS},
    {"GET", "/api/v1/reverse-proxy/node/health", NSX_FREE, nsx_node_health, ALWAYS},
    {"GET", "/api/v1/node/version", NSX_ANY, nsx_node_version, ALWAYS},
    {"GET", "/api/v1/node", NSX_ANY, nsx_node_get, ALWAYS},
    {"GET", "/api/v1/cluster/status", NSX_ANY, nsx_cluster_status, ALWAYS},
    {"GET", "/api/v1/cluster", NSX_ANY, nsx_cluster_get, ALWAYS},
    {"POST", "/api/v1/cluster", NSX_MAINTENANCE, nsx_cluster_action, 0},
    {"GET", "/api/v1/configs/management", NSX_MAINTENANCE, nsx_management_get, 0},
    {"PUT", "/api/v1/configs/management", NSX_MAINTENANCE, nsx_management_put, 0},
    {"GET", "/api/v1/aaa/user-info", NSX_ANY, nsx_user_info, ALWAYS},
    {"GET", "/policy/api/v1/aaa/user-info", NSX_ANY, nsx_user_info, ALWAYS},

    {"GET", TRUST "principal-identities", NSX_IDENTITIES, nsx_principals_list, 0},
    {"POST", TRUST "principal-identities", NSX_IDENTITIES, nsx_principal_create, 0},
    {"POST", TRUST "principal-identities/with-certificate", NSX_IDENTITIES,
     nsx_principal_create_with_certificate, 0},
    {"GET", TRUST "principal-identities/{id}", NSX_IDENTITIES, nsx_principal_get, 0},
    {"DELETE", TRUST "principal-identities/{id}", NSX_IDENTITIES, nsx_principal_delete, 0},
    {"GET", TRUST "token-principal-identities", NSX_IDENTITIES, nsx_token_principals_list, 0},
    {"POST", TRUST "token-principal-identities", NSX_IDENTITIES, nsx_token_principal_create, 0},
    {"GET", TRUST "token-principal-identities/{id}", NSX_IDENTITIES, nsx_token_principal_get, 0},
    {"DELETE", TRUST "token-principal-identities/{id}", NSX_IDENTITIES, nsx_token_principal_delete,
     0},
    {"GET", TRUST "certificates", NSX_IDENTITIES, nsx_certificates_list, 0},
    {"POST", TRUST "certificates", NSX_IDENTITIES, nsx_certificates_import, 0},
    {"GET", TRUST "certificates/{id}", NSX_IDENTITIES, nsx_certificate_get, 0},
    {"DELETE", TRUST "certificates/{id}", NSX_IDENTITIES, nsx_certificate_delete, 0},

    {"GET", POINT "cluster-control-planes", NSX_NODES, nsx_control_planes_list, 0},
    {"GET", POINT "cluster-control-planes/{id}", NSX_NODES, nsx_control_plane_get, 0},
    {"PUT", POINT "cluster-control-planes/{id}", NSX_NODES, nsx_control_plane_put, 0},
    {"DELETE", POINT "cluster-control-planes/{id}", NSX_NODES, nsx_control_plane_delete, 0},
    {"GET", POINT "cluster-control-planes-status", NSX_NODES, nsx_statuses_list, 0},
    {"GET", POINT "cluster-control-planes/{id}/status", NSX_NODES, nsx_status_get, 0},
    {"GET", POINT "cluster-control-planes-heartbeat-config", NSX_NODES, nsx_heartbeats_list, 0},
    {"GET", POINT "cluster-control-planes/{id}/heartbeat-config", NSX_NODES, nsx_heartbeat_get, 0},
    {"PUT", POINT "cluster-control-planes/{id}/heartbeat-config", NSX_NODES, nsx_heartbeat_put, 0},
    {"PATCH", POINT "cluster-control-planes/{id}/heartbeat-config", NSX_NODES, nsx_heartbeat_put,
     0},

    {"GET", FABRIC "container-clusters", NSX_CONTAINERS, nsx_clusters_list, 0},
    {"GET", FABRIC "container-clusters/{id}", NSX_CONTAINERS, nsx_cluster_get_one, 0},
    {"GET", FABRIC "{kind}", NSX_CONTAINERS, nsx_inventory_list, 0},
    {"GET", FABRIC "{kind}/{id}", NSX_CONTAINERS, nsx_inventory_get, 0},

    {"GET", "/policy/api/v1/infra", NSX_FIREWALL, nsx_infra_get, 0},
    {"GET", DOMAIN "security-policies", NSX_FIREWALL, nsx_policies_list, 0},
    {"GET", DOMAIN "security-policies/{policy}", NSX_FIREWALL, nsx_policy_get, 0},
    {"PUT", DOMAIN "security-policies/{policy}", NSX_FIREWALL, nsx_policy_put, 0},
    {"PATCH", DOMAIN "security-policies/{policy}", NSX_FIREWALL, nsx_policy_put, 0},
    {"DELETE", DOMAIN "security-policies/{policy}", NSX_FIREWALL, nsx_policy_delete, 0},
    {"GET", DOMAIN "security-policies/{policy}/statistics", NSX_FIREWALL, nsx_policy_statistics, 0},
    {"GET", DOMAIN "security-policies/{policy}/rules", NSX_FIREWALL, nsx_rules_list, 0},
    {"GET", DOMAIN "security-policies/{policy}/rules/{rule}", NSX_FIREWALL, nsx_rule_get, 0},
    {"PUT", DOMAIN "security-policies/{policy}/rules/{rule}", NSX_FIREWALL, nsx_rule_put, 0},
    {"PATCH", DOMAIN "security-policies/{policy}/rules/{rule}", NSX_FIREWALL, nsx_rule_put, 0},
    {"DELETE", DOMAIN "security-policies/{policy}/rules/{rule}", NSX_FIREWALL, nsx_rule_delete, 0},
    {"GET", DOMAIN "security-policies/{policy}/container-cluster-span", NSX_FIREWALL,
     nsx_spans_list, 0},
    {"GET", DOMAIN "security-policies/{policy}/container-cluster-span/{span}", NSX_FIREWALL,
     nsx_span_get, 0},
    {"PUT", DOMAIN "security-policies/{policy}/container-cluster-span/{span}", NSX_FIREWALL,
     nsx_span_put, 0},
    {"PATCH", DOMAIN "security-policies/{policy}/container-cluster-span/{span}", NSX_FIREWALL,
     nsx_span_put, 0},
    {"DELETE", DOMAIN "security-policies/{policy}/container-cluster-span/{span}", NSX_FIREWALL,
     nsx_span_delete, 0},

    {"GET", DOMAIN "groups", NSX_FIREWALL, nsx_groups_list, 0},
    {"GET", DOMAIN "groups/{group}", NSX_FIREWALL, nsx_group_get, 0},
    {"PUT", DOMAIN "groups/{group}", NSX_FIREWALL, nsx_group_put, 0},
    {"PATCH", DOMAIN "groups/{group}", NSX_FIREWALL, nsx_group_put, 0},
    {"DELETE", DOMAIN "groups/{group}", NSX_FIREWALL, nsx_group_delete, 0},
    {"GET", DOMAIN "groups/{group}/associated-kubernetes-clusters", NSX_FIREWALL,
     nsx_group_clusters, 0},
    {"GET", DOMAIN "groups/{group}/members/{kind}", NSX_FIREWALL, nsx_group_members, 0},
    {"GET", "/policy/api/v1/infra/group-service-associations", NSX_FIREWALL, nsx_group_services, 0},
    {"GET", "/policy/api/v1/infra/services", NSX_FIREWALL, nsx_services_list, 0},
    {"GET", "/policy/api/v1/infra/services/{service}", NSX_FIREWALL, nsx_service_get, 0},
    {"PUT", "/policy/api/v1/infra/services/{service}", NSX_FIREWALL, nsx_service_put, 0},
    {"PATCH", "/policy/api/v1/infra/services/{service}", NSX_FIREWALL, nsx_service_put, 0},
    {"DELETE", "/policy/api/v1/infra/services/{service}", NSX_FIREWALL, nsx_service_delete, 0},
    {"GET", "/policy/api/v1/infra/drafts", NSX_FIREWALL, nsx_drafts_list, 0},

    {"GET", REALIZED "status", NSX_FIREWALL, nsx_realized_status, 0},
    {"GET", REALIZED "realized-entities", NSX_FIREWALL, nsx_realized_entities, 0},
    {"POST", REALIZED "realized-entity", NSX_FIREWALL, nsx_realized_refresh, 0},
    {"GET", REALIZED "alarms", NSX_FIREWALL, nsx_policy_alarms, 0},
    {"GET", "/api/v1/alarms", NSX_MAINTENANCE, nsx_alarms_list, 0},

    {"GET", "/policy/api/v1/search/query", NSX_ANY, nsx_search, 0},
    {"GET", "/api/v1/search/query", NSX_ANY, nsx_search, 0},
    {"POST", "/policy/api/v1/search/reconcile", NSX_MAINTENANCE, nsx_search_reconcile, 0},

    {"GET", "/api/v1/cluster/backups/config", NSX_MAINTENANCE, nsx_backup_config_get, ALWAYS},
    {"PUT", "/api/v1/cluster/backups/config", NSX_MAINTENANCE, nsx_backup_config_put, ALWAYS},
    {"POST", "/api/v1/cluster/backups", NSX_MAINTENANCE, nsx_backup_action, ALWAYS},
    {"GET", "/api/v1/cluster/backups/status", NSX_MAINTENANCE, nsx_backup_status, ALWAYS},
    {"GET", "/api/v1/cluster/backups/history", NSX_MAINTENANCE, nsx_backup_history, ALWAYS},
    {"GET", "/api/v1/cluster/backups/overview", NSX_MAINTENANCE, nsx_backup_overview, ALWAYS},
    {"GET", "/api/v1/cluster/restore/backuptimestamps", NSX_MAINTENANCE, nsx_backup_timestamps,
     ALWAYS},
    {"POST", "/api/v1/cluster/restore", NSX_MAINTENANCE, nsx_restore_action, ALWAYS},
    {"GET", "/api/v1/cluster/restore/status", NSX_MAINTENANCE, nsx_restore_status, ALWAYS},
    {"GET", "/api/v1/cluster/restore/instruction-resources", NSX_MAINTENANCE,
     nsx_restore_instructions, ALWAYS},
    {"POST", "/api/v1/cluster/restore/action/retry_with_updated_config", NSX_MAINTENANCE,
     nsx_restore_retry_updated, ALWAYS},

    {"GET", NSX_ADAPTER_PREFIX "v1/session", NSX_ANY, nsx_adapter_session, 0},
    {"POST", NSX_ADAPTER_PREFIX "v1/inventory", NSX_ANY, nsx_adapter_inventory, 0},
    {"DELETE", NSX_ADAPTER_PREFIX "v1/inventory", NSX_ANY, nsx_adapter_withdraw, 0},
    {"POST", NSX_ADAPTER_PREFIX "v1/realization", NSX_ANY, nsx_adapter_realization, 0},
};

struct span {
    const char *at;
    size_t size;
};

/* 1 when the path fits; `parts` are what the placeholders stand for. */
static int fits(const char *template, const char *path, struct span parts[NSX_PARTS])
{
    size_t count = 0;
    while (*template != '\0' && *path != '\0') {
        if (*template == '{') {
            size_t size = strcspn(path, "/");
            if (size == 0 || count == NSX_PARTS)
                return 0;
            parts[count++] = (struct span){path, size};
            path += size;
            template += strcspn(template, "}") + 1;
        } else if (*template ++ != *path++) {
            return 0;
        }
    }
    return *template == '\0' && *path == '\0';
}

const struct nsx_route *nsx_route(const struct sim_nsx *sim, struct nsx_request *request,
                                  struct nsx_answer *answer)
{
    int is_known = 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        struct span parts[NSX_PARTS] = {{NULL, 0}};
        if (!fits(routes[i].template, request->path, parts))
            continue;
        is_known = 1;
        if (strcmp(routes[i].method, request->method) != 0)
            continue;
        request->template = routes[i].template;
        for (size_t k = 0; k < NSX_PARTS && parts[k].at != NULL; k++)
            request->parts[k] = text_copy_span(parts[k].at, parts[k].size);
        return &routes[i];
    }
    if (is_known)
        nsx_error(answer, 405, 405, "common-services", "Request method '%s' not supported",
                  request->method);
    else
        nsx_error_not_found(sim, answer, request->path);
    return NULL;
}
