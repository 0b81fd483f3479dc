#include "classify.h"

#include <salvor/helpers.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "life-signs.h"
#include "picture.h"

enum { LINE = 400 };

/* What is known while rows are made; `failed`: no memory, told once at the end. */
struct work {
    const struct picture *picture;
    json_t *rows;
    json_t *conflicts;
    json_t *seen_control_planes; /* ids that have a row */
    json_t *seen_principals;
    int failed;
};

static void add_line(struct work *work, json_t *lines, const char *format, ...) SALVOR_PRINTF(3, 4);

static void add_line(struct work *work, json_t *lines, const char *format, ...)
{
    char text[LINE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (json_array_append_new(lines, json_string(text)) != 0)
        work->failed = 1;
}

static int is_reachable(const json_t *cluster)
{
    return salvor_json_flag(cluster, "/reachable", 0);
}

/* ---- conflicts: what the managers forbid, so that nothing here can be trusted ------------------
 */

/* Tells once of each value that several entries share, `format` being of the first two's names. */
static void find_shared(struct work *work, const json_t *entries, const char *value_path,
                        const char *name_path, const char *what)
{
    salvor_auto_json json_t *seen = json_object();
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (entries, index, entry) {
        const char *value = text_at(entry, value_path);
        if (value == NULL)
            continue;
        const json_t *first = json_object_get(seen, value);
        if (first != NULL)
            add_line(work, work->conflicts, "'%s' and '%s' %s", text_at(first, name_path),
                     text_at(entry, name_path), what);
        else if (json_object_set(seen, value, (json_t *)(uintptr_t)entry) != 0)
            work->failed = 1;
    }
}

/* One cluster may be named by several contexts: the first of them stands for it. */
static json_t *distinct_clusters(struct work *work)
{
    salvor_auto_json json_t *seen = json_object();
    json_t *distinct = json_array();
    const json_t *clusters = picture_clusters(work->picture);
    for (size_t i = 0; i < json_array_size(clusters); i++) {
        json_t *cluster = json_array_get(clusters, i);
        const char *uid = text_at(cluster, "/kube_system_uid");
        if (!is_reachable(cluster) || (uid != NULL && json_object_get(seen, uid) != NULL))
            continue;
        if ((uid != NULL && json_object_set_new(seen, uid, json_true()) != 0) ||
            json_array_append(distinct, cluster) != 0)
            work->failed = 1;
    }
    return distinct;
}

/* ---- one row -----------------------------------------------------------------------------------
 */

static void mark_seen(struct work *work, json_t *seen, const json_t *entry)
{
    const char *id = text_at(entry, "/id");
    if (id != NULL && json_object_set_new(seen, id, json_true()) != 0)
        work->failed = 1;
}

static int is_seen(const json_t *seen, const json_t *entry)
{
    return json_object_get(seen, salvor_json_text(entry, "/id", "")) != NULL;
}

static json_t *new_row(struct work *work, const char *name, const json_t *cluster,
                       const json_t *control_plane, const json_t *principal)
{
    const int supervised = salvor_json_flag(cluster, "/supervised", 0) ||
                           salvor_json_flag(control_plane, "/supervised", 0) ||
                           salvor_json_flag(principal, "/supervised", 0);
    json_t *row =
        json_pack("{s:s, s:s, s:b, s:b, s:s?, s:s?, s:s?, s:s?, s:n, s:[]}", "name", name, "class",
                  CLASS_UNKNOWN, "alive", cluster != NULL, "supervised", supervised, "context",
                  text_at(cluster, "/context"), "control_plane", text_at(control_plane, "/id"),
                  "principal", text_at(principal, "/id"), "certificate",
                  text_at(principal, "/certificate_id"), "matched_by", "evidence");
    if (row == NULL || json_array_append_new(work->rows, row) != 0) {
        work->failed = 1;
        return NULL;
    }
    mark_seen(work, work->seen_control_planes, control_plane);
    mark_seen(work, work->seen_principals, principal);
    return row;
}

static void decide(struct work *work, json_t *row, const char *name)
{
    if (row != NULL && json_object_set_new(row, "class", json_string(name)) != 0)
        work->failed = 1;
}

static void matched(struct work *work, json_t *row, const char *by)
{
    if (row != NULL && json_object_set_new(row, "matched_by", json_string(by)) != 0)
        work->failed = 1;
}

#define evidence(work, row, ...)                                               \
    do {                                                                       \
        if ((row) != NULL)                                                     \
            add_line((work), json_object_get((row), "evidence"), __VA_ARGS__); \
    } while (0)

/* ---- clusters that answer -----------------------------------------------------------------------
 */

/* A control plane of this manager's own Antrea clusters. */
static int is_ours(const json_t *control_plane)
{
    return text_at(control_plane, "/foreign") == NULL;
}

static const json_t *find_control_plane(struct work *work, const json_t *cluster,
                                        const char **ret_by)
{
    static const struct {
        const char *by, *member;
        enum picture_key key;
    } keys[] = {{"certificate", "/certificate/sha256", CONTROL_PLANE_BY_CERTIFICATE},
                {"node-id", "/id", CONTROL_PLANE_BY_NODE_ID},
                {"name", "/name", CONTROL_PLANE_BY_ID}};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const json_t *plane =
            picture_find(work->picture, keys[k].key, text_at(cluster, keys[k].member));
        if (plane != NULL && is_ours(plane)) {
            *ret_by = keys[k].by;
            return plane;
        }
    }
    return NULL;
}

static const json_t *unless_of_the_system(const json_t *principal)
{
    return salvor_json_flag(principal, "/system_owned", 0) ? NULL : principal;
}

/* The principal identity of a cluster: by the certificate that it presents, else by name. */
static const json_t *find_principal(const struct picture *picture, const char *sha256,
                                    const char *name)
{
    const json_t *principal =
        unless_of_the_system(picture_find(picture, PRINCIPAL_BY_CERTIFICATE, sha256));
    return principal != NULL ? principal
                             : unless_of_the_system(picture_find(picture, PRINCIPAL_BY_NAME, name));
}

static int was_registered(const json_t *cluster)
{
    return text_at(cluster, "/name") != NULL;
}

/* 1: another cluster than the captured one; 0: the same; -1: cannot be told. */
static int is_another_cluster(const struct picture *picture, const json_t *cluster)
{
    static const char *const identities[] = {"/kube_system_uid", "/antrea_uuid"};
    const json_t *before =
        picture_find(picture_capture(picture), CLUSTER_BY_NAME, text_at(cluster, "/name"));
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++) {
        const char *now = text_at(cluster, identities[i]);
        const char *then = text_at(before, identities[i]);
        if (now != NULL && then != NULL)
            return strcmp(now, then) != 0;
    }
    return -1;
}

static void decide_rotated(struct work *work, json_t *row, const json_t *cluster,
                           const json_t *control_plane)
{
    const int64_t of_cluster = salvor_json_integer(cluster, "/certificate/not_before", 0);
    const int64_t of_managers = salvor_json_integer(control_plane, "/certificate/not_before", 0);
    evidence(work, row, "node id '%s' is the cluster's, the certificate is another one",
             text_at(control_plane, "/node_id"));
    /* Both times were written by whoever made the certificates; still two machines may have. */
    if (of_cluster > of_managers + picture_clock_margin(work->picture) && of_managers > 0) {
        evidence(work, row, "the certificate in the cluster is the newer one");
        decide(work, row, CLASS_CERTIFICATE_ROTATED);
        return;
    }
    evidence(work, row, "the certificate in the cluster is not proved to be the newer one");
    decide(work, row, CLASS_UNKNOWN);
}

static void decide_by_name(struct work *work, json_t *row, const json_t *cluster,
                           const json_t *control_plane)
{
    const char *own_id = text_at(cluster, "/id");
    const int another = is_another_cluster(work->picture, cluster);
    if (own_id != NULL) {
        evidence(work, row, "the managers know node id '%s', the cluster has '%s'",
                 text_at(control_plane, "/node_id"), own_id);
        decide(work, row, CLASS_RECREATED);
    } else if (another == 1) {
        evidence(work, row, "it is another cluster than the captured one of this name");
        decide(work, row, CLASS_RECREATED);
    } else {
        evidence(work, row,
                 another == 0
                     ? "it is the captured cluster, but has neither node id nor certificate"
                     : "it has no node id, and no capture tells whether it is another one");
        decide(work, row, CLASS_UNKNOWN);
    }
}

static void decide_registered(struct work *work, json_t *row, const json_t *cluster,
                              const json_t *control_plane, const json_t *principal, const char *by)
{
    matched(work, row, by);
    if (strcmp(by, "name") == 0) {
        decide_by_name(work, row, cluster, control_plane);
        return;
    }
    if (!same_text(text_at(cluster, "/name"), text_at(control_plane, "/id"))) {
        add_line(work, work->conflicts, "cluster '%s' has the %s of control plane '%s'",
                 text_at(cluster, "/name"), by, text_at(control_plane, "/id"));
        return;
    }
    if (text_at(cluster, "/id") != NULL &&
        !same_text(text_at(cluster, "/id"), text_at(control_plane, "/node_id"))) {
        evidence(work, row, "same certificate, but node id '%s' here and '%s' in the cluster",
                 text_at(control_plane, "/node_id"), text_at(cluster, "/id"));
        decide(work, row, CLASS_RECREATED);
        return;
    }
    if (principal == NULL) {
        evidence(work, row, "the control plane is there, its principal identity is not");
        decide(work, row, CLASS_CONTROL_PLANE_ONLY);
        return;
    }
    if (strcmp(by, "node-id") == 0) {
        decide_rotated(work, row, cluster, control_plane);
        return;
    }
    if (text_at(cluster, "/id") == NULL) {
        evidence(work, row, "same certificate, but the cluster has no node id");
        decide(work, row, CLASS_UNKNOWN);
        return;
    }
    const json_t *certificate = picture_certificate_of(work->picture, principal);
    if (!same_text(text_at(certificate, "/certificate/sha256"),
                   text_at(cluster, "/certificate/sha256"))) {
        evidence(work, row,
                 "control plane and cluster agree, the principal identity has another "
                 "certificate");
        decide(work, row, CLASS_UNKNOWN);
        return;
    }
    evidence(work, row, "certificate and node id are the cluster's");
    decide(work, row, CLASS_IN_SYNC);
}

static void classify_cluster(struct work *work, const json_t *cluster)
{
    const char *name = text_at(cluster, "/name");
    const char *by = NULL;
    const json_t *plane = find_control_plane(work, cluster, &by);
    const json_t *principal = find_principal(work->picture, text_at(cluster, "/certificate/sha256"),
                                             plane != NULL ? text_at(plane, "/id") : name);
    json_t *row = new_row(work, name, cluster, plane, principal);
    if (plane != NULL) {
        decide_registered(work, row, cluster, plane, principal, by);
    } else if (principal != NULL) {
        evidence(work, row, "the principal identity is there, the control plane is not");
        decide(work, row, CLASS_PRINCIPAL_ONLY);
    } else {
        evidence(work, row, "the managers have neither control plane nor principal identity");
        decide(work, row, CLASS_NOT_REGISTERED);
    }
}

/* ---- registrations that no cluster answers for --------------------------------------------------
 */

/* A configured cluster that did not answer and may be the one of this name. */
static const json_t *silent_cluster(const struct picture *picture, const char *name)
{
    const json_t *cluster = picture_find(picture, CLUSTER_BY_NAME, name);
    if (cluster == NULL)
        cluster = picture_find(picture, CLUSTER_BY_CONTEXT, name);
    return cluster != NULL && !is_reachable(cluster) ? cluster : NULL;
}

static void classify_unanswered(struct work *work, const char *name, const json_t *control_plane,
                                const json_t *principal)
{
    char sign[160];
    const char *proof = proof_of_absence(work->picture, name);
    const json_t *silent = silent_cluster(work->picture, name);
    json_t *row = new_row(work, name, NULL, control_plane, principal);
    const char *alive =
        control_plane != NULL ? life_sign(work->picture, control_plane, sign, sizeof sign) : NULL;
    if (control_plane != NULL && !is_ours(control_plane)) {
        evidence(work, row, "%s", text_at(control_plane, "/foreign"));
        decide(work, row, CLASS_FOREIGN);
    } else if (alive != NULL) {
        evidence(work, row, "something lives behind it: %s", alive);
        decide(work, row, CLASS_UNKNOWN);
    } else if (proof == NULL) {
        if (silent != NULL)
            evidence(work, row, "cluster '%s' does not answer: %s", text_at(silent, "/context"),
                     salvor_json_text(silent, "/problem", "no reason is known"));
        evidence(work, row, "nothing proves that the cluster is gone");
        decide(work, row, CLASS_UNKNOWN);
    } else {
        evidence(work, row, "proved gone: %s", proof);
        decide(work, row,
               control_plane == NULL ? CLASS_PRINCIPAL_ONLY
               : principal == NULL   ? CLASS_CONTROL_PLANE_ONLY
                                     : CLASS_ORPHAN);
    }
}

/* A principal identity that belonged to an Antrea cluster: its certificate bears its name, and the
 * capture or the operator's list of what is gone has a cluster of that name. */
static int is_former_cluster(const struct picture *picture, const json_t *principal)
{
    const char *name = text_at(principal, "/name");
    const json_t *certificate = picture_certificate_of(picture, principal);
    if (name == NULL || salvor_json_flag(principal, "/system_owned", 0) ||
        !same_text(text_at(certificate, "/certificate/cn"), name))
        return 0;
    return picture_find(picture, GONE_BY_NAME, name) != NULL ||
           picture_find(picture_capture(picture), CONTROL_PLANE_BY_ID, name) != NULL;
}

static void classify_rest(struct work *work)
{
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (picture_control_planes(work->picture), index, entry) {
        const char *id = text_at(entry, "/id");
        if (!is_seen(work->seen_control_planes, entry))
            classify_unanswered(
                work, id, entry,
                find_principal(work->picture, text_at(entry, "/certificate/sha256"), id));
    }
    json_array_foreach (picture_principals(work->picture), index, entry) {
        if (!is_seen(work->seen_principals, entry) && is_former_cluster(work->picture, entry))
            classify_unanswered(work, text_at(entry, "/name"), NULL, entry);
    }
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static int by_name(const void *one, const void *other)
{
    return strcmp(salvor_json_text(*(json_t *const *)one, "/name", ""),
                  salvor_json_text(*(json_t *const *)other, "/name", ""));
}

static void sort_rows(struct work *work)
{
    const size_t count = json_array_size(work->rows);
    json_t **sorted = count > 1 ? salvor_allocate(count * sizeof *sorted) : NULL;
    if (sorted == NULL) {
        work->failed = work->failed || count > 1;
        return;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_incref(json_array_get(work->rows, i));
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        if (json_array_set_new(work->rows, i, sorted[i]) != 0)
            work->failed = 1;
    }
    salvor_release(sorted);
}

salvor_status classify(salvor_call *call, const struct picture *picture, json_t **ret_classes)
{
    salvor_auto_json json_t *control_planes = json_object();
    salvor_auto_json json_t *principals = json_object();
    struct work work = {.picture = picture,
                        .rows = json_array(),
                        .conflicts = json_array(),
                        .seen_control_planes = control_planes,
                        .seen_principals = principals};
    size_t index = 0;
    const json_t *cluster = NULL;
    salvor_auto_json json_t *classes =
        json_pack("{s:o, s:o}", "clusters", work.rows, "conflicts", work.conflicts);
    if (classes == NULL)
        return salvor_fail_memory(call, "the classes of the clusters");
    salvor_auto_json json_t *distinct = distinct_clusters(&work);
    find_shared(&work, distinct, "/name", "/context", "both call themselves by the same name");
    find_shared(&work, distinct, "/certificate/sha256", "/context", "use the same certificate");
    find_shared(&work, picture_control_planes(picture), "/certificate/sha256", "/id",
                "are control planes with the same certificate");
    json_array_foreach (distinct, index, cluster) {
        if (was_registered(cluster))
            classify_cluster(&work, cluster);
    }
    classify_rest(&work);
    sort_rows(&work);
    if (work.failed)
        return salvor_fail_memory(call, "the classes of the clusters");
    *ret_classes = json_incref(classes);
    return SALVOR_OK;
}

const char *class_words(const char *name)
{
    static const struct {
        const char *name, *words;
    } classes[] = {
        {CLASS_IN_SYNC, "in sync"},
        {CLASS_CERTIFICATE_ROTATED, "certificate rotated after the backup"},
        {CLASS_ORPHAN, "orphan of a deleted cluster"},
        {CLASS_NOT_REGISTERED, "registered after the backup"},
        {CLASS_RECREATED, "another cluster under the same name"},
        {CLASS_PRINCIPAL_ONLY, "only the principal identity is left"},
        {CLASS_CONTROL_PLANE_ONLY, "only the control plane is left"},
        {CLASS_UNKNOWN, "cannot be told"},
        {CLASS_FOREIGN, "not an Antrea cluster of this manager"},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strcmp(classes[i].name, name) == 0)
            return classes[i].words;
    }
    return "";
}
