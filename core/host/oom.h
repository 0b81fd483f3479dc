/* How often the kernel ended processes because memory had run out. */
#ifndef SALVOR_HOST_OOM_H
#define SALVOR_HOST_OOM_H

#include <stdint.h>

/* The kernel's count since its start, from /proc/vmstat; -1 where it does not tell. */
int64_t oom_kills(void);

#endif
