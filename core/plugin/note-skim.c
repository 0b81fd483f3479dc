#include "plugin/note-skim.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

struct skim {
    const char *at;
    const char *end;
};

static void skip_space(struct skim *skim)
{
    while (skim->at < skim->end && strchr(" \t\r\n", *skim->at) != NULL && *skim->at != '\0')
        skim->at++;
}

/* At the opening quote; moves behind the closing one. */
static int skip_string(struct skim *skim)
{
    for (const char *at = skim->at + 1; at < skim->end; at++) {
        if (*at == '\\') {
            at++;
        } else if (*at == '"') {
            skim->at = at + 1;
            return 0;
        }
    }
    return -1;
}

/* Any value: a string, or everything up to the comma or bracket that ends it. */
static int skip_value(struct skim *skim)
{
    const char *start = skim->at;
    size_t depth = 0;
    while (skim->at < skim->end) {
        switch (*skim->at) {
        case '"':
            if (skip_string(skim) != 0)
                return -1;
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (depth == 0)
                return skim->at > start ? 0 : -1;
            depth--;
            break;
        case ',':
            if (depth == 0)
                return skim->at > start ? 0 : -1;
            break;
        case '\0':
            return -1;
        default:
            break;
        }
        skim->at++;
    }
    return -1;
}

static json_t *string_of(const char *start, const char *end)
{
    json_t *value = json_loadb(start, (size_t)(end - start), JSON_DECODE_ANY, NULL);
    if (json_is_string(value))
        return value;
    json_decref(value);
    return NULL;
}

static int take_member(struct skim *skim, json_t *identity)
{
    static const char *const wanted[] = {"\"abi\"", "\"name\"", "\"summary\"", "\"version\"", NULL};
    skip_space(skim);
    const char *key = skim->at;
    if (key == skim->end || *key != '"' || skip_string(skim) != 0)
        return -1;
    size_t key_size = (size_t)(skim->at - key);
    skip_space(skim);
    if (skim->at == skim->end || *skim->at != ':')
        return -1;
    skim->at++;
    skip_space(skim);
    const char *value = skim->at;
    if (skip_value(skim) != 0)
        return -1;
    for (const char *const *name = wanted; *name != NULL; name++) {
        if (strlen(*name) != key_size || memcmp(*name, key, key_size) != 0)
            continue;
        json_t *text = string_of(value, skim->at);
        if (text == NULL)
            return -1;
        cleanup_free char *bare = text_copy_span(key + 1, key_size - 2);
        json_put(identity, bare, text);
    }
    return 0;
}

json_t *note_skim(const char *text, size_t size)
{
    struct skim skim = {text, text + size};
    cleanup_json json_t *identity = json_make("{}");
    skip_space(&skim);
    if (skim.at == skim.end || *skim.at != '{')
        return NULL;
    char separator = ',';
    skim.at++;
    skip_space(&skim);
    if (skim.at < skim.end && *skim.at == '}') {
        skim.at++;
        separator = '}';
    }
    while (separator == ',') {
        if (take_member(&skim, identity) != 0 || skim.at == skim.end)
            return NULL;
        separator = *skim.at++;
    }
    skip_space(&skim);
    if (separator != '}' || skim.at != skim.end)
        return NULL;
    return take_pointer(identity);
}
