/* The head of a report in named lines: what the formats that are read line by line begin with. */
#ifndef SALVOR_REPORT_HEAD_H
#define SALVOR_REPORT_HEAD_H

#include <jansson.h>

/*
 * Hands out "command", "backup", "total time" and the like in the order in which they are read.
 * `value` is text of the journal, not cleaned, and never empty; both live during the call.
 */
void report_head(const json_t *report,
                 void (*line)(void *data, const char *name, const char *value), void *data);

#endif
