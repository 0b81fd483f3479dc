/* The rule set (rule-set.h) of the managers, with as few requests as they allow: facts 1.8. */
#ifndef NSX_ANTREA_READ_RULES_H
#define NSX_ANTREA_READ_RULES_H

#include <jansson.h>

#include "manager.h"

#define DOMAIN_TREE "/policy/api/v1/infra/domains/default"

/*
 * Policies with their rules and spans, and groups with the clusters that they have members in.
 * Where the list of policies does not hold their rules (UNCONFIRMED), each policy that has some is
 * read by itself. One request a policy for its spans, one a group for its clusters. Sorted by path.
 * The caller owns *ret_rule_set.
 */
salvor_status read_rule_set(struct manager *manager, json_t **ret_rule_set);

/* One policy with rules and spans, one group with its clusters; NOT_FOUND. For rechecks. */
salvor_status read_policy(struct manager *manager, const char *path, json_t **ret_policy);
salvor_status read_group(struct manager *manager, const char *path, json_t **ret_group);

#endif
