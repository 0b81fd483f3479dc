#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json-text.h"
#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

/* The value of one parameter of a media range, or NULL; owned by the caller. */
static char *parameter(const char *range, size_t size, const char *name)
{
    cleanup_free char *text = text_copy_span(range, size);
    size_t name_size = strlen(name);
    for (char *at = strchr(text, ';'); at != NULL; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " ");
        if (strncmp(at, name, name_size) == 0 && at[name_size] == '=')
            return text_copy_span(at + name_size + 1, strcspn(at + name_size + 1, "; "));
    }
    return NULL;
}

static int is_media(const char *range, const char *media)
{
    size_t size = strlen(media);
    return strncmp(range, media, size) == 0 && strchr(";, ", range[size]) != NULL;
}

/* 1 when the range can be served, with *ret_output set. */
static int range_output(const char *range, size_t size, enum output *ret_output)
{
    if (!is_media(range, "application/json") && !is_media(range, "*/*"))
        return 0;
    cleanup_free char *as = parameter(range, size, "as");
    cleanup_free char *group = parameter(range, size, "g");
    cleanup_free char *version = parameter(range, size, "v");
    if (as == NULL) {
        *ret_output = OUTPUT_OBJECT;
        return 1;
    }
    if (!text_equal(group, "meta.k8s.io") ||
        (!text_equal(version, "v1") && !text_equal(version, "v1beta1")))
        return 0;
    if (text_starts(as, "PartialObjectMetadata"))
        *ret_output = OUTPUT_PARTIAL;
    else if (strcmp(as, "Table") == 0)
        *ret_output = OUTPUT_TABLE;
    else
        return 0;
    return 1;
}

int output_choose(const struct sim_request *request, struct sim_answer *answer,
                  enum output *ret_output)
{
    *ret_output = OUTPUT_OBJECT;
    const char *at = request->accept;
    if (at == NULL || *at == '\0')
        return 0;
    while (*at != '\0') {
        at += strspn(at, " ,");
        size_t size = strcspn(at, ",");
        if (size > 0 && range_output(at, size, ret_output))
            return 0;
        at += size;
    }
    answer_status(answer, status_failure(406, "NotAcceptable", json_object(),
                                         "only the following media types are accepted: "
                                         "application/json"));
    return -1;
}

static void append(struct buffer *out, const char *text)
{
    buffer_append_text(out, text);
}

static void quoted(struct buffer *out, const char *text)
{
    json_text_write_string(out, text, strlen(text));
}

static void type_members(struct buffer *out, const struct kube_type *type)
{
    buffer_format(out, "\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\",", type->kind, type->group,
                  type->group[0] == '\0' ? "" : "/", type->version);
}

static void partial(struct buffer *out, const struct store_object *object)
{
    append(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
                "\"metadata\":");
    buffer_append(out, object->text + 12, object->metadata_size);
    append(out, "}");
}

/* "45s", "7m", "20h", "3d": how long ago the RFC 3339 time was, as people read it in tables. */
static void age(struct buffer *out, const char *time)
{
    struct tm when = {0};
    if (time == NULL || strptime(time, "%Y-%m-%dT%H:%M:%SZ", &when) == NULL) {
        append(out, "\"<unknown>\"");
        return;
    }
    long long seconds = clock_realtime_ms() / 1000 - (long long)timegm(&when);
    if (seconds < 120)
        buffer_format(out, "\"%llds\"", seconds < 0 ? 0 : seconds);
    else if (seconds < 120 * 60)
        buffer_format(out, "\"%lldm\"", seconds / 60);
    else if (seconds < 48 * 3600)
        buffer_format(out, "\"%lldh\"", seconds / 3600);
    else
        buffer_format(out, "\"%lldd\"", seconds / (24 * 3600));
}

static void row(struct buffer *out, const struct store_object *object)
{
    cleanup_json json_t *metadata =
        json_loadb(object->text + 12, object->metadata_size, JSON_ALLOW_NUL, NULL);
    append(out, "{\"cells\":[");
    quoted(out, tree_text(metadata, "name"));
    append(out, ",");
    age(out, tree_text(metadata, "creationTimestamp"));
    append(out, "],\"object\":");
    partial(out, object);
    append(out, "}");
}

static const char table_head[] =
    "\"columnDefinitions\":[{\"name\":\"Name\",\"type\":\"string\",\"format\":\"name\","
    "\"description\":\"name of the object\",\"priority\":0},{\"name\":\"Age\",\"type\":\"string\","
    "\"format\":\"\",\"description\":\"time of creation\",\"priority\":0}],\"rows\":[";

void output_object(struct buffer *out, enum output output, const struct kube_type *type,
                   const struct store_object *object, int as_item)
{
    if (output == OUTPUT_PARTIAL) {
        partial(out, object);
    } else if (output == OUTPUT_TABLE) {
        buffer_format(out,
                      "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":"
                      "{\"resourceVersion\":\"%lld\"},%s",
                      (long long)object->revision, table_head);
        row(out, object);
        append(out, "]}");
    } else {
        append(out, "{");
        if (!as_item || (type->flags & TYPE_CUSTOM) != 0)
            type_members(out, type);
        buffer_append(out, object->text + 1, object->size - 1);
    }
}

void output_tree(struct buffer *out, enum output output, const struct kube_type *type, json_t *tree)
{
    json_object_del(tree, "kind");
    json_object_del(tree, "apiVersion");
    if (tree_at(tree, "metadata") == NULL)
        tree_set(tree, "metadata", json_object());
    cleanup_buffer struct buffer text = BUFFER_INIT(ANSWER_LIMIT);
    size_t metadata_size;
    json_text_write_object(&text, tree, &metadata_size);
    struct store_object *object = memory_new(1, sizeof *object + text.size + 1);
    *object = (struct store_object){.size = text.size, .metadata_size = metadata_size};
    memcpy(object->text, text.data, text.size + 1);
    output_object(out, output, type, object, 0);
    free(object);
}

/* Custom lists are maps with sorted keys, so their metadata follows the items. */
static void list_metadata(struct buffer *out, const struct kube_type *type,
                          const struct output_list *list)
{
    const char *token = list->continue_token;
    append(out, "\"metadata\":{");
    if ((type->flags & TYPE_CUSTOM) != 0) {
        append(out, "\"continue\":");
        quoted(out, token == NULL ? "" : token);
        if (list->remaining >= 0)
            buffer_format(out, ",\"remainingItemCount\":%lld", (long long)list->remaining);
        buffer_format(out, ",\"resourceVersion\":\"%lld\"}", (long long)list->revision);
        return;
    }
    buffer_format(out, "\"resourceVersion\":\"%lld\"", (long long)list->revision);
    if (token != NULL) {
        append(out, ",\"continue\":");
        quoted(out, token);
    }
    if (list->remaining >= 0)
        buffer_format(out, ",\"remainingItemCount\":%lld", (long long)list->remaining);
    append(out, "}");
}

static int metadata_follows(enum output output, const struct kube_type *type)
{
    return output == OUTPUT_OBJECT && (type->flags & TYPE_CUSTOM) != 0;
}

void output_list_begin(struct buffer *out, enum output output, const struct kube_type *type,
                       const struct output_list *list)
{
    if (metadata_follows(output, type)) {
        buffer_format(out, "{\"apiVersion\":\"%s/%s\",\"items\":[", type->group, type->version);
        return;
    }
    static const struct kube_type plain = {.flags = 0};
    if (output == OUTPUT_OBJECT)
        buffer_format(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\",", type->list_kind,
                      type->group, type->group[0] == '\0' ? "" : "/", type->version);
    else
        buffer_format(out, "{\"kind\":\"%s\",\"apiVersion\":\"meta.k8s.io/v1\",",
                      output == OUTPUT_TABLE ? "Table" : "PartialObjectMetadataList");
    list_metadata(out, &plain, list);
    append(out, ",");
    append(out, output == OUTPUT_TABLE ? table_head : "\"items\":[");
}

void output_list_item(struct buffer *out, enum output output, const struct kube_type *type,
                      const struct store_object *object, int first)
{
    if (!first)
        append(out, ",");
    if (output == OUTPUT_TABLE)
        row(out, object);
    else
        output_object(out, output, type, object, 1);
}

void output_list_end(struct buffer *out, enum output output, const struct kube_type *type,
                     const struct output_list *list)
{
    if (!metadata_follows(output, type)) {
        append(out, "]}\n");
        return;
    }
    buffer_format(out, "],\"kind\":\"%s\",", type->list_kind);
    list_metadata(out, type, list);
    append(out, "}\n");
}
