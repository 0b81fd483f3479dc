/*
 * What a worker may use at most, so that a plugin that eats memory or turns in circles costs one
 * step and not the machine. Only soft limits are set: commands and jobs get back what was in force
 * before, for they are the vendor's and not the plugin's.
 */
#ifndef SALVOR_WORKER_LIMITS_H
#define SALVOR_WORKER_LIMITS_H

#include <jansson.h>

/* OPEN's "limits": {"memory": bytes of address space, "cpu_ms": of one call}; 0 or absent: none.
 * AddressSanitizer reserves more addresses than any limit allows: "memory" is left out under it. */
void limits_set(const json_t *limits);

/* A call begins: processor time counts from now. */
void limits_begin_call(void);

/* What limits_restore takes in another process; NULL when nothing was set. Owned by the caller. */
json_t *limits_before(void);
void limits_restore(const json_t *before);

#endif
