/* Stages, steps and attempts: what was planned, who approved it, what came of it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "report/fold.h"
#include "report/lock.h"

#include "base/banned.h"

enum { CHECKS_SHOWN = 100, ATTEMPTS_SHOWN = 200 };

static json_t *step_of(const struct fold *fold, const json_t *record)
{
    const char *instance = json_text(record, "step");
    return instance != NULL ? json_object_get(fold->steps, instance) : NULL;
}

static const char *title_of(const json_t *step)
{
    const char *title = json_text(step, "title");
    return title != NULL ? title : json_text(step, "step");
}

/* ---- plan and approval ----------------------------------------------------------------------- */

static json_t *planned_step(const json_t *planned)
{
    json_t *step = json_clone(planned);
    json_put_text(step, "state", "not-started");
    json_put(step, "attempts", json_array());
    json_put(step, "checks", json_array());
    json_put(step, "checkpoints", json_integer(0));
    json_put(step, "duration_ms", json_null());
    json_put(step, "offset_ms", json_null());
    return step;
}

/* Planned again before anybody approved it, for instance after a kill. */
static void supersede(struct fold *fold)
{
    const char *status = json_text(fold->stage, "status");
    if (fold->stage != NULL && text_equal(status, "planned"))
        json_put_text(fold->stage, "status", "superseded");
}

static void fold_plan(struct fold *fold, const json_t *record)
{
    const json_t *body = json_object_get(record, "body");
    const char *name = json_text(record, "stage");
    json_t *stages = json_object_get(fold->report, "stages");
    if (json_array_size(stages) >= LISTED)
        return;
    if (fold->stage != NULL && text_equal(json_text(fold->stage, "stage"), name))
        supersede(fold);
    json_t *steps = json_array();
    size_t index = 0;
    const json_t *planned = NULL;
    json_array_foreach (json_object_get(body, "steps"), index, planned) {
        if (!json_is_object(planned) || json_text(planned, "step") == NULL)
            continue;
        json_t *step = planned_step(planned);
        json_add(steps, step);
        json_put(fold->steps, json_text(planned, "step"), json_incref(step));
    }
    json_t *stage = json_make(
        "{s:s?, s:s?, s:s?, s:I, s:s?, s:s?, s:s?, s:s?, s:I, s:n, s:s, s:[], s:O?, s:o}",
        "procedure", json_text(body, "procedure"), "title", json_text(body, "title"), "stage", name,
        "number", (json_int_t)json_whole(record, "number", 0), "hash", json_text(record, "hash"),
        "previous", json_text(record, "previous"), "next_stage", json_text(body, "next_stage"),
        "planned_at", fold->at, "offset_ms", (json_int_t)fold->elapsed_ms, "duration_ms", "status",
        "planned", "approvals", "jobs", json_object_get(record, "jobs"), "steps", steps);
    json_add(stages, stage);
    fold->stage = stage;
    fold_moment(fold, "plan", "plain", NULL, "stage '%s' planned: %zu steps",
                name != NULL ? name : "?", json_array_size(steps));
}

/* A policy decides at once; all other approvals are somebody's answer. */
static int is_by_person(const char *by)
{
    return !text_equal(by, "policy") && !text_equal(by, "not-needed");
}

static const char *approval_words(const char *by)
{
    if (text_equal(by, "prompt"))
        return "at the prompt";
    if (text_equal(by, "hash"))
        return "by its hash";
    if (text_equal(by, "yes"))
        return "with --yes";
    return text_equal(by, "policy") ? "by policy" : "in some other way";
}

static void fold_approval(struct fold *fold, const json_t *record)
{
    const char *by = json_text(record, "by");
    const char *stage = json_text(record, "stage");
    if (fold->stage == NULL)
        return;
    int64_t planned = json_whole(fold->stage, "offset_ms", 0);
    int64_t waited = fold->elapsed_ms - (fold->resumed_ms > planned ? fold->resumed_ms : planned);
    if (text_equal(json_text(fold->stage, "status"), "planned"))
        json_put_text(fold->stage, "status", "approved");
    json_add(json_object_get(fold->stage, "approvals"),
             json_make("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:I}", "by", by, "who",
                       json_text(record, "who"), "hash", json_text(record, "hash"), "text",
                       json_text(record, "text"), "policy_sha256",
                       json_text(record, "policy_sha256"), "at", fold->at, "offset_ms",
                       (json_int_t)fold->elapsed_ms, "waited_ms", (json_int_t)waited));
    json_put(fold->stage, "approved_offset_ms", json_integer(fold->elapsed_ms));
    if (text_equal(by, "not-needed"))
        return;
    if (is_by_person(by))
        fold->people_ms += waited;
    cleanup_free char *what =
        text_format("approved stage '%s' %s", stage != NULL ? stage : "?", approval_words(by));
    fold_person(fold, json_text(record, "who"), what, NULL, json_text(record, "text"));
    fold_moment(fold, "approval", "person", NULL, "stage '%s' approved %s",
                stage != NULL ? stage : "?", approval_words(by));
}

static void fold_stage_done(struct fold *fold)
{
    if (fold->stage == NULL)
        return;
    json_put_text(fold->stage, "status", "done");
    json_put(fold->stage, "duration_ms",
             json_integer(fold->elapsed_ms - json_whole(fold->stage, "offset_ms", 0)));
}

/* ---- attempts -------------------------------------------------------------------------------- */

static json_t *last_attempt(const json_t *step)
{
    json_t *attempts = json_object_get(step, "attempts");
    size_t count = json_array_size(attempts);
    return count > 0 ? json_array_get(attempts, count - 1) : NULL;
}

static json_t *begin_attempt(struct fold *fold, json_t *step, const json_t *record)
{
    json_t *attempt =
        json_make("{s:I, s:s?, s:I, s:n, s:n, s:n}", "attempt",
                  (json_int_t)json_whole(record, "attempt", 0), "at", fold->at, "offset_ms",
                  (json_int_t)fold->elapsed_ms, "status", "duration_ms", "error");
    json_t *attempts = json_object_get(step, "attempts");
    if (json_array_size(attempts) >= ATTEMPTS_SHOWN)
        (void)json_array_remove(attempts, 1);
    json_add(attempts, attempt);
    if (json_is_null(json_object_get(step, "offset_ms")))
        json_put(step, "offset_ms", json_integer(fold->elapsed_ms));
    return attempt;
}

static void fold_intent(struct fold *fold, json_t *step, const json_t *record)
{
    (void)begin_attempt(fold, step, record);
    json_put_text(step, "state", "unknown");
}

static const char *state_after(const char *status)
{
    if (text_equal(status, "done") || text_equal(status, "skipped"))
        return status;
    if (text_equal(status, "retry"))
        return "retrying";
    if (text_equal(status, "cancelled"))
        return "interrupted";
    return "failed";
}

static void add_duration(json_t *step, int64_t duration)
{
    int64_t sum = json_whole(step, "duration_ms", 0);
    if (!__builtin_add_overflow(sum, duration > 0 ? duration : 0, &sum))
        json_put(step, "duration_ms", json_integer(sum));
}

static void fold_outcome(struct fold *fold, json_t *step, const json_t *record)
{
    const char *status = json_text(record, "status");
    json_t *attempt = last_attempt(step);
    if (attempt == NULL || !json_is_null(json_object_get(attempt, "status")))
        attempt = begin_attempt(fold, step, record);
    int64_t measured = fold->elapsed_ms - json_whole(attempt, "offset_ms", 0);
    int64_t duration = json_whole(record, "duration_ms", measured);
    const json_t *error = json_object_get(record, "error");
    json_put_text(attempt, "status", status);
    json_put(attempt, "duration_ms", json_integer(duration));
    json_put(attempt, "error", error != NULL ? json_clone(error) : json_null());
    add_duration(step, duration);
    json_put_text(step, "state", state_after(status));
    json_put(step, "ended_offset_ms", json_integer(fold->elapsed_ms));
    if (json_is_object(json_object_get(record, "result")))
        json_put(step, "result", json_clone(json_object_get(record, "result")));
    const char *state = json_text(step, "state");
    const char *message = json_text(error, "message");
    int bad = text_equal(state, "failed") || text_equal(state, "retrying");
    fold_moment(fold, "step",
                bad                                ? "bad"
                : text_equal(state, "interrupted") ? "warn"
                                                   : "good",
                json_text(step, "step"), "%s: %s%s%s", title_of(step),
                status != NULL ? status : "ended", message != NULL ? ": " : "",
                message != NULL ? message : "");
}

static void fold_check(struct fold *fold, json_t *step, const json_t *record)
{
    json_t *checks = json_object_get(step, "checks");
    if (json_array_size(checks) >= CHECKS_SHOWN)
        (void)json_array_remove(checks, 1);
    json_add(checks,
             json_make("{s:s?, s:I, s:s?, s:s?, s:s?, s:I}", "at", fold->at, "offset_ms",
                       (json_int_t)fold->elapsed_ms, "when", json_text(record, "when"), "answer",
                       json_text(record, "answer"), "why", json_text(record, "why"), "attempt",
                       (json_int_t)json_whole(record, "attempt", 0)));
}

/* ---- people ---------------------------------------------------------------------------------- */

static void fold_manual(struct fold *fold, json_t *step, const json_t *record)
{
    const char *event = json_text(record, "event");
    const char *instance = json_text(step, "step");
    if (text_equal(event, "shown")) {
        if (json_is_null(json_object_get(step, "offset_ms")))
            json_put(step, "offset_ms", json_integer(fold->elapsed_ms));
        json_put(step, "shown_offset_ms", json_integer(fold->elapsed_ms));
        json_put_text(step, "state", "waiting");
        fold_moment(fold, "manual", "person", instance, "a person was asked: %s", title_of(step));
    } else if (text_equal(event, "confirmed")) {
        fold_person(fold, json_text(record, "who"), "said it was done", instance, title_of(step));
    } else if (text_equal(event, "seen-done")) {
        int64_t since = json_whole(step, "shown_offset_ms", fold->elapsed_ms);
        fold->people_ms += fold->elapsed_ms - since;
        fold_person(fold, json_text(record, "who"), "did it by hand, and the check saw it done",
                    instance, title_of(step));
    }
    json_t *events = json_object_get(step, "manual_events");
    if (events == NULL) {
        events = json_array();
        json_put(step, "manual_events", events);
    }
    if (json_array_size(events) < CHECKS_SHOWN)
        json_add(events, json_make("{s:s?, s:s?, s:s?, s:I}", "event", event, "who",
                                   json_text(record, "who"), "at", fold->at, "offset_ms",
                                   (json_int_t)fold->elapsed_ms));
}

static void fold_settle(struct fold *fold, json_t *step, const json_t *record)
{
    const char *as = json_text(record, "as");
    cleanup_free char *what =
        text_format("settled an unknown outcome as %s", as != NULL ? as : "?");
    json_put_text(step, "state", text_equal(as, "done") ? "done" : "not-started");
    json_put_text(step, "settled", as);
    fold_person(fold, json_text(record, "who"), what, json_text(step, "step"),
                json_text(record, "reason"));
    fold_moment(fold, "settle", "person", json_text(step, "step"), "%s: settled as %s",
                title_of(step), as != NULL ? as : "?");
}

static void fold_confirmation(struct fold *fold, json_t *step, const json_t *record)
{
    const char *text = json_text(record, "text");
    cleanup_free char *what =
        text_format("confirmed an irreversible step by typing '%s'", text != NULL ? text : "");
    fold_person(fold, json_text(record, "who"), what, json_text(step, "step"), title_of(step));
    json_put_text(step, "confirmed_by", json_text(record, "who"));
}

/* ---- all of it ------------------------------------------------------------------------------- */

int fold_step_record(struct fold *fold, const char *type, const json_t *record)
{
    static const struct {
        const char *type;
        void (*fold)(struct fold *fold, json_t *step, const json_t *record);
    } of_steps[] = {{"intent", fold_intent}, {"outcome", fold_outcome},
                    {"check", fold_check},   {"manual", fold_manual},
                    {"settle", fold_settle}, {"confirmation", fold_confirmation}};
    if (text_equal(type, "plan")) {
        fold_plan(fold, record);
        fold_planned_lock(fold, json_object_get(json_object_get(record, "body"), "lock"));
        return 1;
    }
    if (text_equal(type, "approval")) {
        fold_approval(fold, record);
        return 1;
    }
    if (text_equal(type, "stage")) {
        fold_stage_done(fold);
        return 1;
    }
    json_t *step = step_of(fold, record);
    for (size_t i = 0; i < sizeof of_steps / sizeof *of_steps; i++) {
        if (!text_equal(type, of_steps[i].type))
            continue;
        if (step != NULL)
            of_steps[i].fold(fold, step, record);
        return 1;
    }
    if (text_equal(type, "checkpoint")) {
        if (step != NULL)
            json_put(step, "checkpoints", json_integer(json_whole(step, "checkpoints", 0) + 1));
        return 1;
    }
    if (text_equal(type, "result")) {
        if (step != NULL && json_is_object(json_object_get(record, "result")))
            json_put(step, "result", json_clone(json_object_get(record, "result")));
        return 1;
    }
    /* The names behind a step's count stay in the journal. */
    return text_equal(type, "objects");
}

void fold_steps_finish(struct fold *fold)
{
    size_t index = 0;
    const json_t *stage = NULL;
    json_array_foreach (json_object_get(fold->report, "stages"), index, stage) {
        size_t number = 0;
        json_t *step = NULL;
        json_array_foreach (json_object_get(stage, "steps"), number, step) {
            const char *state = json_text(step, "state");
            if (fold->running && text_equal(state, "unknown"))
                json_put_text(step, "state", "running");
            else if (!fold->running && text_equal(state, "retrying"))
                json_put_text(step, "state", "failed");
        }
    }
}
