/* Which sets may go: a pure function of the list, the rules and the time. */
#ifndef SALVOR_BACKUP_SET_RETENTION_H
#define SALVOR_BACKUP_SET_RETENTION_H

#include <jansson.h>
#include <stdint.h>

/* Both 0: all complete sets are kept. */
struct set_retention {
    int64_t keep_last;   /* newest sets of each site; 0: not by number */
    int64_t keep_for_ms; /* younger sets; 0: not by age */
};

/*
 * `list` is set_list's; `used` holds set name -> what works from it or is not done with it ("run
 * X"). *Rows in the order of the list: [{"set","provider","site","state","created","size","path",
 * "keep":bool,"why"}], owned by the caller.
 *
 * Rules are per provider and site. Kept in any case: the newest complete set, the newest one that
 * verify called whole, what is used, what is damaged (a person decides), and what `created` says is
 * of the future. A set that verify called damaged fills no place among the newest. Partial ones go
 * once their run is over or unknown and they are older than a week.
 */
json_t *set_retention_decide(const json_t *list, const struct set_retention *retention,
                             const json_t *used, int64_t now_ms);

#endif
