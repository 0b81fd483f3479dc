/* Work on a store that takes its time: how far it is, and whether it shall stop. */
#ifndef SALVOR_BACKUP_SET_PROGRESS_H
#define SALVOR_BACKUP_SET_PROGRESS_H

#include <stdint.h>

#include "store/store.h"

struct set_listener {
    /* Bytes of `total` (0: not known) that are done. Non-zero: stop (exit code 130). */
    int (*progress)(void *data, int64_t done, int64_t total, const char *what);
    void *data;
};

struct set_progress {
    struct store *store;
    const struct set_listener *listener; /* or NULL */
    const char *what;
    int64_t done;
    int64_t total;
};

/* From now on what the store moves is told, until set_progress_end. `progress` stays where it is.
 */
void set_progress_begin(struct set_progress *progress, struct store *store,
                        const struct set_listener *listener, int64_t total, const char *what);
/* Bytes that need not be moved. */
int set_progress_skip(struct set_progress *progress, int64_t bytes, struct error *reterr);
void set_progress_end(struct set_progress *progress);

#define cleanup_progress __attribute__((cleanup(set_progress_end)))

#endif
