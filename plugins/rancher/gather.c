#include "gather.h"

#include <stdio.h>
#include <string.h>

#include "archive-writer.h"
#include "cluster.h"
#include "go-json.h"
#include "member-cipher.h"
#include "member-path.h"
#include "object-index.h"
#include "object-reader.h"

enum { OBJECT_LIMIT = 64 << 20, PAGE_OBJECTS = 500 };

struct gathering {
    salvor_call *call;
    const struct salvor_kube *kube;
    salvor_kube_client *client;
    const struct gather_request *request;
    struct gather_summary *summary;
    struct api_catalog catalog;
    archive_writer *writer;
    struct object_index *index;
    salvor_canonicalizer *canonicalizer;
    struct object_reader reader;
    struct salvor_text filled; /* with kind and apiVersion */
    struct salvor_text escaped;
    struct salvor_text sealed;
    struct salvor_text path;
};

/* A type that is being gathered, and one of the selectors that take it. */
struct gathered {
    const struct api_type *type;
    const struct selector *selector;
    const struct encryption_target *target;
    struct salvor_text api_version; /* as JSON text */
    struct salvor_text kind;
};

/* ---- one object ------------------------------------------------------------------------------ */

/* 1: only the server's own cleaning up is left: it will be gone before anybody restores it. */
static int is_going(const struct salvor_object *object, int is_namespace)
{
    struct salvor_token token;
    struct salvor_span value;
    if (object->deletion_timestamp.size == 0)
        return 0;
    if (!is_namespace)
        return object->finalizers.size == 0 || salvor_span_is(object->finalizers, "[]");
    return salvor_scan_find(object->json, "/spec/finalizers", &token, &value, NULL) != SALVOR_OK ||
           salvor_span_is(value, "[]") || token.type == SALVOR_TOKEN_NULL;
}

static int is_taken(const struct gathered *gathered, const struct salvor_object *object)
{
    const int name = selector_takes_name(gathered->selector, object->name);
    if (name <= 0 || !gathered->type->namespaced)
        return name;
    return selector_takes_namespace(gathered->selector, object->ns);
}

static salvor_status fail_object(struct gathering *gathering, const char *what)
{
    return salvor_fail(gathering->call, SALVOR_FAILED, NULL, "object '%s' %s",
                       salvor_text_get(&gathering->path), what);
}

/* Items of lists of built-in types come without kind and apiVersion. */
static salvor_status fill_in(struct gathering *gathering, const struct gathered *gathered,
                             const struct salvor_object *object, struct salvor_span *ret_json)
{
    const struct salvor_edit edits[] = {
        {"/apiVersion", salvor_text_as_span(&gathered->api_version)},
        {"/kind", salvor_text_as_span(&gathered->kind)}};
    *ret_json = object->json;
    if (object->kind.size > 0 && object->api_version.size > 0)
        return SALVOR_OK;
    salvor_text_reset(&gathering->filled);
    if (salvor_json_edit(object->json, edits, 2, &gathering->filled, NULL) != SALVOR_OK)
        return fail_object(gathering, "cannot be completed");
    *ret_json = salvor_text_as_span(&gathering->filled);
    return SALVOR_OK;
}

static salvor_status seal(struct gathering *gathering, const struct gathered *gathered,
                          const struct salvor_object *object, struct salvor_span *json)
{
    if (gathered->target == NULL)
        return SALVOR_OK;
    salvor_text_reset(&gathering->sealed);
    const enum cipher_answer answer =
        cipher_seal(gathered->target, *json,
                    gathered->type->namespaced ? object->ns : (struct salvor_span){NULL, 0},
                    object->name, NULL, &gathering->sealed);
    if (answer != CIPHER_OPENED)
        return fail_object(gathering, answer == CIPHER_NEEDS_KMS
                                          ? "needs a key management service to be encrypted"
                                          : "cannot be encrypted");
    *json = salvor_text_as_span(&gathering->sealed);
    gathering->summary->encrypted += cipher_is_encrypted(*json);
    return SALVOR_OK;
}

/* SALVOR_OK: new; SALVOR_NOT_FOUND: another selector had it already. */
static salvor_status note(struct gathering *gathering, const struct gathered *gathered,
                          const struct salvor_object *object)
{
    struct member_path at;
    const char *problem = NULL;
    uint32_t number = 0;
    uint32_t earlier = OBJECT_NONE;
    char name[512];
    char ns[512];
    if (salvor_span_copy(object->name, name, sizeof name) != SALVOR_OK ||
        salvor_span_copy(object->ns, ns, sizeof ns) != SALVOR_OK)
        return salvor_fail(gathering->call, SALVOR_FAILED, NULL, "the name of a %s is too long",
                           gathered->type->kind);
    salvor_text_reset(&gathering->path);
    member_path_write(&gathering->path, gathered->type->resource, gathered->type->group,
                      gathered->type->version, gathered->type->namespaced ? ns : NULL, name);
    SALVOR_TRY(salvor_text_check(gathering->call, &gathering->path, "a path of the archive"));
    if (member_path_read(salvor_text_get(&gathering->path), &at, &problem) != MEMBER_OBJECT)
        return fail_object(gathering, "has a name that no archive can hold");
    const uint32_t type = object_index_type(gathering->index, &at);
    if (type == OBJECT_NONE)
        return salvor_fail_memory(gathering->call, "the index of the archive");
    if (object_index_find(gathering->index, type, at.ns, at.name) != OBJECT_NONE) {
        gathering->summary->again++;
        return SALVOR_NOT_FOUND;
    }
    if (object_index_add(gathering->index, &at, type, 0, &number, &earlier) != SALVOR_OK)
        return salvor_fail_memory(gathering->call, "the index of the archive");
    return SALVOR_OK;
}

static salvor_status take(struct gathering *gathering, const struct gathered *gathered,
                          struct salvor_span item)
{
    struct gather_summary *summary = gathering->summary;
    struct salvor_scan_error error = {"", 0};
    struct salvor_object object;
    struct salvor_span json;
    if (object_reader_read(&gathering->reader, item, &object, &error) != SALVOR_OK)
        return salvor_fail(gathering->call, SALVOR_FAILED, NULL, "a %s of the API is malformed: %s",
                           gathered->type->kind, error.problem);
    const int taken = is_taken(gathered, &object);
    if (taken < 0)
        return salvor_fail(gathering->call, SALVOR_FAILED, "simplify the pattern",
                           "a pattern of the ResourceSet cannot be evaluated on '%.*s'",
                           (int)object.name.size, object.name.data);
    if (!taken)
        return SALVOR_OK;
    if (is_going(&object, strcmp(gathered->type->kind, "Namespace") == 0)) {
        summary->going++;
        return SALVOR_OK;
    }
    const salvor_status noted = note(gathering, gathered, &object);
    if (noted != SALVOR_OK)
        return noted == SALVOR_NOT_FOUND ? SALVOR_OK : noted;
    if (object.deletion_timestamp.size > 0 && summary->deleting++ == 0)
        (void)snprintf(summary->first_deleting, sizeof summary->first_deleting, "%s",
                       salvor_text_get(&gathering->path));
    SALVOR_TRY(fill_in(gathering, gathered, &object, &json));
    if (salvor_canonicalize(gathering->canonicalizer, json, &json, &error) != SALVOR_OK)
        return fail_object(gathering, error.problem);
    json = go_json_escape(json, &gathering->escaped);
    SALVOR_TRY(seal(gathering, gathered, &object, &json));
    summary->objects++;
    return archive_writer_add(gathering->writer, salvor_text_get(&gathering->path), json);
}

/* ---- one list -------------------------------------------------------------------------------- */

static salvor_status list_options(struct gathering *gathering, const struct gathered *gathered,
                                  char **ret_text)
{
    salvor_auto_text struct salvor_text labels = SALVOR_TEXT_INIT(65536);
    salvor_auto_text struct salvor_text fields = SALVOR_TEXT_INIT(65536);
    if (selector_label_query(gathered->selector, &labels) != 0)
        return salvor_fail(gathering->call, SALVOR_FAILED, "correct the ResourceSet",
                           "a label selector of %s is none", gathered->selector->api_version);
    selector_field_query(gathered->selector, &fields);
    salvor_auto_json json_t *options = salvor_json_build(
        gathering->call, "{s:s, s:s, s:s, s:s, s:s, s:i}", "group", gathered->type->group,
        "version", gathered->type->version, "resource", gathered->type->resource, "labelSelector",
        salvor_text_get(&labels), "fieldSelector", salvor_text_get(&fields), "limit", PAGE_OBJECTS);
    *ret_text = options != NULL ? salvor_json_write(options) : NULL;
    return *ret_text != NULL ? SALVOR_OK : salvor_fail_memory(gathering->call, "a list");
}

static salvor_status gather_list(struct gathering *gathering, const struct gathered *gathered)
{
    salvor_auto_release char *options = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    uint32_t inconsistent = 0;
    SALVOR_TRY(list_options(gathering, gathered, &options));
    SALVOR_TRY(gathering->kube->list_open(gathering->call, gathering->client, options, &list));
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK &&
           (status = gathering->kube->list_next(gathering->call, list, &page)) == SALVOR_OK) {
        inconsistent |= page.inconsistent;
        for (uint32_t i = 0; status == SALVOR_OK && i < page.item_count; i++)
            status = take(gathering, gathered, page.items[i]);
        gathering->call->host->progress(gathering->call, gathering->summary->objects, 0, "objects");
    }
    gathering->kube->list_close(gathering->call, list);
    gathering->summary->inconsistent += inconsistent;
    return status == SALVOR_END ? SALVOR_OK : status;
}

/* Types that can only be asked for by name: those that the selector names, one by one. */
static salvor_status gather_names(struct gathering *gathering, const struct gathered *gathered)
{
    const json_t *names = selector_names(gathered->selector);
    const json_t *namespaces = selector_namespaces(gathered->selector);
    const size_t ns_count = gathered->type->namespaced ? json_array_size(namespaces) : 1;
    for (size_t i = 0; i < ns_count * json_array_size(names); i++) {
        const struct salvor_kube_request object = {
            .group = gathered->type->group,
            .version = gathered->type->version,
            .resource = gathered->type->resource,
            .ns = gathered->type->namespaced
                      ? json_string_value(json_array_get(namespaces, i % ns_count))
                      : NULL,
            .name = json_string_value(json_array_get(names, i / ns_count))};
        int32_t code = 0;
        struct salvor_span body = {NULL, 0};
        SALVOR_TRY(cluster_get(gathering->call, gathering->client, &object, &code, &body));
        if (code != 200)
            return salvor_fail(gathering->call, SALVOR_FAILED, "correct the ResourceSet",
                               "'%s' that the ResourceSet names cannot be read: status %d",
                               object.name, (int)code);
        SALVOR_TRY(take(gathering, gathered, body));
    }
    return SALVOR_OK;
}

/* ---- all of a type --------------------------------------------------------------------------- */

static salvor_status gather_with(struct gathering *gathering, const struct gathered *gathered)
{
    if (gathered->type->can_list)
        return gather_list(gathering, gathered);
    if (gathered->type->can_get && json_array_size(selector_names(gathered->selector)) > 0)
        return gather_names(gathering, gathered);
    salvor_logf(gathering->call, SALVOR_LOG_DEBUG, "type '%s' cannot be listed: passed over",
                gathered->type->resource);
    return SALVOR_OK;
}

static salvor_status gather_type(struct gathering *gathering, const struct api_type *type)
{
    struct gathered gathered = {
        .type = type, .api_version = SALVOR_TEXT_INIT(1024), .kind = SALVOR_TEXT_INIT(1024)};
    const struct resource_set *set = gathering->request->set;
    const uint64_t before = gathering->summary->objects;
    salvor_status status = SALVOR_OK;
    if (gathering->request->config != NULL)
        gathered.target =
            encryption_config_find(gathering->request->config, salvor_span_of(type->group),
                                   salvor_span_of(type->resource));
    salvor_text_format(&gathered.api_version, "\"%s%s%s\"", type->group,
                       *type->group != '\0' ? "/" : "", type->version);
    salvor_text_format(&gathered.kind, "\"%s\"", type->kind);
    for (size_t i = 0; status == SALVOR_OK && i < set->selector_count; i++) {
        gathered.selector = &set->selectors[i];
        if (strcmp(gathered.selector->group, type->group) == 0 &&
            strcmp(gathered.selector->version, type->version) == 0 &&
            selector_takes_type(gathered.selector, type->kind, type->resource) > 0)
            status = gather_with(gathering, &gathered);
    }
    gathering->summary->types += gathering->summary->objects > before;
    salvor_text_clear(&gathered.api_version);
    salvor_text_clear(&gathered.kind);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Selectors of APIs that do not exist select nothing; of those that should and do not answer, they
 * fail the backup. */
static salvor_status check_selectors(struct gathering *gathering)
{
    const struct resource_set *set = gathering->request->set;
    SALVOR_TRY(resource_set_check_patterns(gathering->call, set));
    for (size_t i = 0; i < set->selector_count; i++) {
        const struct selector *selector = &set->selectors[i];
        const char *reason =
            api_catalog_unavailable(&gathering->catalog, selector->group, selector->version);
        int served = 0;
        if (reason != NULL)
            return salvor_fail_detail(
                gathering->call, SALVOR_FAILED, reason, "repair that API, or remove its APIService",
                "API '%s' that the ResourceSet selects does not answer", selector->api_version);
        for (size_t j = 0; !served && j < gathering->catalog.count; j++)
            served = strcmp(gathering->catalog.types[j].group, selector->group) == 0 &&
                     strcmp(gathering->catalog.types[j].version, selector->version) == 0;
        gathering->summary->skipped += !served;
    }
    return SALVOR_OK;
}

/* By the names of their folders in the archive, the resource set among them. */
static int compare_types(const void *a, const void *b)
{
    const struct api_type *first = a;
    const struct api_type *second = b;
    char one[600];
    char other[600];
    (void)snprintf(one, sizeof one, "%s.%s#%s", first->resource, first->group, first->version);
    (void)snprintf(other, sizeof other, "%s.%s#%s", second->resource, second->group,
                   second->version);
    return strcmp(one, other);
}

static salvor_status gather_all(struct gathering *gathering)
{
    int set_is_written = 0;
    if (gathering->catalog.count > 0)
        qsort(gathering->catalog.types, gathering->catalog.count, sizeof *gathering->catalog.types,
              compare_types);
    for (size_t i = 0; i <= gathering->catalog.count; i++) {
        const struct api_type *type =
            i < gathering->catalog.count ? &gathering->catalog.types[i] : NULL;
        if (!set_is_written && (type == NULL || strcmp(type->resource, FILTERS_FOLDER) > 0)) {
            SALVOR_TRY(archive_writer_add(gathering->writer, FILTERS_MEMBER,
                                          gathering->request->set_json));
            set_is_written = 1;
        }
        if (type != NULL)
            SALVOR_TRY(gather_type(gathering, type));
    }
    return SALVOR_OK;
}

static salvor_status prepare(struct gathering *gathering)
{
    static const char *const drops[] = {"/metadata/uid",
                                        "/metadata/creationTimestamp",
                                        "/metadata/deletionTimestamp",
                                        "/metadata/selfLink",
                                        "/metadata/resourceVersion",
                                        "/metadata/deletionGracePeriodSeconds"};
    gathering->index = object_index_create();
    gathering->canonicalizer = salvor_canonicalizer_create(drops, sizeof drops / sizeof *drops);
    if (gathering->index == NULL || gathering->canonicalizer == NULL)
        return salvor_fail_memory(gathering->call, "the archive");
    SALVOR_TRY(api_catalog_read(gathering->call, gathering->client, &gathering->catalog));
    SALVOR_TRY(check_selectors(gathering));
    return archive_writer_open(gathering->call, gathering->request->artifact,
                               gathering->request->flags, gathering->request->mtime,
                               &gathering->writer);
}

salvor_status gather_run(salvor_call *call, salvor_kube_client *client,
                         const struct gather_request *request, struct gather_summary *ret_summary)
{
    struct gathering gathering = {.call = call,
                                  .kube = salvor_kube_of(call),
                                  .client = client,
                                  .request = request,
                                  .summary = ret_summary,
                                  .filled = SALVOR_TEXT_INIT(OBJECT_LIMIT),
                                  .escaped = SALVOR_TEXT_INIT(OBJECT_LIMIT),
                                  .sealed = SALVOR_TEXT_INIT(OBJECT_LIMIT),
                                  .path = SALVOR_TEXT_INIT(4096)};
    memset(ret_summary, 0, sizeof *ret_summary);
    ret_summary->artifact.struct_size = sizeof ret_summary->artifact;
    salvor_status status = prepare(&gathering);
    if (status == SALVOR_OK)
        status = gather_all(&gathering);
    if (status == SALVOR_OK) {
        ret_summary->index_bytes = object_index_bytes(gathering.index);
        status = archive_writer_commit(gathering.writer, &ret_summary->artifact);
        gathering.writer = NULL;
    }
    archive_writer_abort(gathering.writer);
    object_index_free(gathering.index);
    salvor_canonicalizer_free(gathering.canonicalizer);
    object_reader_clear(&gathering.reader);
    api_catalog_clear(&gathering.catalog);
    salvor_text_clear(&gathering.filled);
    salvor_text_clear(&gathering.escaped);
    salvor_text_clear(&gathering.sealed);
    salvor_text_clear(&gathering.path);
    return status;
}
