/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/host.h>
#include <salvor/interfaces.h>
#include <salvor/report.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 4096

static void format_line(char line[LINE_SIZE], const char *format, va_list arguments)
    SALVOR_PRINTF(2, 0);

/* Formats into `line`; what does not fit ends in "..." after the last whole character. */
static void format_line(char line[LINE_SIZE], const char *format, va_list arguments)
{
    const int size = vsnprintf(line, LINE_SIZE, format, arguments);
    if (size < 0) {
        (void)snprintf(line, LINE_SIZE, "(a message that cannot be formatted)");
        return;
    }
    if (size < LINE_SIZE)
        return;
    size_t cut = LINE_SIZE - 4;
    while (cut > 0 && ((unsigned char)line[cut] & 0xc0) == 0x80)
        cut--;
    memcpy(line + cut, "...", 4);
}

salvor_status salvor_fail(salvor_call *call, salvor_status status, const char *hint,
                          const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    return call->host->report(call, status, line, NULL, hint);
}

salvor_status salvor_fail_detail(salvor_call *call, salvor_status status, const char *detail,
                                 const char *hint, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    return call->host->report(call, status, line, detail, hint);
}

salvor_status salvor_fail_memory(salvor_call *call, const char *what)
{
    return salvor_fail(call, SALVOR_FAILED, NULL, "no memory for %s", what);
}

void salvor_logf(salvor_call *call, uint32_t level, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    call->host->log(call, level, line);
}

static salvor_status raise_line(salvor_call *call, uint32_t severity, const char *id,
                                const char *object, const char *line)
{
    const struct salvor_findings *findings = salvor_findings_of(call);
    if (findings == NULL)
        return salvor_fail(call, SALVOR_UNSUPPORTED, NULL, "this host takes no findings ('%s')",
                           id);
    return findings->raise(call, id, severity, object != NULL ? object : "", line);
}

salvor_status salvor_raise(salvor_call *call, const char *id, const char *object,
                           const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    return raise_line(call, 0, id, object, line);
}

salvor_status salvor_raise_as(salvor_call *call, uint32_t severity, const char *id,
                              const char *object, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    return raise_line(call, severity, id, object, line);
}

salvor_status salvor_note(salvor_call *call, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    const struct salvor_plan *plan = salvor_plan_of(call);
    if (plan == NULL)
        return SALVOR_UNSUPPORTED;
    return plan->note(call, line);
}
