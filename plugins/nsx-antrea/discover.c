/* What stands where: managers, control planes, clusters, one class for each, and why. */
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "gather.h"
#include "identity.h"
#include "picture.h"
#include "procedures.h"

static salvor_status item(salvor_call *call, const char *kind, const char *name, json_t *details)
{
    salvor_auto_release char *text = details != NULL ? salvor_json_write(details) : NULL;
    json_decref(details);
    if (text == NULL)
        return salvor_fail_memory(call, "what was found");
    return salvor_inventory_of(call)->item(call, kind, name, text);
}

static salvor_status show_managers(salvor_call *call, const struct site *site)
{
    const json_t *managers = json_object_get(site->picture, "managers");
    return item(call, "managers", site->manager.url,
                json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "version",
                          salvor_json_text(managers, "/version", ""), "management",
                          salvor_json_text(managers, "/cluster_status/management", ""), "control",
                          salvor_json_text(managers, "/cluster_status/control", ""), "restore",
                          salvor_json_text(managers, "/restore/status", ""), "restored_backup_of",
                          (json_int_t)salvor_json_integer(managers, "/restore/backup_timestamp", 0),
                          "restore_ended_at",
                          (json_int_t)salvor_json_integer(managers, "/restore/end_time", 0)));
}

static salvor_status show_clusters(salvor_call *call, const json_t *classes)
{
    size_t index = 0;
    const json_t *row = NULL;
    json_array_foreach (json_object_get(classes, "clusters"), index, row) {
        const json_t *evidence = json_object_get(row, "evidence");
        SALVOR_TRY(item(call, "cluster", salvor_json_text(row, "/name", ""),
                        json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:O}", "class",
                                  salvor_json_text(row, "/class", ""), "meaning",
                                  class_words(salvor_json_text(row, "/class", "")), "context",
                                  text_at(row, "/context"), "matched_by",
                                  text_at(row, "/matched_by"), "supervised",
                                  salvor_json_flag(row, "/supervised", 0), "evidence", evidence)));
    }
    return SALVOR_OK;
}

static salvor_status show_silent(salvor_call *call, const struct picture *picture)
{
    size_t index = 0;
    const json_t *cluster = NULL;
    json_array_foreach (picture_clusters(picture), index, cluster) {
        if (!salvor_json_flag(cluster, "/reachable", 0))
            SALVOR_TRY(
                item(call, "unreachable", salvor_json_text(cluster, "/context", ""),
                     json_pack("{s:s}", "problem", salvor_json_text(cluster, "/problem", ""))));
        else if (text_at(cluster, "/name") == NULL)
            SALVOR_TRY(
                item(call, "never-registered", salvor_json_text(cluster, "/context", ""),
                     json_pack("{s:s?}", "kube_system_uid", text_at(cluster, "/kube_system_uid"))));
    }
    return SALVOR_OK;
}

static salvor_status show_conflicts(salvor_call *call, const json_t *classes)
{
    size_t index = 0;
    const json_t *conflict = NULL;
    json_array_foreach (json_object_get(classes, "conflicts"), index, conflict) {
        SALVOR_TRY(item(call, "conflict", json_string_value(conflict), json_pack("{}")));
    }
    return SALVOR_OK;
}

salvor_status nsx_discover(salvor_call *call)
{
    cleanup_site struct site site = {.picture = NULL};
    cleanup_picture struct picture *picture = NULL;
    salvor_auto_json json_t *classes = NULL;
    SALVOR_TRY(gather(call, GATHER_COUNTS | GATHER_CAPTURE, &site));
    SALVOR_TRY(picture_open(call, site.picture, &picture));
    SALVOR_TRY(classify(call, picture, &classes));
    SALVOR_TRY(show_managers(call, &site));
    SALVOR_TRY(show_clusters(call, classes));
    SALVOR_TRY(show_silent(call, picture));
    SALVOR_TRY(show_conflicts(call, classes));
    return identity_observed(call, &site);
}
