/*
 * What the vendor's documentation leaves open. Each switch stands for one such statement and has
 * every position that a client must live with; the first is the one at start.
 */
#ifndef SIM_NSX_SWITCHES_H
#define SIM_NSX_SWITCHES_H

#include <jansson.h>

struct sim_nsx;

enum nsx_switch {
    SW_SESSION_DESTROY,
    SW_UNKNOWN_CERTIFICATE,
    SW_LIMITED_PI_READ,
    SW_RESTORE_CERTIFICATE,
    SW_NOT_FOUND_CODE,
    SW_RETRY_AFTER,
    SW_CONCURRENCY_STATUS,
    SW_STALE_REVISION,
    SW_RESULT_COUNT,
    SW_DELETE_MISSING,
    SW_DELETE_STATUS,
    SW_PI_NAME_RULE,
    SW_PI_ROLE_FORM,
    SW_PI_DISPLAY_NAME,
    SW_PI_DUPLICATE,
    SW_PEM_REUSE,
    SW_CERTIFICATE_IN_USE,
    SW_CERTIFICATE_USED_BY,
    SW_CERTIFICATE_MISSING,
    SW_CCP_FOREIGN_ENTRIES,
    SW_CCP_VHC_PATH,
    SW_CCP_INVALID,
    SW_CCP_REFERENCED,
    SW_CCP_CREATE_USER,
    SW_CASCADE_INVENTORY,
    SW_CASCADE_GROUPS,
    SW_CASCADE_SCOPE,
    SW_STATUS_LIST_KEY,
    SW_SPAN_PATH_FORM,
    SW_CNI_TYPE,
    SW_INVENTORY_JOIN,
    SW_INVENTORY_SYNC_TIME,
    SW_RESTORE_INVENTORY,
    SW_POLICY_LIST_RULES,
    SW_INFRA_FILTER,
    SW_SPAN_DELETE,
    SW_LAST_SPAN,
    SW_POLICY_DELETE_SPAN,
    SW_RULE_ORDER,
    SW_ETHERNET_POLICIES,
    SW_REALIZATION_ANTREA_DETAILS,
    SW_ORPHAN_REALIZATION,
    SW_ANTREA_ALARMS,
    SW_RESYNC_FLAG,
    SW_RESTORE_RESUME,
    SW_RESTORE_SUSPENDING,
    SW_RESTORE_INITIAL,
    SW_RESTORE_CONFLICT_BODY,
    SW_REGISTER_LEFT_OVER_ID,
    SW_DEREGISTER_WITHOUT_PI,
    SW_DEREGISTER_JOB_TTL,
    SW_DEREGISTER_POD_LABELS,
    SW_ADAPTER_INFO,
    SW_ACNP_NAME,
    SW_TIER_NAMES,
    SW_TIER_DELETE,
    NSX_SWITCHES
};

/* 1 when the switch is in that position; ends the program when it has no such position. */
int nsx_switch_is(const struct sim_nsx *sim, enum nsx_switch id, const char *position);

/* -1 when there is no such switch or position. */
int nsx_switch_set(struct sim_nsx *sim, const char *name, const char *position);

/* [{"name", "position", "positions": [...], "statement", "facts"}, ...], new. */
json_t *nsx_switches_json(const struct sim_nsx *sim);

#endif
