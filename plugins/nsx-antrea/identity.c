#include "identity.h"

#include <salvor/helpers.h>
#include <string.h>

#include "picture.h"
#include "read-cluster.h"
#include "read-managers.h"

static json_t *restore_fact(const json_t *restore)
{
    return json_pack("{s:s?, s:I, s:I}", "id", text_at(restore, "/id"), "end_time",
                     (json_int_t)salvor_json_integer(restore, "/end_time", 0), "backup_timestamp",
                     (json_int_t)salvor_json_integer(restore, "/backup_timestamp", 0));
}

/* A cluster that does not answer has no fact now; that of an earlier moment then stands alone, and
 * a run that needs the cluster stops at it. */
static json_t *clusters_fact(const json_t *clusters)
{
    json_t *uids = json_object();
    for (size_t i = 0; uids != NULL && i < json_array_size(clusters); i++) {
        const json_t *cluster = json_array_get(clusters, i);
        const char *uid = text_at(cluster, "/kube_system_uid");
        if (uid != NULL && json_object_set_new(uids, salvor_json_text(cluster, "/context", ""),
                                               json_string(uid)) != 0) {
            json_decref(uids);
            return NULL;
        }
    }
    return uids;
}

salvor_status identity_observed(salvor_call *call, const struct site *site)
{
    SALVOR_TRY(salvor_observed(call, FACT_RESTORE, SALVOR_FACT_IDENTITY,
                               restore_fact(salvor_json_at(site->picture, "/managers/restore"))));
    return salvor_observed(call, FACT_CLUSTERS, SALVOR_FACT_IDENTITY,
                           clusters_fact(json_object_get(site->picture, "clusters")));
}

static int asks_for(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (same_text(json_string_value(json_array_get(names, i)), name))
            return 1;
    }
    return 0;
}

salvor_status nsx_observe(salvor_call *call, const char *names)
{
    salvor_auto_json json_t *asked = NULL;
    SALVOR_TRY(salvor_json_parse_text(call, names, "the names of facts", &asked));
    if (asks_for(asked, FACT_RESTORE)) {
        struct manager manager;
        salvor_auto_json json_t *restore = NULL;
        SALVOR_TRY(manager_open(call, &manager));
        SALVOR_TRY(read_restore(&manager, &restore));
        SALVOR_TRY(
            salvor_observed(call, FACT_RESTORE, SALVOR_FACT_IDENTITY, restore_fact(restore)));
    }
    if (asks_for(asked, FACT_CLUSTERS)) {
        salvor_auto_json json_t *clusters = NULL;
        SALVOR_TRY(read_clusters(call, 0, &clusters));
        SALVOR_TRY(
            salvor_observed(call, FACT_CLUSTERS, SALVOR_FACT_IDENTITY, clusters_fact(clusters)));
    }
    return SALVOR_OK;
}
