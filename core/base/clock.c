#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_realtime_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_boottime_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

void clock_format(int64_t realtime_ms, char ret_text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(realtime_ms / 1000);
    struct tm parts;
    char date[32];
    if (realtime_ms < 0 || gmtime_r(&seconds, &parts) == NULL ||
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        date[0] = '\0';
    (void)snprintf(ret_text, CLOCK_TEXT_SIZE, "%.19s.%03dZ", date,
                   (int)(realtime_ms >= 0 ? realtime_ms % 1000 : 0));
}

int64_t clock_parse(const char *text)
{
    struct tm parts;
    memset(&parts, 0, sizeof parts);
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (rest == NULL)
        return -1;
    int64_t milliseconds = (int64_t)timegm(&parts) * 1000;
    if (rest[0] == '.' && strspn(rest + 1, "0123456789") == 3)
        milliseconds += (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
    return milliseconds;
}
