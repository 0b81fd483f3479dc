/* The two clocks: order and deadlines by the monotonic one, what a person reads by the real one. */
#ifndef SALVOR_BASE_CLOCK_H
#define SALVOR_BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_TEXT_SIZE = sizeof "2026-01-02T03:04:05.678Z" };

int64_t clock_monotonic_ms(void);
int64_t clock_realtime_ms(void);
/* As the monotonic one, but it goes on while the machine is suspended: for what runs out elsewhere.
 */
int64_t clock_boottime_ms(void);

/* RFC 3339 in UTC with milliseconds. */
void clock_format(int64_t realtime_ms, char ret_text[CLOCK_TEXT_SIZE]);

/* Milliseconds of such a text; -1 when it is none. NULL is none. */
int64_t clock_parse(const char *text);

#endif
