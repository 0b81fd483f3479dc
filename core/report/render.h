/* The report for people. Each writes a whole document to `out`; errors of `out` stay in it. */
#ifndef SALVOR_REPORT_RENDER_H
#define SALVOR_REPORT_RENDER_H

#include <jansson.h>
#include <stdio.h>

/* Plain text of at most 100 columns where the content allows, for a terminal or a mail. */
void report_render_text(const json_t *report, FILE *out);

/* GitHub-flavoured Markdown; everything from the journal is escaped. */
void report_render_markdown(const json_t *report, FILE *out);

/* One self-contained HTML file: no script, no outside resource; light, dark, phone and paper. */
void report_render_html(const json_t *report, FILE *out);

/* The model itself, indented. */
void report_render_json(const json_t *report, FILE *out);

#endif
