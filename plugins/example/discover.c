#include <string.h>

#include "etcd.h"
#include "paths.h"
#include "procedures.h"

static salvor_status put_fact(salvor_call *call, const char *name)
{
    const char *path = salvor_option_text(call, "data-dir", NULL);
    char state[64];
    if (path == NULL)
        return SALVOR_OK;
    if (strcmp(name, FACT_DATA_DIR) == 0)
        return salvor_observed(call, name, SALVOR_FACT_IDENTITY, json_string(path));
    if (strcmp(name, FACT_DATA_DIR_STATE) != 0)
        return SALVOR_OK;
    SALVOR_TRY(path_state(call, path, state, sizeof state));
    return salvor_observed(call, name, SALVOR_FACT_GUARD, json_string(state));
}

static salvor_status put_members(salvor_call *call)
{
    salvor_auto_json json_t *members = NULL;
    size_t index = 0;
    json_t *member = NULL;
    SALVOR_TRY(etcd_ask_members(call, &members));
    json_array_foreach (json_object_get(members, "members"), index, member) {
        salvor_auto_release char *details = salvor_json_write(member);
        if (details == NULL)
            return salvor_fail_memory(call, "a member");
        SALVOR_TRY(salvor_inventory_of(call)->item(
            call, "member", salvor_json_text(member, "/name", "unnamed"), details));
    }
    return SALVOR_OK;
}

salvor_status example_discover(salvor_call *call)
{
    const char *endpoint = salvor_option_text(call, "endpoint", NULL);
    struct etcd_status status;
    SALVOR_TRY(put_fact(call, FACT_DATA_DIR));
    SALVOR_TRY(put_fact(call, FACT_DATA_DIR_STATE));
    SALVOR_TRY(etcd_ask_status(call, &status));
    salvor_auto_json json_t *details =
        status.reachable
            ? salvor_json_build(call, "{s:b, s:s, s:I, s:I}", "reachable", 1, "version",
                                status.version, "revision", (json_int_t)status.revision, "db_size",
                                (json_int_t)status.db_size)
            : salvor_json_build(call, "{s:b}", "reachable", 0);
    salvor_auto_release char *text = details != NULL ? salvor_json_write(details) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "the endpoint");
    SALVOR_TRY(salvor_inventory_of(call)->item(call, "endpoint", endpoint, text));
    SALVOR_TRY(
        salvor_observed(call, "reachable", SALVOR_FACT_INFO, json_boolean(status.reachable)));
    return status.reachable ? put_members(call) : SALVOR_OK;
}

salvor_status example_observe(salvor_call *call, const char *names)
{
    salvor_auto_json json_t *list = NULL;
    size_t index = 0;
    json_t *name = NULL;
    SALVOR_TRY(salvor_json_parse_text(call, names, "the list of facts", &list));
    json_array_foreach (list, index, name)
        SALVOR_TRY(put_fact(call, json_string_value(name)));
    return SALVOR_OK;
}
