/* Commands that only look: discover, validate, plan. */
#include "cli/looking.h"

#include <salvor/plugin.h>
#include <stdio.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/drill-command.h"
#include "cli/message.h"
#include "cli/run-commands.h"
#include "cli/run-request.h"
#include "cli/run-view.h"
#include "cli/table.h"
#include "engine/interrupt.h"

int look(const struct arguments *arguments, const struct looking *looking, struct error *reterr)
{
    struct run_view view = {.data_only = 1};
    const struct engine_ui ui = run_view_ui(&view);
    cleanup_run_request struct run_request request = {.site = NULL};
    if (run_request_make(arguments, looking->kind, looking->commands, &ui, &request, reterr) != 0)
        return -1;
    request.engine.dry_run = 1;
    if (engine_begin(&request.engine, &view.engine, reterr) != 0)
        return -1;
    cleanup_error struct error err = ERROR_INIT;
    interrupt_install();
    if (arguments->timeout_ms > 0)
        interrupt_after(arguments->timeout_ms);
    int result = looking->work(view.engine, &request.consent, &err);
    if (result == 0 || err.code == EXIT_BLOCKED || engine_rehearsal(view.engine) != NULL)
        looking->print(view.engine, arguments->output);
    enum exit_code code = engine_end(view.engine, result == 0 ? NULL : &err);
    engine_free(view.engine);
    if (result != 0)
        return error_move(reterr, &err);
    return (int)code;
}

/* ---- discover ------------------------------------------------------------------------------ */

static int work_discover(struct engine *engine, const struct engine_consent *consent,
                         struct error *reterr)
{
    (void)consent;
    return engine_discover(engine, reterr);
}

static json_t *item_rows(const struct run_state *state)
{
    json_t *rows = json_array();
    size_t index = 0;
    const json_t *item = NULL;
    json_array_foreach (state->items, index, item) {
        cleanup_free char *details = json_canonical(json_object_get(item, "details"));
        json_add(rows, json_make("{s:s?, s:s?, s:s}", "kind", json_text(item, "kind"), "name",
                                 json_text(item, "name"), "details", details));
    }
    return rows;
}

static json_t *fact_rows(const struct run_state *state)
{
    json_t *rows = json_array();
    const char *name = NULL;
    const json_t *fact = NULL;
    json_object_foreach (state->facts, name, fact) {
        cleanup_free char *value = json_canonical(json_object_get(fact, "value"));
        json_add(rows, json_make("{s:s, s:s?, s:s}", "name", name, "class",
                                 json_text(fact, "class"), "value", value));
    }
    return rows;
}

static json_t *items_as_data(const struct run_state *state)
{
    json_t *items = json_array();
    size_t index = 0;
    const json_t *item = NULL;
    json_array_foreach (state->items, index, item)
        json_add(items,
                 json_make("{s:s?, s:s?, s:O}", "kind", json_text(item, "kind"), "name",
                           json_text(item, "name"), "details", json_object_get(item, "details")));
    return items;
}

static json_t *findings_as_data(const json_t *findings)
{
    json_t *data = json_array();
    size_t index = 0;
    const json_t *finding = NULL;
    json_array_foreach (findings, index, finding)
        json_add(data,
                 json_make("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:O?}", "severity",
                           json_text(finding, "severity"), "id", json_text(finding, "id"), "object",
                           json_text(finding, "object"), "title", json_text(finding, "title"),
                           "detail", json_text(finding, "detail"), "remedy",
                           json_text(finding, "remedy"), "statements",
                           json_object_get(finding, "statements")));
    return data;
}

static void print_discovery(struct engine *engine, enum output_format format)
{
    static const struct table_column item_columns[] = {
        {"KIND", "kind", 0}, {"NAME", "name", 0}, {"DETAILS", "details", 0}, {NULL, NULL, 0}};
    static const struct table_column fact_columns[] = {
        {"FACT", "name", 0}, {"CLASS", "class", 0}, {"VALUE", "value", 0}, {NULL, NULL, 0}};
    const struct run_state *state = engine_state(engine);
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        cleanup_json json_t *data = json_make("{s:s, s:o, s:O, s:o}", "run", engine_run_id(engine),
                                              "items", items_as_data(state), "facts", state->facts,
                                              "findings", findings_as_data(state->findings));
        table_print_value(stdout, format, data);
        return;
    }
    cleanup_json json_t *items = item_rows(state);
    cleanup_json json_t *facts = fact_rows(state);
    table_print(stdout, format, item_columns, "name", items, "nothing was found");
    if (format == OUTPUT_NAME)
        return;
    if (json_array_size(facts) > 0) {
        (void)fputc('\n', stdout);
        table_print(stdout, format, fact_columns, "name", facts, NULL);
    }
    if (json_array_size(state->findings) > 0) {
        (void)fputc('\n', stdout);
        run_view_findings(stdout, state->findings);
    }
}

int discover_command(const struct arguments *arguments, struct error *reterr)
{
    static const struct looking looking = {0, SALVOR_ON_DISCOVER, work_discover, print_discovery};
    int code = look(arguments, &looking, reterr);
    drill_warn_overdue(arguments);
    return code;
}

/* ---- validate ------------------------------------------------------------------------------ */

static int work_validate(struct engine *engine, const struct engine_consent *consent,
                         struct error *reterr)
{
    (void)consent;
    return engine_validate(engine, reterr);
}

static size_t count_severity(const json_t *findings, const char *severity)
{
    size_t count = 0;
    size_t index = 0;
    const json_t *finding = NULL;
    json_array_foreach (findings, index, finding)
        count += text_equal(json_text(finding, "severity"), severity) ? 1 : 0;
    return count;
}

static void print_validation(struct engine *engine, enum output_format format)
{
    static const struct table_column columns[] = {{"ID", "id", 0}, {NULL, NULL, 0}};
    const json_t *findings = engine_state(engine)->findings;
    if (format == OUTPUT_TABLE || format == OUTPUT_WIDE) {
        run_view_findings(stdout, findings);
        (void)printf("%zu blockers, %zu warnings, %zu notes\n", count_severity(findings, "blocker"),
                     count_severity(findings, "warning"), count_severity(findings, "info"));
        return;
    }
    cleanup_json json_t *data = findings_as_data(findings);
    table_print(stdout, format, columns, "id", data, NULL);
}

int validate_command(const struct arguments *arguments, struct error *reterr)
{
    /* A bare backup needs no site: required options are those of other commands. */
    static const struct looking looking = {0, SALVOR_ON_VALIDATE, work_validate, print_validation};
    const struct plugin_info *info = arguments->plugin->info;
    if (!plugin_info_has_hook(info, "validate"))
        return error_set(reterr, EXIT_USAGE, "provider '%s' offers no 'validate'", info->name);
    if (arguments->from == NULL) {
        (void)error_set(reterr, EXIT_USAGE, "there is nothing to validate");
        return error_hint(reterr, "name it: 'salvor --provider %s validate latest|SET|FILE'",
                          info->name);
    }
    return look(arguments, &looking, reterr);
}

/* ---- plan --------------------------------------------------------------------------- */

static void add_name(void *data, const char *name)
{
    json_add(data, json_string(name));
}

static json_t *objects_of_steps(struct engine *engine)
{
    const json_t *body = json_object_get(engine_state(engine)->plan, "body");
    json_t *objects = json_object();
    size_t index = 0;
    const json_t *step = NULL;
    json_array_foreach (json_object_get(body, "steps"), index, step) {
        json_t *names = json_array();
        if (engine_each_object(engine, json_text(step, "step"), add_name, names, NULL) != 0 ||
            json_array_size(names) == 0)
            json_decref(names);
        else
            json_put(objects, json_text(step, "step"), names);
    }
    return objects;
}

json_t *plan_as_data(struct engine *engine)
{
    const struct run_state *state = engine_state(engine);
    if (state->plan == NULL)
        return NULL;
    return json_make("{s:s, s:s?, s:O, s:O?, s:o}", "run", engine_run_id(engine), "hash",
                     json_text(state->plan, "hash"), "plan", json_object_get(state->plan, "body"),
                     "decision", state->decision, "objects", objects_of_steps(engine));
}

void print_plan(struct engine *engine, enum output_format format)
{
    const struct run_state *state = engine_state(engine);
    if (state->plan == NULL) { /* blocked before there was one */
        run_view_findings(stderr, state->findings);
        return;
    }
    const char *hash = json_text(state->plan, "hash");
    if (format == OUTPUT_NAME) {
        (void)puts(hash);
    } else if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        cleanup_json json_t *data = plan_as_data(engine);
        table_print_value(stdout, format, data);
    } else {
        if (json_array_size(state->findings) > 0)
            run_view_findings(stdout, state->findings);
        run_view_plan(stdout, engine);
    }
}

uint32_t kind_of_path(const struct arguments *arguments)
{
    const struct plugin_procedure *procedure =
        arguments->path != NULL ? plugin_info_procedure(arguments->plugin->info, arguments->path)
                                : NULL;
    if (procedure == NULL || procedure->kind == SALVOR_PROCEDURE_UNDO)
        return SALVOR_PROCEDURE_RESTORE;
    return procedure->kind;
}

int plan_only(const struct arguments *arguments, uint32_t kind, uint32_t commands,
              struct error *reterr)
{
    const struct looking looking = {kind, commands, engine_plan, print_plan};
    return look(arguments, &looking, reterr);
}

int plan_command(const struct arguments *arguments, struct error *reterr)
{
    return plan_only(arguments, kind_of_path(arguments), SALVOR_ON_RESTORE, reterr);
}
