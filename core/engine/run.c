#include "engine/run.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/interrupt.h"
#include "engine/lease.h"
#include "host/redact.h"
#include "host/secrets.h"

enum { SAFE_POINT_MS = 1000 };

int run_record(struct run *run, const char *type, json_t *body, enum journal_durability durability,
               struct error *reterr)
{
    cleanup_json json_t *record = body != NULL ? body : json_object();
    redact_json(record);
    if (journal_append(run->journal, type, json_incref(record), durability, reterr) != 0)
        return -1;
    cleanup_json json_t *typed = json_clone(record);
    json_put_text(typed, "type", type);
    return run_state_apply(run->state, typed, reterr);
}

json_t *run_call_body(const struct run *run, const char *hook, uint32_t effect, int64_t deadline_ms)
{
    return json_make("{s:s, s:I, s:I, s:O, s:O}", "hook", hook, "effect", (json_int_t)effect,
                     "deadline_ms", (json_int_t)deadline_ms, "facts", run->state->facts, "results",
                     run->state->results);
}

/* ---- what a plugin sends during a call --------------------------------------------------- */

static json_t *with_step(const struct run *run, json_t *body)
{
    if (run->step != NULL) {
        json_put_text(body, "step", run->step);
        json_put(body, "attempt", json_integer(run->attempt));
    }
    return body;
}

static int take_log(struct run *run, const json_t *body)
{
    uint32_t level = (uint32_t)json_whole(body, "level", SALVOR_LOG_INFO);
    const char *text = json_text(body, "text");
    if (run->ui.log != NULL && text != NULL)
        run->ui.log(run->ui.data, level, text);
    return 0;
}

static int take_fact(struct run *run, json_t *body, struct error *reterr)
{
    const char *name = json_text(body, "name");
    json_t *value = json_object_get(body, "value");
    if (run->observed == NULL)
        return run_record(run, "fact", json_incref(body), JOURNAL_EVIDENCE, reterr);
    if (name != NULL && value != NULL)
        json_put(run->observed, name, json_incref(value));
    return 0;
}

static int take_finding(struct run *run, json_t *body, struct error *reterr)
{
    const char *id = json_text(body, "id");
    const struct plugin_finding *finding = id != NULL ? plugin_info_finding(run->info, id) : NULL;
    if (finding == NULL)
        return error_set(reterr, EXIT_FAILED,
                         "plugin '%s' raised a finding it does not declare: '%s'", run->info->name,
                         id != NULL ? id : "");
    /* the report is made from the journal alone: what the descriptor says of it goes along */
    json_put_text(body, "title", finding->title);
    json_put_text(body, "remedy", finding->remedy);
    json_put(body, "statements", json_array());
    for (size_t i = 0; finding->statements != NULL && finding->statements[i] != NULL; i++)
        json_add(json_object_get(body, "statements"), json_string(finding->statements[i]));
    json_put_text(body, "hook", run->hook);
    return run_record(run, "finding", json_incref(body), JOURNAL_EVIDENCE, reterr);
}

static int take_plan(struct run *run, const json_t *body, struct error *reterr)
{
    if (run->builder == NULL)
        return error_set(reterr, EXIT_FAILED, "plugin '%s' plans outside a plan hook",
                         run->info->name);
    return plan_builder_take(run->builder, body, reterr);
}

static int take_result(struct run *run, json_t *body, struct error *reterr)
{
    if (run->step == NULL)
        return error_set(reterr, EXIT_FAILED, "plugin '%s' gives a result outside a step",
                         run->info->name);
    return run_record(
        run, "result",
        json_make("{s:s, s:i, s:O}", "step", run->step, "attempt", run->attempt, "result", body),
        JOURNAL_DURABLE, reterr);
}

static int take_frame(struct run *run, enum frame_type type, json_t *body, struct error *reterr)
{
    switch (type) {
    case FRAME_LOG:
        return take_log(run, body);
    case FRAME_PROGRESS:
        if (run->ui.progress != NULL)
            run->ui.progress(run->ui.data, (uint64_t)json_whole(body, "done", 0),
                             (uint64_t)json_whole(body, "total", 0), json_text(body, "what"));
        return 0;
    case FRAME_ITEM:
        return run->observed != NULL
                   ? 0
                   : run_record(run, "item", json_incref(body), JOURNAL_EVIDENCE, reterr);
    case FRAME_FACT:
        return take_fact(run, body, reterr);
    case FRAME_FINDING:
        return take_finding(run, body, reterr);
    case FRAME_PLAN:
        return take_plan(run, body, reterr);
    case FRAME_NOTE:
        if (run->ui.note != NULL && json_text(body, "text") != NULL)
            run->ui.note(run->ui.data, json_text(body, "text"));
        return run_record(run, "note", with_step(run, json_incref(body)), JOURNAL_EVIDENCE, reterr);
    case FRAME_RESULT:
        return take_result(run, body, reterr);
    case FRAME_ARTIFACT:
        return run_record(run, "artifact", with_step(run, json_incref(body)), JOURNAL_DURABLE,
                          reterr);
    case FRAME_EVIDENCE:
        return run_record(run, "evidence", with_step(run, json_incref(body)), JOURNAL_EVIDENCE,
                          reterr);
    case FRAME_LEDGER:
        return run_record(run, "ledger", with_step(run, json_incref(body)), JOURNAL_EVIDENCE,
                          reterr);
    default:
        return error_set(reterr, EXIT_FAILED, "plugin '%s' sent an unexpected frame '%s'",
                         run->info->name, frame_type_name(type));
    }
}

/*
 * What the run works with later must not be silently another text: a pre-image, a target or a fact
 * with "[redacted]" in it would be written to the site one day.
 */
static int refuse_secret(const struct run *run, const char *what, struct error *reterr)
{
    (void)error_set(reterr, EXIT_FAILED, "plugin '%s' puts a secret's value into a %s",
                    run->info->name, what);
    return error_hint(reterr, "a value that has to outlive a step is sealed; where the secret is a "
                              "word that ordinary names hold, choose another secret");
}

static int is_worked_with(enum frame_type type, const json_t *body)
{
    return type == FRAME_PLAN || type == FRAME_RESULT ||
           (type == FRAME_FACT && !text_equal(json_text(body, "class"), "info"));
}

static int on_frame(void *data, enum frame_type type, const json_t *borrowed, struct error *reterr)
{
    struct run *run = data;
    cleanup_json json_t *body = json_clone(borrowed);
    cleanup_error struct error err = ERROR_INIT;
    redact_json(body);
    int result = is_worked_with(type, body) && !json_equal(body, borrowed)
                     ? refuse_secret(run, frame_type_name(type), &err)
                     : take_frame(run, type, body, &err);
    if (result == 0)
        return 0;
    (void)error_set(&run->record_error, err.code, "%s", err.message);
    if (err.hint != NULL)
        (void)error_hint(&run->record_error, "%s", err.hint);
    return error_move(reterr, &err);
}

static json_t *answer_checkpoint(struct run *run, const json_t *body, struct error *reterr)
{
    const char *kind = json_text(body, "kind");
    json_t *value = json_object_get(body, "value");
    if (run->step == NULL || kind == NULL || value == NULL) {
        (void)error_set(reterr, EXIT_FAILED, "a checkpoint belongs to a running step");
        return NULL;
    }
    cleanup_json json_t *redacted = json_clone(value);
    redact_json(redacted);
    if (!json_equal(redacted, value)) {
        (void)refuse_secret(run, "checkpoint", reterr);
        return NULL;
    }
    json_t *record = json_make("{s:s, s:i, s:s, s:O}", "step", run->step, "attempt", run->attempt,
                               "kind", kind, "value", value);
    if (run_record(run, "checkpoint", record, JOURNAL_DURABLE, reterr) != 0) {
        (void)error_set(&run->record_error, reterr->code, "%s", reterr->message);
        return NULL;
    }
    struct step_state *step = run_state_step(run->state, run->step);
    kill_point(step != NULL ? json_text(step->planned, "row") : "-", "checkpoint-durable");
    (void)step;
    return json_object();
}

static json_t *answer_secret(struct run *run, const json_t *body, struct error *reterr)
{
    json_t *reply = NULL;
    if (run->desk == NULL)
        run->desk = secrets_new(run->secrets, run->folder);
    int answered = secrets_answer(run->desk, body, &reply, reterr);
    if (answered == 0)
        (void)error_set(reterr, EXIT_FAILED, "the worker asks for something unknown: '%s'",
                        json_text(body, "ask") != NULL ? json_text(body, "ask") : "");
    if (answered != 1)
        return NULL;
    const char *option = json_text(body, "option");
    if (option == NULL || !json_flag(reply, "found") ||
        run_record(run, "secret", with_step(run, json_make("{s:s}", "option", option)),
                   JOURNAL_EVIDENCE, &run->record_error) == 0)
        return reply;
    (void)error_set(reterr, run->record_error.code, "%s", run->record_error.message);
    json_decref(reply);
    return NULL;
}

static json_t *on_request(void *data, const json_t *body, struct error *reterr)
{
    struct run *run = data;
    const char *ask = json_text(body, "ask");
    if (text_equal(ask, "checkpoint"))
        return answer_checkpoint(run, body, reterr);
    return answer_secret(run, body, reterr);
}

static int on_tick(void *data)
{
    struct run *run = data;
    if (run->ui.tick != NULL)
        run->ui.tick(run->ui.data);
    lease_pump(run);
    if (error_is_set(&run->record_error) ||
        journal_flush_due(run->journal, &run->record_error) != 0)
        return 2;
    int interrupts = interrupt_count();
    if (interrupts == 0)
        return 0;
    if (interrupts > 1)
        return 2;
    if (run->interrupted_at == 0)
        run->interrupted_at = clock_monotonic_ms();
    if (!run->told_waiting && clock_monotonic_ms() - run->interrupted_at > SAFE_POINT_MS) {
        run->told_waiting = 1;
        run_log(run, SALVOR_LOG_WARNING,
                "waiting for %s%s%s to reach a safe point; once more stops now; "
                "resume later with 'salvor resume %s'",
                run->step != NULL ? "step '" : "the plugin", run->step != NULL ? run->step : "",
                run->step != NULL ? "'" : "", run->id);
    }
    return 1;
}

int run_call(struct run *run, json_t *body, struct client_outcome *ret_outcome,
             struct error *reterr)
{
    cleanup_json json_t *own = body;
    struct client_listener listener = {run, on_frame, on_request, on_tick};
    error_clear(&run->record_error);
    run->hook = json_text(own, "hook");
    int result = client_call(run->client, own, &listener, ret_outcome, reterr);
    run->hook = NULL;
    if (!error_is_set(&run->record_error))
        return result;
    if (result == 0)
        error_clear(&ret_outcome->error);
    return error_move(reterr, &run->record_error);
}

static enum exit_code code_of_stop(void)
{
    return interrupt_timed_out() ? EXIT_FAILED : EXIT_INTERRUPTED;
}

static enum exit_code exit_code_of(const struct client_outcome *outcome)
{
    if (outcome->end == CLIENT_CANCELLED)
        return code_of_stop();
    if (outcome->end != CLIENT_DONE)
        return EXIT_FAILED;
    switch (outcome->status) {
    case SALVOR_REFUSED:
        return EXIT_REFUSED;
    case SALVOR_NEEDS_OPERATOR:
        return EXIT_WAITS;
    case SALVOR_CANCELLED:
        return code_of_stop();
    default:
        return EXIT_FAILED;
    }
}

int run_outcome_error(struct client_outcome *outcome, struct error *reterr)
{
    if (!error_is_set(&outcome->error))
        (void)error_set(&outcome->error, EXIT_FAILED, "the plugin failed without a reason");
    outcome->error.code = exit_code_of(outcome);
    if (outcome->end == CLIENT_CANCELLED && interrupt_timed_out())
        (void)error_prefix(&outcome->error, "the time limit (--timeout) has passed");
    return error_move(reterr, &outcome->error);
}

int run_interrupted(const struct run *run)
{
    (void)run;
    return interrupt_count() > 0;
}

int run_sleep(struct run *run, int64_t milliseconds)
{
    enum { SLICE_MS = 100 };
    int64_t until = clock_monotonic_ms() + milliseconds;
    for (int64_t left = milliseconds; left > 0; left = until - clock_monotonic_ms()) {
        if (interrupt_sleep(left < SLICE_MS ? left : SLICE_MS) != 0)
            return -1;
        if (run->ui.tick != NULL)
            run->ui.tick(run->ui.data);
        lease_pump(run);
        (void)journal_flush_due(run->journal, NULL); /* the next record tells a failure */
    }
    return run_interrupted(run) ? -1 : 0;
}

int run_interrupted_error(const struct run *run, struct error *reterr)
{
    (void)error_set(reterr, code_of_stop(), "run '%s' %s at a safe point", run->id,
                    interrupt_timed_out() ? "passed its time limit (--timeout) and was stopped"
                                          : "was interrupted");
    return error_hint(reterr, "go on with 'salvor resume %s'", run->id);
}

const char *run_who(const struct run *run)
{
    const char *who = run->ui.who != NULL ? run->ui.who(run->ui.data) : NULL;
    if (who != NULL)
        return who;
    const struct passwd *entry = getpwuid(getuid());
    return entry != NULL ? entry->pw_name : "unknown";
}

void run_tell_phase(const struct run *run, const char *phase, const char *about)
{
    if (run->ui.phase != NULL)
        run->ui.phase(run->ui.data, phase, about);
}

void run_tell_findings(const struct run *run, const char *hook)
{
    cleanup_json json_t *raised = json_array();
    size_t index = 0;
    json_t *finding = NULL;
    json_array_foreach (run->state->findings, index, finding) {
        if (text_equal(json_text(finding, "hook"), hook))
            json_add(raised, json_incref(finding));
    }
    if (run->ui.findings != NULL && json_array_size(raised) > 0)
        run->ui.findings(run->ui.data, raised);
}

void run_log(const struct run *run, uint32_t level, const char *format, ...)
{
    if (run->ui.log == NULL)
        return;
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    cleanup_free char *shown = redact_text(text);
    run->ui.log(run->ui.data, level, shown);
}

void run_finish(struct run *run)
{
    client_free(run->client);
    lease_free(run->lease);
    journal_close(run->journal);
    run_state_free(run->state);
    error_clear(&run->record_error);
    secrets_free(run->desk);
    run->desk = NULL;
    run->client = NULL;
    run->lease = NULL;
    run->journal = NULL;
    run->state = NULL;
}
