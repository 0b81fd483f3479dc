/* When a process was started: with its id, what makes it that process and no later one. */
#ifndef SALVOR_BASE_PROCESS_START_H
#define SALVOR_BASE_PROCESS_START_H

#include <stdint.h>
#include <sys/types.h>

/* Ticks from the boot to its start; 0 when there is no such process, -1 when it cannot be seen. */
int64_t process_started(pid_t pid);

#endif
