/*
 * What this run knows of a job on a host, beside what the host says: a host that forgot a job (its
 * disk or container was made anew) must not be taken for one that never had it.
 *
 *   <run>/jobs/.ssh/ID-DIGEST.json   {"host","boot","answered":bool}
 *
 * It is durable before the job is asked for, with the boot that the host was in then.
 */
#ifndef SALVOR_SERVICES_SSH_JOB_NOTE_H
#define SALVOR_SERVICES_SSH_JOB_NOTE_H

#include "base/error.h"
#include "services/ssh-target.h"
#include "worker/call.h"

struct ssh_job_note {
    int known;
    int answered; /* the host said that it has the job */
    char boot[100];
};

/* FAILED only when a note cannot be read; none is no failure. */
salvor_status ssh_job_note_read(struct worker_call *call, const struct ssh_target *target,
                                const char *id, struct ssh_job_note *ret_note);
salvor_status ssh_job_note_write(struct worker_call *call, const struct ssh_target *target,
                                 const char *id, const struct ssh_job_note *note);

/* 1: the host, in that boot and without the job, has lost it. */
int ssh_job_note_says_lost(const struct ssh_job_note *note, const char *boot);

#endif
