#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

_Noreturn void out_of_memory(void)
{
    static const char message[] = "salvor: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    abort();
}

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(count != 0 ? count : 1, size != 0 ? size : 1);
    if (memory == NULL)
        out_of_memory();
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t size)
{
    void *resized = reallocarray(memory, count != 0 ? count : 1, size != 0 ? size : 1);
    if (resized == NULL)
        out_of_memory();
    return resized;
}

char *text_copy(const char *text)
{
    return text_copy_span(text, strlen(text));
}

char *text_copy_span(const char *data, size_t size)
{
    char *copy = memory_new(size + 1, 1);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *text_vformat(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        out_of_memory();
    return text;
}

char *text_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_vformat(format, args);
    va_end(args);
    return text;
}

int text_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

int text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int text_ends(const char *text, const char *suffix)
{
    size_t text_size = strlen(text);
    size_t suffix_size = strlen(suffix);
    return text_size >= suffix_size &&
           memcmp(text + text_size - suffix_size, suffix, suffix_size) == 0;
}

enum { NEAREST_MAX_LENGTH = 64 };

/* Edit distance with adjacent transposition counted as one edit. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > NEAREST_MAX_LENGTH || b_size > NEAREST_MAX_LENGTH)
        return SIZE_MAX;
    size_t rows[3][NEAREST_MAX_LENGTH + 1];
    size_t *before = rows[0];
    size_t *previous = rows[1];
    size_t *current = rows[2];
    for (size_t j = 0; j <= b_size; j++) {
        previous[j] = j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_size; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = previous[j - 1] + (a[i - 1] != b[j - 1]);
            if (previous[j] + 1 < best)
                best = previous[j] + 1;
            if (current[j - 1] + 1 < best)
                best = current[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            current[j] = best;
        }
        size_t *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b_size];
}

const char *text_nearest(const char *name, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t limit = strlen(name) <= 3 ? 1 : 1 + strlen(name) / 4;
    size_t best = limit + 1;
    for (size_t i = 0; candidates[i] != NULL; i++) {
        size_t distance = edit_distance(name, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

int text_parse_integer(const char *text, int64_t *ret)
{
    const char *digits = *text == '-' ? text + 1 : text;
    if (*digits < '0' || *digits > '9')
        return -1;
    errno = 0;
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return -1;
    *ret = value;
    return 0;
}

struct unit {
    const char *suffix;
    int64_t factor;
};

static int parse_with_unit(const char *text, const struct unit *units, int64_t *ret)
{
    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (errno != 0)
        return -1;
    for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
        int64_t product = 0;
        if (strcmp(end, unit->suffix) != 0)
            continue;
        if (__builtin_mul_overflow((int64_t)value, unit->factor, &product))
            return -1;
        *ret = product;
        return 0;
    }
    return -1;
}

int text_parse_duration(const char *text, int64_t *ret_ms)
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    return parse_with_unit(text, units, ret_ms);
}

int text_parse_size(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = {
        {"", 1},      {"B", 1},        {"KiB", 1024},      {"MiB", 1048576}, {"GiB", 1073741824},
        {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {NULL, 0}};
    return parse_with_unit(text, units, ret_bytes);
}
