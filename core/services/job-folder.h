/*
 * The folder of one detached command, which tells every process that looks, now or after a crash,
 * how far it came:
 *
 *   absent                               never prepared
 *   request.json, lock                   prepared (the folder appears with both by one rename)
 *   lock is held, no claim.json          a shim is about to begin
 *   claim.json {"boot","started_ms"}     begun; never again, whatever happens
 *   status.json {"exit_status","signal","started_ms","ended_ms","error"}   ended
 *   kill                                 somebody asked to end it
 *   stdout, stderr                       their newest bytes; older ones are punched out of the
 * files
 *
 * The shim holds `lock` from before the claim until after the status. So: claimed, lock free and no
 * status means that shim or machine went down.
 */
#ifndef SALVOR_SERVICES_JOB_FOLDER_H
#define SALVOR_SERVICES_JOB_FOLDER_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

enum job_phase {
    JOB_PHASE_ABSENT,
    JOB_PHASE_PREPARED, /* and nobody is about to begin it */
    JOB_PHASE_RUNNING,
    JOB_PHASE_ENDED,
    JOB_PHASE_LOST
};

struct job_look {
    enum job_phase phase;
    int64_t started_ms; /* 0: unknown */
    int64_t ended_ms;
    int32_t exit_status; /* ENDED; -1 with a signal */
    int32_t signal_number;
    char error[160]; /* ENDED by other means than its own: why; else "" */
};

/* Makes the folder with `request` in it unless it is there. 0 also when it was. */
int job_folder_prepare(const char *folder, const json_t *request, struct error *reterr);

/* The request that it was prepared with; owned by the caller. */
int job_folder_request(const char *folder, json_t **ret_request, struct error *reterr);

/* Looks without disturbing a shim that is just beginning. */
int job_folder_look(const char *folder, struct job_look *ret_look, struct error *reterr);

/* Newest bytes of "stdout" or "stderr" (an absent file is empty); owned by the caller. */
int job_folder_tail(const char *folder, const char *name, size_t most, char **ret_text,
                    size_t *ret_size, struct error *reterr);

/* Asks the shim, present or future, to end the job. Durable when it returns. */
int job_folder_ask_kill(const char *folder, struct error *reterr);

/* ---- for the shim ---- */

/* Takes the lock: 1 taken (*ret_fd), 0 somebody else has it, -1 error. */
int job_folder_lock(const char *folder, int *ret_fd, struct error *reterr);
int job_folder_is_claimed(const char *folder);
int job_folder_kill_asked(const char *folder);
/* From now on it counts as begun. Durable when it returns. */
int job_folder_claim(const char *folder, int64_t started_ms, struct error *reterr);

/* A file whose blocks are reserved, so that the status can be written when the disk is full. */
int job_status_reserve(const char *folder, int *ret_fd, struct error *reterr);
int job_status_commit(const char *folder, int fd, const json_t *status, struct error *reterr);

/* Id of the present boot; "" when the system does not tell. */
void boot_id(char ret_text[64]);

#endif
