/* Names, identity and times of objects: what the server checks and what only it may set. */
#ifndef SIM_KUBE_METADATA_H
#define SIM_KUBE_METADATA_H

#include "internal.h"

/* Fills name (from generateName), namespace, uid, creationTimestamp of an object to be created. */
void metadata_prepare_create(struct sim_kube *sim, const struct sim_route *route, json_t *object);

/* NULL, or 409 when `object` names another uid than `old` (NULL: there is no such object) has. */
json_t *metadata_check_uid(const struct sim_route *route, const json_t *old, const json_t *object);

/* Keeps what no client may change, and checks the rest; NULL or the failure (422, 409). */
json_t *metadata_prepare_update(const struct sim_route *route, const json_t *old, json_t *object);

/* Types of labels, annotations, finalizers: NULL or 400, as decoding into Go types would fail. */
json_t *metadata_check_types(const json_t *object);

/* Name and owner references: NULL or 422. */
json_t *metadata_check(const struct kube_type *type, const json_t *object);

/* Sets deletionTimestamp once; `grace` in seconds. */
void metadata_mark_deleted(json_t *object, json_int_t grace);

/* 1 when nothing holds the object any more. */
int metadata_is_released(const json_t *object);

#endif
