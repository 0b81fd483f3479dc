/* What a command works on: configuration, state folder, site, provider and its plugin. */
#ifndef SALVOR_CLI_TARGET_H
#define SALVOR_CLI_TARGET_H

#include "base/error.h"
#include "cli/arguments.h"
#include "config/site.h"

/* Fills what the command needs to know beforehand; for arguments.c. */
int target_find(struct arguments *arguments, plugin_finder find, struct error *reterr);

/* Configuration and folders as far as they can be had, for completion on a line that is not whole;
 * does nothing when target_find was there before. */
void target_prepare(struct arguments *arguments);

/*
 * The site with all options checked: those of the configuration's site `site` (NULL: none),
 * overridden by those on the line. `commands` (SALVOR_ON_*) says which required options must be
 * there; 0: none, for work on a backup alone.
 */
int target_site(const struct arguments *arguments, const struct plugin_info *info, const char *site,
                uint32_t commands, struct site **ret_site, struct error *reterr);

/* The plugin of `provider` along the search path of the arguments, for commands that learn of it
 * later (resume). Owned by the caller. */
int target_plugin(const struct arguments *arguments, const char *provider,
                  struct plugin_file **ret_plugin, struct error *reterr);

/* Folders of the line, then of `config`, for commands that read the configuration themselves; ends
 * with NULL. The array is owned by the caller, the texts are not. */
const char **target_folders(const struct arguments *arguments, const struct config *config);

#endif
