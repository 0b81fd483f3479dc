/*
 * How many at once, and how soon the next: additive increase, multiplicative decrease. The window
 * grows by one a success at first and by one a round later; a peer that asks to slow down halves
 * it, one that answers much slower than it can lowers it a little. Where even one at a time is too
 * much there is a gap between requests, which shrinks again.
 */
#ifndef SALVOR_NET_PACE_H
#define SALVOR_NET_PACE_H

#include <stdint.h>

struct pace {
    double most;      /* window's upper limit */
    double window;    /* in flight at once */
    double threshold; /* above it the window grows slowly */
    double gap_ms;    /* between two begins; 0: none */
    double usual_ms;  /* latency without load */
    double recent_ms; /* latency now */
    int64_t last_cut;
    int64_t next_begin;
};

void pace_init(struct pace *pace, uint32_t most);

/* 1 when another may begin now with `running` under way; else *ret_due is when to ask again by time
 * alone (INT64_MAX: only when one ended). */
int pace_may_begin(const struct pace *pace, uint32_t running, int64_t now, int64_t *ret_due);
void pace_begun(struct pace *pace, int64_t now);

/* One that was begun at `started` was answered after `latency_ms` (-1: says nothing). */
void pace_answered(struct pace *pace, int64_t started, int64_t now, int64_t latency_ms);

/* The peer asked one that was begun at `started` to slow down, and for how long (-1: not said). */
void pace_refused(struct pace *pace, int64_t started, int64_t now, int64_t retry_after_ms);

#endif
