#include "sim-clock.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/text.h"

void nsx_clock_start(struct nsx_clock *clock, int64_t epoch_ms, double rate)
{
    clock->rate = rate;
    clock->base_ms = epoch_ms;
    clock->base_real_ms = clock_monotonic_ms();
}

void nsx_clock_clear(struct nsx_clock *clock)
{
    free(clock->timers);
    clock->timers = NULL;
    clock->count = 0;
}

static int64_t flowing_now(const struct nsx_clock *clock)
{
    int64_t passed = clock_monotonic_ms() - clock->base_real_ms;
    return clock->base_ms + (int64_t)((double)passed * clock->rate);
}

int64_t nsx_clock_now(const struct nsx_clock *clock)
{
    return clock->pinned_ms != 0 ? clock->pinned_ms : flowing_now(clock);
}

void nsx_clock_set_rate(struct nsx_clock *clock, double rate)
{
    nsx_clock_start(clock, flowing_now(clock), rate);
}

void nsx_timer_set(struct nsx_clock *clock, int64_t due_ms, nsx_timer_call *call, void *argument)
{
    clock->timers = memory_resize(clock->timers, clock->count + 1, sizeof *clock->timers);
    clock->timers[clock->count++] = (struct nsx_timer){due_ms, ++clock->order, call, argument};
}

static void forget(struct nsx_clock *clock, unsigned index)
{
    clock->timers[index] = clock->timers[--clock->count];
}

void nsx_timer_drop(struct nsx_clock *clock, nsx_timer_call *call, const void *argument)
{
    for (unsigned i = clock->count; i > 0; i--)
        if (clock->timers[i - 1].call == call &&
            (argument == NULL || clock->timers[i - 1].argument == argument))
            forget(clock, i - 1);
}

/* Index of the timer that comes first, or -1; there are few, so that a search is enough. */
static int first(const struct nsx_clock *clock)
{
    int best = -1;
    for (unsigned i = 0; i < clock->count; i++) {
        const struct nsx_timer *timer = &clock->timers[i];
        if (best < 0 || timer->due_ms < clock->timers[best].due_ms ||
            (timer->due_ms == clock->timers[best].due_ms &&
             timer->order < clock->timers[best].order))
            best = (int)i;
    }
    return best;
}

static void run_until(struct sim_nsx *sim, int64_t now_ms)
{
    struct nsx_clock *clock = &sim->clock;
    for (;;) {
        int index = first(clock);
        if (index < 0 || clock->timers[index].due_ms > now_ms)
            break;
        struct nsx_timer timer = clock->timers[index];
        forget(clock, (unsigned)index);
        clock->pinned_ms = timer.due_ms;
        timer.call(sim, timer.argument);
    }
    clock->pinned_ms = 0;
}

void nsx_clock_run(struct sim_nsx *sim)
{
    /* A timer that asks for the clock to be run would recurse for ever. */
    if (sim->clock.pinned_ms == 0)
        run_until(sim, flowing_now(&sim->clock));
}

void nsx_clock_advance(struct sim_nsx *sim, int64_t ms)
{
    if (sim->clock.pinned_ms != 0)
        return;
    nsx_clock_run(sim);
    sim->clock.base_ms += ms;
    nsx_clock_run(sim);
}

int64_t nsx_clock_wait(const struct nsx_clock *clock)
{
    int index = first(clock);
    if (index < 0 || clock->rate <= 0)
        return -1;
    int64_t left = clock->timers[index].due_ms - flowing_now(clock);
    return left <= 0 ? 0 : (int64_t)((double)left / clock->rate) + 1;
}
