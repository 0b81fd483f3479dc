/* Findings that many objects share: counted, the first few named, raised once. */
#ifndef SALVOR_RANCHER_TALLY_H
#define SALVOR_RANCHER_TALLY_H

#include <salvor/report.h>
#include <stdint.h>

#define TALLY_NAMED 5u
#define SHOWN_SIZE 512u

/* A name as it may be shown: clipped, what is no UTF-8 or a control character as '?'. */
const char *shown_name(struct salvor_span name, char buffer[SHOWN_SIZE]);

struct tally {
    const char *finding;
    uint32_t severity; /* 0: the finding's own */
    uint64_t count;
    char *objects[TALLY_NAMED];
    char *detail; /* of the first */
};

/*
 * One more object. With the option 'all-objects' it is raised at once, each with its own detail.
 * Fails for want of memory only (reported).
 */
salvor_status tally_add(salvor_call *call, struct tally *tally, const char *object,
                        const char *format, ...) SALVOR_PRINTF(4, 5);

/* Of so many objects, how many have to be added for their names; the rest only counts. */
uint64_t tally_wants(salvor_call *call, uint64_t count);

/* Raises what was counted. */
salvor_status tally_raise(salvor_call *call, struct tally *tally);
void tally_clear(struct tally *tally);

#endif
