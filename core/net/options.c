#include "net/options.h"

#include "base/banned.h"
#include "base/text.h"

int options_parse(const char *what, const char *text, json_t **ret_options, struct error *reterr)
{
    json_error_t problem;
    const char *given = text != NULL && *text != '\0' ? text : "{}";
    json_t *options = json_loads(given, JSON_REJECT_DUPLICATES, &problem);
    if (json_is_object(options)) {
        *ret_options = options;
        return 0;
    }
    (void)error_set(reterr, EXIT_FAILED, "%s are no JSON object", what);
    if (options == NULL)
        (void)error_detail(reterr, "%s", problem.text);
    json_decref(options);
    return -1;
}

int options_check(const char *what, const json_t *object, const char *const *names,
                  struct error *reterr)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(object))
        return error_set(reterr, EXIT_FAILED, "%s are no JSON object", what);
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        size_t i = 0;
        while (names[i] != NULL && !text_equal(names[i], name))
            i++;
        if (names[i] != NULL)
            continue;
        const char *near = text_nearest(name, names);
        (void)error_set(reterr, EXIT_FAILED, "unknown member '%s' of the %s", name, what);
        return near != NULL ? error_hint(reterr, "did you mean '%s'?", near) : -1;
    }
    return 0;
}

int options_text(const json_t *object, const char *name, const char **value, struct error *reterr)
{
    const json_t *member = json_object_get(object, name);
    if (member == NULL || json_is_null(member))
        return 0;
    if (!json_is_string(member) || *json_string_value(member) == '\0')
        return error_set(reterr, EXIT_FAILED, "'%s' is not a text", name);
    *value = json_string_value(member);
    return 0;
}

int options_flag(const json_t *object, const char *name, int *value, struct error *reterr)
{
    const json_t *member = json_object_get(object, name);
    if (member == NULL || json_is_null(member))
        return 0;
    if (!json_is_boolean(member))
        return error_set(reterr, EXIT_FAILED, "'%s' is neither true nor false", name);
    *value = json_is_true(member);
    return 0;
}

int options_number(const json_t *object, const char *name, int64_t least, int64_t most,
                   int64_t *value, struct error *reterr)
{
    const json_t *member = json_object_get(object, name);
    if (member == NULL || json_is_null(member))
        return 0;
    if (!json_is_integer(member) || json_integer_value(member) < least ||
        json_integer_value(member) > most)
        return error_set(reterr, EXIT_FAILED, "'%s' is not a whole number of %lld to %lld", name,
                         (long long)least, (long long)most);
    *value = json_integer_value(member);
    return 0;
}
