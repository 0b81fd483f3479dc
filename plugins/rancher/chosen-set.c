#include "chosen-set.h"

#include <string.h>

#include "cluster.h"
#include "default-set.h"

static salvor_status from_cluster(salvor_call *call, salvor_kube_client *client, const char *name,
                                  json_t **ret_json)
{
    const struct salvor_kube_request object = {
        .group = "resources.cattle.io", .version = "v1", .resource = "resourcesets", .name = name};
    return cluster_get_json(call, client, &object, ret_json);
}

/* NULL: no set of that name either. */
static salvor_status own_set(salvor_call *call, salvor_kube_client *client, const char *name,
                             json_t **ret_json)
{
    struct api_catalog catalog;
    SALVOR_TRY(api_catalog_read(call, client, &catalog));
    const int newer = api_catalog_find(&catalog, salvor_span_of("cluster.x-k8s.io"), "v1beta2",
                                       salvor_span_of("clusters")) != NULL;
    *ret_json = default_set_make(name, newer ? "v1beta2" : "v1beta1");
    api_catalog_clear(&catalog);
    return SALVOR_OK;
}

static salvor_status find(salvor_call *call, salvor_kube_client *client, const char *name,
                          json_t **ret_json, const char **ret_origin)
{
    SALVOR_TRY(from_cluster(call, client, name, ret_json));
    *ret_origin = "the cluster";
    if (*ret_json != NULL)
        return SALVOR_OK;
    SALVOR_TRY(own_set(call, client, name, ret_json));
    *ret_origin = "salvor's copy of the vendor's selection";
    if (*ret_json != NULL)
        return SALVOR_OK;
    return salvor_fail(
        call, SALVOR_FAILED,
        "'kubectl get resourcesets' lists those that are there; without the operator "
        "there are " FULL_SET " and " BASIC_SET,
        "there is no ResourceSet '%s'", name);
}

salvor_status chosen_set_find(salvor_call *call, salvor_kube_client *client,
                              struct chosen_set *ret_set)
{
    const char *name = salvor_option_text(call, "resource-set", FULL_SET);
    salvor_auto_json json_t *json = NULL;
    memset(ret_set, 0, sizeof *ret_set);
    SALVOR_TRY(find(call, client, name, &json, &ret_set->origin));
    ret_set->json = salvor_json_write(json);
    if (ret_set->json == NULL)
        return salvor_fail_memory(call, "the ResourceSet");
    const salvor_status status =
        resource_set_read(call, salvor_span_of(ret_set->json), &ret_set->set);
    if (status != SALVOR_OK)
        chosen_set_clear(ret_set);
    return status;
}

void chosen_set_clear(struct chosen_set *set)
{
    resource_set_free(set->set);
    salvor_release(set->json);
    memset(set, 0, sizeof *set);
}
