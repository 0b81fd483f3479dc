#include "report/drills.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/run-folder.h"
#include "report/summary.h"

#include "base/banned.h"

static json_t *row_of(json_t *rows, const char *site)
{
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row) {
        if (text_equal(json_text(row, "site"), site))
            return row;
    }
    row = json_make("{s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n}", "site", site, "drilled",
                    "age_ms", "took_ms", "into", "backup", "run", "last_try", "last_mode",
                    "last_status");
    json_add(rows, row);
    return row;
}

static void put_time_between(json_t *row, const char *key, const char *from, int64_t until)
{
    int64_t began = clock_parse(from);
    json_put(row, key,
             began >= 0 && until >= began ? json_integer(until - began) : json_integer(0));
}

static void take_drill(json_t *rows, const json_t *summary, int64_t now_ms)
{
    const char *status = json_text(summary, "status");
    int looked = json_flag(summary, "dry_run");
    if (json_text(summary, "drill_of") == NULL)
        return; /* a journal without its first record */
    json_t *row = row_of(rows, json_text(summary, "drill_of"));
    if (json_text(row, "last_try") == NULL) {
        json_put_text(row, "last_try", json_text(summary, "run"));
        json_put_text(row, "last_mode", looked ? "looked" : "ran");
        json_put_text(row, "last_status", status);
    }
    if (looked || !text_equal(status, "done") || json_text(row, "drilled") != NULL)
        return;
    json_put_text(row, "drilled", json_text(summary, "started"));
    json_put_text(row, "into", json_text(summary, "site"));
    json_put_text(row, "backup", json_text(summary, "source"));
    json_put_text(row, "run", json_text(summary, "run"));
    put_time_between(row, "age_ms", json_text(summary, "started"), now_ms);
    put_time_between(row, "took_ms", json_text(summary, "started"),
                     clock_parse(json_text(summary, "ended")));
}

int report_drills(const char *state_folder, const char *const *sites, int64_t now_ms,
                  json_t **ret_rows, struct error *reterr)
{
    char **ids = NULL;
    size_t count = 0;
    if (run_folder_list(state_folder, &ids, &count, reterr) != 0)
        return -1;
    json_t *rows = json_array();
    for (; *sites != NULL; sites++)
        (void)row_of(rows, *sites);
    for (size_t i = 0; i < count; i++) {
        struct run_folder *folder = NULL;
        if (strstr(ids[i], "-drill-") == NULL ||
            run_folder_find(state_folder, ids[i], &folder, NULL) != 0)
            continue;
        cleanup_json json_t *summary = report_summary(folder);
        take_drill(rows, summary, now_ms);
        run_folder_close(folder);
    }
    run_ids_free(ids);
    *ret_rows = rows;
    return 0;
}
