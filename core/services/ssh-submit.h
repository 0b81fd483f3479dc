/*
 * ssh.submit: commands of salvor.ssh in the queue of salvor.batch. The queue is in the library of
 * network services, which is there by the time that somebody has a batch to submit to.
 */
#ifndef SALVOR_SERVICES_SSH_SUBMIT_H
#define SALVOR_SERVICES_SSH_SUBMIT_H

#include "net/batch.h"

/* From now on submit() uses this queue; for whoever opens the library. */
void ssh_submit_use(const struct batch_access *access);

#endif
