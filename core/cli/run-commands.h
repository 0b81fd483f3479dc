/* The commands that make or resume a run; each as struct command's `run`. */
#ifndef SALVOR_CLI_RUN_COMMANDS_H
#define SALVOR_CLI_RUN_COMMANDS_H

#include "base/error.h"

struct arguments;

int discover_command(const struct arguments *arguments, struct error *reterr);
int validate_command(const struct arguments *arguments, struct error *reterr);
int plan_command(const struct arguments *arguments, struct error *reterr);
int drill_command(const struct arguments *arguments, struct error *reterr);
int backup_command(const struct arguments *arguments, struct error *reterr);
int restore_command(const struct arguments *arguments, struct error *reterr);
int post_resync_command(const struct arguments *arguments, struct error *reterr);
int resume_command(const struct arguments *arguments, struct error *reterr);

#endif
