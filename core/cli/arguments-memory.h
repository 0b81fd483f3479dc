/* What the texts of struct arguments live in; for the files that fill it. */
#ifndef SALVOR_CLI_ARGUMENTS_MEMORY_H
#define SALVOR_CLI_ARGUMENTS_MEMORY_H

#include <stddef.h>

#include "cli/arguments.h"

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
