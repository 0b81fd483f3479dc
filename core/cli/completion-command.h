/* `salvor completion bash`, and the hidden command that the printed script asks. */
#ifndef SALVOR_CLI_COMPLETION_COMMAND_H
#define SALVOR_CLI_COMPLETION_COMMAND_H

#include "base/error.h"
#include "cli/arguments.h"

int completion_command(const struct arguments *arguments, struct error *reterr);

/*
 * `salvor __complete WORD…`: what may stand in place of the last word, one a line; ":files" and
 * ":folders" ask the shell for those. Says nothing on standard error and never fails: whoever
 * presses Tab wants no error.
 */
int complete_main(int argc, char **argv);

#endif
