/* Groups, for those that look at them or take clusters out of them. */
#ifndef SIM_NSX_GROUPS_H
#define SIM_NSX_GROUPS_H

#include "internal.h"

/* Takes criteria that name the cluster, by name or by id, out of all groups. */
void nsx_groups_forget_cluster(struct sim_nsx *sim, const char *name, const char *cluster_id);

/* 1 when the item of that collection, in the cluster of `inventory`, fits the expression. */
int nsx_group_matches(const json_t *expression, const struct nsx_inventory *inventory,
                      const char *kind, const json_t *item);

/* 1 when a criterion names the cluster itself. */
int nsx_group_names_cluster(const json_t *expression, const char *name, const char *cluster_id);

/* Paths of what uses the path: rules, policies, groups. New array. */
json_t *nsx_users_of(const struct sim_nsx *sim, const char *path);

#endif
