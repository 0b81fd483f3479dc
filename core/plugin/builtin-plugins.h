/*
 * Plugins that are part of the program itself. The table is generated; no build has any yet.
 * A bundled plugin is the same source, compiled with SALVOR_PLUGIN_MODULE.
 */
#ifndef SALVOR_PLUGIN_BUILTIN_PLUGINS_H
#define SALVOR_PLUGIN_BUILTIN_PLUGINS_H

#include <salvor/plugin.h>

struct builtin_plugin {
    const char *name;
    salvor_plugin_entry entry;
};

/* Ends with a NULL name. */
extern const struct builtin_plugin salvor_builtin_plugins[];

#endif
