/* What a hook may leave behind although it must not: open descriptors, threads, child processes. */
#ifndef SALVOR_WORKER_RESIDUE_H
#define SALVOR_WORKER_RESIDUE_H

#include "base/error.h"

struct residue;

/* What is there before the hook runs. */
struct residue *residue_before(void);

/*
 * Compares with what is there now, closes descriptors that are new, and frees `before`. 0: nothing
 * was left; -1: *reterr names what `who` left ("plugin 'x' left 2 descriptors open in 'discover'").
 */
int residue_after(struct residue *before, const char *who, const char *hook, struct error *reterr);

#endif
