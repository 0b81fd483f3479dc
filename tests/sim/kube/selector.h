/* Label and field selectors, parsed once and matched against what the store indexed. */
#ifndef SIM_KUBE_SELECTOR_H
#define SIM_KUBE_SELECTOR_H

#include <jansson.h>

#include "types.h"

struct selector;

/*
 * Parses both texts (NULL or empty: everything matches); NULL on failure with *ret_status set to
 * the answer (400). Free with selector_free.
 */
struct selector *selector_new(const struct kube_type *type, const char *labels, const char *fields,
                              json_t **ret_status);
void selector_free(struct selector *selector);

/* 1 when nothing is excluded. */
int selector_is_empty(const struct selector *selector);

/* `key` is "name" or "namespace/name". */
int selector_matches(const struct selector *selector, const char *key,
                     const struct store_object *object);

#endif
