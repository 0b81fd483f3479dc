/* Every change of intent goes through here: what follows from it, and the trace of it. */
#ifndef SIM_NSX_CHANGE_H
#define SIM_NSX_CHANGE_H

#include "internal.h"

/* Writes `object` (borrowed) and notes the effect. */
void nsx_put(struct sim_nsx *sim, enum nsx_table_id table, const char *key, const json_t *object);

/* Removes at once; 1 when it was there. */
int nsx_remove(struct sim_nsx *sim, enum nsx_table_id table, const char *key);

/* Removes a policy object: gone from lists at once, remembered until its realization is gone. */
void nsx_remove_marked(struct sim_nsx *sim, enum nsx_table_id table, const char *key);

/* The remembered one, or NULL; borrowed. */
const json_t *nsx_marked_object(const struct sim_nsx *sim, enum nsx_table_id table,
                                const char *key);
/* -1 after answering 500045 because a deletion of the same key is not over. */
int nsx_refuse_marked(const struct sim_nsx *sim, enum nsx_table_id table, const char *key,
                      const char *path, struct nsx_answer *answer);
void nsx_forget_marked(struct sim_nsx *sim);

/* For the audit log: of what is deleted also who made it and what it was; NULL otherwise. */
void nsx_note_effect(struct sim_nsx *sim, const char *op, const char *table, const char *key,
                     const json_t *object);

/* --- what every object carries ---------------------------------------------------------------- */

/* Fields of a new object, or of the next state of `old`; `object` is changed. */
void nsx_stamp(struct sim_nsx *sim, json_t *object, const json_t *old);

/* Policy objects: id, paths, unique_id. `parent` is the parent's path, `segment` the collection. */
void nsx_stamp_policy(struct sim_nsx *sim, json_t *object, const json_t *old, const char *type,
                      const char *parent, const char *segment, const char *id);

/* What _protection says to the caller. */
const char *nsx_protection(const struct sim_nsx *sim, const struct nsx_request *request,
                           const json_t *object);

/* -1 after answering 289: the object is protected from the caller. `verb`: "delete", "modify". */
int nsx_refuse_protected(const struct sim_nsx *sim, const struct nsx_request *request,
                         const json_t *object, struct nsx_answer *answer);

/* Sets _protection and gives the tree back. */
json_t *nsx_shown(const struct sim_nsx *sim, const struct nsx_request *request, json_t *object);

#endif
