#include "cli/run-view.h"

#include <salvor/types.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/message.h"
#include "cli/plan-view.h"
#include "cli/progress.h"
#include "cli/prompt.h"

static void on_log(void *data, uint32_t level, const char *text)
{
    (void)data;
    message(level >= SALVOR_LOG_WARNING ? MESSAGE_WARNING
            : level >= SALVOR_LOG_INFO  ? MESSAGE_INFO
                                        : MESSAGE_DEBUG,
            "%s", text);
}

static void on_phase(void *data, const char *phase, const char *about)
{
    static const struct {
        const char *phase;
        const char *text;
    } texts[] = {{"discover", "looking at the site"},
                 {"validate", "judging the backup"},
                 {"plan", "planning"},
                 {"rehearse", "asking the check of each step"},
                 {"stage", "running stage"},
                 {"deliver", "bringing the set into store"}};
    const struct run_view *view = data;
    const char *text = phase;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (text_equal(texts[i].phase, phase))
            text = texts[i].text;
    }
    if (view->progress != NULL && (text_equal(phase, "stage") || text_equal(phase, "deliver")))
        progress_phase(view->progress, text_equal(phase, "stage") ? about : text);
    message(MESSAGE_INFO, "%s%s%s%s", text, about != NULL ? " '" : "", about != NULL ? about : "",
            about != NULL ? "'" : "");
}

static void on_findings(void *data, const json_t *findings)
{
    struct run_view *view = data;
    if (view->engine != NULL && !view->data_only)
        run_view_findings(stderr, findings);
}

static void on_plan(void *data, const json_t *record)
{
    struct run_view *view = data;
    (void)record;
    if (view->engine != NULL && !view->data_only && !message_is_json())
        run_view_plan(stderr, view->engine);
}

static void on_step_begin(void *data, const json_t *step, size_t number, size_t count, int attempt)
{
    struct run_view *view = data;
    const char *target = json_text(step, "target");
    cleanup_free char *title =
        text_format("%s%s%s", json_text(step, "title"),
                    target != NULL && *target != '\0' ? ": " : "", target != NULL ? target : "");
    if (view->progress != NULL)
        progress_step(view->progress, title, number, count, attempt);
}

static void on_step_end(void *data, const json_t *step, const char *status, int64_t duration_ms,
                        const struct error *error)
{
    struct run_view *view = data;
    (void)error;
    if (text_equal(status, "skipped"))
        message(MESSAGE_INFO, "already so: %s", json_text(step, "title"));
    else if (view->progress != NULL)
        progress_step_end(view->progress, status, duration_ms);
}

static void on_progress(void *data, uint64_t done, uint64_t total, const char *what)
{
    const struct run_view *view = data;
    if (view->progress != NULL)
        progress_items(view->progress, done, total, what);
}

static void on_tick(void *data)
{
    const struct run_view *view = data;
    if (view->progress != NULL)
        progress_tick(view->progress);
}

static void on_note(void *data, const char *text)
{
    (void)data;
    message(MESSAGE_INFO, "%s", text);
}

static void on_manual(void *data, const json_t *step, const char *instructions)
{
    (void)data;
    message(MESSAGE_INFO, "a person has to do this: %s",
            instructions != NULL ? instructions : json_text(step, "title"));
}

static int on_ask(void *data, const char *question)
{
    (void)data;
    return prompt_yes_no(question);
}

static int on_ask_text(void *data, const char *question, const char *expected)
{
    (void)data;
    return prompt_text(question, expected);
}

struct engine_ui run_view_ui(struct run_view *view)
{
    return (struct engine_ui){
        .data = view,
        .log = on_log,
        .phase = on_phase,
        .findings = on_findings,
        .plan = on_plan,
        .step_begin = on_step_begin,
        .step_end = on_step_end,
        .progress = on_progress,
        .note = on_note,
        .tick = on_tick,
        .manual = on_manual,
        .ask = on_ask,
        .ask_text = on_ask_text,
    };
}

/* ---- on request -------------------------------------------------------------------------- */

/* As it was recorded: with the words of the plugin's descriptor, or salvor's own. */
static void print_finding(FILE *out, const json_t *finding)
{
    const char *object = json_text(finding, "object");
    const char *severity = json_text(finding, "severity");
    const char *title = json_text(finding, "title");
    const json_t *statements = json_object_get(finding, "statements");
    cleanup_free char *safe_object = display_safe(object != NULL ? object : "", 0);
    cleanup_free char *detail =
        display_safe(json_text(finding, "detail") != NULL ? json_text(finding, "detail") : "", 0);
    (void)fprintf(out, "%-8s %s", severity != NULL ? severity : "", json_text(finding, "id"));
    if (*safe_object != '\0')
        (void)fprintf(out, " on '%s'", safe_object);
    (void)fprintf(out, "\n         %s%s%s", title != NULL ? title : "", *detail != '\0' ? ": " : "",
                  detail);
    (void)fputc('\n', out);
    if (text_equal(severity, "info"))
        return;
    for (size_t i = 0; i < json_array_size(statements); i++)
        (void)fprintf(out, "%s%s%s", i == 0 ? "         [" : ", ",
                      json_string_value(json_array_get(statements, i)),
                      i + 1 == json_array_size(statements) ? "]\n" : "");
    if (json_text(finding, "remedy") != NULL)
        (void)fprintf(out, "         remedy: %s\n", json_text(finding, "remedy"));
}

void run_view_findings(FILE *out, const json_t *findings)
{
    static const char *const order[] = {"blocker", "warning", "info"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        size_t index = 0;
        const json_t *finding = NULL;
        json_array_foreach (findings, index, finding) {
            if (text_equal(json_text(finding, "severity"), order[i]))
                print_finding(out, finding);
        }
    }
}

static void each_object(void *data, const char *step, void (*visit)(void *, const char *),
                        void *visit_data)
{
    cleanup_error struct error err = ERROR_INIT;
    if (engine_each_object(data, step, visit, visit_data, &err) != 0)
        message_warn_error(&err);
}

void run_view_plan(FILE *out, struct engine *engine)
{
    const struct run_state *state = engine_state(engine);
    plan_view_print(out, engine_plugin(engine), state->plan, state->decision, each_object, engine);
}
