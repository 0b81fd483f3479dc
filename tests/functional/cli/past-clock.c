/* Preloaded: the wall clock is PAST_SECONDS behind. The monotonic clock goes on as it is. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now);

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
        memcpy(&real, &symbol, sizeof real);
    }
    int result = real(clock, now);
    const char *past = getenv("PAST_SECONDS");
    if (result == 0 && clock == CLOCK_REALTIME && past != NULL)
        now->tv_sec -= strtol(past, NULL, 10);
    return result;
}
