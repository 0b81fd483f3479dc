/* Help texts, all made from the tables of commands, flags, exit codes and provider options. */
#ifndef SALVOR_CLI_HELP_H
#define SALVOR_CLI_HELP_H

#include <stdio.h>

#include "base/error.h"
#include "cli/arguments.h"

void help_version(FILE *out);

/* Help for the arguments' command, or the overview without one. Returns the exit code. */
int help_show(const struct arguments *arguments, FILE *out, struct error *reterr);

/* `salvor help [COMMAND]`; also `help exit-codes`. */
int help_command(const struct arguments *arguments, struct error *reterr);

/* The rows of the exit code table. */
struct exit_code_row {
    enum exit_code code;
    const char *meaning;
};
extern const struct exit_code_row exit_code_rows[]; /* ends with a NULL meaning */

#endif
