/*
 * Messages on standard error: plain lines or, with --log-format json, one object a line. Standard
 * output is for data only. For one thread.
 */
#ifndef SALVOR_CLI_MESSAGE_H
#define SALVOR_CLI_MESSAGE_H

#include "base/error.h"

enum message_level { MESSAGE_DEBUG, MESSAGE_INFO, MESSAGE_WARNING, MESSAGE_ERROR };

/* verbosity: -1 errors only, 0 also warnings and info, 1 or more also debug. */
void message_setup(int json, int verbosity);

/* 1 when messages are JSON objects. */
int message_is_json(void);

/* 1 when a message of this level would be shown. */
int message_shows(enum message_level level);

/* Every text passes through `filter` before it is written (redaction); it returns a new string.
 * NULL: none. */
void message_set_filter(char *(*filter)(const char *text));

/* Called before and after lines go to a terminal that shows progress. NULL: nobody. */
void message_set_interlude(void (*begin)(void), void (*end)(void));

/* The same around other writing to the terminal. */
void message_interlude_begin(void);
void message_interlude_end(void);

void message(enum message_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "error: MESSAGE", then its "detail: " and "hint: " lines; as JSON one object with the exit code.
 */
void message_error(const struct error *err);

/* The same as a warning: what went wrong, but did not stop anything. */
void message_warn_error(const struct error *err);

#endif
