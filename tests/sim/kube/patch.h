/* The two patch formats that any client can build: RFC 7386 and RFC 6902. */
#ifndef SIM_KUBE_PATCH_H
#define SIM_KUBE_PATCH_H

#include <jansson.h>

/* Applies a JSON merge patch in place. */
void patch_merge(json_t *target, const json_t *patch);

/*
 * Applies a JSON patch to *document (replaced); -1 with a message (owned by the caller) when an
 * operation fails, *document is then undefined. *ret_malformed tells a bad patch from one that
 * does not fit the document.
 */
int patch_json(json_t **document, const json_t *patch, int *ret_malformed, char **ret_message);

#endif
