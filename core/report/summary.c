#include "report/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"
#include "journal/lock-file.h"
#include "report/view.h"

#include "base/banned.h"

/* A journal can come from anywhere, and these go to a terminal. */
static void put_clean(json_t *row, const char *key, const char *text)
{
    cleanup_free char *clean = text != NULL ? view_clean(text) : NULL;
    json_put_text(row, key, clean);
}

static int take_first(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    static const char *const keys[] = {"command", "provider", "site", "procedure", NULL};
    json_t *row = data;
    (void)sequence;
    (void)reterr;
    for (size_t i = 0; keys[i] != NULL; i++)
        put_clean(row, keys[i], json_text(body, keys[i]));
    /* A run that only looked has nothing to go on with. */
    json_put(row, "resumable",
             json_boolean(json_whole(body, "kind", 0) != 0 && !json_flag(body, "dry_run")));
    put_clean(row, "started", json_text(body, "at"));
    const json_t *drill = json_object_get(body, "drill");
    if (json_is_object(drill))
        put_clean(row, "drill_of", json_text(drill, "of"));
    json_put(row, "dry_run", json_boolean(json_flag(body, "dry_run")));
    put_clean(row, "source", json_text(json_object_get(body, "source"), "name"));
    return 1;
}

/* Newest first: the end stands last, or before the record that closed the run. */
static int take_last(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    json_t *row = data;
    const char *type = json_text(body, "type");
    (void)sequence;
    (void)reterr;
    if (json_is_null(json_object_get(row, "ended")))
        put_clean(row, "ended", json_text(body, "at"));
    if (text_equal(type, "close")) {
        json_put(row, "closed", json_true());
        return 0;
    }
    const char *status = text_equal(type, "end") ? json_text(body, "status") : NULL;
    if (json_flag(row, "closed") && !text_equal(status, "done"))
        status = "closed"; /* the operator gave it up */
    put_clean(row, "status", status != NULL ? status : "killed");
    return 1;
}

static void read_journal(const struct run_folder *folder, json_t *row)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = run_folder_journal(folder);
    struct journal *journal = NULL;
    if (access(path, F_OK) != 0)
        return;
    if (journal_open_readonly(path, &journal, &err) != 0 ||
        journal_each(journal, take_first, row, &err) < 0 ||
        journal_each_backward(journal, take_last, row, &err) < 0) {
        json_put_text(row, "status", "unreadable");
        json_put_text(row, "problem", err.message);
    }
    journal_close(journal);
}

json_t *report_summary(const struct run_folder *folder)
{
    struct lock_holder holder;
    json_t *row = json_make(
        "{s:s, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:n, s:n, s:n, s:s}", "run",
        folder->id, "status", "empty", "command", "provider", "site", "procedure", "source",
        "started", "ended", "closed", 0, "resumable", 0, "dry_run", 0, "drill_of", "pid", "problem",
        "path", folder->path);
    read_journal(folder, row);
    cleanup_free char *lock = text_format("%s/lock", folder->path);
    if (lock_file_is_held(lock, &holder)) {
        json_put_text(row, "status", "running");
        json_put(row, "ended", json_null());
        json_put(row, "pid", holder.pid > 0 ? json_integer(holder.pid) : json_null());
    }
    return row;
}
