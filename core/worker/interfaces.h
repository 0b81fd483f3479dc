/* The named service tables that get_interface() hands out in this process. */
#ifndef SALVOR_WORKER_INTERFACES_H
#define SALVOR_WORKER_INTERFACES_H

#include <stddef.h>
#include <stdint.h>

struct interface_version; /* plugin/negotiate.h */

/* `name` and `table` live as long as the process; the same name again replaces the table. */
void interface_register(const char *name, uint32_t version, const void *table);

/* NULL when there is none of that name, or only an older one. */
const void *interface_find(const char *name, uint32_t min_version);

/* All of them, for negotiation; valid until the next registration. */
const struct interface_version *interface_versions(size_t *ret_count);

/* 0 when there is none of that name. */
uint32_t interface_version(const char *name);

#endif
