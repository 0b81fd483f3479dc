/* Sub-commands that salvor calls itself by: they run before anything of the program is set up. */
#ifndef SALVOR_CLI_HIDDEN_COMMANDS_H
#define SALVOR_CLI_HIDDEN_COMMANDS_H

struct hidden_command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is `name`; returns the exit status */
};

/* NULL when `name` is none. */
const struct hidden_command *hidden_command_find(const char *name);

#endif
