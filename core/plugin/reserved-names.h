/* Flags of salvor itself: no option of a plugin may have such a name. */
#ifndef SALVOR_PLUGIN_RESERVED_NAMES_H
#define SALVOR_PLUGIN_RESERVED_NAMES_H

/* Long flags without the leading hyphens, sorted; ends with NULL. */
extern const char *const reserved_names[];

/* 1 when `name`, or the flag that "no-" before it negates, is one of salvor's own. */
int name_is_reserved(const char *name);

#endif
