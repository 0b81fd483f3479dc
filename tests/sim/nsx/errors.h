/* Error bodies as NSX writes them. */
#ifndef SIM_NSX_ERRORS_H
#define SIM_NSX_ERRORS_H

#include "internal.h"

/* Fills the answer: httpStatus, error_code, module_name, error_message. */
void nsx_error(struct nsx_answer *answer, int status, int64_t code, const char *module,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The word of a status: "BAD_REQUEST" for 400. */
const char *nsx_status_word(int status);

/* The usual ones. */
void nsx_error_not_found(const struct sim_nsx *sim, struct nsx_answer *answer, const char *path);
void nsx_error_credentials(struct nsx_answer *answer);
void nsx_error_forbidden(struct nsx_answer *answer);
/* 500030: `users` is an array of paths, borrowed. */
void nsx_error_referenced(struct nsx_answer *answer, int64_t code, const char *path,
                          const json_t *users);
/* A missing or outdated _revision in `body` for an object that has `revision`; 0 when it fits. */
int nsx_refuse_revision(const struct sim_nsx *sim, const json_t *body, const json_t *old,
                        const char *path, struct nsx_answer *answer);

#endif
