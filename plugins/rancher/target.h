/* The cluster that a backup is to be restored to, as far as judging the backup needs it. */
#ifndef SALVOR_RANCHER_TARGET_H
#define SALVOR_RANCHER_TARGET_H

#include "archive-survey.h"
#include "cluster.h"
#include "site.h"

struct target {
    struct site site;
    struct api_catalog catalog;
    struct names namespaces;        /* that exist */
    struct definitions definitions; /* those live ones that the archive has, too */
};

/* Looks at the cluster of the options. */
salvor_status target_look(salvor_call *call, const struct archive_survey *survey,
                          struct target *ret_target);
void target_clear(struct target *target);

int target_has_namespace(const struct target *target, const char *ns);

#endif
