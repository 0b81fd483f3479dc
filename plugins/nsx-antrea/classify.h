/*
 * One class for each cluster and each registration (facts, section 3): what is true of it after the
 * managers were restored, and by what evidence. A certificate's digest decides before the node id,
 * the node id before the name; where they disagree nothing is decided and everything stops.
 */
#ifndef NSX_ANTREA_CLASSIFY_H
#define NSX_ANTREA_CLASSIFY_H

#include <jansson.h>
#include <salvor/types.h>

struct picture; /* picture.h */

/* The classes, as texts of "class". */
#define CLASS_IN_SYNC "A"
#define CLASS_CERTIFICATE_ROTATED "A2"
#define CLASS_ORPHAN "B"
#define CLASS_NOT_REGISTERED "C"
#define CLASS_RECREATED "D"
#define CLASS_PRINCIPAL_ONLY "E1"
#define CLASS_CONTROL_PLANE_ONLY "E2"
#define CLASS_UNKNOWN "F"
#define CLASS_FOREIGN "G"

/*
 * {"clusters": [{"name", "class", "alive": bool, "supervised": bool, "context" | null,
 *     "control_plane": id | null, "principal": id | null, "certificate": id | null,
 *     "matched_by": "certificate | node-id | name" | null, "evidence": [one line each]}],
 *  "conflicts": [one line each]}
 *
 * Sorted by name. With any conflict no plan may be made. "alive": a reachable cluster stands behind
 * it; an orphan, or E1 and E2 that are not alive, are proved gone. The caller owns *ret_classes;
 * SALVOR_FAILED: no memory.
 */
salvor_status classify(salvor_call *call, const struct picture *picture, json_t **ret_classes);

/* "in sync", "orphan" ... for tables; "" for what is no class. */
const char *class_words(const char *name);

#endif
