/* The handlers of all routes, by the file that has them. */
#ifndef SIM_NSX_HANDLERS_H
#define SIM_NSX_HANDLERS_H

#include "route.h"

/* node.c */
nsx_handler nsx_node_health, nsx_node_version, nsx_node_get, nsx_cluster_status, nsx_cluster_get,
    nsx_management_get, nsx_management_put;

/* principals.c */
nsx_handler nsx_principals_list, nsx_principal_get, nsx_principal_create,
    nsx_principal_create_with_certificate, nsx_principal_delete, nsx_token_principals_list,
    nsx_token_principal_get, nsx_token_principal_create, nsx_token_principal_delete;

/* certificates.c */
nsx_handler nsx_certificates_list, nsx_certificate_get, nsx_certificates_import,
    nsx_certificate_delete;

/* control-planes.c, control-plane-delete.c, cluster-status.c */
nsx_handler nsx_control_planes_list, nsx_control_plane_get, nsx_control_plane_put,
    nsx_control_plane_delete, nsx_statuses_list, nsx_status_get, nsx_heartbeats_list,
    nsx_heartbeat_get, nsx_heartbeat_put;

/* inventory.c */
nsx_handler nsx_clusters_list, nsx_cluster_get_one, nsx_inventory_list, nsx_inventory_get;

/* policies.c, rules.c, spans.c */
nsx_handler nsx_policies_list, nsx_policy_get, nsx_policy_put, nsx_policy_delete,
    nsx_policy_statistics, nsx_rules_list, nsx_rule_get, nsx_rule_put, nsx_rule_delete,
    nsx_spans_list, nsx_span_get, nsx_span_put, nsx_span_delete;

/* groups.c, group-members.c */
nsx_handler nsx_groups_list, nsx_group_get, nsx_group_put, nsx_group_delete, nsx_group_clusters,
    nsx_group_members, nsx_group_services, nsx_services_list, nsx_service_get, nsx_service_put,
    nsx_service_delete, nsx_drafts_list, nsx_infra_get;

/* realization.c, alarms.c */
nsx_handler nsx_realized_status, nsx_realized_entities, nsx_realized_refresh, nsx_policy_alarms,
    nsx_alarms_list;

/* search.c */
nsx_handler nsx_search, nsx_search_reconcile;

/* backup.c */
nsx_handler nsx_backup_config_get, nsx_backup_config_put, nsx_backup_action, nsx_cluster_action,
    nsx_backup_status, nsx_backup_history, nsx_backup_overview, nsx_backup_timestamps;

/* restore.c, restore-status.c */
nsx_handler nsx_restore_action, nsx_restore_status, nsx_restore_instructions,
    nsx_restore_retry_updated;

/* adapter-door.c */
nsx_handler nsx_adapter_session, nsx_adapter_inventory, nsx_adapter_realization,
    nsx_adapter_withdraw;

#endif
