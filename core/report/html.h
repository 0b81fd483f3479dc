/* Pieces of the HTML report, shared by its files. */
#ifndef SALVOR_REPORT_HTML_H
#define SALVOR_REPORT_HTML_H

#include <jansson.h>
#include <stdio.h>

/* The style sheet in parts, ending with NULL. */
extern const char *const html_style[];

/* Text from anywhere, safe between tags and in quoted attributes. NULL writes nothing. */
void html_text(FILE *out, const char *text);

/* <td data-name="NAME" class="CLASS">text</td>; marked as empty without text. `name` and `class`
 * (may be NULL) are ours. */
void html_cell(FILE *out, const char *name, const char *class, const char *text);

/* The chart of where the time went. */
void html_chart(const json_t *report, FILE *out);

#endif
