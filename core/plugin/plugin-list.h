/* All plugins of the search path at a glance. */
#ifndef SALVOR_PLUGIN_PLUGIN_LIST_H
#define SALVOR_PLUGIN_PLUGIN_LIST_H

#include <jansson.h>

#include "base/error.h"

/*
 * A JSON array, owned by the caller, of {"name","version","abi","summary","path","usable":true},
 * nearest folder first, one a name. Files that cannot be used have "usable":false, "message",
 * "detail" and "hint" instead of version and ABI; their name is that of the file, or null.
 * Nothing is run, and of a descriptor only its identity is read: rules that it breaks further
 * inside show when it is used. `folders`: as for plugin_find().
 */
int plugin_list(const char *const *folders, json_t **ret_rows, struct error *reterr);

#endif
