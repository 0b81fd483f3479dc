/* Situations of a site for tests: a healthy one of three clusters, and a way to change single
 * values of it. */
#ifndef SALVOR_TESTS_NSX_SITUATION_H
#define SALVOR_TESTS_NSX_SITUATION_H

#include <jansson.h>

/* Restored at SITUATION_END from a backup of SITUATION_BACKUP; clusters 'alpha', 'beta' and 'gamma'
 * registered and in sync. Owned by the caller. */
#define SITUATION_BACKUP 1700000000000LL
#define SITUATION_END 1700003600000LL
json_t *situation_new(void);

/* Replaces the value at a path (a JSON pointer) by one in json_pack()'s format. */
void situation_set(json_t *situation, const char *path, const char *format, ...);

/* Takes the entry of that id, name or context out of the array at the path. */
void situation_remove(json_t *situation, const char *path, const char *name);

#endif
