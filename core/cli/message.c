#include "cli/message.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/display.h"

enum { MESSAGE_LIMIT = 1 << 20 };

static struct {
    int json;
    int verbosity;
    char *(*filter)(const char *text);
    void (*begin)(void);
    void (*end)(void);
} state;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void message_setup(int json, int verbosity)
{
    state.json = json;
    state.verbosity = verbosity;
}

int message_is_json(void)
{
    return state.json;
}

int message_shows(enum message_level level)
{
    switch (level) {
    case MESSAGE_DEBUG:
        return state.verbosity >= 1;
    case MESSAGE_INFO:
    case MESSAGE_WARNING:
        return state.verbosity >= 0;
    case MESSAGE_ERROR:
        return 1;
    }
    return 1;
}

void message_set_filter(char *(*filter)(const char *text))
{
    state.filter = filter;
}

void message_set_interlude(void (*begin)(void), void (*end)(void))
{
    state.begin = begin;
    state.end = end;
}

static char *filtered(const char *text)
{
    return state.filter != NULL ? state.filter(text) : text_copy(text);
}

void message_interlude_begin(void)
{
    if (state.begin != NULL)
        state.begin();
}

void message_interlude_end(void)
{
    if (state.end != NULL)
        state.end();
}

/* One write a message, so that lines of several processes do not mix. */
static void emit(const char *text, size_t size)
{
    message_interlude_begin();
    (void)file_write_all(STDERR_FILENO, text, size);
    message_interlude_end();
}

static void append_line(struct buffer *out, const char *prefix, const char *text, size_t size)
{
    cleanup_free char *line = text_copy_span(text, size);
    cleanup_free char *safe = display_safe(line, 0);
    buffer_format(out, "%s%s\n", prefix, safe);
}

static void append_lines(struct buffer *out, const char *prefix, const char *next_prefix,
                         const char *text)
{
    for (;;) {
        const char *end = strchrnul(text, '\n');
        append_line(out, prefix, text, (size_t)(end - text));
        if (*end == '\0' || end[1] == '\0')
            return;
        text = end + 1;
        prefix = next_prefix;
    }
}

static void put_filtered(json_t *object, const char *key, const char *text)
{
    cleanup_free char *shown = filtered(text);
    cleanup_free char *safe = display_safe(shown, 1); /* JSON must be UTF-8 */
    json_put_text(object, key, safe);
}

static void emit_json(enum message_level level, const char *text, const struct error *err)
{
    cleanup_json json_t *object = json_object();
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), now);
    json_put_text(object, "time", now);
    json_put_text(object, "level", level_names[level]);
    put_filtered(object, "message", text);
    if (err != NULL) {
        if (err->detail != NULL)
            put_filtered(object, "detail", err->detail);
        if (err->hint != NULL)
            put_filtered(object, "hint", err->hint);
        if (level == MESSAGE_ERROR)
            json_put(object, "exit_code", json_integer(err->code));
    }
    cleanup_free char *line = json_dumps(object, JSON_COMPACT);
    if (line == NULL)
        return;
    cleanup_free char *whole = text_format("%s\n", line);
    emit(whole, strlen(whole));
}

static void say(enum message_level level, const char *text, const struct error *err)
{
    if (!message_shows(level))
        return;
    if (state.json) {
        emit_json(level, text, err);
        return;
    }
    cleanup_buffer struct buffer out = BUFFER_INIT(MESSAGE_LIMIT);
    cleanup_free char *shown = filtered(text);
    static const char *const prefixes[] = {"debug: ", "", "warning: ", "error: "};
    append_lines(&out, prefixes[level], "  ", shown);
    if (err != NULL && err->detail != NULL) {
        cleanup_free char *detail = filtered(err->detail);
        append_lines(&out, "detail: ", "detail: ", detail);
    }
    if (err != NULL && err->hint != NULL) {
        cleanup_free char *hint = filtered(err->hint);
        append_lines(&out, "hint: ", "hint: ", hint);
    }
    emit(out.data, out.size);
}

void message(enum message_level level, const char *format, ...)
{
    if (!message_shows(level))
        return;
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    say(level, text, NULL);
}

void message_error(const struct error *err)
{
    say(MESSAGE_ERROR, err->message != NULL ? err->message : "unknown error", err);
}

void message_warn_error(const struct error *err)
{
    say(MESSAGE_WARNING, err->message != NULL ? err->message : "unknown error", err);
}
