/* From a provider's name to a plugin file that may be trusted, without loading anything. */
#ifndef SALVOR_PLUGIN_PLUGIN_FIND_H
#define SALVOR_PLUGIN_PLUGIN_FIND_H

#include <jansson.h>

#include "base/digest.h"
#include "base/error.h"
#include "plugin/plugin-info.h"

struct plugin_file {
    char *path;               /* absolute, symbolic links resolved */
    char *build_id;           /* hexadecimal GNU build id, or "" */
    struct plugin_info *info; /* from the ELF note */
};

/*
 * Searches, in this order, the folders of --plugin-dir (`folders`, NULL-terminated or NULL), those
 * of $SALVOR_PLUGIN_PATH, and the built-in one, for the file of plugin `name`; checks trust (owner
 * root or self, not writable by others, nor any parent folder without the sticky bit) and reads its
 * note. Each refusal is its own error (exit code 2).
 */
int plugin_find(const char *name, const char *const *folders, struct plugin_file **ret_file,
                struct error *reterr);

/* Looks at one plugin file that was named by its path: everything of plugin_find but the search,
 * and with `untrusted` also without the trust check (for its author, who does not run it). */
int plugin_find_file(const char *path, int untrusted, struct plugin_file **ret_file,
                     struct error *reterr);

/* All plugins of the search path, nearest first, one a name. Files that cannot be used are entries
 * whose `info` is NULL and whose reason is in `ret_problems` (JSON array of
 * {"path","message","detail","hint"}, owned by the caller). The array ends with NULL. */
int plugin_find_all(const char *const *folders, struct plugin_file ***ret_files,
                    json_t **ret_problems, struct error *reterr);

/* SHA-256 of the whole file, for the journal; costs a pass over it. */
int plugin_file_digest(const struct plugin_file *file, char ret_text[DIGEST_TEXT_SIZE],
                       struct error *reterr);

void plugin_file_free(struct plugin_file *file);
void plugin_files_free(struct plugin_file **files);

#endif
