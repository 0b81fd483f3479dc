#include "worker/argument.h"

#include <string.h>

#include "base/banned.h"
#include "base/utf8.h"

salvor_status argument_any_text(struct worker_call *call, const char *function,
                                const char *parameter, const char *value, size_t limit)
{
    if (value == NULL)
        return call_fail(call, SALVOR_BUG, "%s: '%s' is missing", function, parameter);
    const size_t size = strnlen(value, limit + 1);
    if (size > limit)
        return call_fail(call, SALVOR_BUG, "%s: '%s' is longer than %zu bytes", function, parameter,
                         limit);
    if (!utf8_valid(value, size))
        return call_fail(call, SALVOR_BUG, "%s: '%s' is not UTF-8", function, parameter);
    return SALVOR_OK;
}

salvor_status argument_text(struct worker_call *call, const char *function, const char *parameter,
                            const char *value, size_t limit)
{
    if (value != NULL && *value == '\0')
        return call_fail(call, SALVOR_BUG, "%s: '%s' is empty", function, parameter);
    return argument_any_text(call, function, parameter, value, limit);
}

salvor_status argument_json(struct worker_call *call, const char *function, const char *parameter,
                            const char *text, size_t limit, int object_only, json_t **ret_value)
{
    salvor_status status = argument_text(call, function, parameter, text, limit);
    if (status != SALVOR_OK)
        return status;
    json_error_t problem;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    if (value == NULL)
        return call_fail(call, SALVOR_BUG, "%s: '%s' is not JSON: %s", function, parameter,
                         problem.text);
    if (object_only && !json_is_object(value)) {
        json_decref(value);
        return call_fail(call, SALVOR_BUG, "%s: '%s' is not a JSON object", function, parameter);
    }
    *ret_value = value;
    return SALVOR_OK;
}

salvor_status argument_hook(struct worker_call *call, const char *function, unsigned hooks)
{
    if ((hooks & HOOK_BIT(call->hook)) != 0)
        return SALVOR_OK;
    return call_fail(call, SALVOR_BUG, "%s cannot be called in '%s'", function, call->hook_name);
}
