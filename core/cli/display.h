/* How text looks on a terminal: columns, and what may not be sent there. */
#ifndef SALVOR_CLI_DISPLAY_H
#define SALVOR_CLI_DISPLAY_H

#include <stddef.h>

/*
 * New text safe to show: control characters (a plugin or a remote system could move the cursor or
 * rewrite the screen) and bytes that are not UTF-8 become '?'; with `keep_lines` line feeds stay.
 */
char *display_safe(const char *text, int keep_lines);

/* Columns that safe text takes; wide characters count two, combining ones none. */
size_t display_width(const char *text);

/* New text of at most `width` columns, cut with "..." where it does not fit. */
char *display_clip(const char *text, size_t width);

/* "850ms", "12s", "3m04s", "2h03m", "1d02h"; owned by the caller. */
char *display_duration(long long milliseconds);

#endif
