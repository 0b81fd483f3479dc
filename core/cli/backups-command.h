/* `salvor backups`: the sets of a store. As struct command's `run`. */
#ifndef SALVOR_CLI_BACKUPS_COMMAND_H
#define SALVOR_CLI_BACKUPS_COMMAND_H

#include "base/error.h"

struct arguments;

int backups_command(const struct arguments *arguments, struct error *reterr);

#endif
