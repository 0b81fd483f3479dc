#include "net/loop.h"

#include <errno.h>
#include <string.h>

#include "base/banned.h"
#include "base/clock.h"
#include "base/text.h"

enum { EVENTS = 64 };

static struct {
    int epoll_fd;                 /* 0: not made yet */
    struct loop_member **members; /* by descriptor; NULL: none */
    size_t room;
    int expected;
    struct loop_timer *timers;
    void (*harvest)(void);
    uint64_t happened;
    int64_t now;
} loop;

int64_t loop_now(void)
{
    return loop.now;
}

void loop_expect(int more)
{
    loop.expected += more;
}

void loop_happened(void)
{
    loop.happened++;
}

void loop_set_harvest(void (*harvest)(void))
{
    loop.harvest = harvest;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static int open_epoll(void)
{
    if (loop.epoll_fd > 0)
        return 0;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return -1;
    worker_keep_descriptor(fd);
    loop.epoll_fd = fd;
    return 0;
}

int loop_put(int fd, uint32_t events, struct loop_member *member)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (open_epoll() != 0)
        return -1;
    if ((size_t)fd >= loop.room) {
        const size_t room = (size_t)fd + 64;
        loop.members = memory_resize(loop.members, room, sizeof *loop.members);
        memset(loop.members + loop.room, 0, (room - loop.room) * sizeof(struct loop_member *));
        loop.room = room;
    }
    const int known = loop.members[fd] != NULL;
    if (epoll_ctl(loop.epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        return -1;
    loop.members[fd] = member;
    return 0;
}

void loop_drop(int fd)
{
    if (fd < 0 || (size_t)fd >= loop.room || loop.members[fd] == NULL)
        return;
    struct epoll_event none = {0};
    (void)epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, fd, &none);
    loop.members[fd] = NULL;
}

/* An event of a descriptor that an earlier event of the same round dropped finds nobody. */
static int dispatch(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop.epoll_fd, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        const int fd = events[i].data.fd;
        struct loop_member *member = (size_t)fd < loop.room ? loop.members[fd] : NULL;
        if (member != NULL)
            member->ready(member, fd, events[i].events);
    }
    return count;
}

/* ---- time ------------------------------------------------------------------------------------ */

void loop_add_timer(struct loop_timer *timer)
{
    timer->next = loop.timers;
    loop.timers = timer;
}

void loop_remove_timer(const struct loop_timer *timer)
{
    for (struct loop_timer **at = &loop.timers; *at != NULL; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            return;
        }
    }
}

static int64_t next_due(void)
{
    int64_t due = INT64_MAX;
    for (const struct loop_timer *timer = loop.timers; timer != NULL; timer = timer->next)
        due = timer->due < due ? timer->due : due;
    return due;
}

static void ring_timers(void)
{
    for (struct loop_timer *timer = loop.timers, *next = NULL; timer != NULL; timer = next) {
        next = timer->next;
        if (timer->due <= loop.now)
            timer->ring(timer, loop.now);
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void run_round(void)
{
    loop.now = clock_monotonic_ms();
    if (loop.epoll_fd > 0)
        (void)dispatch();
    ring_timers();
    if (loop.harvest != NULL)
        loop.harvest();
}

salvor_status net_wait(struct worker_call *call, int64_t timeout_ms)
{
    const uint64_t before = loop.happened;
    const int64_t end = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
    salvor_status status = call_wait(call, NULL, 0, 0);
    while (status == SALVOR_OK || status == SALVOR_PENDING) {
        run_round();
        if (loop.happened != before)
            return SALVOR_OK;
        if (end <= loop.now)
            return SALVOR_PENDING;
        const int64_t due = next_due();
        if (due <= loop.now)
            continue;
        if (loop.expected == 0 && end == INT64_MAX)
            return SALVOR_PENDING; /* nothing will ever happen */
        const int64_t until = due < end ? due : end;
        struct pollfd epoll = {loop.epoll_fd, POLLIN, 0};
        status = call_wait(call, &epoll, loop.epoll_fd > 0 ? 1 : 0,
                           until == INT64_MAX ? -1 : until - loop.now);
    }
    return status;
}

/* ---- watches --------------------------------------------------------------------------------- */

static void watch_ready(struct loop_member *member, int fd, uint32_t events)
{
    struct net_watch *watch = (struct net_watch *)(void *)member; /* its first member */
    (void)fd;
    short revents = 0;
    if ((events & EPOLLIN) != 0)
        revents |= POLLIN;
    if ((events & EPOLLOUT) != 0)
        revents |= POLLOUT;
    if ((events & EPOLLERR) != 0)
        revents |= POLLERR;
    if ((events & EPOLLHUP) != 0)
        revents |= POLLHUP;
    loop_happened();
    watch->ready(watch, revents);
}

int net_watch_add(struct net_watch *watch)
{
    watch->member.ready = watch_ready;
    if (net_watch_change(watch, watch->events) != 0)
        return -1;
    loop_expect(1);
    return 0;
}

int net_watch_change(struct net_watch *watch, short events)
{
    watch->events = events;
    return loop_put(watch->fd,
                    ((events & POLLIN) != 0 ? (uint32_t)EPOLLIN : 0) |
                        ((events & POLLOUT) != 0 ? (uint32_t)EPOLLOUT : 0),
                    &watch->member);
}

void net_watch_remove(const struct net_watch *watch)
{
    loop_drop(watch->fd);
    loop_expect(-1);
}
