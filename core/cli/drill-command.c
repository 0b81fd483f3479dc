#include "cli/drill-command.h"

#include <salvor/plugin.h>
#include <stdio.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/looking.h"
#include "cli/message.h"
#include "cli/run-commands.h"
#include "cli/table.h"
#include "config/config.h"
#include "journal/journal.h"
#include "journal/run-folder.h"
#include "report/drills.h"
#include "report/model.h"
#include "report/view.h"

/* ---- without effect ------------------------------------------------------------------------ */

static void print_check(const json_t *check)
{
    const char *why = json_text(check, "why");
    cleanup_free char *title = display_safe(json_text(check, "title"), 0);
    cleanup_free char *reason = display_safe(why != NULL ? why : "", 0);
    (void)printf("  %s  check of '%s': %s%s%s%s\n", json_flag(check, "failed") ? "!!" : "ok", title,
                 json_text(check, "answer"),
                 json_flag(check, "in_turn") ? "" : " (before its turn)",
                 *reason != '\0' ? ": " : "", reason);
}

static void print_lists(const json_t *told)
{
    size_t index = 0;
    const json_t *entry = NULL;
    (void)puts("\nrehearsed without effect:");
    (void)puts("  ok  the site was looked at, twice");
    if (json_flag(told, "validated"))
        (void)puts("  ok  the backup was judged");
    (void)puts("  ok  the restore was planned");
    json_array_foreach (json_object_get(told, "checks"), index, entry)
        print_check(entry);
    (void)puts("\nnot rehearsed:");
    cleanup_json json_t *report = json_make("{s:O}", "drill", told);
    cleanup_json json_t *gaps = view_drill_gaps(report);
    json_array_foreach (gaps, index, entry) {
        cleanup_free char *gap = display_safe(json_string_value(entry), 0);
        (void)printf("  --  %s\n", gap);
    }
}

static void print_rehearsal(struct engine *engine, enum output_format format)
{
    const json_t *told = engine_rehearsal(engine);
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        cleanup_json json_t *data = plan_as_data(engine);
        if (data != NULL && told != NULL)
            json_put(data, "drill", json_clone(told));
        if (data != NULL)
            table_print_value(stdout, format, data);
        else
            print_plan(engine, format);
        return;
    }
    print_plan(engine, format);
    if (told != NULL && format != OUTPUT_NAME)
        print_lists(told);
}

static int rehearse(const struct arguments *arguments, struct error *reterr)
{
    const struct looking looking = {kind_of_path(arguments), SALVOR_ON_RESTORE, engine_rehearse,
                                    print_rehearsal};
    int code = look(arguments, &looking, reterr);
    if (code != EXIT_DONE || arguments->dry_run)
        return code;
    message(MESSAGE_INFO,
            "nothing was changed: %s%s%s is not marked for practice; 'drill --into SITE' runs the "
            "whole restore on a site that is",
            arguments->site != NULL ? "site '" : "what the options name",
            arguments->site != NULL ? arguments->site : "", arguments->site != NULL ? "'" : "");
    return code;
}

/* ---- on a site for practice ---------------------------------------------------------------- */

static int check_practice(const struct arguments *arguments, const char *site, int practice,
                          struct error *reterr)
{
    if (arguments->into != NULL && config_has_site(arguments->config, site) && !practice) {
        (void)error_set(reterr, EXIT_REFUSED,
                        "a drill restores into no site that is not marked for practice: '%s'",
                        site);
        return error_hint(reterr, "mark it with 'practice: true' in '%s' if all of it may be lost",
                          config_path(arguments->config) != NULL ? config_path(arguments->config)
                                                                 : "salvor.yaml");
    }
    if (!practice || arguments->dry_run || json_object_size(arguments->options) == 0)
        return 0;
    const char *name = json_object_iter_key(json_object_iter(arguments->options));
    (void)error_set(reterr, EXIT_USAGE,
                    "a drill takes site '%s' as it is marked: with option '%s' of the command line "
                    "it would be another one",
                    site, name);
    return error_hint(reterr, "write the option into the site of salvor.yaml");
}

int drill_command(const struct arguments *arguments, struct error *reterr)
{
    const char *site = arguments->into != NULL ? arguments->into : arguments->site;
    int practice = config_site_is_practice(arguments->config, site);
    if (check_practice(arguments, site, practice, reterr) != 0)
        return -1;
    if (!practice || arguments->dry_run)
        return rehearse(arguments, reterr);
    message(MESSAGE_WARNING,
            "drill of site '%s': all of site '%s', which is marked for practice, "
            "may be overwritten",
            arguments->site, site);
    return begin_and_work(arguments, SALVOR_PROCEDURE_RESTORE, SALVOR_ON_RESTORE, reterr);
}

/* ---- how long it took ---------------------------------------------------------------------- */

static void add_stage(json_t *rows, const json_t *stage)
{
    size_t index = 0;
    const json_t *step = NULL;
    if (text_equal(json_text(stage, "status"), "superseded"))
        return;
    json_array_foreach (json_object_get(stage, "steps"), index, step) {
        cleanup_free char *took = display_duration(json_whole(step, "duration_ms", 0));
        json_add(rows,
                 json_make("{s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:s}", "stage",
                           json_text(stage, "stage"), "step", json_text(step, "step"), "title",
                           json_text(step, "title"), "state", json_text(step, "state"), "attempts",
                           (json_int_t)json_array_size(json_object_get(step, "attempts")),
                           "duration_ms", (json_int_t)json_whole(step, "duration_ms", 0), "took",
                           took));
    }
}

static void print_times(const json_t *report, enum output_format format)
{
    static const struct table_column columns[] = {
        {"STAGE", "stage", 0}, {"STEP", "title", 0},        {"STATE", "state", 0},
        {"TOOK", "took", 0},   {"ATTEMPTS", "attempts", 1}, {"INSTANCE", "step", 1},
        {NULL, NULL, 0}};
    const json_t *run = json_object_get(report, "run");
    const json_t *times = json_object_get(report, "times");
    cleanup_json json_t *rows = json_array();
    size_t index = 0;
    const json_t *stage = NULL;
    json_array_foreach (json_object_get(report, "stages"), index, stage)
        add_stage(rows, stage);
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        cleanup_json json_t *data = json_make(
            "{s:s?, s:s?, s:s?, s:s?, s:s?, s:O, s:O}", "run", json_text(report, "id"), "status",
            json_text(report, "status"), "of", json_text(json_object_get(run, "drill"), "of"),
            "into", json_text(run, "site"), "backup",
            json_text(json_object_get(run, "source"), "name"), "times", times, "steps", rows);
        table_print_value(stdout, format, data);
        return;
    }
    if (format == OUTPUT_NAME) {
        (void)puts(json_text(report, "id"));
        return;
    }
    cleanup_free char *total = display_duration(json_whole(times, "total_ms", 0));
    cleanup_free char *in_steps = display_duration(json_whole(times, "steps_ms", 0));
    cleanup_free char *people = display_duration(json_whole(times, "people_ms", 0));
    cleanup_free char *down = display_duration(json_whole(times, "down_ms", 0));
    table_print(stdout, format, columns, "step", rows, NULL);
    (void)printf("\nrecovered in %s: %s in steps, %s waiting for people, %s at a standstill\n",
                 total, in_steps, people, down);
}

void drill_print_times(const struct arguments *arguments, const char *run)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *report = NULL;
    struct run_folder *folder = NULL;
    struct journal *journal = NULL;
    const struct report_request request = {.run = run};
    int result = run_folder_find(arguments->state_folder, run, &folder, &err);
    if (result == 0) {
        cleanup_free char *path = run_folder_journal(folder);
        result = journal_open_readonly(path, &journal, &err);
    }
    if (result == 0)
        result = report_model(journal, &request, &report, &err);
    journal_close(journal);
    run_folder_close(folder);
    if (result == 0)
        print_times(report, arguments->output);
    else
        message_warn_error(&err);
}

/* ---- when the last one was ----------------------------------------------------------------- */

static int is_overdue(const struct config *config, const json_t *row)
{
    int64_t every = config_site_drill_every_ms(config, json_text(row, "site"));
    if (every == 0)
        return 0;
    return json_text(row, "drilled") == NULL || json_whole(row, "age_ms", 0) > every;
}

void drill_warn_overdue(const struct arguments *arguments)
{
    const char *const names[] = {arguments->site, NULL};
    cleanup_json json_t *rows = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (arguments->site == NULL ||
        config_site_drill_every_ms(arguments->config, arguments->site) == 0 ||
        report_drills(arguments->state_folder, names, clock_realtime_ms(), &rows, NULL) != 0)
        return;
    const json_t *row = json_array_get(rows, 0);
    if (!is_overdue(arguments->config, row))
        return;
    cleanup_free char *age = display_duration(json_whole(row, "age_ms", 0));
    if (json_text(row, "drilled") == NULL)
        (void)error_set(&err, EXIT_FAILED, "a restore of site '%s' was never rehearsed",
                        arguments->site);
    else
        (void)error_set(&err, EXIT_FAILED,
                        "a restore of site '%s' was last rehearsed %s ago, longer than its "
                        "'drill-every' allows",
                        arguments->site, age);
    (void)error_hint(&err,
                     "'salvor --site %s drill --into SITE' restores its newest backup on a "
                     "site marked for practice",
                     arguments->site);
    message_warn_error(&err);
}

int drill_list(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {{"SITE", "site", 0},
                                                  {"DRILLED", "drilled", 0},
                                                  {"AGO", "ago", 0},
                                                  {"TOOK", "took", 0},
                                                  {"INTO", "into", 0},
                                                  {"BACKUP", "backup", 0},
                                                  {"OVERDUE", "overdue", 0},
                                                  {"RUN", "run", 1},
                                                  {"LAST TRY", "last_try", 1},
                                                  {"MODE", "last_mode", 1},
                                                  {"STATUS", "last_status", 1},
                                                  {NULL, NULL, 0}};
    const struct config *config = arguments->config;
    cleanup_json json_t *rows = NULL;
    size_t index = 0;
    json_t *row = NULL;
    if (report_drills(arguments->state_folder, config_sites(config), clock_realtime_ms(), &rows,
                      reterr) != 0)
        return -1;
    for (index = json_array_size(rows); index > 0; index--) {
        row = json_array_get(rows, index - 1);
        /* what others are rehearsed on needs no drill itself */
        if (json_text(row, "last_try") == NULL &&
            config_site_is_practice(config, json_text(row, "site")))
            (void)json_array_remove(rows, index - 1);
    }
    json_array_foreach (rows, index, row) {
        cleanup_free char *ago = display_duration(json_whole(row, "age_ms", 0));
        cleanup_free char *took = display_duration(json_whole(row, "took_ms", 0));
        int drilled = json_text(row, "drilled") != NULL;
        json_put(row, "overdue", json_boolean(is_overdue(config, row)));
        json_put_text(row, "ago", drilled ? ago : NULL);
        json_put_text(row, "took", drilled ? took : NULL);
    }
    table_print(stdout, arguments->output, columns, "site", rows, "no drills");
    return EXIT_DONE;
}
