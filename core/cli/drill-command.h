/* `drill`, as struct command's `run`, and what is told of drills elsewhere. */
#ifndef SALVOR_CLI_DRILL_COMMAND_H
#define SALVOR_CLI_DRILL_COMMAND_H

#include "base/error.h"
#include "cli/arguments.h"

int drill_command(const struct arguments *arguments, struct error *reterr);

/* How long each step of a finished drill took, from its journal, on standard output. Says on
 * standard error what cannot be told. */
void drill_print_times(const struct arguments *arguments, const char *run);

/* Warns when the last drill of the site is older than salvor.yaml allows. */
void drill_warn_overdue(const struct arguments *arguments);

/* `runs drills`: the last drill of each site. */
int drill_list(const struct arguments *arguments, struct error *reterr);

#endif
