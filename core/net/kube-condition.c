#include "net/kube-condition.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { DEPTH_LIMIT = 8 };

/* ---- checking -------------------------------------------------------------------------------- */

static int check(const json_t *condition, unsigned depth, struct error *reterr);

static int check_list(const char *name, const json_t *list, unsigned depth, struct error *reterr)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(list) || json_array_size(list) == 0)
        return error_set(reterr, EXIT_FAILED, "'%s' of the condition is no list of conditions",
                         name);
    json_array_foreach (list, index, entry) {
        if (check(entry, depth + 1, reterr) != 0)
            return -1;
    }
    return 0;
}

static int check_path(const json_t *condition, struct error *reterr)
{
    const char *path = json_text(condition, "path");
    const json_t *exists = json_object_get(condition, "exists");
    const json_t *at_least = json_object_get(condition, "at_least");
    const int says = (exists != NULL) + (at_least != NULL) +
                     (json_object_get(condition, "equals") != NULL) +
                     (json_object_get(condition, "not_equals") != NULL);
    if (path == NULL || *path != '/')
        return error_set(reterr, EXIT_FAILED, "'path' of the condition is no JSON pointer");
    if (says != 1 || json_object_size(condition) != 2)
        return error_set(reterr, EXIT_FAILED,
                         "a condition with a path has one of equals, not_equals, at_least, exists");
    if ((exists != NULL && !json_is_boolean(exists)) ||
        (at_least != NULL && !json_is_number(at_least)))
        return error_set(reterr, EXIT_FAILED,
                         "'exists' of the condition is true or false, 'at_least' a number");
    return 0;
}

static int check(const json_t *condition, unsigned depth, struct error *reterr)
{
    if (!json_is_object(condition) || depth > DEPTH_LIMIT)
        return error_set(reterr, EXIT_FAILED, "the condition is no object, or nested too deeply");
    if (json_object_get(condition, "path") != NULL)
        return check_path(condition, reterr);
    const char *status = json_text(condition, "status");
    const size_t members = json_object_size(condition);
    const size_t with_status = json_object_get(condition, "status") != NULL ? 2 : 1;
    if (json_text(condition, "condition") != NULL && members == with_status &&
        (with_status == 1 || status != NULL))
        return 0;
    if (members == 1 && (json_is_boolean(json_object_get(condition, "exists")) ||
                         json_is_true(json_object_get(condition, "observed"))))
        return 0;
    if (members == 1 && json_object_get(condition, "all") != NULL)
        return check_list("all", json_object_get(condition, "all"), depth, reterr);
    if (members == 1 && json_object_get(condition, "any") != NULL)
        return check_list("any", json_object_get(condition, "any"), depth, reterr);
    return error_set(reterr, EXIT_FAILED,
                     "the condition is none of exists, path, condition, observed, all, any");
}

int kube_condition_check(const json_t *condition, struct error *reterr)
{
    return check(condition, 0, reterr);
}

/* ---- holding --------------------------------------------------------------------------------- */

/* A word of a JSON pointer with its escapes undone; owned by the caller. */
static char *pointer_word(const char *at, size_t size)
{
    char *word = text_copy_span(at, size);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        char c = word[i];
        if (c == '~' && i + 1 < size && (word[i + 1] == '0' || word[i + 1] == '1'))
            c = (char)(word[++i] == '0' ? '~' : '/');
        word[used++] = c;
    }
    word[used] = '\0';
    return word;
}

static const json_t *value_at(const json_t *object, const char *path)
{
    while (object != NULL && *path == '/') {
        const size_t size = strcspn(path + 1, "/");
        cleanup_free char *word = pointer_word(path + 1, size);
        int64_t index = -1;
        if (json_is_array(object))
            object = text_parse_integer(word, &index) == 0 && index >= 0
                         ? json_array_get(object, (size_t)index)
                         : NULL;
        else
            object = json_object_get(object, word);
        path += size + 1;
    }
    return object;
}

static int is_equal(const json_t *value, const json_t *wanted)
{
    if (value == NULL || json_is_null(value))
        return json_is_null(wanted);
    if (json_is_number(value) && json_is_number(wanted))
        return json_number_value(value) == json_number_value(wanted);
    return json_equal(value, wanted);
}

static int path_holds(const json_t *condition, const json_t *object)
{
    const json_t *value = value_at(object, json_text(condition, "path"));
    const json_t *exists = json_object_get(condition, "exists");
    const json_t *at_least = json_object_get(condition, "at_least");
    const json_t *not_equals = json_object_get(condition, "not_equals");
    const int is_there = value != NULL && !json_is_null(value);
    /* of an object that does not exist nothing can be said */
    if (object == NULL)
        return 0;
    if (exists != NULL)
        return is_there == json_is_true(exists);
    if (at_least != NULL)
        return json_is_number(value) && json_number_value(value) >= json_number_value(at_least);
    if (not_equals != NULL)
        return !is_equal(value, not_equals);
    return is_equal(value, json_object_get(condition, "equals"));
}

static int named_holds(const json_t *condition, const json_t *object)
{
    const char *status = json_text(condition, "status");
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (json_object_get(json_object_get(object, "status"), "conditions"), index,
                        entry) {
        if (text_equal(json_text(entry, "type"), json_text(condition, "condition")))
            return text_equal(json_text(entry, "status"), status != NULL ? status : "True");
    }
    return 0;
}

static int is_observed(const json_t *object)
{
    const int64_t wanted = json_whole(json_object_get(object, "metadata"), "generation", -1);
    const int64_t seen = json_whole(json_object_get(object, "status"), "observedGeneration", -1);
    return wanted >= 0 && seen >= wanted;
}

int kube_condition_holds(const json_t *condition, const json_t *object)
{
    const json_t *all = json_object_get(condition, "all");
    const json_t *any = json_object_get(condition, "any");
    size_t index = 0;
    json_t *entry = NULL;
    if (json_object_get(condition, "path") != NULL)
        return path_holds(condition, object);
    if (json_object_get(condition, "condition") != NULL)
        return named_holds(condition, object);
    if (json_object_get(condition, "observed") != NULL)
        return is_observed(object);
    if (json_object_get(condition, "exists") != NULL)
        return (object != NULL) == json_is_true(json_object_get(condition, "exists"));
    json_array_foreach (all, index, entry) {
        if (!kube_condition_holds(entry, object))
            return 0;
    }
    json_array_foreach (any, index, entry) {
        if (kube_condition_holds(entry, object))
            return 1;
    }
    return all != NULL;
}

/* ---- saying ---------------------------------------------------------------------------------- */

char *kube_condition_text(const json_t *condition)
{
    const char *path = json_text(condition, "path");
    const char *named = json_text(condition, "condition");
    const json_t *exists = json_object_get(condition, "exists");
    const json_t *wanted = json_object_get(condition, "equals");
    if (named != NULL) {
        const char *status = json_text(condition, "status");
        return text_format("condition '%s' is '%s'", named, status != NULL ? status : "True");
    }
    if (path != NULL && wanted != NULL) {
        cleanup_free char *value = json_dumps(wanted, JSON_ENCODE_ANY | JSON_COMPACT);
        return text_format("'%s' is %s", path, value != NULL ? value : "");
    }
    if (exists != NULL && path == NULL)
        return text_copy(json_is_true(exists) ? "it exists" : "it is gone");
    cleanup_free char *said = json_canonical(condition);
    return text_format("%s holds", said);
}
