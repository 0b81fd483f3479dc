/* GET, POST, PUT and PATCH of single objects. */
#ifndef SIM_KUBE_OBJECT_H
#define SIM_KUBE_OBJECT_H

#include "internal.h"

void object_get(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);
void object_create(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);
void object_update(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);
void object_patch(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

/* The routed object, or NULL after answering 404. */
struct store_object *object_find(struct sim_request *request, struct sim_answer *answer);

/* The body as object of the routed type, without apiVersion and kind; NULL after answering. */
json_t *object_read_body(const struct sim_request *request, struct sim_answer *answer);

/*
 * Puts `given` (stolen) in place of `old` after all checks, or removes it when nothing holds it
 * any more, and answers 200 with the new state.
 */
void object_replace(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer,
                    const json_t *old, json_t *given);

/* What is stored, as answered: `tree` (borrowed) for a dry run, else the live object. */
void object_answer(struct sim_request *request, struct sim_answer *answer, int code,
                   const json_t *tree);

#endif
