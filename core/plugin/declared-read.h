/*
 * Patterns of commands that read by declaration (salvor/plugin.h, struct salvor_declared_read):
 * words, "*" for any one word, a last "**" for any number of them, "{script}" for a script whose
 * digest the descriptor names.
 */
#ifndef SALVOR_PLUGIN_DECLARED_READ_H
#define SALVOR_PLUGIN_DECLARED_READ_H

#include <stddef.h>

/* Why the pattern may not be in a descriptor, or NULL. `script_sha256` may be NULL. */
const char *declared_read_fault(const char *pattern, const char *script_sha256);

/*
 * 1 when the command fits: its first word by the file name of the program, the others whole.
 * `script`: the path that "{script}" stands for (its digest is the caller's to check), or NULL.
 */
int declared_read_matches(const char *pattern, const char *const *argv, size_t argc,
                          const char *script);

#endif
