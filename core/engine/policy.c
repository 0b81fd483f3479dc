#include "engine/policy.h"

#include <fnmatch.h>
#include <salvor/types.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "config/yaml.h"
#include "plugin/vocabulary.h"

enum { POLICY_LIMIT = 65536 };

/* ---- reading ----------------------------------------------------------------------------- */

static int is_count(const char *key)
{
    return text_equal(key, "max-steps") || text_equal(key, "max-objects");
}

static json_t *from_yaml(const struct yaml_node *node, const char *key)
{
    int64_t number = 0;
    json_t *value = NULL;
    switch (node->kind) {
    case YAML_TEXT:
        if (is_count(key) && text_parse_integer(node->text, &number) == 0)
            return json_integer(number);
        return json_string(node->text);
    case YAML_LIST:
        value = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_add(value, from_yaml(node->entries[i].value, ""));
        return value;
    case YAML_MAP:
        value = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_put(value, node->entries[i].key,
                     from_yaml(node->entries[i].value, node->entries[i].key));
        return value;
    default:
        return json_null();
    }
}

int policy_load(const char *path, json_t **ret_policy, char ret_sha256[DIGEST_TEXT_SIZE],
                struct error *reterr)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    struct yaml_node *root = NULL;
    if (file_read(path, POLICY_LIMIT, &text, &size, reterr) != 0) {
        if (reterr != NULL)
            reterr->code = EXIT_USAGE;
        return error_prefix(reterr, "policy");
    }
    if (yaml_parse(text, size, path, &root, reterr) != 0)
        return -1;
    cleanup_json json_t *policy = from_yaml(root, "");
    yaml_free(root);
    if (policy_check(policy, path, reterr) != 0)
        return -1;
    digest_text_of(text, size, ret_sha256);
    *ret_policy = json_incref(policy);
    return 0;
}

/* ---- checking ---------------------------------------------------------------------------- */

static int is_text_list(const json_t *value)
{
    size_t index = 0;
    const json_t *entry = NULL;
    if (!json_is_array(value) || json_array_size(value) == 0)
        return 0;
    json_array_foreach (value, index, entry) {
        if (!json_is_string(entry))
            return 0;
    }
    return 1;
}

static int check_names(const json_t *policy, const char *path, struct error *reterr)
{
    static const char *const known[] = {"provider",  "effect",      "procedures", "targets",
                                        "max-steps", "max-objects", NULL};
    const char *name = NULL;
    const json_t *value = NULL;
    json_object_foreach ((json_t *)policy, name, value) {
        size_t i = 0;
        while (known[i] != NULL && !text_equal(known[i], name))
            i++;
        if (known[i] != NULL)
            continue;
        (void)error_set(reterr, EXIT_USAGE, "policy '%s': unknown key '%s'", path, name);
        const char *nearest = text_nearest(name, known);
        return nearest != NULL ? error_hint(reterr, "did you mean '%s'?", nearest) : -1;
    }
    return 0;
}

int policy_check(const json_t *policy, const char *path, struct error *reterr)
{
    if (!json_is_object(policy))
        return error_set(reterr, EXIT_USAGE, "policy '%s': not a mapping", path);
    if (check_names(policy, path, reterr) != 0)
        return -1;
    uint32_t effect = number_for(words_effect, json_text(policy, "effect"));
    if (json_text(policy, "provider") == NULL)
        return error_set(reterr, EXIT_USAGE, "policy '%s': 'provider' is missing", path);
    if (effect != SALVOR_EFFECT_CHANGE && effect != SALVOR_EFFECT_DESTRUCTIVE) {
        (void)error_set(reterr, EXIT_USAGE, "policy '%s': 'effect' must be change or destructive",
                        path);
        return error_hint(reterr, "irreversible steps are approved by hash or typed text only");
    }
    static const char *const lists[] = {"procedures", "targets", NULL};
    for (size_t i = 0; lists[i] != NULL; i++) {
        if (!is_text_list(json_object_get(policy, lists[i])))
            return error_set(reterr, EXIT_USAGE, "policy '%s': '%s' must be a list of texts", path,
                             lists[i]);
    }
    if (json_whole(policy, "max-steps", 0) <= 0)
        return error_set(reterr, EXIT_USAGE, "policy '%s': 'max-steps' must be a number above 0",
                         path);
    if (effect == SALVOR_EFFECT_DESTRUCTIVE && json_whole(policy, "max-objects", 0) <= 0)
        return error_set(reterr, EXIT_USAGE,
                         "policy '%s': 'max-objects' must be a number above 0 when 'effect' is "
                         "destructive",
                         path);
    return 0;
}

/* ---- covering ---------------------------------------------------------------------------- */

static int matches_one(const json_t *patterns, const char *text, int flags)
{
    size_t index = 0;
    const json_t *pattern = NULL;
    json_array_foreach (patterns, index, pattern) {
        if (fnmatch(json_string_value(pattern), text, flags) == 0)
            return 1;
    }
    return 0;
}

static char *step_beyond(const json_t *policy, const json_t *step, int64_t *objects)
{
    uint32_t effect = number_for(words_effect, json_text(step, "effect"));
    const char *target = json_text(step, "target");
    if (effect < SALVOR_EFFECT_CHANGE)
        return NULL;
    if (effect > number_for(words_effect, json_text(policy, "effect")))
        return text_format("step '%s' is %s, the policy covers %s", json_text(step, "step"),
                           json_text(step, "effect"), json_text(policy, "effect"));
    if (!matches_one(json_object_get(policy, "targets"), target, 0))
        return text_format("step '%s' acts on '%s', which no pattern of 'targets' matches",
                           json_text(step, "step"), target);
    *objects += json_whole(json_object_get(step, "objects"), "count", 0);
    return NULL;
}

int policy_covers(const json_t *policy, const json_t *body, char **ret_why)
{
    const json_t *steps = json_object_get(body, "steps");
    int64_t objects = 0;
    size_t index = 0;
    const json_t *step = NULL;
    *ret_why = NULL;
    if (!text_equal(json_text(policy, "provider"), json_text(body, "provider")))
        *ret_why = text_format("it is for provider '%s'", json_text(policy, "provider"));
    else if (!matches_one(json_object_get(policy, "procedures"), json_text(body, "procedure"), 0))
        *ret_why = text_format("it does not cover procedure '%s'", json_text(body, "procedure"));
    else if ((int64_t)json_array_size(steps) > json_whole(policy, "max-steps", 0))
        *ret_why =
            text_format("the stage has %zu steps, 'max-steps' is %lld", json_array_size(steps),
                        (long long)json_whole(policy, "max-steps", 0));
    if (*ret_why != NULL)
        return 0;
    json_array_foreach (steps, index, step) {
        *ret_why = step_beyond(policy, step, &objects);
        if (*ret_why != NULL)
            return 0;
    }
    if (objects > 0 && objects > json_whole(policy, "max-objects", 0)) {
        *ret_why = text_format("the stage names %lld objects, 'max-objects' is %lld",
                               (long long)objects, (long long)json_whole(policy, "max-objects", 0));
        return 0;
    }
    return 1;
}
