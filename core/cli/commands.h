/* The commands of salvor: one table for dispatch, help, completion and the manual. */
#ifndef SALVOR_CLI_COMMANDS_H
#define SALVOR_CLI_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct arguments;

enum command_id {
    COMMAND_DISCOVER,
    COMMAND_BACKUP,
    COMMAND_VALIDATE,
    COMMAND_PLAN,
    COMMAND_RESTORE,
    COMMAND_DRILL,
    COMMAND_POST_RESYNC,
    COMMAND_RUNS,
    COMMAND_RESUME,
    COMMAND_REPORT,
    COMMAND_BACKUPS,
    COMMAND_PLUGIN,
    COMMAND_CONFIG,
    COMMAND_COMPLETION,
    COMMAND_HELP
};

#define ON(id) (1u << (id))

/* What an operand names, for completion. */
enum operand_kind {
    OPERAND_ANY,
    OPERAND_FILE,
    OPERAND_RUN,
    OPERAND_SET,
    OPERAND_PLUGIN,
    OPERAND_COMMAND,
    OPERAND_SHELL
};

/* Operands of a command or action. */
struct operands {
    const char *text; /* as in the usage line: "RUN", "[FILE]"; "" for none */
    size_t least, most;
    enum operand_kind kind;
};

/* `plugin list` is command `plugin`, action `list`. */
struct action {
    const char *name;
    const char *summary;
    struct operands operands;
};

/* What must be known before a command can start. */
enum command_need {
    NEED_NOTHING, /* not even the configuration */
    NEED_CONFIG,
    NEED_PROVIDER /* and so a plugin */
};

struct command {
    enum command_id id;
    const char *name;
    const char *summary;          /* one line, lower case */
    const char *description;      /* paragraphs of help and manual */
    const struct action *actions; /* ends with a NULL name; NULL: none. The first is meant when
                                     none is given and `default_action` is set */
    int default_action;
    struct operands operands; /* without actions */
    const char *outputs;      /* formats of -o, first the default: "table wide json"; NULL: none */
    uint32_t options;         /* SALVOR_ON_*: options that are flags here */
    enum command_need need;
    /* Does it. Returns the exit code, or -1 with *reterr, which the caller prints. */
    int (*run)(const struct arguments *arguments, struct error *reterr);
};

/* In the order of help; ends with a NULL name. */
extern const struct command command_table[];

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);
const struct action *command_action(const struct command *command, const char *name);

/* Names of all commands, ending with NULL; free() the array. */
const char **command_names(void);

#endif
