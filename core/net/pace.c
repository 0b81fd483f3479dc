#include "net/pace.h"

#include "base/banned.h"

static const double FIRST_WINDOW = 4;
static const double FIRST_GAP_MS = 20;
static const double MOST_GAP_MS = 5000;
static const double GAP_SHRINKS = 0.95;
static const double GAP_IS_GONE_MS = 1;
/* A server that works at its limit is slower than an idle one by design; this is one that queues.
 */
static const double SLOW_FACTOR = 16;
static const double SLOW_LEAST_MS = 200;
static const double SLOW_CUT = 0.8;
static const double RECENT_SHARE = 0.1;
static const double USUAL_SHARE = 0.0001;

static double at_most(double value, double most)
{
    return value < most ? value : most;
}

static double at_least(double value, double least)
{
    return value > least ? value : least;
}

void pace_init(struct pace *pace, uint32_t most)
{
    *pace = (struct pace){.most = most, .threshold = most};
    pace->window = at_most(FIRST_WINDOW, most);
}

int pace_may_begin(const struct pace *pace, uint32_t running, int64_t now, int64_t *ret_due)
{
    *ret_due = INT64_MAX;
    if (running > 0 && running + 1 > pace->window)
        return 0;
    if (now >= pace->next_begin)
        return 1;
    *ret_due = pace->next_begin;
    return 0;
}

void pace_begun(struct pace *pace, int64_t now)
{
    if (pace->gap_ms > 0)
        pace->next_begin = now + (int64_t)at_least(pace->gap_ms, 1);
}

static void cut(struct pace *pace, double factor, int64_t now)
{
    pace->window = at_least(pace->window * factor, 1);
    pace->threshold = pace->window;
    pace->last_cut = now;
}

static void learn(struct pace *pace, double latency_ms)
{
    if (pace->recent_ms == 0) {
        pace->usual_ms = pace->recent_ms = at_least(latency_ms, 1);
        return;
    }
    pace->recent_ms += (latency_ms - pace->recent_ms) * RECENT_SHARE;
    if (latency_ms < pace->usual_ms)
        pace->usual_ms = at_least(latency_ms, 1);
    else
        pace->usual_ms += (latency_ms - pace->usual_ms) * USUAL_SHARE;
}

void pace_answered(struct pace *pace, int64_t started, int64_t now, int64_t latency_ms)
{
    if (latency_ms >= 0)
        learn(pace, (double)latency_ms);
    if (pace->gap_ms > 0) {
        pace->gap_ms *= GAP_SHRINKS;
        if (pace->gap_ms < GAP_IS_GONE_MS)
            pace->gap_ms = 0;
        return;
    }
    if (pace->recent_ms > SLOW_LEAST_MS && pace->recent_ms > SLOW_FACTOR * pace->usual_ms) {
        if (started >= pace->last_cut && pace->window > FIRST_WINDOW)
            cut(pace, SLOW_CUT, now);
        return;
    }
    pace->window =
        at_most(pace->window + (pace->window < pace->threshold ? 1 : 1 / pace->window), pace->most);
}

void pace_refused(struct pace *pace, int64_t started, int64_t now, int64_t retry_after_ms)
{
    const int is_alone = pace->window < 2;
    /* Those that were under way together are refused together: one cut for all of them. */
    if (started < pace->last_cut)
        return;
    cut(pace, 0.5, now);
    if (!is_alone)
        return;
    pace->gap_ms = at_most(at_least(pace->gap_ms * 2, FIRST_GAP_MS), MOST_GAP_MS);
    pace->next_begin =
        now + (retry_after_ms > (int64_t)pace->gap_ms ? retry_after_ms : (int64_t)pace->gap_ms);
}
