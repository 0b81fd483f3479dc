/* What differs from type to type when objects are created and changed: defaults, status, rules. */
#ifndef SIM_KUBE_STRATEGY_H
#define SIM_KUBE_STRATEGY_H

#include "internal.h"

/* Defaults, cleared status, first generation. */
void strategy_prepare_create(const struct sim_route *route, json_t *object);

/*
 * The new state of the main resource, or of the routed subresource (status, finalize), from what
 * the client sent: the parts it may not change come from `old`; counts the generation.
 */
void strategy_prepare_update(const struct sim_route *route, const json_t *old, json_t **object);

/* Fields that may not change, required ones: NULL or 422. `old` is NULL when creating. */
json_t *strategy_check(const struct kube_type *type, const json_t *old, const json_t *object);

#endif
