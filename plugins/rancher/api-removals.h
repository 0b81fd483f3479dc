/* APIs that Kubernetes no longer serves, from its deprecated API migration guide. */
#ifndef SALVOR_RANCHER_API_REMOVALS_H
#define SALVOR_RANCHER_API_REMOVALS_H

#include <salvor/types.h>

struct api_removal {
    const char *group; /* "" never occurs: nothing of the core was removed */
    const char *version;
    const char *resource;    /* plural; NULL: all of that group and version */
    uint32_t minor;          /* the first Kubernetes 1.x without it */
    const char *replacement; /* group and version to use instead, or NULL */
};

/* Whether Kubernetes 1.`minor` lacks the type. NULL: not that the guide says so. */
const struct api_removal *api_removal_find(struct salvor_span group, struct salvor_span version,
                                           struct salvor_span resource, uint32_t minor);

/* 1: a group of Kubernetes itself, so that what it does not serve no custom definition adds. */
int api_group_is_builtin(struct salvor_span group);

#endif
