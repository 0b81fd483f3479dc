/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/object.h>

#include <string.h>

struct reader {
    struct salvor_scanner scanner;
    struct salvor_scan_error problem;
};

static salvor_status wrong(struct reader *reader, const char *problem)
{
    reader->problem.problem = problem;
    reader->problem.offset = (uint64_t)(reader->scanner.at - reader->scanner.start);
    return SALVOR_FAILED;
}

/* Takes the value that `first` begins as a plain text; null counts as absent. */
static salvor_status take_text(struct reader *reader, const struct salvor_token *first,
                               struct salvor_span *ret_text)
{
    if (first->type == SALVOR_TOKEN_NULL)
        return SALVOR_OK;
    if (first->type != SALVOR_TOKEN_STRING)
        return wrong(reader, "a name of the object is not a text");
    if (first->escaped)
        return wrong(reader, "a name of the object has an escape in it");
    *ret_text = first->text;
    return SALVOR_OK;
}

static salvor_status take_container(struct reader *reader, const struct salvor_token *first,
                                    uint32_t type, struct salvor_span *ret_value)
{
    if (first->type == SALVOR_TOKEN_NULL)
        return SALVOR_OK;
    if (first->type != type)
        return wrong(reader, "labels, annotations, owners or finalizers have another type");
    return salvor_scan_skip(&reader->scanner, first, ret_value);
}

static salvor_status read_metadata(struct reader *reader, struct salvor_object *object)
{
    for (;;) {
        struct salvor_token key;
        struct salvor_token value;
        salvor_status status = salvor_scan_next(&reader->scanner, &key);
        if (status != SALVOR_OK || key.type == SALVOR_TOKEN_OBJECT_END)
            return status;
        status = salvor_scan_next(&reader->scanner, &value);
        if (status != SALVOR_OK)
            return status;
        if (salvor_token_is(&key, "name"))
            status = take_text(reader, &value, &object->name);
        else if (salvor_token_is(&key, "namespace"))
            status = take_text(reader, &value, &object->ns);
        else if (salvor_token_is(&key, "uid"))
            status = take_text(reader, &value, &object->uid);
        else if (salvor_token_is(&key, "resourceVersion"))
            status = take_text(reader, &value, &object->resource_version);
        else if (salvor_token_is(&key, "deletionTimestamp"))
            status = take_text(reader, &value, &object->deletion_timestamp);
        else if (salvor_token_is(&key, "labels"))
            status = take_container(reader, &value, SALVOR_TOKEN_OBJECT, &object->labels);
        else if (salvor_token_is(&key, "annotations"))
            status = take_container(reader, &value, SALVOR_TOKEN_OBJECT, &object->annotations);
        else if (salvor_token_is(&key, "ownerReferences"))
            status = take_container(reader, &value, SALVOR_TOKEN_ARRAY, &object->owners);
        else if (salvor_token_is(&key, "finalizers"))
            status = take_container(reader, &value, SALVOR_TOKEN_ARRAY, &object->finalizers);
        else
            status = salvor_scan_skip(&reader->scanner, &value, NULL);
        if (status != SALVOR_OK)
            return status;
    }
}

static salvor_status read_object(struct reader *reader, struct salvor_object *object)
{
    struct salvor_token token;
    salvor_status status = salvor_scan_next(&reader->scanner, &token);
    if (status != SALVOR_OK)
        return status;
    if (token.type != SALVOR_TOKEN_OBJECT)
        return wrong(reader, "not a JSON object");
    for (;;) {
        struct salvor_token key;
        status = salvor_scan_next(&reader->scanner, &key);
        if (status != SALVOR_OK)
            return status;
        if (key.type == SALVOR_TOKEN_OBJECT_END)
            break;
        status = salvor_scan_next(&reader->scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (salvor_token_is(&key, "apiVersion"))
            status = take_text(reader, &token, &object->api_version);
        else if (salvor_token_is(&key, "kind"))
            status = take_text(reader, &token, &object->kind);
        else if (salvor_token_is(&key, "metadata") && token.type == SALVOR_TOKEN_OBJECT)
            status = read_metadata(reader, object);
        else if (salvor_token_is(&key, "status") && token.type != SALVOR_TOKEN_NULL)
            status = salvor_scan_skip(&reader->scanner, &token, &object->status);
        else
            status = salvor_scan_skip(&reader->scanner, &token, NULL);
        if (status != SALVOR_OK)
            return status;
    }
    status = salvor_scan_next(&reader->scanner, &token);
    return status == SALVOR_END ? SALVOR_OK : status;
}

salvor_status salvor_object_read(struct salvor_span json, struct salvor_object *ret_object,
                                 struct salvor_scan_error *reterr)
{
    struct reader reader = {.problem = {NULL, 0}};
    struct salvor_object object = {.json = json};
    salvor_scan_begin(&reader.scanner, json);
    const salvor_status status = read_object(&reader, &object);
    if (status == SALVOR_OK)
        *ret_object = object;
    else if (reterr != NULL)
        *reterr = reader.problem.problem != NULL ? reader.problem : reader.scanner.error;
    return status;
}

/* The member `name` of a raw JSON object; labels have names with slashes, so no pointer. */
static salvor_status text_member(struct salvor_span json, const char *name,
                                 struct salvor_token *ret_value)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    if (json.size == 0)
        return SALVOR_NOT_FOUND;
    salvor_scan_begin(&scanner, json);
    salvor_status status = salvor_scan_next(&scanner, &token);
    while (status == SALVOR_OK) {
        struct salvor_token value;
        status = salvor_scan_next(&scanner, &token);
        if (status != SALVOR_OK || token.type == SALVOR_TOKEN_OBJECT_END)
            break;
        status = salvor_scan_next(&scanner, &value);
        if (status != SALVOR_OK)
            break;
        if (value.type == SALVOR_TOKEN_STRING && salvor_token_is(&token, name)) {
            *ret_value = value;
            return SALVOR_OK;
        }
        status = salvor_scan_skip(&scanner, &value, NULL);
    }
    return status == SALVOR_OK ? SALVOR_NOT_FOUND : status;
}

salvor_status salvor_object_label(const struct salvor_object *object, const char *name,
                                  struct salvor_token *ret_value)
{
    return text_member(object->labels, name, ret_value);
}

salvor_status salvor_object_annotation(const struct salvor_object *object, const char *name,
                                       struct salvor_token *ret_value)
{
    return text_member(object->annotations, name, ret_value);
}

static void take_plain(const struct salvor_token *value, struct salvor_span *ret_text)
{
    if (value->type == SALVOR_TOKEN_STRING)
        *ret_text = value->text;
}

salvor_status salvor_object_owner(const struct salvor_object *object, uint32_t index,
                                  struct salvor_owner *ret_owner)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    struct salvor_owner owner = {.controller = 0};
    if (object->owners.size == 0)
        return SALVOR_END;
    salvor_scan_begin(&scanner, object->owners);
    salvor_status status = salvor_scan_next(&scanner, &token);
    for (uint32_t at = 0; status == SALVOR_OK; at++) {
        status = salvor_scan_next(&scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (token.type == SALVOR_TOKEN_ARRAY_END)
            return SALVOR_END;
        if (at == index)
            break;
        status = salvor_scan_skip(&scanner, &token, NULL);
    }
    if (status != SALVOR_OK || token.type != SALVOR_TOKEN_OBJECT)
        return SALVOR_FAILED;
    for (;;) {
        struct salvor_token value;
        status = salvor_scan_next(&scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (token.type == SALVOR_TOKEN_OBJECT_END)
            break;
        status = salvor_scan_next(&scanner, &value);
        if (status != SALVOR_OK)
            return status;
        if (salvor_token_is(&token, "apiVersion"))
            take_plain(&value, &owner.api_version);
        else if (salvor_token_is(&token, "kind"))
            take_plain(&value, &owner.kind);
        else if (salvor_token_is(&token, "name"))
            take_plain(&value, &owner.name);
        else if (salvor_token_is(&token, "uid"))
            take_plain(&value, &owner.uid);
        else if (salvor_token_is(&token, "controller"))
            owner.controller = value.type == SALVOR_TOKEN_TRUE;
        else if (salvor_token_is(&token, "blockOwnerDeletion"))
            owner.blocks_deletion = value.type == SALVOR_TOKEN_TRUE;
        status = salvor_scan_skip(&scanner, &value, NULL);
        if (status != SALVOR_OK)
            return status;
    }
    *ret_owner = owner;
    return SALVOR_OK;
}

static salvor_status read_condition(struct salvor_scanner *scanner,
                                    struct salvor_condition *condition)
{
    for (;;) {
        struct salvor_token key;
        struct salvor_token value;
        salvor_status status = salvor_scan_next(scanner, &key);
        if (status != SALVOR_OK || key.type == SALVOR_TOKEN_OBJECT_END)
            return status;
        status = salvor_scan_next(scanner, &value);
        if (status != SALVOR_OK)
            return status;
        if (salvor_token_is(&key, "type"))
            take_plain(&value, &condition->type);
        else if (salvor_token_is(&key, "status"))
            take_plain(&value, &condition->status);
        else if (salvor_token_is(&key, "reason"))
            take_plain(&value, &condition->reason);
        else if (salvor_token_is(&key, "message"))
            take_plain(&value, &condition->message);
        status = salvor_scan_skip(scanner, &value, NULL);
        if (status != SALVOR_OK)
            return status;
    }
}

salvor_status salvor_object_condition(const struct salvor_object *object, const char *type,
                                      struct salvor_condition *ret_condition)
{
    struct salvor_span conditions;
    struct salvor_scanner scanner;
    struct salvor_token token;
    if (object->status.size == 0)
        return SALVOR_NOT_FOUND;
    salvor_status status =
        salvor_scan_find(object->status, "/conditions", &token, &conditions, NULL);
    if (status != SALVOR_OK)
        return status;
    if (token.type != SALVOR_TOKEN_ARRAY)
        return SALVOR_NOT_FOUND;
    salvor_scan_begin(&scanner, conditions);
    status = salvor_scan_next(&scanner, &token);
    while (status == SALVOR_OK) {
        status = salvor_scan_next(&scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (token.type == SALVOR_TOKEN_ARRAY_END)
            return SALVOR_NOT_FOUND;
        if (token.type != SALVOR_TOKEN_OBJECT) {
            status = salvor_scan_skip(&scanner, &token, NULL);
            continue;
        }
        struct salvor_condition condition;
        memset(&condition, 0, sizeof condition);
        status = read_condition(&scanner, &condition);
        if (status == SALVOR_OK && salvor_span_is(condition.type, type)) {
            *ret_condition = condition;
            return SALVOR_OK;
        }
    }
    return status;
}

int salvor_object_is(const struct salvor_object *object, const char *condition)
{
    struct salvor_condition found;
    return salvor_object_condition(object, condition, &found) == SALVOR_OK &&
           salvor_span_is(found.status, "True");
}

void salvor_group_version(struct salvor_span api_version, struct salvor_span *ret_group,
                          struct salvor_span *ret_version)
{
    const char *slash =
        api_version.size > 0 ? memchr(api_version.data, '/', (size_t)api_version.size) : NULL;
    ret_group->data = api_version.data;
    ret_group->size = 0;
    *ret_version = api_version;
    if (slash != NULL) {
        ret_group->size = (uint64_t)(slash - api_version.data);
        ret_version->data = slash + 1;
        ret_version->size = api_version.size - ret_group->size - 1;
    }
}

salvor_status salvor_span_copy(struct salvor_span span, char *buffer, size_t size)
{
    if (span.size >= size)
        return SALVOR_REFUSED;
    if (span.size > 0)
        memcpy(buffer, span.data, (size_t)span.size);
    buffer[span.size] = '\0';
    return SALVOR_OK;
}
