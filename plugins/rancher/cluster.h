/* The cluster of a site: a client by the options, single objects, and what the API serves. */
#ifndef SALVOR_RANCHER_CLUSTER_H
#define SALVOR_RANCHER_CLUSTER_H

#include <salvor/helpers.h>

/* A type of the API. "" is the core group. */
struct api_type {
    const char *group;
    const char *version;
    const char *resource;
    const char *kind;
    int namespaced;
    int can_list;
    int can_get;
};

struct api_catalog {
    json_t *json;
    struct api_type *types;
    size_t count;
};

/* 1: the site names a cluster (option 'kubeconfig' or 'context'). */
int cluster_is_named(salvor_call *call);

/* Opens the client of the options. With the option 'webhook-bypass' it acts as Rancher's webhook
 * lets through whatever it asks (`bypass` 1). */
salvor_status cluster_open(salvor_call *call, int bypass, salvor_kube_client **ret_client);

/* Reads one object. *ret_code is 200, 404 or another status that says why not; the body lives as
 * long as the call. Anything that is no answer is a failure. */
salvor_status cluster_get(salvor_call *call, salvor_kube_client *client,
                          const struct salvor_kube_request *object, int32_t *ret_code,
                          struct salvor_span *ret_body);

/* The same, parsed: NULL when it does not exist. The caller owns *ret_json. Every other status than
 * 200 and 404 fails. */
salvor_status cluster_get_json(salvor_call *call, salvor_kube_client *client,
                               const struct salvor_kube_request *object, json_t **ret_json);

/* Sends a request that has to succeed; the answer's status decides, with the server's words. */
salvor_status cluster_must(salvor_call *call, salvor_kube_client *client,
                           const struct salvor_kube_request *request, struct salvor_span *ret_body);

/* The reason of a Status document, for messages: "conflict: ..." in `buffer`. */
const char *cluster_reason(struct salvor_span body, char *buffer, size_t size);

salvor_status api_catalog_read(salvor_call *call, salvor_kube_client *client,
                               struct api_catalog *ret_catalog);
void api_catalog_clear(struct api_catalog *catalog);

/* version NULL: any. NULL: not served. */
const struct api_type *api_catalog_find(const struct api_catalog *catalog, struct salvor_span group,
                                        const char *version, struct salvor_span resource);
const struct api_type *api_catalog_find_kind(const struct api_catalog *catalog,
                                             struct salvor_span group, struct salvor_span version,
                                             struct salvor_span kind);

/* Why the group and version are not answered although they are registered; NULL: they are fine. */
const char *api_catalog_unavailable(const struct api_catalog *catalog, const char *group,
                                    const char *version);

#endif
