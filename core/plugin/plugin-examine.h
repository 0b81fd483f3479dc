/* What finding and listing share: is this file a plugin that may be used here? */
#ifndef SALVOR_PLUGIN_PLUGIN_EXAMINE_H
#define SALVOR_PLUGIN_PLUGIN_EXAMINE_H

#include <jansson.h>

#include "base/error.h"
#include "plugin/elf-note.h"

/*
 * `found`: absolute path where plugin `name` was found; a symbolic link there is followed, the name
 * is the link's. Checks trust (unless `untrusted`) and reads the note. *ret_path, the path without
 * links, is also set when -1 is returned; owned by the caller.
 */
int examine_file(const char *name, const char *found, int untrusted, char **ret_path,
                 struct plugin_note *ret_note, struct error *reterr);

/* Whether the identity in a note (at least "abi" and "name") is that of plugin `name` for this
 * salvor. */
int examine_identity(const char *name, const char *path, const json_t *identity,
                     struct error *reterr);

/* "'PATH' is not a salvor plugin", because of its note. Returns -1. */
int examine_refuse_note(const char *path, const char *detail, struct error *reterr);

/* Calls `visit` for each plugin file of the search path, nearest folder first, sorted in each, one
 * a file name. `name` is NULL when the file is not named as one. */
int examine_all(const char *const *folders,
                void (*visit)(void *data, const char *name, const char *found), void *data,
                struct error *reterr);

#endif
