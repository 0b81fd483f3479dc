/* Where in the API an object, a collection or a sub-resource is: the target of its requests. */
#ifndef SALVOR_NET_KUBE_TARGET_H
#define SALVOR_NET_KUBE_TARGET_H

#include "base/error.h"

struct kube_place {
    const char *group;       /* "" or NULL: the core group */
    const char *version;     /* "v1" */
    const char *resource;    /* plural */
    const char *ns;          /* NULL: cluster scope, or all namespaces */
    const char *name;        /* NULL: the collection */
    const char *subresource; /* or NULL */
};

/*
 * "PREFIX/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE?QUERY", escaped. `query` is
 * encoded already; NULL or "": none. -1 for what can be no part of a path. Owned by the caller.
 */
int kube_target(const char *prefix, const struct kube_place *place, const char *query,
                char **ret_target, struct error *reterr);

/* "deployments.apps/status", for messages and evidence; owned by the caller. */
char *kube_type_text(const struct kube_place *place);

/* "name=" and the value, encoded for a query; owned by the caller. */
char *kube_query_pair(const char *name, const char *value);

/* Two queries, either of them "" or NULL, as one; owned by the caller. */
char *kube_query_join(const char *first, const char *second);

/* 1: `query` has a parameter of that name. */
int kube_query_has(const char *query, const char *name);

#endif
