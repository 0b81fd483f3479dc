/*
 * The native engine's backup: what the operator gathers, list by list, page by page straight into
 * the archive. Nothing but one page and the index is kept in memory.
 */
#ifndef SALVOR_RANCHER_GATHER_H
#define SALVOR_RANCHER_GATHER_H

#include <salvor/helpers.h>

#include "encryption-config.h"
#include "resource-set.h"

struct gather_request {
    const char *artifact;
    uint32_t flags; /* of the artifact */
    int64_t mtime;
    const struct resource_set *set;
    struct salvor_span set_json;            /* as it goes into the archive */
    const struct encryption_config *config; /* NULL: plain */
};

struct gather_summary {
    struct salvor_artifact artifact;
    uint64_t objects;
    uint64_t types;
    uint64_t encrypted;
    uint64_t again;    /* matched by a selector before */
    uint64_t going;    /* left out: their deletion only waits for the server */
    uint64_t deleting; /* in the archive, although their deletion has begun */
    char first_deleting[512];
    uint64_t inconsistent; /* lists that lost their moment (410) and went on at a later one */
    uint64_t skipped;      /* selectors whose API does not exist */
    uint64_t index_bytes;
};

/* Gathers and commits. Failures are reported, and leave nothing. */
salvor_status gather_run(salvor_call *call, salvor_kube_client *client,
                         const struct gather_request *request, struct gather_summary *ret_summary);

#endif
