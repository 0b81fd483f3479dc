/*
 * Places where the kill harness may end a process: a stable key "victim:row:event:ordinal", the
 * ordinal counting (row, event) from 1 in the process that reaches it. Without SALVOR_TEST_HOOKS
 * nothing of it is compiled in.
 *
 * SALVOR_KILL_LOG=FILE appends "role:row:event:ordinal" for each point reached;
 * SALVOR_KILL_AT=victim:role:row:event:ordinal sends SIGKILL there, victim being parent, worker or
 * both, role the process that reaches the point.
 */
#ifndef SALVOR_BASE_KILL_POINT_H
#define SALVOR_BASE_KILL_POINT_H

#include <sys/types.h>

#ifdef SALVOR_TEST_HOOKS
/* role: "parent" or "worker"; peer: the other one's process id, 0 while there is none. */
void kill_point_identify(const char *role, pid_t peer);
/* row: row id, or "-" outside a step. */
void kill_point(const char *row, const char *event);
#else
#define kill_point_identify(role, peer) ((void)0)
#define kill_point(row, event) ((void)0)
#endif

#endif
