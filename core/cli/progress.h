/*
 * What a run is doing, for the person who waits: one line at the foot of a terminal (stage, step,
 * items done and in all, elapsed time), redrawn at most ten times a second; plain lines elsewhere.
 * The terminal's modes are never changed, so that nothing has to be put back, however salvor ends.
 * For one thread.
 */
#ifndef SALVOR_CLI_PROGRESS_H
#define SALVOR_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress;

enum { PROGRESS_REDRAW_MS = 100, PROGRESS_PLAIN_MS = 30000 };

/*
 * `fd`: where to draw, usually standard error. Draws when it is a smart terminal and messages are
 * plain text, else says each step as a message and how far it is every half minute. Messages that
 * appear meanwhile go above the line. One at a time. `now` is clock_monotonic_ms outside tests.
 */
struct progress *progress_new(int fd, int64_t (*now)(void));

/* What goes on now: "plan", "stage restore". */
void progress_phase(struct progress *progress, const char *phase);

/* Step `number` of `count` begins; `attempt` from 1. */
void progress_step(struct progress *progress, const char *title, size_t number, size_t count,
                   int attempt);

/* How far the step is; total 0: not known. `what`: "objects". */
void progress_items(struct progress *progress, uint64_t done, uint64_t total, const char *what);

/* To be called now and then (at least every 100 ms): redraws when it is time. */
void progress_tick(struct progress *progress);

/* The step ended: leaves one lasting line "  done     restore the data (12s)". `outcome`: "done",
 * "skipped", "failed" ... */
void progress_step_end(struct progress *progress, const char *outcome, int64_t duration_ms);

/* Takes the line away and frees; NULL is fine. */
void progress_free(struct progress *progress);

#endif
