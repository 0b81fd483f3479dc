/* etcdctl as this plugin uses it: every command line in one place. */
#ifndef SALVOR_EXAMPLE_ETCD_H
#define SALVOR_EXAMPLE_ETCD_H

#include <jansson.h>
#include <salvor/helpers.h>

/* What the endpoint says of itself. */
struct etcd_status {
    int reachable;
    char version[32];
    int64_t revision;
    int64_t compact_revision; /* 0: never compacted */
    int64_t db_size;          /* bytes */
};

/* Asks the site's endpoint; a member that does not answer is no failure, but `reachable` 0. */
salvor_status etcd_ask_status(salvor_call *call, struct etcd_status *ret_status);

/* {"members":[{"ID","name","peerURLs","clientURLs"}]}; owned by the caller. */
salvor_status etcd_ask_members(salvor_call *call, json_t **ret_members);

/* 1 in *ret_healthy when the member can commit. */
salvor_status etcd_ask_health(salvor_call *call, int *ret_healthy);

/* Saves a snapshot to `path` below the scratch folder. */
salvor_status etcd_save_snapshot(salvor_call *call, const char *path);

/* {"hash","revision","totalKey","totalSize"} of a snapshot file; owned by the caller. */
salvor_status etcd_snapshot_status(salvor_call *call, const char *path, json_t **ret_status);

/* All keys with values as of `revision` (0: now), as etcdctl's JSON; valid until the hook returns.
 */
salvor_status etcd_get_all(salvor_call *call, int64_t revision, struct salvor_span *ret_json);

/* Compacts the history up to `revision`. */
salvor_status etcd_compact(salvor_call *call, int64_t revision);

/* Runs a command of the site ("stop", "start"), "{data-dir}" in a word being `data_dir`. */
salvor_status etcd_site_command(salvor_call *call, const char *option, const char *data_dir);

/*
 * Parses an answer of etcdctl. Its member and cluster ids are unsigned 64-bit numbers, which no
 * integer of jansson holds: all numbers become reals, exact for every revision and size (below
 * 2^53).
 */
salvor_status etcd_parse(salvor_call *call, struct salvor_span text, const char *what,
                         json_t **ret_json);

/* The number at a JSON pointer of such an answer, or the fallback. */
int64_t etcd_number(const json_t *answer, const char *path, int64_t fallback);

/* Runs any command; a failing one is reported with its last words. */
salvor_status etcd_run(salvor_call *call, const char *const *argv, struct salvor_exec_result *ret);

#endif
