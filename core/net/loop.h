/*
 * The one loop behind net_wait: an epoll descriptor that lives as long as the process, who owns
 * each descriptor in it, and what happens by time alone.
 */
#ifndef SALVOR_NET_LOOP_H
#define SALVOR_NET_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "net/transport.h"

/* Adds or changes; -1 with errno. */
int loop_put(int fd, uint32_t events, struct loop_member *member);
void loop_drop(int fd);

/* Something that happens by time: asked before each wait, told when it is due. */
struct loop_timer {
    struct loop_timer *next;
    int64_t due; /* monotonic ms; INT64_MAX: never */
    void (*ring)(struct loop_timer *timer, int64_t now);
};

void loop_add_timer(struct loop_timer *timer);
void loop_remove_timer(const struct loop_timer *timer);

/* How many transfers and watches there are: with none, net_wait has nothing to wait for. */
void loop_expect(int more);

/* A transfer ended or a watch was called: net_wait returns. */
void loop_happened(void);

/* Called once in each round after all descriptors and timers: hands out what ended. */
void loop_set_harvest(void (*harvest)(void));

/* Monotonic ms of this round. */
int64_t loop_now(void);

#endif
