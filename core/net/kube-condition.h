/*
 * What is waited for, as a JSON object:
 *
 *   {"exists":bool}
 *   {"path":"/status/phase","equals":VALUE}   also "not_equals"; a missing value equals null
 *   {"path":"/status/readyReplicas","at_least":NUMBER}
 *   {"path":"/status/podIP","exists":bool}
 *   {"condition":"Ready","status":"True"}     of status.conditions; the status is True by default
 *   {"observed":true}                         status.observedGeneration has come up
 *   {"all":[…]}, {"any":[…]}
 */
#ifndef SALVOR_NET_KUBE_CONDITION_H
#define SALVOR_NET_KUBE_CONDITION_H

#include <jansson.h>

#include "base/error.h"

/* -1 unless it is one of these; the error names what is wrong. */
int kube_condition_check(const json_t *condition, struct error *reterr);

/* 1: `object` (NULL: there is none) meets the condition, which was checked. */
int kube_condition_holds(const json_t *condition, const json_t *object);

/* "until '/status/phase' is \"Running\"", for messages; owned by the caller. */
char *kube_condition_text(const json_t *condition);

#endif
