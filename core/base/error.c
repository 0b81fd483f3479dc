#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/text.h"

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

int(error_set)(struct error *err, enum exit_code code, const char *format, ...)
{
    if (err == NULL)
        return -1;
    int saved = errno;
    va_list args;
    va_start(args, format);
    char *message = text_vformat(format, args);
    va_end(args);
    error_clear(err);
    err->code = code;
    err->message = message;
    errno = saved;
    return -1;
}

int(error_errno)(struct error *err, enum exit_code code, int errnum, const char *format, ...)
{
    if (err == NULL)
        return -1;
    char reason[128];
    const char *reason_text = strerror_r(errnum, reason, sizeof reason);
    va_list args;
    va_start(args, format);
    char *subject = text_vformat(format, args);
    va_end(args);
    error_clear(err);
    err->code = code;
    err->message = text_format("%s: %s", subject, reason_text);
    free(subject);
    return -1;
}

int(error_detail)(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    replace(&err->detail, text_vformat(format, args));
    va_end(args);
    return -1;
}

int(error_hint)(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    replace(&err->hint, text_vformat(format, args));
    va_end(args);
    return -1;
}

int(error_prefix)(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    char *prefix = text_vformat(format, args);
    va_end(args);
    replace(&err->message,
            text_format("%s: %s", prefix, err->message != NULL ? err->message : "unknown error"));
    free(prefix);
    return -1;
}

int(error_move)(struct error *to, struct error *from)
{
    if (to == NULL) {
        error_clear(from);
        return -1;
    }
    if (to != from) {
        error_clear(to);
        *to = *from;
        *from = (struct error)ERROR_INIT;
    }
    return -1;
}

void error_clear(struct error *err)
{
    free(err->message);
    free(err->detail);
    free(err->hint);
    *err = (struct error)ERROR_INIT;
}
