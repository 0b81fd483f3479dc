/*
 * Deletions that a webhook of a vendor would refuse: of objects that others refer to by name. A
 * test adds such a rule; where the real server runs, the vendor's own webhook does it.
 */
#ifndef SIM_KUBE_GUARD_H
#define SIM_KUBE_GUARD_H

#include "internal.h"

/*
 * {"plural", "referredBy", "field", "webhook"}: an object of `plural` cannot be deleted while the
 * dotted `field` of an object of `referredBy` is its name. An equal rule is kept once.
 */
void guard_add(struct sim_kube *sim, const json_t *rule);
void guards_clear(struct sim_kube *sim);

/* The refusal of deleting that object, new; NULL: none. */
json_t *guard_refusal(const struct sim_kube *sim, const struct kube_type *type, const char *name);

#endif
