/* The commands that make or resume a run; each as struct command's `run`. */
#ifndef SALVOR_CLI_RUN_COMMANDS_H
#define SALVOR_CLI_RUN_COMMANDS_H

#include <stdint.h>

#include "base/error.h"

struct arguments;

/* Plans what a command of that kind would do and prints it; runs nothing. */
int plan_only(const struct arguments *arguments, uint32_t kind, uint32_t commands,
              struct error *reterr);

/* Begins a run of that kind and works on it to its end; plans only with --dry-run. */
int begin_and_work(const struct arguments *arguments, uint32_t kind, uint32_t commands,
                   struct error *reterr);

int discover_command(const struct arguments *arguments, struct error *reterr);
int validate_command(const struct arguments *arguments, struct error *reterr);
int plan_command(const struct arguments *arguments, struct error *reterr);
int backup_command(const struct arguments *arguments, struct error *reterr);
int restore_command(const struct arguments *arguments, struct error *reterr);
int post_resync_command(const struct arguments *arguments, struct error *reterr);
int resume_command(const struct arguments *arguments, struct error *reterr);

#endif
