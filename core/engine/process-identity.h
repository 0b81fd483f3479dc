/* Who this process is, for others that find its mark and ask whether it can still be alive. */
#ifndef SALVOR_ENGINE_PROCESS_IDENTITY_H
#define SALVOR_ENGINE_PROCESS_IDENTITY_H

#include <jansson.h>

/*
 * {"host","machine","boot","pids","pid","started"}, owned by the caller: host name; a digest of the
 * machine id (which itself is nobody's business), "" without one; boot id; process namespace;
 * process id; ticks from the boot to its start.
 */
json_t *process_identity(void);

#endif
