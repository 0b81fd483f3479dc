/*
 * What an NSX restore did to the firewall: policies, rules, spans and groups of two moments
 * compared (facts, section 4). By path; what the managers count and stamp by themselves is left
 * out.
 *
 * Rule sets are described in rule-set.h.
 */
#ifndef NSX_ANTREA_POLICY_DIFF_H
#define NSX_ANTREA_POLICY_DIFF_H

#include <jansson.h>
#include <salvor/types.h>

/*
 * [{"what": "policy | rule | span | group", "path", "name", "change": "lost | came-back | changed",
 *   "fields": [names of changed members], "security": why it matters to security | null}]
 *
 * in the order policies, rules of each, spans of each, groups; each sorted by path. "lost": in
 * `before` only; "came-back": in `now` only. Security-relevant: a rule that dropped or rejected and
 * is lost, disabled or no longer does; one that allows and came back or now does; a lost span; the
 * order of rules with different actions. The caller owns *ret_changes. SALVOR_FAILED: no memory.
 */
salvor_status policy_diff(salvor_call *call, const json_t *before, const json_t *now,
                          json_t **ret_changes);

#endif
