#include "prune.h"

#include <stdio.h>
#include <string.h>

#include "cluster.h"

/* ---- candidates ------------------------------------------------------------------------------ */

struct pruning {
    struct restore_context *context;
    struct api_catalog catalog;
    struct object_reader reader;
    struct names seen; /* paths, for selectors that overlap */
    prune_visit visit;
    void *data;
    struct prune_summary *summary;
};

/* Keys of backups and credentials of stores are needed for the next restore, and are never in a
 * backup that was made before them. */
static int is_spared(const struct api_type *type, const struct salvor_object *object)
{
    return strcmp(type->resource, "secrets") == 0 && *type->group == '\0' &&
           salvor_span_is(object->ns, OPERATOR_NAMESPACE);
}

static salvor_status consider(struct pruning *pruning, const struct selector *selector,
                              const struct api_type *type, struct salvor_span item)
{
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(4096);
    const struct object_index *index = pruning->context->survey.index;
    struct salvor_object object;
    char name[512];
    char ns[256];
    char uid[64];
    if (object_reader_read(&pruning->reader, item, &object, NULL) != SALVOR_OK ||
        salvor_span_copy(object.name, name, sizeof name) != SALVOR_OK ||
        salvor_span_copy(object.ns, ns, sizeof ns) != SALVOR_OK ||
        salvor_span_copy(object.uid, uid, sizeof uid) != SALVOR_OK)
        return SALVOR_OK; /* what cannot be named is not deleted */
    const int taken = selector_takes_name(selector, object.name);
    const int placed =
        taken > 0 && type->namespaced ? selector_takes_namespace(selector, object.ns) : taken;
    if (taken < 0 || placed < 0)
        return salvor_fail(pruning->context->call, SALVOR_FAILED, "restore with --prune no",
                           "a pattern of the ResourceSet cannot be evaluated on '%s'", name);
    if (taken == 0 || placed == 0)
        return SALVOR_OK;
    pruning->summary->selected++;
    const uint32_t number =
        object_index_find_type(index, type->resource, type->group, type->version);
    if (number != OBJECT_NONE &&
        object_index_find(index, number, object.ns, object.name) != OBJECT_NONE)
        return SALVOR_OK;
    if (object.deletion_timestamp.size > 0)
        return SALVOR_OK;
    if (is_spared(type, &object)) {
        pruning->summary->spared++;
        return SALVOR_OK;
    }
    member_path_write(&path, type->resource, type->group, type->version,
                      type->namespaced ? ns : NULL, name);
    SALVOR_TRY(salvor_text_check(pruning->context->call, &path, "a path"));
    if (names_find(&pruning->seen, salvor_text_as_span(&path)) != NAME_NONE)
        return SALVOR_OK;
    if (names_add(&pruning->seen, salvor_text_as_span(&path)) == NAME_NONE)
        return salvor_fail_memory(pruning->context->call, "the candidates");
    pruning->summary->candidates++;
    return pruning->visit(pruning->data, salvor_text_get(&path), uid);
}

static salvor_status consider_list(struct pruning *pruning, const struct selector *selector,
                                   const struct api_type *type)
{
    salvor_call *call = pruning->context->call;
    const struct salvor_kube *kube = salvor_kube_of(call);
    salvor_auto_text struct salvor_text labels = SALVOR_TEXT_INIT(65536);
    salvor_auto_text struct salvor_text fields = SALVOR_TEXT_INIT(65536);
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    if (selector_label_query(selector, &labels) != 0)
        return salvor_fail(call, SALVOR_FAILED, "restore with --prune no",
                           "a label selector of %s is none", selector->api_version);
    selector_field_query(selector, &fields);
    salvor_auto_json json_t *options = salvor_json_build(
        call, "{s:s, s:s, s:s, s:s, s:s, s:b}", "group", type->group, "version", type->version,
        "resource", type->resource, "labelSelector", salvor_text_get(&labels), "fieldSelector",
        salvor_text_get(&fields), "metadata_only", 1);
    salvor_auto_release char *text = options != NULL ? salvor_json_write(options) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a list");
    SALVOR_TRY(kube->list_open(call, pruning->context->client, text, &list));
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK && (status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        for (uint32_t i = 0; status == SALVOR_OK && i < page.item_count; i++)
            status = consider(pruning, selector, type, page.items[i]);
    }
    kube->list_close(call, list);
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status consider_all(struct pruning *pruning)
{
    const struct resource_set *set = pruning->context->survey.set;
    for (size_t i = 0; i < set->selector_count; i++) {
        const struct selector *selector = &set->selectors[i];
        for (size_t j = 0; j < pruning->catalog.count; j++) {
            const struct api_type *type = &pruning->catalog.types[j];
            if (type->can_list && strcmp(type->group, selector->group) == 0 &&
                strcmp(type->version, selector->version) == 0 &&
                selector_takes_type(selector, type->kind, type->resource) > 0)
                SALVOR_TRY(consider_list(pruning, selector, type));
        }
    }
    return SALVOR_OK;
}

salvor_status prune_find(struct restore_context *context, prune_visit visit, void *data,
                         struct prune_summary *ret_summary)
{
    struct pruning pruning = {
        .context = context, .visit = visit, .data = data, .summary = ret_summary};
    memset(ret_summary, 0, sizeof *ret_summary);
    if (context->survey.set == NULL)
        return SALVOR_OK; /* nothing says what belongs to Rancher */
    SALVOR_TRY(resource_set_check_patterns(context->call, context->survey.set));
    salvor_status status = api_catalog_read(context->call, context->client, &pruning.catalog);
    if (status == SALVOR_OK)
        status = consider_all(&pruning);
    api_catalog_clear(&pruning.catalog);
    names_clear(&pruning.seen);
    object_reader_clear(&pruning.reader);
    return status;
}

/* ---- single objects -------------------------------------------------------------------------- */

struct place {
    char group[256];
    char version[64];
    char resource[256];
    char ns[256];
    char name[512];
};

static salvor_status read_place(salvor_call *call, const json_t *object, struct place *place)
{
    struct member_path at;
    const char *problem = NULL;
    const char *path = salvor_json_text(object, "/path", "");
    if (member_path_read(path, &at, &problem) != MEMBER_OBJECT ||
        salvor_span_copy(at.group, place->group, sizeof place->group) != SALVOR_OK ||
        salvor_span_copy(at.version, place->version, sizeof place->version) != SALVOR_OK ||
        salvor_span_copy(at.resource, place->resource, sizeof place->resource) != SALVOR_OK ||
        salvor_span_copy(at.ns, place->ns, sizeof place->ns) != SALVOR_OK ||
        salvor_span_copy(at.name, place->name, sizeof place->name) != SALVOR_OK) {
        (void)salvor_fail(call, SALVOR_BUG, NULL, "'%s' is no path of an object", path);
        return SALVOR_BUG;
    }
    return SALVOR_OK;
}

static struct salvor_kube_request request_for(const struct place *place, const char *verb)
{
    const struct salvor_kube_request request = {.struct_size = sizeof request,
                                                .verb = verb,
                                                .group = place->group,
                                                .version = place->version,
                                                .resource = place->resource,
                                                .ns = place->ns[0] != '\0' ? place->ns : NULL,
                                                .name = place->name};
    return request;
}

/* Reads it. *ret_there 0: gone, or another one of the same name. */
static salvor_status look(salvor_call *call, salvor_kube_client *client, const json_t *object,
                          struct place *place, int *ret_there, int *ret_deleting)
{
    salvor_auto_json json_t *live = NULL;
    SALVOR_TRY(read_place(call, object, place));
    const struct salvor_kube_request request = request_for(place, "get");
    int32_t code = 0;
    struct salvor_span body = {NULL, 0};
    *ret_there = *ret_deleting = 0;
    SALVOR_TRY(cluster_get(call, client, &request, &code, &body));
    if (code == 404)
        return SALVOR_OK;
    if (code != 200)
        return salvor_fail(call, SALVOR_FAILED, NULL, "'%s' cannot be read: status %d",
                           salvor_json_text(object, "/path", ""), (int)code);
    SALVOR_TRY(salvor_json_parse(call, body, place->name, &live));
    *ret_there = strcmp(salvor_json_text(live, "/metadata/uid", ""),
                        salvor_json_text(object, "/uid", "-")) == 0;
    *ret_deleting = *ret_there && salvor_json_at(live, "/metadata/deletionTimestamp") != NULL;
    return SALVOR_OK;
}

salvor_status prune_still_there(salvor_call *call, salvor_kube_client *client,
                                const json_t *objects, json_t **ret_list, uint64_t *ret_deleting)
{
    json_t *list = json_array();
    size_t index = 0;
    json_t *one = NULL;
    *ret_deleting = 0;
    json_array_foreach ((json_t *)(uintptr_t)objects, index, one) {
        struct place place;
        int there = 0;
        int deleting = 0;
        const salvor_status status = look(call, client, one, &place, &there, &deleting);
        if (status != SALVOR_OK) {
            json_decref(list);
            return status;
        }
        *ret_deleting += (uint64_t)deleting;
        if (there)
            (void)json_array_append(list, one);
    }
    *ret_list = list;
    return SALVOR_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* What stood there is in the backup of the first stage. */
static salvor_status keep_pre_image(salvor_call *call, const json_t *parameters)
{
    if (call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL)
        return SALVOR_OK;
    return salvor_checkpoint(
        call, SALVOR_CHECKPOINT_PRE_IMAGE,
        salvor_json_build(call, "{s:O?, s:I}", "in", json_object_get(parameters, "present"),
                          "objects",
                          (json_int_t)json_array_size(json_object_get(parameters, "objects"))));
}

static salvor_status delete_one(salvor_call *call, salvor_kube_client *client, const json_t *object)
{
    struct place place;
    int there = 0;
    int deleting = 0;
    int32_t code = 0;
    struct salvor_span body = {NULL, 0};
    SALVOR_TRY(look(call, client, object, &place, &there, &deleting));
    if (!there || deleting)
        return SALVOR_OK;
    salvor_auto_json json_t *options =
        salvor_json_build(call, "{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "DeleteOptions",
                          "preconditions", "uid", salvor_json_text(object, "/uid", "-"));
    salvor_auto_release char *text = options != NULL ? salvor_json_write(options) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a deletion");
    struct salvor_kube_request request = request_for(&place, "delete");
    request.body = salvor_span_of(text);
    const salvor_status status =
        salvor_kube_of(call)->request(call, client, &request, &code, &body);
    if (status == SALVOR_NOT_FOUND)
        return SALVOR_OK;
    SALVOR_TRY(status);
    if (code < 300 || code == 409) /* another one of that name is not ours to delete */
        return SALVOR_OK;
    char reason[1024];
    return salvor_fail_detail(call, SALVOR_FAILED, cluster_reason(body, reason, sizeof reason),
                              NULL, "'%s' cannot be deleted: status %d",
                              salvor_json_text(object, "/path", ""), (int)code);
}

salvor_status prune_delete(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    salvor_kube_client *client = NULL;
    size_t index = 0;
    const json_t *one = NULL;
    const json_t *objects = json_object_get(parameters, "objects");
    (void)step;
    SALVOR_TRY(keep_pre_image(call, parameters));
    SALVOR_TRY(cluster_open(call, 1, &client));
    json_array_foreach (objects, index, one) {
        SALVOR_TRY(delete_one(call, client, one));
        call->host->progress(call, index + 1, json_array_size(objects), "objects");
    }
    return salvor_result(call, salvor_json_build(call, "{s:O}", "objects", objects));
}

/* The deletion of each has begun; whether it ends is the next stage's matter. */
salvor_status prune_is_deleted(salvor_call *call, const struct salvor_step *step,
                               json_t *parameters, uint32_t *ret_answer)
{
    salvor_kube_client *client = NULL;
    salvor_auto_json json_t *there = NULL;
    uint64_t deleting = 0;
    const json_t *objects = json_object_get(parameters, "objects");
    (void)step;
    SALVOR_TRY(cluster_open(call, 0, &client));
    SALVOR_TRY(prune_still_there(call, client, objects, &there, &deleting));
    const uint64_t standing = json_array_size(there) - deleting;
    *ret_answer = standing == 0                         ? SALVOR_CHECK_DONE
                  : standing < json_array_size(objects) ? SALVOR_CHECK_PARTIAL
                                                        : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static salvor_status release_one(salvor_call *call, salvor_kube_client *client,
                                 const json_t *object)
{
    struct place place;
    int there = 0;
    int deleting = 0;
    int32_t code = 0;
    struct salvor_span body = {NULL, 0};
    SALVOR_TRY(look(call, client, object, &place, &there, &deleting));
    if (!there)
        return SALVOR_OK;
    /* the UID in the patch makes the server refuse it for another object of that name */
    salvor_auto_json json_t *patch =
        salvor_json_build(call, "{s:{s:n, s:s}}", "metadata", "finalizers", "uid",
                          salvor_json_text(object, "/uid", "-"));
    salvor_auto_release char *text = patch != NULL ? salvor_json_write(patch) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a patch");
    struct salvor_kube_request request = request_for(&place, "patch");
    request.patch_type = "merge";
    request.body = salvor_span_of(text);
    const salvor_status status =
        salvor_kube_of(call)->request(call, client, &request, &code, &body);
    if (status == SALVOR_NOT_FOUND)
        return SALVOR_OK;
    SALVOR_TRY(status);
    if (code < 300 || code == 409)
        return SALVOR_OK;
    char reason[1024];
    return salvor_fail_detail(call, SALVOR_FAILED, cluster_reason(body, reason, sizeof reason),
                              NULL, "the finalizers of '%s' cannot be removed: status %d",
                              salvor_json_text(object, "/path", ""), (int)code);
}

salvor_status prune_release(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    salvor_kube_client *client = NULL;
    size_t index = 0;
    const json_t *one = NULL;
    (void)step;
    SALVOR_TRY(keep_pre_image(call, parameters));
    SALVOR_TRY(cluster_open(call, 1, &client));
    json_array_foreach (json_object_get(parameters, "objects"), index, one)
        SALVOR_TRY(release_one(call, client, one));
    return SALVOR_OK;
}

salvor_status prune_is_released(salvor_call *call, const struct salvor_step *step,
                                json_t *parameters, uint32_t *ret_answer)
{
    salvor_kube_client *client = NULL;
    salvor_auto_json json_t *there = NULL;
    uint64_t deleting = 0;
    const json_t *objects = json_object_get(parameters, "objects");
    (void)step;
    SALVOR_TRY(cluster_open(call, 0, &client));
    SALVOR_TRY(prune_still_there(call, client, objects, &there, &deleting));
    *ret_answer = json_array_size(there) == 0                         ? SALVOR_CHECK_DONE
                  : json_array_size(there) < json_array_size(objects) ? SALVOR_CHECK_PARTIAL
                                                                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}
