/*
 * Signs of life of a registration, and what proves that its cluster is gone (facts 3.1, guards 2
 * and 3). One sign outweighs every proof.
 */
#ifndef NSX_ANTREA_LIFE_SIGNS_H
#define NSX_ANTREA_LIFE_SIGNS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct picture; /* picture.h */

/* The first sign of life of the control plane in words, or NULL: a component that is HEALTHY or
 * DEGRADED, a heartbeat or an inventory update after the end of the restore. Times within the
 * clocks' margin of it count as after it. Text of 160 bytes at most goes to `buffer`. */
const char *life_sign(const struct picture *picture, const json_t *control_plane, char *buffer,
                      size_t size);

/*
 * Why the cluster of that name counts as gone, in words, or NULL: what stands of it in the
 * picture's "gone". Whoever fills that in has the operator's list, the infrastructure's inventory,
 * or the silence of silence_proves().
 */
const char *proof_of_absence(const struct picture *picture, const char *name);

/*
 * 1 when silence counts as proof at `now_ms`: every component UNKNOWN, `api_name_gone` (the host
 * name of its API no longer resolves: a refused connection proves nothing), and more than three
 * report intervals and thirty minutes, beyond the clocks' margin, since the restore ended well.
 */
int silence_proves(const struct picture *picture, const json_t *control_plane, int api_name_gone,
                   int64_t now_ms);

#endif
