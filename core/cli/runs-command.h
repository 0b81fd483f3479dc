/* `salvor runs list | show RUN | close RUN`; as struct command's `run`. */
#ifndef SALVOR_CLI_RUNS_COMMAND_H
#define SALVOR_CLI_RUNS_COMMAND_H

#include "base/error.h"

struct arguments;

int runs_command(const struct arguments *arguments, struct error *reterr);

#endif
