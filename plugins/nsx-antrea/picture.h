/*
 * What was seen of the managers and of the clusters, as one JSON document: what discover gathers,
 * what backup captures, and what every decision is made from. The decisions (classify.h, guards.h,
 * resync.h, policy-diff.h) read nothing else, so that each can be tried on any situation.
 *
 * {"managers": {"version", "restore": {"status", "backup_timestamp", "end_time"},
 *    "control_planes": [{"id", "node_id", "path", "revision", "create_time", "create_user",
 *       "protection", "certificate": {"sha256", "cn", "not_before", "not_after"},
 *       "foreign": why it is not an Antrea cluster of this manager | null, "supervised": bool,
 *       "report_interval": seconds,
 *       "status": {"controller", "mp_adapter", "ccp_adapter": HEALTHY | DEGRADED | FAILED |
 * UNKNOWN, "mp_connected", "ccp_session": bool, "heartbeat": newest of all conditions}}],
 *    "principals": [{"id", "name", "node_id", "certificate_id", "create_time", "revision",
 *       "system_owned", "supervised": bool}],
 *    "certificates": [{"id", "certificate": {"sha256", "cn", "not_before", "not_after"}}],
 *    "inventory": [{"external_id", "name", "cni", "network_status", "last_sync_time", "counts"}]},
 *  "clusters": [{"context", "reachable": bool, "problem", "kube_system_uid", "antrea_uuid",
 *       "name": clusterName of its bootstrap.conf, "id": clusterID, "supervised": bool,
 *       "certificate": {"sha256", "cn", "not_before", "not_after"}, "counts"}],
 *  "capture": a picture of before, or null,
 *  "gone": [{"name", "proof": "operator | infrastructure | silence", "said": in words}],
 *  "skew_ms": largest measured difference of clocks between here, managers and clusters}
 *
 * All times are milliseconds since the Unix epoch, as the managers give them; what is not known is
 * null or absent. "foreign" objects are shown and never touched.
 */
#ifndef NSX_ANTREA_PICTURE_H
#define NSX_ANTREA_PICTURE_H

#include <jansson.h>
#include <salvor/json.h>
#include <stdint.h>

/* Beyond the measured skew, two machines' times must differ by this much to be told apart. */
#define CLOCK_MARGIN_MS INT64_C(60000)

/* A picture with its look-ups, each of which costs the same in a site of any size. */
struct picture;

/* `json` is borrowed and must not change until picture_free. SALVOR_FAILED: no memory. */
salvor_status picture_open(salvor_call *call, const json_t *json, struct picture **ret_picture);
void picture_free(struct picture *picture);

const json_t *picture_json(const struct picture *picture);

/* The picture of before, with its own look-ups; NULL when there is no capture. Borrowed. */
const struct picture *picture_capture(const struct picture *picture);

/* The skew of the picture plus the margin. */
int64_t picture_clock_margin(const struct picture *picture);

/* Arrays of the document; NULL, which jansson takes as empty, where it has none. Borrowed. */
const json_t *picture_control_planes(const struct picture *picture);
const json_t *picture_principals(const struct picture *picture);
const json_t *picture_clusters(const struct picture *picture);

enum picture_key {
    CONTROL_PLANE_BY_ID,
    CONTROL_PLANE_BY_NODE_ID,
    CONTROL_PLANE_BY_CERTIFICATE, /* digest */
    PRINCIPAL_BY_ID,
    PRINCIPAL_BY_NAME,
    PRINCIPAL_BY_CERTIFICATE, /* digest */
    CERTIFICATE_BY_ID,
    INVENTORY_BY_EXTERNAL_ID,
    INVENTORY_BY_NAME,
    CLUSTER_BY_NAME,
    CLUSTER_BY_CONTEXT,
    GONE_BY_NAME,
    PICTURE_KEYS
};

/* The entry of that kind; NULL when there is none, or `value` is NULL. Of several with the same
 * value the first (picture_count tells how many there are). Borrowed. */
const json_t *picture_find(const struct picture *picture, enum picture_key key, const char *value);
size_t picture_count(const struct picture *picture, enum picture_key key, const char *value);

/* The certificate entry of a principal identity, and the inventory entry of a control plane: by
 * external_id = node_id, else by name (the join is UNCONFIRMED, facts 1.7). */
const json_t *picture_certificate_of(const struct picture *picture, const json_t *principal);
const json_t *picture_inventory_of(const struct picture *picture, const json_t *control_plane);

/* Text member at a path of an entry; NULL when it is not there. */
const char *text_at(const json_t *entry, const char *path);

/* 1 when both are there and equal. */
int same_text(const char *one, const char *other);

#if defined(__GNUC__)
static inline void picture_free_at(struct picture **slot)
{
    picture_free(*slot);
}
#define cleanup_picture __attribute__((__cleanup__(picture_free_at)))
#endif

#endif
