#include "resync.h"

#include <salvor/helpers.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "picture.h"

#define YES "yes"
#define NOT_YET "not-yet"
#define CANNOT_TELL "cannot-tell"

struct signs {
    const struct picture *picture;
    const struct picture *before;
    json_t *list;
    int waiting; /* signs that hold the end up */
    int failed;
};

static void add_sign(struct signs *signs, const char *sign, const char *cluster, const char *state,
                     const char *format, ...) SALVOR_PRINTF(5, 6);

static void add_sign(struct signs *signs, const char *sign, const char *cluster, const char *state,
                     const char *format, ...)
{
    char seen[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(seen, sizeof seen, format, args);
    va_end(args);
    json_t *entry = json_pack("{s:s, s:s?, s:s, s:s}", "sign", sign, "cluster", cluster, "state",
                              state, "seen", seen);
    if (entry == NULL || json_array_append_new(signs->list, entry) != 0)
        signs->failed = 1;
    if (strcmp(state, NOT_YET) == 0)
        signs->waiting++;
}

/* ---- 1 and 2: the managers ----------------------------------------------------------------------
 */

static int64_t restore_end(const struct signs *signs)
{
    return salvor_json_integer(picture_json(signs->picture), "/managers/restore/end_time", 0);
}

static void sign_of_restore(struct signs *signs)
{
    const char *status =
        salvor_json_text(picture_json(signs->picture), "/managers/restore/status", "");
    const int ended = strcmp(status, "SUCCESS") == 0 && restore_end(signs) > 0;
    add_sign(signs, "restore", NULL, ended ? YES : NOT_YET, "restore is '%s'%s", status,
             ended ? "" : ", or has no end yet");
}

/* A single restored manager of three stays degraded: told, but nothing to wait for. */
static void sign_of_managers(struct signs *signs)
{
    const json_t *json = picture_json(signs->picture);
    const char *management =
        salvor_json_text(json, "/managers/cluster_status/management", "UNKNOWN");
    const char *control = salvor_json_text(json, "/managers/cluster_status/control", "UNKNOWN");
    const int starting = strcmp(management, "INITIALIZING") == 0;
    const int indexing = salvor_json_flag(json, "/managers/search_indexing", 0);
    const int stable = strcmp(management, "STABLE") == 0 && strcmp(control, "STABLE") == 0;
    add_sign(signs, "managers", NULL,
             starting || indexing ? NOT_YET
             : stable             ? YES
                                  : CANNOT_TELL,
             "management is %s, control is %s%s", management, control,
             indexing ? ", search is indexing" : "");
}

/* ---- 3 and 4: the adapters ----------------------------------------------------------------------
 */

static int is_after_restore(const struct signs *signs, int64_t time)
{
    return time > restore_end(signs) + picture_clock_margin(signs->picture);
}

static void sign_of_heartbeat(struct signs *signs, const char *name, const json_t *control_plane)
{
    static const char *const components[] = {"controller", "mp_adapter", "ccp_adapter"};
    for (size_t i = 0; i < sizeof components / sizeof *components; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/status/%s", components[i]);
        const char *status = salvor_json_text(control_plane, path, "UNKNOWN");
        if (strcmp(status, "HEALTHY") != 0) {
            add_sign(signs, "heartbeat", name, NOT_YET, "%s is %s", components[i], status);
            return;
        }
    }
    if (!salvor_json_flag(control_plane, "/status/mp_connected", 0) ||
        !salvor_json_flag(control_plane, "/status/ccp_session", 0)) {
        add_sign(signs, "heartbeat", name, NOT_YET, "an adapter is not connected");
        return;
    }
    const int after =
        is_after_restore(signs, salvor_json_integer(control_plane, "/status/heartbeat", 0));
    add_sign(signs, "heartbeat", name, after ? YES : NOT_YET,
             after ? "all adapters are healthy and were heard after the restore"
                   : "all adapters are healthy, but none was surely heard after the restore");
}

/* That it only moves when something changes is UNCONFIRMED: the counts decide then. */
static void sign_of_last_sync(struct signs *signs, const char *name, const json_t *inventory)
{
    const int after = is_after_restore(signs, salvor_json_integer(inventory, "/last_sync_time", 0));
    add_sign(signs, "last-sync", name, after ? YES : CANNOT_TELL,
             after ? "its inventory was updated after the restore"
                   : "its inventory has no update surely after the restore");
}

/* ---- 5: inventory and cluster count the same, twice
 * ---------------------------------------------- */

/* 1: equal; 0: not, and *ret_kind says in what; -1: one side tells nothing. */
static int same_counts(const json_t *cluster, const json_t *inventory, const char **ret_kind)
{
    const json_t *here = salvor_json_at(cluster, "/counts");
    const json_t *there = salvor_json_at(inventory, "/counts");
    const char *kind = NULL;
    json_t *count = NULL;
    int compared = 0;
    json_object_foreach ((json_t *)(uintptr_t)here, kind, count) {
        const json_t *other = json_object_get(there, kind);
        if (!json_is_integer(count) || !json_is_integer(other))
            continue;
        compared++;
        *ret_kind = kind;
        if (json_integer_value(count) != json_integer_value(other))
            return 0;
    }
    return compared > 0 ? 1 : -1;
}

static int counts_in(const struct picture *picture, const char *name, const char **ret_kind)
{
    const json_t *plane = picture_find(picture, CONTROL_PLANE_BY_ID, name);
    return same_counts(picture_find(picture, CLUSTER_BY_NAME, name),
                       picture_inventory_of(picture, plane), ret_kind);
}

static void sign_of_inventory(struct signs *signs, const char *name)
{
    const char *kind = "objects";
    const int now = counts_in(signs->picture, name, &kind);
    if (now != 1) {
        add_sign(signs, "inventory", name, NOT_YET,
                 now == 0 ? "the managers count other %s than the cluster has"
                          : "the managers have no counts of %s of it",
                 kind);
        return;
    }
    const char *then = kind;
    const int earlier = signs->before != NULL && counts_in(signs->before, name, &then) == 1;
    add_sign(signs, "inventory", name, earlier ? YES : NOT_YET,
             earlier ? "inventory and cluster count the same, twice"
                     : "inventory and cluster count the same; asked once more");
}

/* ---- 6: policies
 * --------------------------------------------------------------------------------- */

static void sign_of_policies(struct signs *signs, const char *name)
{
    const json_t *open =
        json_object_get(salvor_json_at(picture_json(signs->picture), "/policies_unrealized"), name);
    if (!json_is_integer(open))
        add_sign(signs, "policies", name, CANNOT_TELL, "realization of its policies was not read");
    else if (json_integer_value(open) > 0)
        add_sign(signs, "policies", name, NOT_YET, "%lld of its policies are not realized",
                 (long long)json_integer_value(open));
    else
        add_sign(signs, "policies", name, YES, "all policies that span it are realized");
}

/* ---- all of them
 * --------------------------------------------------------------------------------- */

/* Those that reconnect by themselves; the others wait for what salvor or their operator does. */
static int reconnects(const json_t *row)
{
    return salvor_json_flag(row, "/alive", 0) &&
           strcmp(salvor_json_text(row, "/class", ""), CLASS_IN_SYNC) == 0;
}

salvor_status resync_signs(salvor_call *call, const struct picture *picture,
                           const struct picture *before, const json_t *classes, json_t **ret_signs)
{
    json_t *list = json_array();
    struct signs signs = {picture, before, list, 0, list == NULL};
    json_int_t done = 0;
    json_int_t total = 0;
    size_t index = 0;
    const json_t *row = NULL;
    sign_of_restore(&signs);
    sign_of_managers(&signs);
    json_array_foreach (json_object_get(classes, "clusters"), index, row) {
        const char *name = salvor_json_text(row, "/name", "");
        const json_t *plane =
            picture_find(picture, CONTROL_PLANE_BY_ID, text_at(row, "/control_plane"));
        const int waiting = signs.waiting;
        if (!reconnects(row))
            continue;
        sign_of_heartbeat(&signs, name, plane);
        sign_of_last_sync(&signs, name, picture_inventory_of(picture, plane));
        sign_of_inventory(&signs, name);
        sign_of_policies(&signs, name);
        total++;
        done += signs.waiting == waiting;
    }
    json_t *answer = json_pack("{s:b, s:o, s:I, s:I}", "ended", signs.waiting == 0, "signs", list,
                               "done", done, "total", total);
    if (answer == NULL || signs.failed) {
        json_decref(answer);
        return salvor_fail_memory(call, "the signs of the resynchronisation");
    }
    *ret_signs = answer;
    return SALVOR_OK;
}
