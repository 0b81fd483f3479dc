/*
 * What an API server serves, put together from its discovery documents, whatever their form:
 *
 *   {"groups":[{"group":"apps","versions":["v1"]}],        the preferred version first
 *    "resources":[{"group":"apps","version":"v1","resource":"deployments","kind":"Deployment",
 *                  "namespaced":true,"preferred":true,"verbs":[…],"singular","short_names":[…],
 *                  "categories":[…],"subresources":[{"name":"scale","kind":"Scale","verbs":[…]}]}],
 *    "unavailable":[{"group","version","reason"}]}         served by nobody who answers
 */
#ifndef SALVOR_NET_KUBE_RESOURCES_H
#define SALVOR_NET_KUBE_RESOURCES_H

#include <jansson.h>

#include "base/error.h"

/* Without anything in it; owned by the caller. */
json_t *kube_resources_new(void);

/* A group with its versions (list of texts), the preferred one first. */
void kube_resources_add_group(json_t *resources, const char *group, const json_t *versions);

/* An APIGroupDiscoveryList (v2 or v2beta1, which are spelled alike). */
int kube_resources_add_aggregated(json_t *resources, const json_t *list, struct error *reterr);

/* An APIResourceList of one version; its group was added before. */
int kube_resources_add_legacy(json_t *resources, const char *group, const char *version,
                              const json_t *list, struct error *reterr);

void kube_resources_add_unavailable(json_t *resources, const char *group, const char *version,
                                    const char *reason);

#endif
