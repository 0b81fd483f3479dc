#include "net/kube-compare.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static int covers(const json_t *live, const json_t *sent);

/* Absent is what the server makes of it. */
static int says_nothing(const json_t *value)
{
    return json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0) || json_is_false(value) ||
           (json_is_integer(value) && json_integer_value(value) == 0);
}

static int covers_object(const json_t *live, const json_t *sent)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)sent, name, value) {
        const json_t *there = json_object_get(live, name);
        if (there == NULL ? !says_nothing(value) : !covers(there, value))
            return 0;
    }
    return 1;
}

static int covers_array(const json_t *live, const json_t *sent)
{
    size_t index = 0;
    json_t *value = NULL;
    if (json_array_size(live) != json_array_size(sent))
        return 0;
    json_array_foreach (sent, index, value) {
        if (!covers(json_array_get(live, index), value))
            return 0;
    }
    return 1;
}

static int covers(const json_t *live, const json_t *sent)
{
    if (json_is_object(sent) && json_is_object(live))
        return covers_object(live, sent);
    if (json_is_array(sent) && json_is_array(live))
        return covers_array(live, sent);
    /* whole numbers of custom types come back without their fraction */
    if (json_is_number(sent) && json_is_number(live) &&
        json_number_value(sent) == json_number_value(live))
        return json_is_integer(sent) && json_is_integer(live)
                   ? json_integer_value(sent) == json_integer_value(live)
                   : 1;
    return json_equal(live, sent) || (says_nothing(sent) && json_is_null(live));
}

static int is_the_servers(const char *name)
{
    static const char *const names[] = {"resourceVersion",
                                        "uid",
                                        "creationTimestamp",
                                        "generation",
                                        "managedFields",
                                        "selfLink",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds",
                                        NULL};
    for (size_t i = 0; names[i] != NULL; i++) {
        if (text_equal(names[i], name))
            return 1;
    }
    return 0;
}

static int covers_metadata(const json_t *live, const json_t *sent)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)sent, name, value) {
        const json_t *there = json_object_get(live, name);
        if (is_the_servers(name))
            continue;
        if (there == NULL ? !says_nothing(value) : !covers(there, value))
            return 0;
    }
    return 1;
}

/* Texts of a Secret that are only ever written: they stand, encoded, among its data. */
static int covers_string_data(const json_t *live, const json_t *sent)
{
    const json_t *data = json_object_get(live, "data");
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)sent, name, value) {
        const size_t size = json_string_length(value);
        const size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
        cleanup_free char *encoded = memory_new(room, 1);
        (void)sodium_bin2base64(
            encoded, room,
            (const unsigned char *)(json_is_string(value) ? json_string_value(value) : ""), size,
            sodium_base64_VARIANT_ORIGINAL);
        const int same = json_is_string(value) && text_equal(json_text(data, name), encoded);
        sodium_memzero(encoded, room);
        if (!same)
            return 0;
    }
    return 1;
}

int kube_covers(const json_t *live, const json_t *sent, const char *subresource)
{
    const int of_status = text_equal(subresource, "status");
    const json_t *string_data = json_object_get(sent, "stringData");
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(live) || !json_is_object(sent))
        return 0;
    if (of_status)
        return json_object_get(sent, "status") == NULL ||
               covers(json_object_get(live, "status"), json_object_get(sent, "status"));
    json_object_foreach ((json_t *)(uintptr_t)sent, name, value) {
        const json_t *there = json_object_get(live, name);
        int good = 1;
        if (text_equal(name, "status"))
            continue;
        if (text_equal(name, "metadata"))
            good = covers_metadata(there, value);
        else if (text_equal(name, "stringData"))
            good = covers_string_data(live, value);
        else if (text_equal(name, "data") && string_data != NULL && json_is_object(value))
            continue; /* stringData wins over it, entry by entry: not worth to be sure of */
        else
            good = there == NULL ? says_nothing(value) : covers(there, value);
        if (!good)
            return 0;
    }
    return string_data == NULL || json_object_get(sent, "data") == NULL;
}

static int is_patched(const json_t *live, const json_t *patch, int is_metadata)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)patch, name, value) {
        const json_t *there = json_object_get(live, name);
        int good = 1;
        if (is_metadata && is_the_servers(name))
            continue;
        if (json_is_null(value))
            good = there == NULL || json_is_null(there);
        else if (json_is_object(value))
            good = is_patched(there, value, 0);
        else
            good = there != NULL && covers(there, value);
        if (!good)
            return 0;
    }
    return 1;
}

int kube_covers_patch(const json_t *live, const json_t *patch)
{
    const json_t *metadata = json_object_get(patch, "metadata");
    if (!json_is_object(live) || !json_is_object(patch))
        return 0;
    if (json_is_object(metadata) && !is_patched(json_object_get(live, "metadata"), metadata, 1))
        return 0;
    cleanup_json json_t *rest = json_copy((json_t *)(uintptr_t)patch);
    (void)json_object_del(rest, "metadata");
    return is_patched(live, rest, 0);
}
