/* Memory for secrets: locked, out of core files, between guard pages, zeroed when it is freed. */
#ifndef SALVOR_BASE_LOCKED_H
#define SALVOR_BASE_LOCKED_H

#include <stddef.h>

/* Never NULL; free with sodium_free. */
void *locked_new(size_t size);

/* A copy with a NUL behind it. */
char *locked_copy(const void *data, size_t size);

/* No core file and no debugger for this process: for whoever has secrets in memory that is not all
 * locked. Under a sanitizer only the core files, since it must look at its own process. */
void locked_hide_process(void);

#endif
