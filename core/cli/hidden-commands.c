#include "cli/hidden-commands.h"

#include "base/banned.h"
#include "base/text.h"
#include "cli/completion-command.h"
#include "cli/manual.h"
#include "services/shims.h"

/* Names begin with two underscores, so that no user command ever collides. */
static const struct hidden_command hidden_commands[] = {
    {"__complete", complete_main},
    {"__manual", manual_main},
    {EXEC_SHIM_COMMAND, exec_shim_main},
    {JOB_SHIM_COMMAND, job_shim_main},
    {NULL, NULL},
};

const struct hidden_command *hidden_command_find(const char *name)
{
    for (const struct hidden_command *command = hidden_commands; command->name != NULL; command++)
        if (text_equal(command->name, name))
            return command;
    return NULL;
}
