/* SecurityPolicyContainerCluster: which clusters a policy is for. Facts 1.8, 7.9. */
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "control-planes.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "policies.h"
#include "spans.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static const struct nsx_table *spans(const struct sim_nsx *sim)
{
    return &sim->intent.tables[NSX_SPANS];
}

static json_t *shown(const struct sim_nsx *sim, const struct nsx_request *request, json_t *span)
{
    cleanup_free char *path = nsx_control_plane_shown_path(
        sim, nsx_control_plane_of_path(json_text(span, "container_cluster_path")));
    json_put_text(span, "container_cluster_path", path);
    return nsx_shown(sim, request, span);
}

void nsx_span_write(struct sim_nsx *sim, const char *policy, const char *id,
                    const char *control_plane)
{
    cleanup_free char *key = nsx_child_key(policy, id);
    cleanup_free char *parent = text_format(NSX_POLICIES_PATH "%s", policy);
    cleanup_free char *path = nsx_control_plane_path(control_plane);
    cleanup_json json_t *old = nsx_table_tree(spans(sim), key);
    cleanup_json json_t *span =
        json_make("{s:s, s:s}", "container_cluster_type", "ANTREA", "container_cluster_path", path);
    nsx_stamp_policy(sim, span, old, "SecurityPolicyContainerCluster", parent,
                     "container-cluster-span", id);
    nsx_put(sim, NSX_SPANS, key, span);
}

json_t *nsx_spans_of_policy(const struct sim_nsx *sim, const char *policy)
{
    cleanup_free char *prefix = nsx_child_key(policy, "");
    const struct nsx_record *record;
    json_t *names = json_array();
    for (size_t i = nsx_table_from(spans(sim), prefix);
         (record = nsx_table_at(spans(sim), i, prefix)) != NULL; i++) {
        cleanup_json json_t *span = nsx_record_tree(record);
        const char *name = nsx_control_plane_of_path(json_text(span, "container_cluster_path"));
        json_add(names, json_string(name == NULL ? "" : name));
    }
    return names;
}

void nsx_spans_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    cleanup_json json_t *policy = nsx_policy_need(sim, request, answer);
    if (policy == NULL)
        return;
    cleanup_free char *prefix = nsx_child_key(request->parts[1], "");
    const struct nsx_record *record;
    json_t *all = json_array();
    for (size_t i = nsx_table_from(spans(sim), prefix);
         (record = nsx_table_at(spans(sim), i, prefix)) != NULL; i++)
        json_add(all, shown(sim, request, nsx_record_tree(record)));
    nsx_page(sim, request, all, answer);
}

/* A span object can outlive its policy, and is then still found by its own path. */
void nsx_span_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (!nsx_is_domain(sim, request, answer))
        return;
    cleanup_free char *key = nsx_child_key(request->parts[1], request->parts[2]);
    json_t *span = nsx_table_tree(spans(sim), key);
    if (span == NULL)
        nsx_error_not_found(sim, answer, request->path);
    else
        nsx_answer_json(answer, 200, shown(sim, request, span));
}

/* One path of a policy only once; -1 after answering. */
static int check(const struct sim_nsx *sim, const struct nsx_request *request, const json_t *old,
                 const char *cluster, struct nsx_answer *answer)
{
    if (cluster == NULL ||
        nsx_table_get(&sim->intent.tables[NSX_CONTROL_PLANES], cluster) == NULL) {
        nsx_error(answer, 400, 500060, "policy",
                  "container_cluster_path of %s names no cluster control plane.", request->path);
        return -1;
    }
    if (old != NULL &&
        !text_equal(nsx_control_plane_of_path(json_text(old, "container_cluster_path")), cluster)) {
        nsx_error(answer, 400, 500013, "policy", "container_cluster_path of %s cannot be changed.",
                  request->path);
        return -1;
    }
    cleanup_json json_t *present = nsx_spans_of_policy(sim, request->parts[1]);
    size_t i;
    json_t *name;
    json_array_foreach (present, i, name)
        if (old == NULL && text_equal(json_string_value(name), cluster)) {
            nsx_error(answer, 400, 500011, "policy",
                      "The policy %s has container_cluster_path of %s already.", request->parts[1],
                      cluster);
            return -1;
        }
    return 0;
}

void nsx_span_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    cleanup_json json_t *policy = body == NULL ? NULL : nsx_policy_need(sim, request, answer);
    if (policy == NULL || nsx_refuse_policy_change(sim, request, policy, answer) != 0)
        return;
    cleanup_free char *key = nsx_child_key(request->parts[1], request->parts[2]);
    cleanup_json json_t *old = nsx_table_tree(spans(sim), key);
    const char *path = json_text(body, "container_cluster_path");
    if (path == NULL && old != NULL)
        path = json_text(old, "container_cluster_path");
    const char *cluster = nsx_control_plane_of_path(path);
    if (old != NULL && strcmp(request->method, "PUT") == 0 &&
        nsx_refuse_revision(sim, body, old, request->path, answer) != 0)
        return;
    if (check(sim, request, old, cluster, answer) != 0)
        return;
    nsx_span_write(sim, request->parts[1], request->parts[2], cluster);
    if (strcmp(request->method, "PUT") == 0)
        nsx_span_get(sim, request, answer);
    else
        nsx_answer_empty(answer, 200);
}

/* With that position a policy without spans is one for all workloads. */
void nsx_span_removed(struct sim_nsx *sim, const char *policy_id)
{
    cleanup_json json_t *left = nsx_spans_of_policy(sim, policy_id);
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], policy_id);
    if (old == NULL || json_array_size(left) > 0 ||
        !nsx_switch_is(sim, SW_LAST_SPAN, "becomes-dfw"))
        return;
    cleanup_json json_t *policy = json_clone(old);
    if (json_object_get(policy, "target_type") != NULL)
        json_put_text(policy, "target_type", "DFW");
    json_put(policy, "_sim_widened", json_true());
    nsx_stamp(sim, policy, old);
    nsx_put(sim, NSX_POLICIES, policy_id, policy);
}

void nsx_policy_remove(struct sim_nsx *sim, const char *id)
{
    cleanup_free char *prefix = nsx_child_key(id, "");
    static const enum nsx_table_id children[] = {NSX_RULES, NSX_SPANS};
    for (size_t c = 0; c < 2; c++) {
        const struct nsx_record *record;
        const struct nsx_table *table = &sim->intent.tables[children[c]];
        if (children[c] == NSX_SPANS && nsx_switch_is(sim, SW_POLICY_DELETE_SPAN, "kept"))
            continue;
        while ((record = nsx_table_at(table, nsx_table_from(table, prefix), prefix)) != NULL) {
            cleanup_free char *key = text_copy(record->key);
            nsx_remove(sim, children[c], key);
        }
    }
    nsx_remove_marked(sim, NSX_POLICIES, id);
}

void nsx_span_delete(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *policy_id = request->parts[1];
    if (!nsx_is_domain(sim, request, answer))
        return;
    cleanup_free char *key = nsx_child_key(policy_id, request->parts[2]);
    cleanup_json json_t *policy = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], policy_id);
    int exists = nsx_table_get(spans(sim), key) != NULL;
    if (!exists && nsx_switch_is(sim, SW_DELETE_MISSING, "404")) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    if (exists && nsx_refuse_policy_change(sim, request, policy, answer) != 0)
        return;
    if (exists)
        nsx_remove(sim, NSX_SPANS, key);
    if (exists && policy != NULL && nsx_switch_is(sim, SW_SPAN_DELETE, "deletes-policy"))
        nsx_policy_remove(sim, policy_id);
    else if (exists)
        nsx_span_removed(sim, policy_id);
    nsx_answer_deleted(sim, answer);
}
