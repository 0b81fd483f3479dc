#include "worker/service-calls.h"

#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static const struct service_command **known;
static size_t count;
static int (*openers[4])(struct error *reterr); /* asked in this order, each once */
static size_t opener_count;
static size_t opened_count;
static struct error not_opened; /* why what is opened later is not there */

static size_t lookup(const char *name)
{
    size_t i = 0;
    while (i < count && !text_equal(known[i]->name, name))
        i++;
    return i;
}

void service_commands_register(const struct service_command *commands)
{
    for (; commands->name != NULL; commands++) {
        const size_t at = lookup(commands->name);
        if (at == count) {
            known = memory_resize(known, count + 1, sizeof *known);
            count++;
        }
        known[at] = commands;
    }
}

void service_commands_open_later(int (*open_more)(struct error *reterr))
{
    if (opener_count == sizeof openers / sizeof *openers)
        abort();
    openers[opener_count++] = open_more;
}

const struct service_command *service_command_find(const char *name, struct error *reterr)
{
    size_t at = lookup(name);
    while (at == count && opened_count < opener_count) {
        cleanup_error struct error err = ERROR_INIT;
        if (openers[opened_count++](&err) == 0)
            at = lookup(name);
        else if (!error_is_set(&not_opened))
            (void)error_move(&not_opened, &err);
    }
    if (at < count)
        return known[at];
    if (!error_is_set(&not_opened)) {
        (void)error_set(reterr, EXIT_FAILED, "this salvor has no service '%s'", name);
        return NULL;
    }
    (void)error_set(reterr, EXIT_FAILED, "%s", not_opened.message);
    if (not_opened.detail != NULL)
        (void)error_detail(reterr, "%s", not_opened.detail);
    if (not_opened.hint != NULL)
        (void)error_hint(reterr, "%s", not_opened.hint);
    (void)error_prefix(reterr, "service '%s' cannot be had", name);
    return NULL;
}

static int fits_into_a_frame(const json_t *result)
{
    /* as frame_encode does */
    return json_dumpb(result, NULL, 0, JSON_COMPACT) <= FRAME_PAYLOAD_LIMIT;
}

salvor_status service_call_run(struct worker_call *call, json_t **ret_result)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_json json_t *nothing = json_object();
    const json_t *request = json_object_get(call->body, "request");
    const struct service_command *command = service_command_find(call->hook_name, &err);
    if (command == NULL)
        return call_fail_error(call, SALVOR_UNSUPPORTED, &err);
    salvor_status status = command->run(call, json_is_object(request) ? request : nothing, &result);
    if (status != SALVOR_OK || result == NULL)
        return status;
    if (!json_is_object(result))
        return call_fail(call, SALVOR_BUG, "the result of service '%s' is no object",
                         call->hook_name);
    if (!fits_into_a_frame(result))
        return call_fail(call, SALVOR_BUG, "the result of service '%s' is too large for one answer",
                         call->hook_name);
    *ret_result = take_pointer(result);
    return SALVOR_OK;
}
