/*
 * Everything that a decision is made from, gathered into one picture (picture.h): the managers, the
 * clusters of the option 'cluster', the capture that the backup set holds, and what the operator or
 * silence says of clusters that are gone.
 */
#ifndef NSX_ANTREA_GATHER_H
#define NSX_ANTREA_GATHER_H

#include <jansson.h>

#include "manager.h"

#define CAPTURE_ARTIFACT "capture.json" /* a picture with "rule_set" and "taken" of before */

#define GATHER_COUNTS 1u  /* inventory counts on both sides */
#define GATHER_RULES 2u   /* "rule_set" of the managers */
#define GATHER_CAPTURE 4u /* the capture of the source, when there is one */

/* What was gathered: the document, and the managers for further questions. */
struct site {
    struct manager manager;
    json_t *picture; /* owned */
};

/* The caller clears it in any case. */
salvor_status gather(salvor_call *call, uint32_t what, struct site *ret_site);
void site_clear(struct site *site);

/* Only the capture of the source: NOT_FOUND when it has none. The caller owns *ret_capture. */
salvor_status read_capture(salvor_call *call, json_t **ret_capture);

#define cleanup_site __attribute__((__cleanup__(site_clear)))

#endif
