/* Which set of a list is meant: "latest" or a name. */
#ifndef SALVOR_BACKUP_SET_PICK_H
#define SALVOR_BACKUP_SET_PICK_H

#include <jansson.h>

#include "base/error.h"

struct set_wish {
    const char *provider; /* NULL: any, but not for "latest" */
    const char *site;     /* for "latest"; NULL: any */
    const char *what;
    const char *place; /* the store, for errors */
    int sound;         /* "latest" is refused when verify called it damaged */
};

enum { SET_NOT_THERE = 1 };

/*
 * 0: *ret_row is one of `list` (set_list's, so newest first). SET_NOT_THERE: there is none of that
 * name. -1: it is not complete, there is no latest, or a damaged set may be the newer one; the
 * error names both.
 */
int set_pick(const json_t *list, const struct set_wish *wish, const json_t **ret_row,
             struct error *reterr);

/* "there is no backup set …". Always -1. */
int set_pick_nothing(const struct set_wish *wish, struct error *reterr);

#endif
