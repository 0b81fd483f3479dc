/* Who asks (bearer tokens, impersonation), and what RBAC objects in the store let them do. */
#ifndef SIM_KUBE_ACCESS_H
#define SIM_KUBE_ACCESS_H

#include "internal.h"

/* Sets request->user; 0, or -1 after answering 401 (or 403 for a refused impersonation). */
int access_identify(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

struct access_question {
    const char *verb, *group, *plural, *subresource, *space, *name;
    const char *path; /* non-resource URL instead, when not NULL */
};

/* 1 when some role bound to the user allows it. */
int access_allows(struct sim_kube *sim, const struct sim_user *user,
                  const struct access_question *question);

/* The 403 that a refused request gets. */
json_t *access_refusal(const struct sim_user *user, const struct access_question *question);

/* Calls `each` with the rules that apply to the user in the namespace ("" = cluster-wide only). */
typedef int access_rule_visitor(const json_t *rule, void *context);
void access_visit_rules(struct sim_kube *sim, const struct sim_user *user, const char *space,
                        access_rule_visitor *each, void *context);

#endif
