/* What the texts of struct arguments live in; for the files that fill it. */
#ifndef SALVOR_CLI_ARGUMENTS_MEMORY_H
#define SALVOR_CLI_ARGUMENTS_MEMORY_H

#include <stddef.h>

#include "cli/arguments.h"

enum { ARGUMENTS_FLAG_LIMIT = 16 };

struct flag;

struct text_list {
    const char **items; /* ends with NULL; NULL while empty */
    size_t count;
};

struct arguments_memory {
    char **texts;
    size_t text_count;
    struct text_list operands, approve, manual, plugin_folders;
    struct waiver *waivers;
    size_t waiver_count;
    struct settlement *settlements;
    size_t settlement_count;
    struct config *config;
    json_t *store;
    json_t *given_keeping; /* of flags: "recipients", "identity", "keep-last", "keep-for" */
    const struct flag *seen[ARGUMENTS_FLAG_LIMIT]; /* flags that belong to some actions only */
    size_t seen_count;
    struct plugin_file *plugin;
    const struct action *action;
    int action_unknown, flag_unknown;
    int verbose, quiet;
    /* as on the line, before configuration and defaults are asked */
    const char *given_provider, *given_site, *given_config, *given_state_folder, *given_store;
};

/* Frees `text` together with the arguments; returns it. */
const char *arguments_keep(struct arguments *arguments, char *text);

void text_list_add(struct text_list *list, const char *text);

#endif
