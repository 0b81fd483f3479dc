/* Security policies with their rules and spans, for those that look at them. */
#ifndef SIM_NSX_POLICIES_H
#define SIM_NSX_POLICIES_H

#include "internal.h"

#define NSX_DOMAIN_PATH "/infra/domains/default"
#define NSX_POLICIES_PATH NSX_DOMAIN_PATH "/security-policies/"
#define NSX_GROUPS_PATH NSX_DOMAIN_PATH "/groups/"
#define NSX_SERVICES_PATH "/infra/services/"

/* 1 for domain default; else 0 after answering 404. */
int nsx_is_domain(const struct sim_nsx *sim, const struct nsx_request *request,
                  struct nsx_answer *answer);

/* The policy as a new tree, or NULL after answering 404. */
json_t *nsx_policy_need(const struct sim_nsx *sim, const struct nsx_request *request,
                        struct nsx_answer *answer);

/* Records of the rules of a policy in their order; new array of *ret_count. */
const struct nsx_record **nsx_policy_rules(const struct sim_nsx *sim, const char *policy,
                                           size_t *ret_count);

/* Writes a policy with its rules and makes the rules that are not named any more go away. `rules`
 * NULL keeps them. Nothing is checked. */
void nsx_policy_write(struct sim_nsx *sim, const char *id, const json_t *body, const json_t *rules);

/* A rule of a policy, as nsx_policy_write makes it; `index` gives its place where it says none. */
void nsx_rule_write(struct sim_nsx *sim, const char *policy, const json_t *body, size_t index);

/* Groups and services that a policy or rule names must exist: the path that does not, or NULL. */
const char *nsx_dangling_path(const struct sim_nsx *sim, const json_t *object);

/* 1 when the object's text in the record is that path, in any field. */
int nsx_record_names(const struct nsx_record *record, const char *path);

/* "a/b", new. */
char *nsx_child_key(const char *parent, const char *child);

/* -1 after answering: no licence for the firewall, or a locked policy. */
int nsx_refuse_policy_change(const struct sim_nsx *sim, const struct nsx_request *request,
                             const json_t *policy, struct nsx_answer *answer);

#endif
