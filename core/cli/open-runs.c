#include "cli/open-runs.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"
#include "journal/run-folder.h"
#include "report/summary.h"

static int is_open(const json_t *summary)
{
    if (text_equal(json_text(summary, "status"), "running"))
        return 1;
    return json_flag(summary, "resumable") && !json_flag(summary, "closed");
}

int open_runs_sets(const char *state_folder, json_t **ret_used, struct error *reterr)
{
    cleanup_json json_t *used = json_object();
    char **ids = NULL;
    size_t count = 0;
    if (run_folder_list(state_folder, &ids, &count, reterr) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct run_folder *folder = NULL;
        if (run_folder_find(state_folder, ids[i], &folder, NULL) != 0)
            continue;
        cleanup_json json_t *summary = report_summary(folder);
        cleanup_free char *who = text_format("run '%s'", ids[i]);
        run_folder_close(folder);
        /* a run whose journal cannot be read may work from anything: it says nothing here, and a
         * person who restores from a set names it */
        if (!is_open(summary))
            continue;
        json_put_text(used, ids[i], who);
        if (json_text(summary, "source") != NULL)
            json_put_text(used, json_text(summary, "source"), who);
    }
    run_ids_free(ids);
    *ret_used = json_incref(used);
    return 0;
}

static int take_set(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    json_t **set = data;
    (void)sequence;
    (void)reterr;
    if (!text_equal(json_text(body, "type"), "set"))
        return 0;
    *set = json_clone(body);
    return 1;
}

int open_runs_made(const char *state_folder, const char *name, json_t **ret_set,
                   struct error *reterr)
{
    struct run_folder *folder = NULL;
    struct journal *journal = NULL;
    *ret_set = NULL;
    if (run_folder_find(state_folder, name, &folder, reterr) != 0)
        return -1;
    cleanup_free char *path = run_folder_journal(folder);
    run_folder_close(folder);
    int result = journal_open_readonly(path, &journal, reterr);
    if (result == 0 && journal_each_backward(journal, take_set, ret_set, reterr) < 0)
        result = -1;
    journal_close(journal);
    return result;
}
