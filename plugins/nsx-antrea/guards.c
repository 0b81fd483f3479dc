#include "guards.h"

#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "life-signs.h"
#include "picture.h"

#define SAY(...) ((void)snprintf(text, GUARD_TEXT, __VA_ARGS__))

static const json_t *planned_control_plane(const struct guarded *guarded)
{
    const json_t *entry = salvor_json_at(guarded->planned, "/control_plane");
    return json_is_object(entry) ? entry : NULL;
}

static const json_t *planned_principal(const struct guarded *guarded)
{
    const json_t *entry = salvor_json_at(guarded->planned, "/principal");
    return json_is_object(entry) ? entry : NULL;
}

static const json_t *control_plane_now(const struct guarded *guarded)
{
    return picture_find(guarded->picture, CONTROL_PLANE_BY_ID, guarded->name);
}

/* ---- guard 1: nothing of it has changed
 * ---------------------------------------------------------- */

/* Compares what identifies an object; an object that is gone meanwhile was removed by this plan. */
static int entry_unchanged(const json_t *planned, const json_t *now, const char *what,
                           char text[GUARD_TEXT])
{
    static const char *const members[] = {"/id", "/path", "/node_id", "/certificate_id",
                                          "/certificate/sha256"};
    for (size_t i = 0; now != NULL && i < sizeof members / sizeof *members; i++) {
        const char *before = text_at(planned, members[i]);
        const char *present = text_at(now, members[i]);
        if (before == NULL && present == NULL)
            continue;
        if (!same_text(before, present)) {
            SAY("%s of the %s was '%s' in the plan and is '%s'", members[i] + 1, what,
                before != NULL ? before : "", present != NULL ? present : "");
            return 0;
        }
    }
    const int64_t before = salvor_json_integer(planned, "/revision", -1);
    const int64_t present = salvor_json_integer(now, "/revision", before);
    if (before != present) {
        SAY("revision of the %s was %lld in the plan and is %lld", what, (long long)before,
            (long long)present);
        return 0;
    }
    return 1;
}

static int unchanged(const struct guarded *guarded, char text[GUARD_TEXT])
{
    const json_t *plane = planned_control_plane(guarded);
    const json_t *principal = planned_principal(guarded);
    const json_t *certificate = salvor_json_at(guarded->planned, "/certificate");
    const json_t *plane_now = control_plane_now(guarded);
    const json_t *principal_now = picture_find(guarded->picture, PRINCIPAL_BY_NAME, guarded->name);
    if (plane == NULL && plane_now != NULL) {
        SAY("a control plane '%s' has appeared since the plan", guarded->name);
        return 0;
    }
    if (principal == NULL && principal_now != NULL) {
        SAY("a principal identity '%s' has appeared since the plan", guarded->name);
        return 0;
    }
    if (!entry_unchanged(plane, plane_now, "control plane", text) ||
        !entry_unchanged(principal, principal_now, "principal identity", text) ||
        !entry_unchanged(
            certificate,
            picture_find(guarded->picture, CERTIFICATE_BY_ID, text_at(certificate, "/id")),
            "certificate", text))
        return 0;
    SAY("ids, paths, revisions and certificates are those of the plan");
    return 1;
}

/* ---- guard 2: gone is proved --------------------------------------------------------------------
 */

static int gone_is_proved(const struct guarded *guarded, char text[GUARD_TEXT])
{
    const char *proof = proof_of_absence(guarded->picture, guarded->name);
    const json_t *cluster = picture_find(guarded->picture, CLUSTER_BY_NAME, guarded->name);
    if (salvor_json_flag(cluster, "/reachable", 0)) {
        SAY("cluster '%s' answers and calls itself '%s'", salvor_json_text(cluster, "/context", ""),
            guarded->name);
        return 0;
    }
    if (proof == NULL) {
        SAY("nothing proves that cluster '%s' is gone; that it does not answer is no proof",
            guarded->name);
        return 0;
    }
    SAY("%s", proof);
    return 1;
}

/* ---- guard 3: no sign of life -------------------------------------------------------------------
 */

static int no_sign_of_life(const struct guarded *guarded, char text[GUARD_TEXT])
{
    char sign[160];
    const json_t *plane = control_plane_now(guarded);
    if (plane != NULL && life_sign(guarded->picture, plane, sign, sizeof sign) != NULL) {
        SAY("something lives behind '%s': %s", guarded->name, sign);
        return 0;
    }
    SAY("no component, heartbeat or inventory update since the restore");
    return 1;
}

/* ---- guard 4: the resync window has ended -------------------------------------------------------
 */

static int resync_has_ended(const struct guarded *guarded, char text[GUARD_TEXT])
{
    SAY("%s", guarded->resync_ended
                  ? "the resynchronisation has ended"
                  : "the resynchronisation has not ended: every cluster looks silent now");
    return guarded->resync_ended;
}

/* ---- guard 5: it was in the backup --------------------------------------------------------------
 */

static int was_in_the_backup(const struct guarded *guarded, char text[GUARD_TEXT])
{
    const json_t *json = picture_json(guarded->picture);
    const json_t *planes[] = {planned_control_plane(guarded), control_plane_now(guarded)};
    const int64_t backup = salvor_json_integer(json, "/managers/restore/backup_timestamp", 0);
    if (backup <= 0) {
        SAY("the time of the restored backup is not known");
        return 0;
    }
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++) {
        const int64_t created = salvor_json_integer(planes[i], "/create_time", 0);
        if (planes[i] != NULL && (created <= 0 || created > backup)) {
            SAY("control plane '%s' was created after the backup", guarded->name);
            return 0;
        }
    }
    SAY("its control plane is older than the backup");
    return 1;
}

/* ---- guard 6: the principal identity is this cluster's only
 * -------------------------------------- */

static int principal_is_its_own(const struct guarded *guarded, char text[GUARD_TEXT])
{
    const json_t *principal = planned_principal(guarded);
    const char *id = text_at(principal, "/id");
    const json_t *certificate = picture_certificate_of(guarded->picture, principal);
    const char *sha256 = text_at(certificate, "/certificate/sha256");
    const json_t *user = picture_find(guarded->picture, CONTROL_PLANE_BY_CERTIFICATE, sha256);
    if (principal == NULL) {
        SAY("there is no principal identity to remove");
        return 1;
    }
    if (salvor_json_flag(principal, "/system_owned", 0) ||
        salvor_json_flag(principal, "/supervised", 0)) {
        SAY("principal identity '%s' is the system's or its operator's", guarded->name);
        return 0;
    }
    if (same_text(id, guarded->own_principal)) {
        SAY("salvor itself is logged in as principal identity '%s'", guarded->name);
        return 0;
    }
    if (!same_text(text_at(principal, "/name"), guarded->name) ||
        (certificate != NULL &&
         !same_text(text_at(certificate, "/certificate/cn"), guarded->name))) {
        SAY("principal identity '%s' has a certificate of '%s'",
            salvor_json_text(principal, "/name", ""),
            salvor_json_text(certificate, "/certificate/cn", "nobody"));
        return 0;
    }
    if (picture_count(guarded->picture, CONTROL_PLANE_BY_CERTIFICATE, sha256) > 1 ||
        (user != NULL && !same_text(text_at(user, "/id"), guarded->name))) {
        SAY("control plane '%s' uses its certificate, too", salvor_json_text(user, "/id", ""));
        return 0;
    }
    if (picture_count(guarded->picture, PRINCIPAL_BY_CERTIFICATE, sha256) > 1) {
        SAY("another principal identity uses its certificate, too");
        return 0;
    }
    SAY("name, certificate and control plane of the principal identity are its own");
    return 1;
}

/* ---- guard 7: all of it is exported -------------------------------------------------------------
 */

static int is_exported(const struct guarded *guarded, char text[GUARD_TEXT])
{
    size_t index = 0;
    const json_t *path = NULL;
    if (json_array_size(guarded->paths) == 0) {
        SAY("the plan names nothing to remove");
        return 0;
    }
    json_array_foreach (guarded->paths, index, path) {
        if (json_object_get(guarded->exported, json_string_value(path)) == NULL) {
            SAY("the export does not hold '%s'", json_string_value(path));
            return 0;
        }
    }
    SAY("the export holds all %zu objects", json_array_size(guarded->paths));
    return 1;
}

/* ---- guard 8: nothing contradicts ---------------------------------------------------------------
 */

static int no_conflict(const struct guarded *guarded, char text[GUARD_TEXT])
{
    const json_t *conflicts = salvor_json_at(guarded->classes, "/conflicts");
    if (json_array_size(conflicts) > 0) {
        SAY("%s", json_string_value(json_array_get(conflicts, 0)));
        return 0;
    }
    SAY("no two clusters or control planes contradict each other");
    return 1;
}

static int is_not_foreign(const struct guarded *guarded, char text[GUARD_TEXT])
{
    const json_t *plane = control_plane_now(guarded);
    const char *foreign = text_at(plane, "/foreign");
    if (foreign != NULL || salvor_json_flag(plane, "/supervised", 0)) {
        SAY("control plane '%s' is not salvor's to remove: %s", guarded->name,
            foreign != NULL ? foreign : "its operator looks after it");
        return 0;
    }
    SAY("it is an Antrea cluster of this manager that no operator looks after");
    return 1;
}

const struct guard removal_guards[] = {
    {"unchanged", "everything is as the plan has it", unchanged},
    {"gone-is-proved", "the cluster is proved gone", gone_is_proved},
    {"no-sign-of-life", "nothing lives behind it", no_sign_of_life},
    {"resync-has-ended", "the resynchronisation has ended", resync_has_ended},
    {"was-in-the-backup", "it came back with the backup", was_in_the_backup},
    {"principal-is-its-own", "its principal identity is nobody else's", principal_is_its_own},
    {"is-exported", "everything that goes is exported", is_exported},
    {"no-conflict", "no two registrations contradict each other", no_conflict},
    {"is-not-foreign", "it is not somebody else's to look after", is_not_foreign},
    {NULL, NULL, NULL},
};

static int is_left_out(const char *id, const char *const *without)
{
    for (; without != NULL && *without != NULL; without++) {
        if (strcmp(*without, id) == 0)
            return 1;
    }
    return 0;
}

const struct guard *guards_first_broken(const struct guarded *guarded, const char *const *without,
                                        char text[GUARD_TEXT])
{
    for (const struct guard *guard = removal_guards; guard->id != NULL; guard++) {
        if (!is_left_out(guard->id, without) && !guard->check(guarded, text))
            return guard;
    }
    return NULL;
}
