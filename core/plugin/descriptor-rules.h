/*
 * The rules that a plugin's descriptor keeps (docs/internals.md gives its JSON form): shape, names,
 * and what later code relies on, such as that each manual row says what to do. Each broken rule is
 * found, so that an author sees all of them at once.
 */
#ifndef SALVOR_PLUGIN_DESCRIPTOR_RULES_H
#define SALVOR_PLUGIN_DESCRIPTOR_RULES_H

#include <jansson.h>

/*
 * A JSON array, owned by the caller, of {"id","message"}: the rule's name ("row-deadline") and
 * what breaks it. Empty when the descriptor is sound. Members that this version does not know are
 * ignored.
 */
json_t *descriptor_problems(const json_t *descriptor);

/* 1 when `name` can be that of a plugin or an option: [a-z][a-z0-9-]{0,31}. */
int name_is_well_formed(const char *name);

#endif
