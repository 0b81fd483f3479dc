#include "cli/runs-command.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/drill-command.h"
#include "cli/message.h"
#include "cli/table.h"
#include "host/secrets.h"
#include "journal/journal.h"
#include "journal/run-folder.h"
#include "report/summary.h"

#include "base/banned.h"

static const struct table_column columns[] = {
    {"RUN", "run", 0},
    {"STATUS", "status", 0},
    {"PROVIDER", "provider", 0},
    {"SITE", "site", 0},
    {"STARTED", "started", 0},
    {"ENDED", "ended", 1},
    {"PROCEDURE", "procedure", 1},
    {"BACKUP", "source", 1},
    {"PID", "pid", 1},
    {"FOLDER", "path", 1},
    {NULL, NULL, 0},
};

static int list_runs(const struct arguments *arguments, struct error *reterr)
{
    char **ids = NULL;
    size_t count = 0;
    if (run_folder_list(arguments->state_folder, &ids, &count, reterr) != 0)
        return -1;
    cleanup_json json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        cleanup_error struct error err = ERROR_INIT;
        struct run_folder *folder = NULL;
        /* A run that was removed meanwhile is no longer one. */
        if (run_folder_find(arguments->state_folder, ids[i], &folder, &err) != 0)
            continue;
        json_add(rows, report_summary(folder));
        run_folder_close(folder);
    }
    run_ids_free(ids);
    table_print(stdout, arguments->output, columns, "run", rows, "no runs");
    return EXIT_DONE;
}

static int show_run(const struct arguments *arguments, struct error *reterr)
{
    struct run_folder *folder = NULL;
    if (run_folder_find(arguments->state_folder, arguments->operands[0], &folder, reterr) != 0)
        return -1;
    cleanup_json json_t *rows = json_array();
    json_add(rows, report_summary(folder));
    const json_t *row = json_array_get(rows, 0);
    const char *status = json_text(row, "status");
    if (arguments->output == OUTPUT_JSON || arguments->output == OUTPUT_YAML)
        table_print_value(stdout, arguments->output, row);
    else
        table_print(stdout, arguments->output, columns, "run", rows, "no runs");
    if (text_equal(status, "unreadable"))
        message(MESSAGE_WARNING, "%s", json_text(row, "problem"));
    else if (text_equal(status, "running"))
        message(MESSAGE_INFO, "process %lld works on it", (long long)json_whole(row, "pid", 0));
    else if (json_flag(row, "resumable") && !json_flag(row, "closed"))
        message(MESSAGE_INFO, "'salvor resume %s' goes on with it, 'salvor report %s' tells more",
                folder->id, folder->id);
    run_folder_close(folder);
    return EXIT_DONE;
}

/* ---- close ----------------------------------------------------------------------------------- */

static int find_close(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)sequence;
    (void)reterr;
    *(int *)data = text_equal(json_text(body, "type"), "close");
    return 1;
}

static int record_close(struct journal *journal, const char *id, struct error *reterr)
{
    int closed = 0;
    if (journal_each_backward(journal, find_close, &closed, reterr) < 0)
        return -1;
    if (closed) {
        message(MESSAGE_INFO, "run '%s' was closed before", id);
        return 0;
    }
    const char *who = getenv("SUDO_USER");
    return journal_append(journal, "close",
                          json_make("{s:s, s:s?, s:I}", "reason", "closed by the operator", "who",
                                    who != NULL ? who : getenv("USER"), "uid",
                                    (json_int_t)getuid()),
                          JOURNAL_DURABLE, reterr);
}

static int close_run(const struct arguments *arguments, struct error *reterr)
{
    struct run_folder *folder = NULL;
    struct journal *journal = NULL;
    if (run_folder_open(arguments->state_folder, arguments->operands[0], &folder, reterr) != 0)
        return -1;
    cleanup_free char *path = run_folder_journal(folder);
    cleanup_free char *scratch = text_format("%s/scratch", folder->path);
    int result = journal_open(path, &journal, reterr);
    if (result == 0)
        result = record_close(journal, folder->id, reterr);
    journal_close(journal);
    if (result == 0)
        result = secrets_destroy_sealed(folder->path, reterr);
    if (result == 0)
        result = file_remove_tree(scratch, reterr);
    run_folder_close(folder);
    return result == 0 ? EXIT_DONE : -1;
}

int runs_command(const struct arguments *arguments, struct error *reterr)
{
    if (text_equal(arguments->action, "show"))
        return show_run(arguments, reterr);
    if (text_equal(arguments->action, "drills"))
        return drill_list(arguments, reterr);
    if (text_equal(arguments->action, "close"))
        return close_run(arguments, reterr);
    return list_runs(arguments, reterr);
}
