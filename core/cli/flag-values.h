/* What each flag sets; for arguments.c, which reads the line. */
#ifndef SALVOR_CLI_FLAG_VALUES_H
#define SALVOR_CLI_FLAG_VALUES_H

#include "cli/arguments.h"
#include "cli/scanner.h"
#include "config/problems.h"

struct parser {
    struct arguments *arguments;
    struct problems *problems;
    const char **reason_slot; /* what the next --reason is for; NULL: nothing */
};

/* Flags that say what the others mean, and how messages look. */
void parser_take_early_flag(struct parser *parser, const struct token *token);

/* All others. */
void parser_take_late_flag(struct parser *parser, const struct token *token);

/* An option of the provider; `origin` is what errors call it. */
void parser_add_option(struct parser *parser, const char *name, const char *value,
                       const char *origin);

/* Of the first word of `format`. */
enum output_format output_number(const char *format);

#endif
