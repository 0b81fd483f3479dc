/*
 * The private library that holds all services with a network (libsalvor-net.so): opened when one of
 * them is first asked for, so that commands without a network never load libcurl and OpenSSL.
 */
#ifndef SALVOR_WORKER_NETWORK_H
#define SALVOR_WORKER_NETWORK_H

#include "base/error.h"

/* Puts the names of its tables into worker/interfaces.h and its commands within reach of
 * worker/service-calls.h, without opening it. */
void network_register(void);

/* Opens it (once) and registers what it offers; -1 when it is not there or of another build. */
int network_open(struct error *reterr);

#endif
