/* `salvor backups prune`: what retention does not keep, and copies that nobody works from. */
#ifndef SALVOR_CLI_PRUNE_COMMAND_H
#define SALVOR_CLI_PRUNE_COMMAND_H

#include "base/error.h"

struct arguments;

int prune_command(const struct arguments *arguments, struct error *reterr);

#endif
