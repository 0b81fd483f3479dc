/* The named service tables that get_interface() hands out in this process. */
#ifndef SALVOR_WORKER_INTERFACES_H
#define SALVOR_WORKER_INTERFACES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct interface_version; /* plugin/negotiate.h */

/* `name` and `table` live as long as the process; the same name again replaces the table. */
void interface_register(const char *name, uint32_t version, const void *table);

/* The same for a table that is registered by `open` when it is first asked for; -1 when it cannot
 * be had. */
void interface_register_later(const char *name, uint32_t version,
                              int (*open)(struct error *reterr));

/* NULL when there is none of that name, or only an older one (no error), or when it cannot be
 * opened (*reterr says why). */
const void *interface_find(const char *name, uint32_t min_version, struct error *reterr);

/* All of them, for negotiation; valid until the next registration. */
const struct interface_version *interface_versions(size_t *ret_count);

/* 0 when there is none of that name. */
uint32_t interface_version(const char *name);

#endif
