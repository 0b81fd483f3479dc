#include "engine/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "base/banned.h"
#include "base/clock.h"

static volatile sig_atomic_t count;
static volatile sig_atomic_t last;
static volatile sig_atomic_t timed_out;

static void on_signal(int number)
{
    count = count + 1;
    last = number;
}

void interrupt_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
}

static void on_limit(int number)
{
    if (count != 0)
        return;
    timed_out = 1;
    on_signal(number);
}

void interrupt_after(int64_t milliseconds)
{
    struct sigaction action;
    struct itimerval timer;
    memset(&action, 0, sizeof action);
    memset(&timer, 0, sizeof timer);
    action.sa_handler = on_limit;
    timer.it_value.tv_sec = (time_t)(milliseconds / 1000);
    timer.it_value.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

int interrupt_timed_out(void)
{
    return timed_out;
}

int interrupt_count(void)
{
    return count;
}

int interrupt_signal(void)
{
    return last;
}

int interrupt_sleep(int64_t milliseconds)
{
    enum { SLICE_MS = 50 }; /* a signal between the check and the sleep is seen this soon */
    int64_t until = clock_monotonic_ms() + milliseconds;
    int before = count;
    for (;;) {
        int64_t left = until - clock_monotonic_ms();
        if (count != before)
            return -1;
        if (left <= 0)
            return 0;
        int64_t slice = left < SLICE_MS ? left : SLICE_MS;
        struct timespec pause = {0, (long)(slice * 1000000)};
        (void)nanosleep(&pause, NULL);
    }
}
