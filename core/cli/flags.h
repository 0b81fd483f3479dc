/* The core's own flags: one table for parsing, help, completion, the manual and reserved names. */
#ifndef SALVOR_CLI_FLAGS_H
#define SALVOR_CLI_FLAGS_H

#include <stdint.h>

#include "cli/commands.h"

enum flag_id {
    FLAG_PROVIDER,
    FLAG_SITE,
    FLAG_SET,
    FLAG_CONFIG,
    FLAG_STATE_DIR,
    FLAG_PLUGIN_DIR,
    FLAG_STORE,
    FLAG_FROM,
    FLAG_INTO,
    FLAG_PATH,
    FLAG_APPROVE,
    FLAG_POLICY,
    FLAG_YES,
    FLAG_DRY_RUN,
    FLAG_MANUAL,
    FLAG_WAIVE,
    FLAG_SETTLE,
    FLAG_REASON,
    FLAG_WAIT,
    FLAG_TIMEOUT,
    FLAG_ACCEPT_PLUGIN_CHANGE,
    FLAG_NO_POST_RESYNC,
    FLAG_RECORD,
    FLAG_REPLAY,
    FLAG_VERIFY,
    FLAG_RECIPIENT,
    FLAG_WITHOUT_SECRETS,
    FLAG_IDENTITY,
    FLAG_READ_DATA,
    FLAG_KEEP_LAST,
    FLAG_KEEP_FOR,
    FLAG_OUTPUT,
    FLAG_LOG_FORMAT,
    FLAG_VERBOSE,
    FLAG_QUIET,
    FLAG_HELP,
    FLAG_VERSION
};

/* What completion offers as value. */
enum flag_value {
    VALUE_NONE, /* a switch: --flag, --flag=true, --flag=false */
    VALUE_TEXT,
    VALUE_FILE,
    VALUE_FOLDER,
    VALUE_PROVIDER,
    VALUE_SITE,
    VALUE_STORE,
    VALUE_OPTION, /* KEY=VALUE of the provider */
    VALUE_SOURCE, /* latest, a set, a path, a URL, a run */
    VALUE_PROCEDURE,
    VALUE_FINDING,
    VALUE_ROW,
    VALUE_REFERENCE, /* of a secret */
    VALUE_FORMAT,    /* the command's outputs */
    VALUE_LOG_FORMAT
};

struct flag {
    const char *name;
    const char *value_name; /* for help; NULL for a switch */
    const char *help;       /* one line, lower case */
    enum flag_id id;
    enum flag_value value;
    int repeatable;
    uint32_t commands; /* ON() mask */
    const char
        *actions; /* of a command with actions, those that have it: "verify export"; NULL: all */
    char letter;  /* 0: none */
};

/* In the order of help; ends with a NULL name. */
extern const struct flag flag_table[];

/* 0 when the flag belongs to other actions of the command (both may be NULL). */
int flag_has_action(const struct flag *flag, const struct command *command, const char *action);

/* NULL when there is none. */
const struct flag *flag_find(const char *name);
const struct flag *flag_by_letter(char letter);

/*
 * Letters that stand for a provider's option, for those used to kubectl: "namespace" for 'n'. NULL
 * when the letter means nothing.
 */
const char *flag_option_by_letter(char letter);

#endif
