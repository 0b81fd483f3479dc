#include "worker/limits.h"

#include <stdint.h>
#include <sys/resource.h>

#include "base/banned.h"
#include "base/json.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define UNDER_ADDRESS_SANITIZER 1
#endif

static struct rlimit memory_before;
static struct rlimit cpu_before;
static int64_t cpu_seconds; /* 0: no limit */
static int any_set;

static rlim_t least(rlim_t one, rlim_t other)
{
    return one < other ? one : other; /* infinity is the greatest number of all */
}

void limits_set(const json_t *limits)
{
    int64_t memory = json_whole(limits, "memory", 0);
    int64_t cpu_ms = json_whole(limits, "cpu_ms", 0);
#ifdef UNDER_ADDRESS_SANITIZER
    memory = 0;
#endif
    if ((memory <= 0 && cpu_ms <= 0) || getrlimit(RLIMIT_AS, &memory_before) != 0 ||
        getrlimit(RLIMIT_CPU, &cpu_before) != 0)
        return;
    any_set = 1;
    cpu_seconds = (cpu_ms + 999) / 1000;
    if (memory > 0) {
        struct rlimit now = memory_before;
        now.rlim_cur = least((rlim_t)memory, memory_before.rlim_cur);
        (void)setrlimit(RLIMIT_AS, &now);
    }
}

void limits_begin_call(void)
{
    struct rusage used;
    struct rlimit now = cpu_before;
    if (cpu_seconds <= 0 || getrusage(RUSAGE_SELF, &used) != 0)
        return;
    /* whole seconds, rounded in favour of the plugin */
    const int64_t spent_us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                             used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    const rlim_t spent = (rlim_t)(spent_us / 1000000 + 1);
    now.rlim_cur = least(spent + (rlim_t)cpu_seconds, cpu_before.rlim_cur);
    (void)setrlimit(RLIMIT_CPU, &now);
}

static json_int_t number_of(rlim_t limit)
{
    return limit == RLIM_INFINITY ? -1 : (json_int_t)limit;
}

json_t *limits_before(void)
{
    if (!any_set)
        return NULL;
    return json_make("{s:I, s:I}", "memory", number_of(memory_before.rlim_cur), "cpu",
                     number_of(cpu_before.rlim_cur));
}

static void restore(__rlimit_resource_t resource, const json_t *before, const char *key)
{
    struct rlimit now;
    const json_t *value = json_object_get(before, key);
    if (!json_is_integer(value) || getrlimit(resource, &now) != 0)
        return;
    const json_int_t number = json_integer_value(value);
    now.rlim_cur = number < 0 ? RLIM_INFINITY : (rlim_t)number;
    (void)setrlimit(resource, &now);
}

void limits_restore(const json_t *before)
{
    restore(RLIMIT_AS, before, "memory");
    restore(RLIMIT_CPU, before, "cpu");
}
