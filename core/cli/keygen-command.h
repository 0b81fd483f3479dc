/* `salvor backups keygen FILE`: a new private key, and the recipient that belongs to it. */
#ifndef SALVOR_CLI_KEYGEN_COMMAND_H
#define SALVOR_CLI_KEYGEN_COMMAND_H

#include "base/error.h"

struct arguments;

int keygen_command(const struct arguments *arguments, struct error *reterr);

#endif
