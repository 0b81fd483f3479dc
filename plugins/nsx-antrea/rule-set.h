/*
 * The firewall policies that concern Antrea clusters, as they are captured, compared and exported:
 *
 * {"policies": {path: the policy as the managers give it, with "rules" (array), "spans" (array of
 *     paths of control planes) and "span_objects" {path of a control plane: path of the object that
 *     puts the policy there}},
 *  "groups": {path: the group as the managers give it, with "clusters" (array of external ids of
 * the clusters that it has members in; null: not read)}}
 */
#ifndef NSX_ANTREA_RULE_SET_H
#define NSX_ANTREA_RULE_SET_H

#include <jansson.h>

/* 1 when two paths name the same control plane: the same last word below the same site and
 * enforcement point, whatever the words between (facts 1.6: 'antrea-nodes' in examples). */
int same_control_plane(const char *one, const char *other);

/* 1 when `paths` (array) names that control plane. */
int names_control_plane(const json_t *paths, const char *control_plane);

/* Calls `visit` with the path of each group that the rules and the scope of a policy use, or that a
 * group nests. */
void each_group_of_policy(const json_t *policy, void (*visit)(void *data, const char *path),
                          void *data);
void each_group_of_group(const json_t *group, void (*visit)(void *data, const char *path),
                         void *data);

#endif
