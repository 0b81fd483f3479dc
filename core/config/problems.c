#include "config/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { DETAIL_LIMIT = 256 * 1024 };

/* Both texts are stolen. */
static int add(struct problems *problems, char *message, char *hint)
{
    problems->total++;
    if (problems->count >= PROBLEMS_LIMIT) {
        free(message);
        free(hint);
        return -1;
    }
    problems->list = memory_resize(problems->list, problems->count + 1, sizeof problems->list[0]);
    problems->list[problems->count++] = (struct problem){message, hint};
    return -1;
}

int problems_add(struct problems *problems, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = text_vformat(format, args);
    va_end(args);
    return add(problems, message, hint != NULL ? text_copy(hint) : NULL);
}

int problems_add_error(struct problems *problems, struct error *err)
{
    char *message = err->detail != NULL ? text_format("%s: %s", err->message, err->detail)
                                        : text_copy(err->message);
    char *hint = err->hint != NULL ? text_copy(err->hint) : NULL;
    error_clear(err);
    return add(problems, message, hint);
}

static int hint_is_new(const struct problems *problems, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (text_equal(problems->list[i].hint, problems->list[index].hint))
            return 0;
    return 1;
}

int problems_error(const struct problems *problems, struct error *reterr)
{
    if (problems->count == 0)
        return 0;
    error_set(reterr, EXIT_USAGE, "%s", problems->list[0].message);
    cleanup_buffer struct buffer details = BUFFER_INIT(DETAIL_LIMIT);
    cleanup_buffer struct buffer hints = BUFFER_INIT(DETAIL_LIMIT);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        if (i > 0)
            buffer_format(&details, "%s%s", details.size > 0 ? "\n" : "", problem->message);
        if (problem->hint != NULL && hint_is_new(problems, i))
            buffer_format(&hints, "%s%s", hints.size > 0 ? "\n" : "", problem->hint);
    }
    if (problems->total > problems->count)
        buffer_format(&details, "\nand %zu more", problems->total - problems->count);
    if (details.size > 0)
        error_detail(reterr, "%s", details.data);
    if (hints.size > 0)
        error_hint(reterr, "%s", hints.data);
    return -1;
}

void problems_clear(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->list[i].message);
        free(problems->list[i].hint);
    }
    free(problems->list);
    *problems = (struct problems)PROBLEMS_INIT;
}
