/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/host.h>
#include <salvor/json.h>
#include <salvor/options.h>
#include <salvor/report.h>

#include <stddef.h>

const char *salvor_option_text(salvor_call *call, const char *name, const char *fallback)
{
    const char *value = call->host->option_text(call, name);
    return value != NULL ? value : fallback;
}

int64_t salvor_option_integer(salvor_call *call, const char *name, int64_t fallback)
{
    int64_t value = 0;
    return call->host->option_integer(call, name, &value) == SALVOR_OK ? value : fallback;
}

int salvor_option_flag(salvor_call *call, const char *name)
{
    return salvor_option_integer(call, name, 0) != 0;
}

salvor_status salvor_option_list(salvor_call *call, const char *name, json_t **ret_list)
{
    const char *text = call->host->option_text(call, name);
    if (text == NULL) {
        json_t *empty = json_array();
        if (empty == NULL)
            return salvor_fail_memory(call, "an option");
        *ret_list = empty;
        return SALVOR_OK;
    }
    json_t *list = NULL;
    SALVOR_TRY(salvor_json_parse_text(call, text, "a list option", &list));
    if (!json_is_array(list)) {
        json_decref(list);
        return salvor_fail(call, SALVOR_BUG, NULL, "option '%s' is not a list", name);
    }
    *ret_list = list;
    return SALVOR_OK;
}

salvor_status salvor_option_need(salvor_call *call, const char *name, const char **ret_value)
{
    const char *value = call->host->option_text(call, name);
    if (value == NULL)
        return salvor_fail(call, SALVOR_REFUSED, "give it on the command line or in the site",
                           "option '%s' is needed here", name);
    *ret_value = value;
    return SALVOR_OK;
}
