#include "worker/hooks.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/plugin-info.h"
#include "plugin/vocabulary.h"
#include "worker/argument.h"
#include "worker/call-life.h"
#include "worker/host-table.h"
#include "worker/limits.h"
#include "worker/output-tables.h"
#include "worker/residue.h"
#include "worker/service-calls.h"

static const char *const hook_names[] = {
    [HOOK_DISCOVER] = "discover",       [HOOK_VALIDATE] = "validate",
    [HOOK_BACKUP] = "backup",           [HOOK_RESTORE] = "restore",
    [HOOK_POST_RESYNC] = "post_resync", [HOOK_RUN_STEP] = "run_step",
    [HOOK_CHECK_STEP] = "check_step",   [HOOK_OBSERVE] = "observe",
};

enum { HOOK_COUNT = sizeof hook_names / sizeof hook_names[0] };

static int is_planning(const struct worker_call *call)
{
    return (HOOK_BIT(call->hook) & HOOKS_THAT_PLAN) != 0;
}

static int is_service_worker(const struct worker_call *call)
{
    return json_text(call->session->open, "plugin") == NULL;
}

/* "plugin 'x'", or the worker itself. */
static const char *who(struct worker_call *call)
{
    if (call->session->plugin == NULL)
        return "the service worker";
    cleanup_free char *text = text_format("plugin '%s'", call->session->plugin->name);
    return call_keep_text(call, text, strlen(text));
}

static int is_of_step(const struct worker_call *call)
{
    return (HOOK_BIT(call->hook) & HOOKS_OF_STEPS) != 0;
}

/* ---- what the hook is given ------------------------------------------------------------------ */

static const char *keep_dump(struct worker_call *call, const json_t *value, const char *otherwise)
{
    if (value == NULL || json_is_null(value))
        return otherwise;
    cleanup_free char *text = json_canonical(value);
    return call_keep_text(call, text, strlen(text));
}

/* The source of this call, else that of the run. */
static const char *source_text(const struct worker_call *call, const json_t *own, const char *key,
                               const char *key_of_run)
{
    const char *text = json_text(own, key);
    return text != NULL ? text
                        : json_text(json_object_get(call->session->open, "source"), key_of_run);
}

static struct salvor_request request_of(struct worker_call *call)
{
    const json_t *body = json_object_get(call->body, "request");
    return (struct salvor_request){
        .struct_size = sizeof(struct salvor_request),
        .procedure_kind = (uint32_t)json_whole(body, "procedure_kind", 0),
        .procedure = json_text(body, "procedure"),
        .stage = json_text(body, "stage"),
        .source = source_text(call, body, "source", "name"),
        .source_folder = source_text(call, body, "source_folder", "folder"),
        .results = keep_dump(call, json_object_get(call->body, "results"), "[]"),
    };
}

static const char *text_or_empty(const json_t *object, const char *key)
{
    const char *text = json_text(object, key);
    return text != NULL ? text : "";
}

static struct salvor_step step_of(struct worker_call *call)
{
    const json_t *body = json_object_get(call->body, "step");
    return (struct salvor_step){
        .struct_size = sizeof(struct salvor_step),
        .attempt = (uint32_t)json_whole(body, "attempt", 1),
        .instance = text_or_empty(body, "instance"),
        .procedure = text_or_empty(body, "procedure"),
        .stage = text_or_empty(body, "stage"),
        .row = text_or_empty(body, "row"),
        .target = text_or_empty(body, "target"),
        .parameters = keep_dump(call, json_object_get(body, "parameters"), "{}"),
        .job_id = text_or_empty(body, "job_id"),
        .results = keep_dump(call, json_object_get(call->body, "results"), "[]"),
        .source = source_text(call, body, "source", "name"),
        .source_folder = source_text(call, body, "source_folder", "folder"),
    };
}

/* ---- before ---------------------------------------------------------------------------------- */

static salvor_status find_hook(struct worker_call *call)
{
    const char *name = json_text(call->body, "hook");
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (text_equal(hook_names[i], name)) {
            call->hook = (enum worker_hook)i;
            call->hook_name = hook_names[i];
            return SALVOR_OK;
        }
    }
    call->hook_name = "-";
    return call_fail(call, SALVOR_UNSUPPORTED, "this salvor has no hook '%s'",
                     name != NULL ? name : "");
}

static salvor_status find_row(struct worker_call *call, const struct plugin_row **ret_row)
{
    const json_t *step = json_object_get(call->body, "step");
    const struct plugin_procedure *procedure =
        plugin_info_procedure(call->session->plugin, text_or_empty(step, "procedure"));
    const struct plugin_stage *stage =
        procedure != NULL ? plugin_procedure_stage(procedure, text_or_empty(step, "stage")) : NULL;
    *ret_row = stage != NULL ? plugin_stage_row(stage, text_or_empty(step, "row")) : NULL;
    if (*ret_row != NULL)
        return SALVOR_OK;
    return call_fail(call, SALVOR_REFUSED,
                     "plugin '%s' declares no row '%s' in stage '%s' of procedure '%s'",
                     call->session->plugin->name, text_or_empty(step, "row"),
                     text_or_empty(step, "stage"), text_or_empty(step, "procedure"));
}

/* The row of the descriptor decides what services may do; the parent can only lower it. */
static void limit_effect(struct worker_call *call, const struct plugin_row *row)
{
    uint32_t most = SALVOR_EFFECT_DECLARED_READ;
    if (call->hook == HOOK_RUN_STEP)
        most = row->effect;
    const int64_t asked = json_whole(call->body, "effect", most);
    call->effect = asked >= 0 && asked < most ? (uint32_t)asked : most;
    const json_t *pre_image =
        json_object_get(json_object_get(call->body, "checkpoints"), "pre_image");
    call->pre_image_needed = call->hook == HOOK_RUN_STEP && row->effect >= SALVOR_EFFECT_CHANGE &&
                             (pre_image == NULL || json_is_null(pre_image));
}

static salvor_status take_deadline(struct worker_call *call)
{
    const int64_t deadline_ms = json_whole(call->body, "deadline_ms", 0);
    if (deadline_ms <= 0)
        return call_fail(call, SALVOR_BUG, "a call of '%s' without a deadline", call->hook_name);
    call->deadline = clock_monotonic_ms() + deadline_ms;
    return SALVOR_OK;
}

/* No row limits the effect: the parent is the only one who knows what the call is for. */
static salvor_status prepare_service(struct worker_call *call)
{
    const char *hook = json_text(call->body, "hook");
    const char *name = json_text(call->body, "name");
    call->hook = HOOK_SERVICE;
    call->hook_name = text_equal(hook, "service") && name != NULL ? name : "-";
    if (!text_equal(hook, "service"))
        return call_fail(call, SALVOR_UNSUPPORTED, "a service worker has no hook '%s'",
                         hook != NULL ? hook : "");
    if (name == NULL)
        return call_fail(call, SALVOR_BUG, "a call of a service without its name");
    const int64_t effect = json_whole(call->body, "effect", SALVOR_EFFECT_READ);
    if (effect < 0 || word_for(words_effect, (uint32_t)effect) == NULL)
        return call_fail(call, SALVOR_BUG, "a call of service '%s' with an unknown effect", name);
    call->effect = (uint32_t)effect;
    return take_deadline(call);
}

static salvor_status prepare(struct worker_call *call)
{
    const struct plugin_row *row = NULL;
    if (is_service_worker(call))
        return prepare_service(call);
    salvor_status status = find_hook(call);
    if (status != SALVOR_OK)
        return status;
    if (call->session->hooks == NULL)
        return call_fail(call, SALVOR_UNSUPPORTED, "a plugin that is inspected has no hook '%s'",
                         call->hook_name);
    status = take_deadline(call);
    if (status != SALVOR_OK)
        return status;
    if (is_of_step(call)) {
        status = find_row(call, &row);
        if (status != SALVOR_OK || row == NULL)
            return status;
        call->row = row->id;
    }
    limit_effect(call, row);
    if (is_planning(call))
        planning_begin(call, json_object_get(call->body, "request"));
    return SALVOR_OK;
}

/* ---- the hook -------------------------------------------------------------------------------- */

static salvor_status not_offered(struct worker_call *call)
{
    return call_fail(call, SALVOR_UNSUPPORTED, "plugin '%s' does not offer '%s'",
                     call->session->plugin->name, call->hook_name);
}

static salvor_status run_request_hook(struct worker_call *call,
                                      salvor_status (*hook)(salvor_call *,
                                                            const struct salvor_request *))
{
    if (hook == NULL)
        return not_offered(call);
    const struct salvor_request request = request_of(call);
    return hook(&call->public, &request);
}

static salvor_status run_check(struct worker_call *call, uint32_t *ret_answer)
{
    const struct salvor_hooks *hooks = call->session->hooks;
    if (hooks->check_step == NULL)
        return not_offered(call);
    const struct salvor_step step = step_of(call);
    uint32_t answer = 0;
    salvor_status status = hooks->check_step(&call->public, &step, &answer);
    if (status != SALVOR_OK)
        return status;
    if (word_for(words_answer, answer) == NULL)
        return call_fail(call, SALVOR_BUG, "check_step of row '%s' gave the unknown answer %u",
                         call->row, answer);
    *ret_answer = answer;
    return SALVOR_OK;
}

static salvor_status run_service(struct worker_call *call)
{
    json_t *result = NULL;
    salvor_status status = service_call_run(call, &result);
    if (result != NULL)
        call_send(call, FRAME_RESULT, result);
    return status;
}

static salvor_status run_hook(struct worker_call *call, uint32_t *ret_answer)
{
    const struct salvor_hooks *hooks = call->session->hooks;
    switch (call->hook) {
    case HOOK_DISCOVER:
        return hooks->discover != NULL ? hooks->discover(&call->public) : not_offered(call);
    case HOOK_VALIDATE:
        return run_request_hook(call, hooks->validate);
    case HOOK_BACKUP:
        return run_request_hook(call, hooks->backup);
    case HOOK_RESTORE:
        return run_request_hook(call, hooks->restore);
    case HOOK_POST_RESYNC:
        return run_request_hook(call, hooks->post_resync);
    case HOOK_RUN_STEP: {
        if (hooks->run_step == NULL)
            return not_offered(call);
        const struct salvor_step step = step_of(call);
        return hooks->run_step(&call->public, &step);
    }
    case HOOK_CHECK_STEP:
        return run_check(call, ret_answer);
    case HOOK_OBSERVE:
        if (hooks->observe == NULL)
            return not_offered(call);
        return hooks->observe(&call->public,
                              keep_dump(call, json_object_get(call->body, "names"), "[]"));
    case HOOK_SERVICE:
        return run_service(call);
    }
    return SALVOR_BUG;
}

/* ---- after ----------------------------------------------------------------------------------- */

static int is_final_status(salvor_status status)
{
    return word_for(words_status, status) != NULL && status != SALVOR_END &&
           status != SALVOR_FULL && status != SALVOR_PENDING;
}

static json_t *error_json(const struct error *err)
{
    return json_make("{s:s, s:s?, s:s?}", "message", err->message, "detail", err->detail, "hint",
                     err->hint);
}

/* report() first, then the failure that a host function recorded, else what little is known. */
static json_t *reason_of(struct worker_call *call, salvor_status status)
{
    if (status == SALVOR_OK)
        return json_null();
    if (error_is_set(&call->reported))
        return error_json(&call->reported);
    if (!error_is_set(&call->error) || call->error_status != status)
        (void)call_fail(call, status, "%s answered '%s' to '%s' without a reason", who(call),
                        word_for(words_status, status), call->hook_name);
    return error_json(&call->error);
}

/* A fault of the plugin outweighs success, but not the hook's own failure. */
static salvor_status blame(struct worker_call *call, salvor_status status, struct error *err)
{
    if (status != SALVOR_OK && status != SALVOR_BUG) {
        const struct error *own = error_is_set(&call->reported) ? &call->reported : &call->error;
        cleanup_free char *detail = own->detail != NULL
                                        ? text_format("%s; %s", own->detail, err->message)
                                        : text_copy(err->message);
        (void)error_detail(error_is_set(&call->reported) ? &call->reported : &call->error, "%s",
                           detail);
        return status;
    }
    error_clear(&call->reported);
    return call_fail_error(call, SALVOR_BUG, err);
}

static salvor_status run_prepared(struct worker_call *call, uint32_t *ret_answer)
{
    salvor_status status = run_hook(call, ret_answer);
    if (!is_final_status(status)) {
        error_clear(&call->reported);
        status = call_fail(call, SALVOR_BUG, "%s answered status %u to '%s', which is none",
                           who(call), status, call->hook_name);
    }
    if (status == SALVOR_OK && is_planning(call)) {
        error_clear(&call->reported);
        status = planning_finish(call);
    }
    return status;
}

static int run_looked_after(struct worker_call *call, salvor_status *ret_status,
                            uint32_t *ret_answer)
{
    cleanup_error struct error left = ERROR_INIT;
    struct residue *before = residue_before();
    salvor_status status = run_prepared(call, ret_answer);
    call_close_handles(call);
    const int clean = residue_after(before, who(call), call->hook_name, &left);
    if (clean != 0)
        status = blame(call, status, &left);
    *ret_status = status;
    return clean == 0;
}

int hooks_run(struct worker_session *session, struct frame *frame)
{
    /* static: a thread that a plugin leaves behind may still look at it */
    static struct worker_call call;
    uint32_t answer = 0;
    int clean = 1;
    call_begin(&call, session, frame->call);
    limits_begin_call();
    call.public.host = host_table();
    call.body = take_pointer(frame->body);
    salvor_status status = prepare(&call);
    if (status == SALVOR_OK)
        clean = run_looked_after(&call, &status, &answer);
    planning_end(&call);
    host_table_flush(&call);
    if (call.hook == HOOK_CHECK_STEP && status != SALVOR_OK)
        answer = SALVOR_CHECK_UNKNOWN;
    call_finish(&call, json_make("{s:I, s:o, s:o, s:b}", "status", (json_int_t)status, "answer",
                                 answer != 0 ? json_integer(answer) : json_null(), "error",
                                 reason_of(&call, status), "last", !clean));
    call_end(&call);
    return clean;
}
