#include "target.h"

#include <string.h>

#include <salvor/interfaces.h>

typedef salvor_status (*take_item)(void *data, struct salvor_span item);

static salvor_status each(salvor_call *call, salvor_kube_client *client, const char *options,
                          take_item take, void *data)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    SALVOR_TRY(kube->list_open(call, client, options, &list));
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK && (status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        for (uint32_t i = 0; status == SALVOR_OK && i < page.item_count; i++)
            status = take(data, page.items[i]);
    }
    kube->list_close(call, list);
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status take_namespace(void *data, struct salvor_span item)
{
    struct target *target = data;
    struct salvor_object object;
    if (salvor_object_read(item, &object, NULL) != SALVOR_OK)
        return SALVOR_OK;
    return names_add(&target->namespaces, object.name) != NAME_NONE ? SALVOR_OK : SALVOR_FAILED;
}

struct definition_search {
    struct target *target;
    const struct archive_survey *survey;
    uint32_t type;
};

static salvor_status take_definition(void *data, struct salvor_span item)
{
    struct definition_search *search = data;
    struct salvor_object object;
    if (salvor_object_read(item, &object, NULL) != SALVOR_OK ||
        object_index_find(search->survey->index, search->type, salvor_span_of(""), object.name) ==
            OBJECT_NONE)
        return SALVOR_OK;
    return definitions_add(&search->target->definitions, item) == SALVOR_FAILED ? SALVOR_FAILED
                                                                                : SALVOR_OK;
}

static salvor_status look(salvor_call *call, salvor_kube_client *client,
                          const struct archive_survey *survey, struct target *target)
{
    struct definition_search search = {target, survey,
                                       object_index_find_type(survey->index,
                                                              "customresourcedefinitions",
                                                              "apiextensions.k8s.io", "v1")};
    SALVOR_TRY(site_look(call, client, &target->site));
    SALVOR_TRY(api_catalog_read(call, client, &target->catalog));
    SALVOR_TRY(each(call, client,
                    "{\"group\":\"\",\"version\":\"v1\",\"resource\":\"namespaces\","
                    "\"metadata_only\":true}",
                    take_namespace, target));
    if (search.type == OBJECT_NONE)
        return SALVOR_OK;
    return each(call, client,
                "{\"group\":\"apiextensions.k8s.io\",\"version\":\"v1\",\"resource\":"
                "\"customresourcedefinitions\",\"limit\":50}",
                take_definition, &search);
}

salvor_status target_look(salvor_call *call, const struct archive_survey *survey,
                          struct target *ret_target)
{
    salvor_kube_client *client = NULL;
    memset(ret_target, 0, sizeof *ret_target);
    SALVOR_TRY(cluster_open(call, 0, &client));
    const salvor_status status = look(call, client, survey, ret_target);
    salvor_kube_of(call)->client_close(call, client);
    return status;
}

void target_clear(struct target *target)
{
    api_catalog_clear(&target->catalog);
    names_clear(&target->namespaces);
    definitions_clear(&target->definitions);
    memset(target, 0, sizeof *target);
}

int target_has_namespace(const struct target *target, const char *ns)
{
    return names_find(&target->namespaces, salvor_span_of(ns)) != NAME_NONE;
}
