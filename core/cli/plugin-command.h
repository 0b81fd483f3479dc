/* salvor plugin list | show NAME | lint FILE | note FILE */
#ifndef SALVOR_CLI_PLUGIN_COMMAND_H
#define SALVOR_CLI_PLUGIN_COMMAND_H

#include "cli/arguments.h"

/* The exit code, or -1 with *reterr. */
int plugin_command(const struct arguments *arguments, struct error *reterr);

#endif
