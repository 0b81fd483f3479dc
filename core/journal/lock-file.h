/*
 * Locks that live as long as the open file description: released by the kernel when the process
 * that holds them dies, whatever the reason, and not by closing some other descriptor of the file.
 */
#ifndef SALVOR_JOURNAL_LOCK_FILE_H
#define SALVOR_JOURNAL_LOCK_FILE_H

#include <stdint.h>

#include "base/error.h"

/* Who holds a lock, as it wrote into the file. */
struct lock_holder {
    int64_t pid;    /* 0: it could not be read */
    char run[128];  /* id of the run; "" when it could not be read */
    char host[256]; /* where the process runs */
    char since[32]; /* RFC 3339 */
};

enum { LOCK_TAKEN = 0, LOCK_HELD_BY_OTHER = 1 };

/*
 * Takes the lock on `path` (created, mode 0600) for `run` without waiting. LOCK_TAKEN: *ret_fd
 * holds it until closed. LOCK_HELD_BY_OTHER: *ret_holder says by whom. -1: *reterr.
 */
int lock_file_take(const char *path, const char *run, int *ret_fd, struct lock_holder *ret_holder,
                   struct error *reterr);

/* 1 when somebody holds it (*ret_holder, may be NULL, is filled), 0 when not or there is no file.
 */
int lock_file_is_held(const char *path, struct lock_holder *ret_holder);

/* "process 12 on 'host' since 2026-…", owned by the caller. */
char *lock_holder_text(const struct lock_holder *holder);

#endif
