/* Cluster control planes, for those that refer to them. */
#ifndef SIM_NSX_CONTROL_PLANES_H
#define SIM_NSX_CONTROL_PLANES_H

#include "internal.h"

#define NSX_POINT_PATH "/infra/sites/default/enforcement-points/default"

/* Path of the control plane, new. */
char *nsx_control_plane_path(const char *id);

/* The id that a path names, borrowed from it: last element below any site and point; NULL when the
 * path is none of a control plane. Both known middle elements are taken. */
const char *nsx_control_plane_of_path(const char *path);

/* As spans are shown: the position of span-path-form decides. New. */
char *nsx_control_plane_shown_path(const struct sim_nsx *sim, const char *id);

json_t *nsx_control_plane(const struct sim_nsx *sim, const char *id);

/* What must hold between a certificate, an identity and a control plane; NULL or why not (new). */
char *nsx_control_plane_misfit(const struct sim_nsx *sim, const char *id, const char *pem);

/* Makes or replaces one, with what the caller gave in `body`. */
void nsx_control_plane_write(struct sim_nsx *sim, const char *id, const json_t *body);

/* Paths of policy objects that name the control plane: spans, and scopes of policies and rules. */
json_t *nsx_control_plane_users(const struct sim_nsx *sim, const char *id);

/* Removes all span objects that name it, which leaves the policies. */
void nsx_control_plane_remove_spans(struct sim_nsx *sim, const char *id);

/* 1 for the enforcement point that there is; else 0 after answering 404. */
int nsx_is_point(const struct sim_nsx *sim, const struct nsx_request *request,
                 struct nsx_answer *answer);

#endif
