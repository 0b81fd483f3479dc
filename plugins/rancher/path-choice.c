#include "path-choice.h"

#include <stddef.h>
#include <string.h>

static const char *const names[RESTORE_PATHS] = {
    [PATH_IN_PLACE] = "in-place",
    [PATH_FRESH] = "fresh",
    [PATH_MIGRATION] = "migration",
    [PATH_ROLLBACK] = "rollback",
};

const char *path_name(enum restore_path path)
{
    return path < RESTORE_PATHS ? names[path] : "";
}

enum restore_path path_by_name(const char *name)
{
    for (unsigned i = 0; i < RESTORE_PATHS; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum restore_path)i;
    }
    return PATH_NONE;
}

const char *path_objection(enum restore_path path, const struct path_evidence *evidence)
{
    switch (path) {
    case PATH_IN_PLACE:
        if (evidence->cluster == CLUSTER_OTHER)
            return "the archive is of another cluster";
        if (evidence->cluster == CLUSTER_UNKNOWN)
            return "the file name does not say that the archive is of this cluster";
        if (!evidence->rancher_there)
            return "Rancher is not on the cluster";
        if (evidence->version == VERSION_NEWER_LIVE)
            return "Rancher here is newer than the archive: that would be a rollback";
        if (evidence->version == VERSION_OLDER_LIVE)
            return "Rancher here is older than the archive: a backup is no way to upgrade";
        return NULL;
    case PATH_FRESH:
        if (evidence->cluster == CLUSTER_OTHER)
            return "the archive is of another cluster";
        if (evidence->cluster == CLUSTER_UNKNOWN)
            return "the file name does not say that the archive is of this cluster";
        if (evidence->rancher_there)
            return "Rancher is on the cluster";
        return NULL;
    case PATH_MIGRATION:
        if (evidence->cluster == CLUSTER_SAME)
            return "the archive is of this very cluster";
        if (evidence->rancher_there)
            return "Rancher is on the cluster, and must not be before a migration";
        return NULL;
    case PATH_ROLLBACK:
        if (evidence->cluster == CLUSTER_OTHER)
            return "the archive is of another cluster";
        if (evidence->cluster == CLUSTER_UNKNOWN)
            return "the file name does not say that the archive is of this cluster";
        if (!evidence->rancher_there)
            return "Rancher is not on the cluster: there is nothing to roll back";
        if (evidence->version != VERSION_NEWER_LIVE)
            return "Rancher here is not newer than the archive";
        return NULL;
    default:
        return "there is no such path";
    }
}

static const char *reason_for(enum restore_path path, const struct path_evidence *evidence)
{
    switch (path) {
    case PATH_IN_PLACE:
        return evidence->version == VERSION_SAME
                   ? "the archive is of this cluster, and Rancher runs here in the same version"
                   : "the archive is of this cluster, and Rancher is here";
    case PATH_FRESH:
        return "the archive is of this cluster, and Rancher is not here any more";
    case PATH_MIGRATION:
        return evidence->cluster == CLUSTER_OTHER
                   ? "the archive is of another cluster, and Rancher is not here"
                   : "the archive cannot be told to be of this cluster, and Rancher is not here";
    case PATH_ROLLBACK:
        return "Rancher here is newer than the archive, which is of this cluster";
    default:
        return "no documented path fits what was seen";
    }
}

/* A rollback is never chosen for anybody: it takes versions back, and has to be asked for. */
struct path_choice path_choose(const struct path_evidence *evidence)
{
    static const enum restore_path choosable[] = {PATH_IN_PLACE, PATH_FRESH, PATH_MIGRATION};
    struct path_choice choice = {.path = PATH_NONE};
    for (size_t i = 0; i < sizeof choosable / sizeof *choosable; i++) {
        if (choice.path == PATH_NONE && path_objection(choosable[i], evidence) == NULL)
            choice.path = choosable[i];
    }
    for (unsigned i = 0; i < RESTORE_PATHS; i++) {
        const char *objection = path_objection((enum restore_path)i, evidence);
        choice.ruled_out[i] = choice.path == (enum restore_path)i ? NULL
                              : objection != NULL                 ? objection
                              : i == PATH_ROLLBACK ? "it has to be asked for with --path rollback"
                                                   : "another path fits better";
    }
    choice.reason = reason_for(choice.path, evidence);
    return choice;
}
