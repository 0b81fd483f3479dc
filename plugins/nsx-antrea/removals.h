/*
 * What goes when an orphan is cleaned up, in the order in which it can go (facts 3.2): spans, the
 * policies that protected nothing else, their groups, the control plane, the principal identity,
 * the certificate. And what stays, with the reason.
 */
#ifndef NSX_ANTREA_REMOVALS_H
#define NSX_ANTREA_REMOVALS_H

#include <jansson.h>
#include <salvor/types.h>

struct picture; /* picture.h */

/*
 * `row`: of classify(). `orphans`: array of paths of all control planes that are orphans, for a
 * policy may span several of them. `rule_set`: rule-set.h.
 *
 * {"removals": [{"kind": "span | policy | group | control-plane | principal | certificate", "path",
 *      "name", "revision", "sha256" | null, "because"}],
 *  "kept": [{"path", "name", "because"}],
 *  "by_hand": [{"path", "name", "because"}]}
 *
 * "by_hand": references that a person has to take away first, because taking them away could make a
 * rule reach further: a rule or policy whose scope names the control plane beside others, a locked
 * policy, a policy without span that is not of Antrea only. While there is one, nothing is removed.
 * SALVOR_FAILED: no memory.
 */
salvor_status removals_of(salvor_call *call, const struct picture *picture, const json_t *row,
                          const json_t *orphans, const json_t *rule_set, json_t **ret_removals);

#endif
