/*
 * The simulated clock and what is due by it. Everything that NSX dates or waits for goes by this
 * clock; only request rates and the stalls of injected faults go by the real one.
 */
#ifndef SIM_NSX_CLOCK_H
#define SIM_NSX_CLOCK_H

#include <stdint.h>

struct sim_nsx;

typedef void nsx_timer_call(struct sim_nsx *sim, void *argument);

struct nsx_timer {
    int64_t due_ms;
    uint64_t order; /* of setting, for equal times */
    nsx_timer_call *call;
    void *argument; /* borrowed */
};

struct nsx_clock {
    double rate;          /* 0: stands still */
    int64_t base_ms;      /* epoch time at base_real_ms */
    int64_t base_real_ms; /* monotonic */
    int64_t per_request_ms;
    int64_t pinned_ms; /* while timers run: the time of the one that runs; 0 otherwise */
    struct nsx_timer *timers;
    unsigned count;
    uint64_t order;
};

void nsx_clock_start(struct nsx_clock *clock, int64_t epoch_ms, double rate);
void nsx_clock_clear(struct nsx_clock *clock);

/* Epoch milliseconds. */
int64_t nsx_clock_now(const struct nsx_clock *clock);

/* Goes on from the present time at another rate. */
void nsx_clock_set_rate(struct nsx_clock *clock, double rate);

/* Moves the clock on and runs what becomes due, each at its own time. */
void nsx_clock_advance(struct sim_nsx *sim, int64_t ms);

/* Runs what is due now. */
void nsx_clock_run(struct sim_nsx *sim);

/* Real milliseconds until the next timer is due; -1: none, or the clock stands still. */
int64_t nsx_clock_wait(const struct nsx_clock *clock);

void nsx_timer_set(struct nsx_clock *clock, int64_t due_ms, nsx_timer_call *call, void *argument);
/* Drops every timer with this call and argument (NULL: any argument). */
void nsx_timer_drop(struct nsx_clock *clock, nsx_timer_call *call, const void *argument);

#endif
