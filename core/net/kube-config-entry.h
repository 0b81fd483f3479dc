/* The members of one cluster, user or context of a kubeconfig: their types, and what they become.
 */
#ifndef SALVOR_NET_KUBE_CONFIG_ENTRY_H
#define SALVOR_NET_KUBE_CONFIG_ENTRY_H

#include <jansson.h>

#include "base/error.h"

/* A file while it is read. */
struct kube_config_source {
    const char *name;   /* for messages */
    const char *folder; /* where relative paths start; NULL: nowhere */
    struct error *reterr;
};

struct kube_config_section {
    const char *list;   /* "clusters" */
    const char *member; /* "cluster" */
};

enum { KUBE_CONFIG_SECTIONS = 3 };

extern const struct kube_config_section kube_config_sections[];

/* Records that `where` ("users[0].user.token") is not as it must be; -1. */
int kube_config_bad(const struct kube_config_source *source, const char *where, const char *what);

/* A text; *ret is NULL when it says nothing. */
int kube_config_text(const struct kube_config_source *source, const json_t *value,
                     const char *where, json_t **ret);

/* What is known of the members of `value`: paths made absolute, contents without line breaks, what
 * says nothing left out. *ret is an object and the caller's, also on failure. */
int kube_config_entry(const struct kube_config_source *source, const json_t *value,
                      const char *where, const char *member, json_t **ret);

#endif
