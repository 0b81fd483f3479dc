/*
 * Answers that go wrong, by rule. A rule names requests by method, path and call site (shell
 * patterns), lets `skip` pass and spoils `count`; the first that applies wins. Requests of what
 * plays the clusters are left alone.
 */
#ifndef SIM_NSX_FAULTS_H
#define SIM_NSX_FAULTS_H

#include "internal.h"

/* Adds a rule from its JSON form; -1 with a message for the caller of /_sim/faults. */
int nsx_fault_add(struct sim_nsx *sim, const json_t *rule, const char **ret_why);
void nsx_faults_clear(struct sim_nsx *sim);

/* The rule for this request, counted down; NULL: none. */
const struct nsx_fault *nsx_fault_for(struct sim_nsx *sim, const struct nsx_request *request);

/* 1 when the request is to be acted on although its answer is spoiled. */
int nsx_fault_acts(const struct nsx_fault *fault);

/* 1 when the sessions are to end before the request is looked at. */
int nsx_fault_expires(const struct nsx_fault *fault);

/* Spoils the answer. */
void nsx_fault_apply(struct sim_nsx *sim, const struct nsx_fault *fault,
                     const struct nsx_request *request, struct nsx_answer *answer);

#endif
