/* Cluster control planes: list, read, join, change. Facts 1.6, 7.6. */
#include "control-planes.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static const struct nsx_table *control_planes(const struct sim_nsx *sim)
{
    return &sim->intent.tables[NSX_CONTROL_PLANES];
}

char *nsx_control_plane_path(const char *id)
{
    return text_format(NSX_POINT_PATH "/cluster-control-planes/%s", id);
}

char *nsx_control_plane_shown_path(const struct sim_nsx *sim, const char *id)
{
    return text_format(NSX_POINT_PATH "/%s/%s",
                       nsx_switch_is(sim, SW_SPAN_PATH_FORM, "antrea-nodes")
                           ? "antrea-nodes"
                           : "cluster-control-planes",
                       id);
}

const char *nsx_control_plane_of_path(const char *path)
{
    if (path == NULL || !text_starts(path, NSX_POINT_PATH "/"))
        return NULL;
    const char *rest = path + strlen(NSX_POINT_PATH "/"), *slash = strchr(rest, '/');
    if (slash == NULL || strchr(slash + 1, '/') != NULL ||
        (!text_starts(rest, "cluster-control-planes/") && !text_starts(rest, "antrea-nodes/")))
        return NULL;
    return slash + 1;
}

json_t *nsx_control_plane(const struct sim_nsx *sim, const char *id)
{
    return nsx_table_tree(control_planes(sim), id);
}

int nsx_is_point(const struct sim_nsx *sim, const struct nsx_request *request,
                 struct nsx_answer *answer)
{
    if (strcmp(request->parts[0], "default") == 0 && strcmp(request->parts[1], "default") == 0)
        return 1;
    nsx_error_not_found(sim, answer, request->path);
    return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What a 9.x manager lists beside Antrea clusters: the control plane of a Supervisor. */
static json_t *foreign(const struct sim_nsx *sim)
{
    if (!nsx_version_at_least(sim, 9, 0, 0) || nsx_switch_is(sim, SW_CCP_FOREIGN_ENTRIES, "absent"))
        return NULL;
    return json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b}", "id", "supervisor-domain-c8",
                     "display_name", "supervisor-domain-c8", "node_id",
                     "5a0c2a4e-1111-4f00-8c00-000000000001", "resource_type",
                     "SupervisorClusterControlPlane", "node_type", "SUPERVISOR_NODE", "path",
                     NSX_POINT_PATH "/cluster-control-planes/supervisor-domain-c8", "parent_path",
                     NSX_POINT_PATH, "_revision", 0, "_system_owned", 1);
}

void nsx_control_planes_list(struct sim_nsx *sim, struct nsx_request *request,
                             struct nsx_answer *answer)
{
    if (!nsx_is_point(sim, request, answer))
        return;
    const struct nsx_table *table = control_planes(sim);
    json_t *all = json_array(), *other = foreign(sim);
    for (size_t i = 0; i < table->count; i++)
        json_add(all, nsx_shown(sim, request, nsx_record_tree(table->items[i])));
    if (other != NULL)
        json_add(all, nsx_shown(sim, request, other));
    if (nsx_query_is(request, "include_mark_for_delete_objects", "true"))
        for (size_t i = 0; i < sim->marked_count; i++)
            if (sim->marked[i].table == NSX_CONTROL_PLANES)
                json_add(all, nsx_shown(sim, request, json_clone(sim->marked[i].object)));
    nsx_page(sim, request, all, answer);
}

void nsx_control_plane_get(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    if (!nsx_is_point(sim, request, answer))
        return;
    json_t *object = nsx_control_plane(sim, request->parts[2]), *other = foreign(sim);
    if (object == NULL && other != NULL && text_equal(json_text(other, "id"), request->parts[2]))
        object = json_incref(other);
    if (object == NULL)
        nsx_error_not_found(sim, answer, request->path);
    else
        nsx_answer_json(answer, 200, nsx_shown(sim, request, object));
    json_decref(other);
}

/* --- joining ---------------------------------------------------------------------------------- */

char *nsx_control_plane_misfit(const struct sim_nsx *sim, const char *id, const char *pem)
{
    struct x509_facts facts[X509_CHAIN];
    size_t count = pem == NULL ? 0 : x509_read(pem, facts);
    if (count == 0)
        return text_copy("certificate holds no certificate in PEM form");
    char *why = NULL;
    cleanup_json json_t *other =
        nsx_table_find(control_planes(sim), "_sim_sha256", facts[0].sha256);
    cleanup_json json_t *principal =
        nsx_table_find(&sim->intent.tables[NSX_PRINCIPALS], "name", id);
    if (strcmp(facts[0].subject_cn, id) != 0)
        why = text_format("common name %s of the certificate is not the id %s", facts[0].subject_cn,
                          id);
    else if (principal == NULL)
        why = text_format("there is no principal identity with name %s", id);
    else if (other != NULL && !text_equal(json_text(other, "id"), id))
        why = text_format("certificate conflict with clusterControlPlane node id %s",
                          json_text(other, "node_id"));
    x509_clear(facts, count);
    return why;
}

void nsx_control_plane_write(struct sim_nsx *sim, const char *id, const json_t *body)
{
    cleanup_json json_t *old = nsx_control_plane(sim, id), *object = json_clone(body);
    char fingerprint[DIGEST_TEXT_SIZE] = "";
    if (old != NULL)
        json_object_update_missing(object, old);
    if (json_text(object, "node_id") == NULL) {
        cleanup_free char *node_id = nsx_uuid(sim);
        json_put_text(object, "node_id", node_id);
    }
    if (nsx_version_at_least(sim, 9, 0, 0))
        json_put_text(object, "node_type", "ANTREA_NODE");
    const char *vpc = json_text(object, "vhc_path");
    if (vpc == NULL || vpc[0] == '\0') {
        json_object_del(object, "vhc_path");
        if (nsx_switch_is(sim, SW_CCP_VHC_PATH, "empty"))
            json_put_text(object, "vhc_path", "");
    }
    nsx_stamp_policy(sim, object, old, "AntreaClusterControlPlane", NSX_POINT_PATH,
                     "cluster-control-planes", id);
    x509_fingerprint(json_text(object, "certificate"), fingerprint);
    json_put_text(object, "_sim_sha256", fingerprint);
    if (old == NULL && nsx_switch_is(sim, SW_CCP_CREATE_USER, "admin")) {
        json_put_text(object, "_create_user", "admin");
        json_object_del(object, "_sim_protected");
    }
    nsx_put(sim, NSX_CONTROL_PLANES, id, object);
}

static void refuse(const struct sim_nsx *sim, struct nsx_answer *answer, const char *why)
{
    if (nsx_switch_is(sim, SW_CCP_INVALID, "500-empty"))
        nsx_answer_empty(answer, 500);
    else
        nsx_error(answer, 400, 500220, "POLICY", "Invalid cluster control plane: %s.", why);
}

/* What may not change, or not on this release; -1 after answering. */
static int check_update(const struct sim_nsx *sim, const struct nsx_request *request,
                        const json_t *old, const json_t *body, struct nsx_answer *answer)
{
    const char *node_id = json_text(body, "node_id"), *pem = json_text(body, "certificate");
    char fingerprint[DIGEST_TEXT_SIZE] = "";
    if (nsx_refuse_protected(sim, request, old, answer) != 0 ||
        nsx_refuse_revision(sim, body, old, json_text(old, "path"), answer) != 0)
        return -1;
    x509_fingerprint(pem, fingerprint);
    if (node_id != NULL && !text_equal(node_id, json_text(old, "node_id")))
        refuse(sim, answer, "node_id cannot be changed");
    else if (pem != NULL && !text_equal(fingerprint, json_text(old, "_sim_sha256")) &&
             !nsx_version_at_least(sim, 4, 1, 3))
        refuse(sim, answer, "the certificate cannot be changed on this release");
    else
        return 0;
    return -1;
}

static int check_create(const struct sim_nsx *sim, const struct nsx_request *request,
                        const json_t *body, struct nsx_answer *answer)
{
    const char *id = request->parts[2], *node_id = json_text(body, "node_id");
    const char *type = json_text(body, "resource_type");
    cleanup_free char *path = nsx_control_plane_path(id);
    cleanup_json json_t *other =
        node_id == NULL ? NULL : nsx_table_find(control_planes(sim), "node_id", node_id);
    if (nsx_refuse_marked(sim, NSX_CONTROL_PLANES, id, path, answer) != 0)
        return -1;
    if (type != NULL && strcmp(type, "AntreaClusterControlPlane") != 0)
        refuse(sim, answer, "unknown resource_type");
    else if (other != NULL)
        refuse(sim, answer, "node_id belongs to another cluster control plane");
    else
        return 0;
    return -1;
}

void nsx_control_plane_put(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    const char *id = request->parts[2];
    if (body == NULL || !nsx_is_point(sim, request, answer))
        return;
    cleanup_json json_t *old = nsx_control_plane(sim, id);
    if ((old != NULL ? check_update(sim, request, old, body, answer)
                     : check_create(sim, request, body, answer)) != 0)
        return;
    const char *pem = json_text(body, "certificate");
    if (pem == NULL && old != NULL)
        pem = json_text(old, "certificate");
    cleanup_free char *why = nsx_control_plane_misfit(sim, id, pem);
    if (why != NULL) {
        refuse(sim, answer, why);
        return;
    }
    nsx_control_plane_write(sim, id, body);
    nsx_answer_json(answer, 200, nsx_shown(sim, request, nsx_control_plane(sim, id)));
}
