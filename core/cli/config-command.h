/* `salvor config check|show|schema`. */
#ifndef SALVOR_CLI_CONFIG_COMMAND_H
#define SALVOR_CLI_CONFIG_COMMAND_H

#include <jansson.h>

#include "base/error.h"
#include "cli/arguments.h"

int config_command(const struct arguments *arguments, struct error *reterr);

/*
 * JSON Schema (draft 2020-12) of salvor.yaml with the options of these plugins (ends with NULL;
 * entries without info are skipped). Owned by the caller.
 */
json_t *config_schema(struct plugin_file *const *plugins);

/*
 * What is in force and where it comes from: [{"setting","value","origin"}]. Values of secret
 * options, and all of sites whose plugin is not there to tell, are masked. Owned by the caller.
 */
json_t *config_overview(const struct arguments *arguments, const struct config *config,
                        struct plugin_file *const *plugins);

#endif
