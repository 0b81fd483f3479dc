/* All that a plugin says of itself, for people and for scripts. */
#ifndef SALVOR_CLI_PLUGIN_SHOW_H
#define SALVOR_CLI_PLUGIN_SHOW_H

#include <stdio.h>

#include "cli/arguments.h"
#include "plugin/plugin-find.h"

/* json and yaml: the descriptor with path and build id; table and wide: key=value lines, then
 * tables of options, procedures, findings and declared reads; name: the name. */
void plugin_show(FILE *out, enum output_format format, const struct plugin_file *file);

#endif
