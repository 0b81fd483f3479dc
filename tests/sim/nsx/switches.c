#include "switches.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"

struct description {
    const char *name;
    const char *positions; /* separated by '|', the first is the default */
    const char *facts;     /* section of the facts page */
    const char *statement;
};

static const struct description descriptions[NSX_SWITCHES] = {
    [SW_SESSION_DESTROY] = {"session-destroy", "supported|missing", "1.1",
                            "whether POST /api/session/destroy exists"},
    [SW_UNKNOWN_CERTIFICATE] = {"unknown-certificate", "403|tls-abort", "1.1, 7.1",
                                "what a client certificate that no identity has leads to"},
    [SW_LIMITED_PI_READ] = {"limited-pi-read", "allowed|refused", "1.1",
                            "whether an identity with a limited role may read the usual lists"},
    [SW_RESTORE_CERTIFICATE] = {"restore-certificate", "same|new-until-success", "1.1",
                                "whether the appliance shows another certificate until it is "
                                "restored"},
    [SW_NOT_FOUND_CODE] = {"not-found-code", "600|202", "1.2",
                           "error code and text of an object that does not exist"},
    [SW_RETRY_AFTER] = {"retry-after", "absent|present", "1.3",
                        "whether 429 and 503 carry Retry-After"},
    [SW_CONCURRENCY_STATUS] = {"concurrency-status", "503|429", "1.3",
                               "status when a user has too many requests in flight"},
    [SW_STALE_REVISION] = {"stale-revision", "412|409|400|404", "1.2, 7.3",
                           "status of a write with an outdated _revision"},
    [SW_RESULT_COUNT] = {"result-count", "first-page|all-pages", "1.3, 7.2",
                         "which pages of a list carry result_count"},
    [SW_DELETE_MISSING] = {"delete-missing", "200|404", "1.3, 7.4",
                           "answer of DELETE for an id that does not exist"},
    [SW_DELETE_STATUS] = {"delete-status", "200|204", "1.3",
                          "status of a DELETE that did something"},
    [SW_PI_NAME_RULE] = {"pi-name-rule", "enforced|none", "1.4",
                         "whether names of principal identities must match the known pattern"},
    [SW_PI_ROLE_FORM] = {"pi-role-form", "both|paths-only|role-only", "1.4",
                         "whether roles are taken as role, as roles_for_paths, or as both"},
    [SW_PI_DISPLAY_NAME] = {"pi-display-name", "name@node-id|name", "1.4",
                            "display name of a principal identity with certificate"},
    [SW_PI_DUPLICATE] = {"pi-duplicate", "400|409", "1.4, 7.4",
                         "status of a second identity with the same name and node id"},
    [SW_PEM_REUSE] = {"pem-reuse", "any-certificate|in-use", "1.4, 7.4",
                      "whether with-certificate refuses every certificate that is in the trust "
                      "store already, or only one that an identity uses"},
    [SW_CERTIFICATE_IN_USE] = {"certificate-in-use", "400|409|412", "1.5, 7.5",
                               "status of deleting a certificate that an identity uses"},
    [SW_CERTIFICATE_USED_BY] = {"certificate-used-by", "filled|empty", "1.5",
                                "whether used_by names principal identities"},
    [SW_CERTIFICATE_MISSING] = {"certificate-missing", "404|200", "7.5",
                                "answer of DELETE for a certificate that does not exist"},
    [SW_CCP_FOREIGN_ENTRIES] = {"ccp-foreign-entries", "present|absent", "1.6, 7.6",
                                "whether the list of control planes holds other node types"},
    [SW_CCP_VHC_PATH] = {"ccp-vhc-path", "absent|empty", "1.6",
                         "vhc_path of a control plane outside of VPC mode"},
    [SW_CCP_INVALID] = {"ccp-invalid", "400|500-empty", "1.6, 7.6",
                        "answer to a control plane whose certificate or identity does not fit"},
    [SW_CCP_REFERENCED] = {"ccp-referenced", "500030|container-code", "1.6, 3.2",
                           "error code of deleting a referenced control plane without cascade"},
    [SW_CCP_CREATE_USER] = {"ccp-create-user", "principal|admin", "8",
                            "_create_user of control planes that the register job made"},
    [SW_CASCADE_INVENTORY] = {"cascade-inventory", "at-once|later", "2.5",
                              "when the inventory is empty after deleting a control plane"},
    [SW_CASCADE_GROUPS] = {"cascade-groups", "kept|criteria-removed", "2.5",
                           "whether groups keep criteria that name the deleted cluster"},
    [SW_CASCADE_SCOPE] = {"cascade-scope", "kept|removed", "1.6, 7.7",
                          "whether cascade also takes the path out of scopes"},
    [SW_STATUS_LIST_KEY] = {"status-list-key", "id|parent-path|path-prefix", "1.6",
                            "how an entry of the status list names its control plane"},
    [SW_SPAN_PATH_FORM] = {"span-path-form", "cluster-control-planes|antrea-nodes", "1.6",
                           "middle element of the path that spans are shown with"},
    [SW_CNI_TYPE] = {"cni-type", "Antrea|ANTREA", "1.7", "letter case of cni_type"},
    [SW_INVENTORY_JOIN] = {"inventory-join", "node-id|name", "1.7",
                           "whether external_id is the control plane's node_id"},
    [SW_INVENTORY_SYNC_TIME] = {"inventory-sync-time", "every-report|on-change", "1.12",
                                "when _last_sync_time moves"},
    [SW_RESTORE_INVENTORY] = {"restore-inventory", "empty|from-backup", "7",
                              "what the inventory shows after a restore before adapters connect"},
    [SW_POLICY_LIST_RULES] = {"policy-list-rules", "absent|embedded", "1.8",
                              "whether the list of policies holds their rules"},
    [SW_INFRA_FILTER] = {"infra-filter", "unsupported|type_filter|filter", "1.8",
                         "which filter of the whole tree is understood"},
    [SW_SPAN_DELETE] = {"span-delete", "child-only|deletes-policy", "1.8",
                        "whether deleting a span object deletes the whole policy"},
    [SW_LAST_SPAN] = {"last-span", "stays-antrea|becomes-dfw", "1.8",
                      "what a policy is after its last span object is gone"},
    [SW_POLICY_DELETE_SPAN] = {"policy-delete-span", "kept|removed", "1.8, 7.9",
                               "whether a deleted policy leaves its span objects behind"},
    [SW_RULE_ORDER] = {"rule-order", "sticky|moves", "1.8",
                       "whether a new sequence_number moves an existing rule"},
    [SW_ETHERNET_POLICIES] = {"ethernet-policies", "unsupported|realized", "4",
                              "whether policies of category Ethernet reach Antrea clusters"},
    [SW_REALIZATION_ANTREA_DETAILS] = {"realization-antrea-details", "absent|present", "1.9",
                                       "whether Antrea clusters appear in realization details"},
    [SW_ORPHAN_REALIZATION] = {"orphan-realization", "unrealized|error", "1.9",
                               "realization of a policy that spans a cluster that is away"},
    [SW_ANTREA_ALARMS] = {"antrea-alarms", "absent|present", "1.9",
                          "whether a cluster that is down raises a system alarm"},
    [SW_RESYNC_FLAG] = {"resync-flag", "absent|present", "1.12",
                        "whether the restore status says that the resynchronisation ended"},
    [SW_RESTORE_RESUME] = {"restore-resume", "supported|missing", "1.11",
                           "whether action=resume exists"},
    [SW_RESTORE_SUSPENDING] = {"restore-suspending", "shown|hidden", "1.11, 7.11",
                               "whether the status SUSPENDING is shown once"},
    [SW_RESTORE_INITIAL] = {"restore-initial", "INITIAL|NOT_STARTED", "1.11",
                            "status of a manager that was never restored"},
    [SW_RESTORE_CONFLICT_BODY] = {"restore-conflict-body", "error|status", "1.11, 7.11",
                                  "body of a 409 to a restore action: an error or the status"},
    [SW_REGISTER_LEFT_OVER_ID] = {"register-left-over-id", "skips|registers", "2.2",
                                  "what the register job does when cluster-id exists already"},
    [SW_DEREGISTER_WITHOUT_PI] = {"deregister-without-pi", "fails|completes", "2.4",
                                  "end of the deregister job when NSX does not know its identity"},
    [SW_DEREGISTER_JOB_TTL] = {"deregister-job-ttl", "none|600", "2.4",
                               "whether the finished deregister job vanishes after 600 seconds"},
    [SW_DEREGISTER_POD_LABELS] = {"deregister-pod-labels", "job-name|app", "2.4",
                                  "labels of the deregister job's pod"},
    [SW_ADAPTER_INFO] = {"adapter-info", "antrea-form|snake-case|empty", "2.1",
                         "content of the adapters' information objects"},
    [SW_ACNP_NAME] = {"acnp-name", "realization-id|other", "4",
                      "whether the policy in the cluster is named by the realization id"},
    [SW_TIER_NAMES] = {"tier-names", "nsx-category|renamed", "4",
                       "names of the tiers that the adapter makes"},
    [SW_TIER_DELETE] = {"tier-delete", "allowed|refused-in-use", "2.4",
                        "whether a tier that policies use can be deleted"},
};

/* Index of the position, or -1. */
static int position_of(const struct description *description, const char *position)
{
    size_t size = strlen(position);
    int index = 0;
    for (const char *at = description->positions;; at++) {
        size_t length = strcspn(at, "|");
        if (length == size && strncmp(at, position, size) == 0)
            return index;
        at += length;
        if (*at == '\0')
            return -1;
        index++;
    }
}

static char *position_text(const struct description *description, int index)
{
    const char *at = description->positions;
    for (; index > 0; index--)
        at += strcspn(at, "|") + 1;
    return text_copy_span(at, strcspn(at, "|"));
}

int nsx_switch_is(const struct sim_nsx *sim, enum nsx_switch id, const char *position)
{
    int index = position_of(&descriptions[id], position);
    if (index < 0) {
        fprintf(stderr, "sim-nsx: switch '%s' has no position '%s'\n", descriptions[id].name,
                position);
        abort();
    }
    return sim->switches[id] == index;
}

int nsx_switch_set(struct sim_nsx *sim, const char *name, const char *position)
{
    for (int i = 0; i < NSX_SWITCHES; i++) {
        int index = position_of(&descriptions[i], position);
        if (strcmp(descriptions[i].name, name) != 0)
            continue;
        if (index >= 0)
            sim->switches[i] = index;
        return index < 0 ? -1 : 0;
    }
    return -1;
}

int sim_nsx_switch(struct sim_nsx *sim, const char *name, const char *value, struct error *reterr)
{
    if (nsx_switch_set(sim, name, value) == 0)
        return 0;
    error_set(reterr, EXIT_USAGE, "there is no switch '%s' with position '%s'", name, value);
    return error_hint(reterr, "--list-switches shows all");
}

json_t *nsx_switches_json(const struct sim_nsx *sim)
{
    json_t *list = json_array();
    for (int i = 0; i < NSX_SWITCHES; i++) {
        const struct description *description = &descriptions[i];
        json_t *positions = json_array();
        for (const char *at = description->positions; *at != '\0';) {
            size_t size = strcspn(at, "|");
            json_add(positions, json_stringn(at, size));
            at += size + (at[size] == '|');
        }
        char *position = position_text(description, sim->switches[i]);
        json_add(list, json_make("{s:s, s:s, s:o, s:s, s:s}", "name", description->name, "position",
                                 position, "positions", positions, "statement",
                                 description->statement, "facts", description->facts));
        free(position);
    }
    return list;
}

void sim_nsx_list_switches(FILE *out)
{
    for (int i = 0; i < NSX_SWITCHES; i++)
        fprintf(out, "%s\t%s\t%s\t%s\n", descriptions[i].name, descriptions[i].positions,
                descriptions[i].facts, descriptions[i].statement);
}
