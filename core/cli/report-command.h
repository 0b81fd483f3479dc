/* `salvor report RUN [HEAD...]`; as struct command's `run`. */
#ifndef SALVOR_CLI_REPORT_COMMAND_H
#define SALVOR_CLI_REPORT_COMMAND_H

#include "base/error.h"

struct arguments;

int report_command(const struct arguments *arguments, struct error *reterr);

#endif
