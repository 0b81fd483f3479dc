/*
 * One phase of the native restore: every object of the archive that belongs to it, owners before
 * what they own, many requests under way at once. Each object has an entry in the step's ledger, so
 * that a resumed step goes on inside the stream.
 */
#ifndef SALVOR_RANCHER_RESTORE_BULK_H
#define SALVOR_RANCHER_RESTORE_BULK_H

#include <salvor/helpers.h>

#include "archive-survey.h"

enum restore_phase { PHASE_DEFINITIONS, PHASE_CLUSTER, PHASE_NAMESPACED };

/* Results in the ledger. */
#define RESULT_CREATED 1u
#define RESULT_UPDATED 2u
#define RESULT_CREATED_ALONE 3u /* without an owner reference whose owner does not live */
#define RESULT_UPDATED_ALONE 4u
#define RESULT_KEPT 5u /* never restored: built-in roles, Rancher's deployments, registrations */
#define RESULT_FAILED 9u

struct restore_request {
    enum restore_phase phase;
    const struct archive_survey *survey;
    const struct encryption_config *config;
    const struct owner_graph *graph;
    int dry_run; /* dryRun=All: nothing is changed, no ledger is kept */
};

struct restore_summary {
    uint64_t objects; /* of the phase */
    uint64_t created;
    uint64_t updated;
    uint64_t alone; /* of them without some owner reference */
    uint64_t kept;
    uint64_t earlier; /* done by an earlier attempt */
    uint64_t failed;
    uint64_t hopeless;  /* of them: trying again would end the same way */
    uint64_t conflicts; /* that were met and overcome */
    char first_failure[512];
    char first_alone[512];
};

/* 1: the object belongs to that phase, and counts (not superseded by a later one of its path). */
int restore_is_in_phase(const struct archive_survey *survey, const struct index_object *object,
                        enum restore_phase phase);

/* Failures of single objects are counted, not returned. */
salvor_status restore_bulk_run(salvor_call *call, salvor_kube_client *client,
                               const struct restore_request *request,
                               struct restore_summary *ret_summary);

/*
 * How far the phase is, by the ledger and by what stands in the cluster: all objects that count,
 * how many of them were restored by this step and still stand.
 */
salvor_status restore_bulk_look(salvor_call *call, salvor_kube_client *client,
                                const struct restore_request *request, uint64_t *ret_all,
                                uint64_t *ret_standing, uint64_t *ret_entries);

#endif
