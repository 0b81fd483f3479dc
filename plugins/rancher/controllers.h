/* The controllers that a restore stops and starts again: Rancher's own Deployment. */
#ifndef SALVOR_RANCHER_CONTROLLERS_H
#define SALVOR_RANCHER_CONTROLLERS_H

#include <salvor/helpers.h>

#include "resource-set.h"

/* How many replicas were asked for before a restore stopped them: kept with the object, so that
 * whoever finds Rancher at 0 knows. */
#define REPLICAS_ANNOTATION "salvor/replicas-before-restore"

/*
 * The controllers of the set (NULL: Rancher's Deployment) that exist, with the replicas they are to
 * have after the restore: those they have, or had when they were stopped, or the option 'replicas'.
 * An array of {"group","version","resource","namespace","name","replicas","live"}; the caller owns
 * it.
 */
salvor_status controllers_find(salvor_call *call, salvor_kube_client *client,
                               const struct resource_set *set, json_t **ret_list);

/* Rows: parameters {"controllers":[...]}. */
salvor_status controllers_stop(salvor_call *call, const struct salvor_step *step,
                               json_t *parameters);
salvor_status controllers_are_stopped(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer);
salvor_status controllers_start(salvor_call *call, const struct salvor_step *step,
                                json_t *parameters);
salvor_status controllers_are_started(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer);

#endif
