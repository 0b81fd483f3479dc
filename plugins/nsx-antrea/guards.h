/*
 * Never remove a live cluster: the guard list of facts 3.1, each guard a check of its own that the
 * plan shows and that is asked again right before each DELETE.
 *
 * Guards 1 (a saved plan, values unchanged) and 9 (a dry run first) are the engine's: the values
 * are guard facts of the steps, the plan is approved by its hash. guard_unchanged compares them
 * here, too, so that they hold for every object and not only for the step.
 */
#ifndef NSX_ANTREA_GUARDS_H
#define NSX_ANTREA_GUARDS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct picture; /* picture.h */

/* What a guard judges: a registration that is to be removed. */
struct guarded {
    const struct picture *picture; /* seen just now */
    const json_t *classes;         /* classify() of it */
    const char *name;
    const json_t *planned;     /* {"control_plane": entry | null, "principal": entry | null,
                                  "certificate": entry | null} as the plan froze them */
    const json_t *exported;    /* ids and paths that the export holds: {"path": sha256} */
    const json_t *paths;       /* array of all that will be removed */
    const char *own_principal; /* id of the one that salvor itself logged in with, or NULL */
    int resync_ended;
    int64_t now_ms;
};

enum { GUARD_TEXT = 320 };

/* 1: it holds; 0: it does not, and `text` says why. When it holds `text` says what was seen. */
typedef int (*guard_check)(const struct guarded *guarded, char text[GUARD_TEXT]);

struct guard {
    const char *id;    /* "gone-is-proved" */
    const char *title; /* for the plan: "the cluster is proved gone" */
    guard_check check;
};

/* In the order of the facts; ended by one without id. */
extern const struct guard removal_guards[];

/* The first that does not hold, or NULL when all do; `text` as of the last one asked. `without`:
 * ids that are not asked (a registration of a living cluster is replaced: class D, E1, E2), or
 * NULL. */
const struct guard *guards_first_broken(const struct guarded *guarded, const char *const *without,
                                        char text[GUARD_TEXT]);

#endif
