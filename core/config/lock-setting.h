/* The cluster that keeps salvor's Lease for a site, as its settings say. */
#ifndef SALVOR_CONFIG_LOCK_SETTING_H
#define SALVOR_CONFIG_LOCK_SETTING_H

#include <jansson.h>

#include "base/error.h"

/* 1 for "lock-kubeconfig" and its like, which --set takes beside options of the provider. */
int lock_setting_is(const char *name);

/*
 * {"kubeconfig","context","namespace","name"} (texts, or absent) from the members of the site in
 * salvor.yaml (`members`, or NULL) and what was given with --set, which comes first and is taken
 * out of `given`. *ret_lock is owned by the caller, NULL when nothing of it is set. -1 with exit
 * code 2 when a name is none for a cluster.
 */
int lock_setting_take(const json_t *members, json_t *given, json_t **ret_lock,
                      struct error *reterr);

#endif
