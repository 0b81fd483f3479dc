/* Commands that change something: backup, restore, post-resync, and resume of any of them. */
#include <salvor/plugin.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/drill-command.h"
#include "cli/message.h"
#include "cli/prompt.h"
#include "cli/run-commands.h"
#include "cli/run-request.h"
#include "cli/run-view.h"
#include "cli/table.h"
#include "config/config.h"
#include "engine/interrupt.h"

static int interrupted(void)
{
    return interrupt_count() > 0;
}

static void print_end(struct engine *engine, enum output_format format, const char *status)
{
    static const struct table_column columns[] = {{"RUN", "run", 0},
                                                  {"STATUS", "status", 0},
                                                  {"SET", "set", 0},
                                                  {"PATH", "path", 1},
                                                  {NULL, NULL, 0}};
    const json_t *backup = engine_backup(engine);
    cleanup_json json_t *rows =
        json_make("[{s:s, s:s}]", "run", engine_run_id(engine), "status", status);
    if (backup != NULL) {
        json_put_text(json_array_get(rows, 0), "set", json_text(backup, "name"));
        json_put_text(json_array_get(rows, 0), "path", json_text(backup, "path"));
    }
    table_print(stdout, format, columns, backup != NULL ? "set" : "run", rows, NULL);
}

/* However it ended, the person is told how to go on. */
static void tell_how_to_go_on(struct error *err, const struct engine *engine)
{
    const char *run = engine_run_id(engine);
    if (err->hint != NULL && strstr(err->hint, "salvor resume") != NULL)
        return;
    cleanup_free char *before =
        err->hint != NULL ? text_format("%s; then ", err->hint) : text_copy("");
    if (engine_state(engine)->plan != NULL)
        (void)error_hint(err, "%sgo on with 'salvor resume %s'", before, run);
    else /* what is wrong may be in the command itself, which a resume does not change */
        (void)error_hint(err, "%sbegin anew, or go on with 'salvor resume %s'; nothing was changed",
                         before, run);
}

/* Runs what `view->engine` holds to its end and frees it. */
static int work(const struct arguments *arguments, struct run_view *view,
                const struct engine_consent *consent, struct error *reterr)
{
    cleanup_error struct error err = ERROR_INIT;
    prompt_set_interrupted(interrupted);
    interrupt_install();
    if (arguments->timeout_ms > 0)
        interrupt_after(arguments->timeout_ms);
    view->progress = progress_new(STDERR_FILENO, clock_monotonic_ms);
    int result = engine_run(view->engine, consent, &err);
    progress_free(view->progress);
    view->progress = NULL;
    if (result != 0)
        tell_how_to_go_on(&err, view->engine);
    enum exit_code code = engine_end(view->engine, result == 0 ? NULL : &err);
    int is_drill = json_is_object(json_object_get(engine_state(view->engine)->run, "drill"));
    cleanup_free char *id = text_copy(engine_run_id(view->engine));
    if (result == 0 && !is_drill)
        print_end(view->engine, arguments->output, code == EXIT_DONE ? "done" : "failed");
    engine_free(view->engine);
    if (result == 0 && is_drill)
        drill_print_times(arguments, id);
    return result == 0 ? (int)code : error_move(reterr, &err);
}

int begin_and_work(const struct arguments *arguments, uint32_t kind, uint32_t commands,
                   struct error *reterr)
{
    struct run_view view = {.engine = NULL};
    const struct engine_ui ui = run_view_ui(&view);
    cleanup_run_request struct run_request request = {.site = NULL};
    if (arguments->dry_run)
        return plan_only(arguments, kind, commands, reterr);
    if (run_request_make(arguments, kind, commands, &ui, &request, reterr) != 0 ||
        engine_check_consent(&request.consent, reterr) != 0 ||
        engine_begin(&request.engine, &view.engine, reterr) != 0)
        return -1;
    message(MESSAGE_INFO, "run '%s'", engine_run_id(view.engine));
    return work(arguments, &view, &request.consent, reterr);
}

int backup_command(const struct arguments *arguments, struct error *reterr)
{
    int code = begin_and_work(arguments, SALVOR_PROCEDURE_BACKUP, SALVOR_ON_BACKUP, reterr);
    drill_warn_overdue(arguments);
    return code;
}

int restore_command(const struct arguments *arguments, struct error *reterr)
{
    return begin_and_work(arguments, SALVOR_PROCEDURE_RESTORE, SALVOR_ON_RESTORE, reterr);
}

int post_resync_command(const struct arguments *arguments, struct error *reterr)
{
    return begin_and_work(arguments, SALVOR_PROCEDURE_POST_RESYNC, SALVOR_ON_POST_RESYNC, reterr);
}

static json_t *settlements_of(const struct arguments *arguments)
{
    json_t *array = json_array();
    for (const struct settlement *settlement = arguments->settlements;
         settlement != NULL && settlement->step != NULL; settlement++)
        json_add(array,
                 json_make("{s:s, s:s, s:s?}", "step", settlement->step, "as",
                           settlement->done ? "done" : "not-done", "reason", settlement->reason));
    return array;
}

/* NULL: as before. */
static json_t *manual_of(const struct arguments *arguments)
{
    const char *const *names = arguments->manual;
    if (names[0] == NULL)
        return NULL;
    json_t *array = json_array();
    for (size_t i = 0; names[i] != NULL; i++)
        if (!text_equal(names[i], "none"))
            json_add(array, json_string(names[i]));
    return array;
}

/* Ends with NULL; the array is owned by the caller. */
static const char **practice_sites_of(const struct config *config)
{
    const char *const *sites = config_sites(config);
    size_t count = 0;
    while (sites[count] != NULL)
        count++;
    const char **marked = memory_new(count + 1, sizeof *marked);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (config_site_is_practice(config, sites[i]))
            marked[used++] = sites[i];
    return marked;
}

int resume_command(const struct arguments *arguments, struct error *reterr)
{
    struct run_view view = {.engine = NULL};
    cleanup_run_request struct run_request request = {.site = NULL};
    cleanup_json json_t *settlements = settlements_of(arguments);
    cleanup_json json_t *manual = manual_of(arguments);
    cleanup_json json_t *sealing = run_request_new_sealing(arguments);
    cleanup_free const char **practice_sites = practice_sites_of(arguments->config);
    run_request_consent(arguments, &request);
    const struct engine_resume resume = {
        .run = arguments->operands[0],
        .site = arguments->site,
        .state_folder = arguments->state_folder,
        .plugin_folders = arguments->plugin_folders,
        .settlements = settlements,
        .manual = manual,
        .sealing = sealing,
        .practice_sites = practice_sites,
        .accept_plugin_change = arguments->accept_plugin_change,
        .record_folder = arguments->record_folder,
        .replay_folder = arguments->replay_folder,
        .limits = run_request_limits(arguments),
        .ui = run_view_ui(&view),
    };
    if (json_object_size(arguments->options) > 0) {
        (void)error_set(reterr, EXIT_USAGE, "a run goes on with the options that it began with");
        return error_hint(reterr, "leave '--set' out, or begin a new run with other options");
    }
    if (engine_check_consent(&request.consent, reterr) != 0 ||
        engine_reopen(&resume, &view.engine, reterr) != 0)
        return -1;
    message(MESSAGE_INFO, "resuming run '%s'", engine_run_id(view.engine));
    return work(arguments, &view, &request.consent, reterr);
}
