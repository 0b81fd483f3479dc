#include "cli/prune-command.h"

#include <stdio.h>
#include <string.h>

#include "backup/backup-set.h"
#include "backup/set-remove.h"
#include "backup/set-retention.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments-memory.h"
#include "cli/arguments.h"
#include "cli/open-runs.h"
#include "cli/source-finder.h"
#include "cli/staged-sets.h"
#include "cli/store-view.h"
#include "cli/table.h"
#include "config/config.h"
#include "engine/store-desk.h"
#include "store/folder-store.h"

/* ---- rules ------------------------------------------------------------------------------------
 */

/* Of a site by its name in the manifest: its own, else the store's, else the defaults; what the
 * line says goes over all of them. */
static struct set_retention rules_of(const struct arguments *arguments, const char *site)
{
    const char *known = site != NULL && config_has_site(arguments->config, site) ? site : NULL;
    cleanup_json json_t *keeping =
        config_keeping(arguments->config, known, json_text(arguments->store, "name"));
    json_object_update(keeping, arguments->memory->given_keeping);
    return (struct set_retention){json_whole(keeping, "keep-last", 0),
                                  json_whole(keeping, "keep-for", 0)};
}

static int is_asked_for(const struct arguments *arguments, const json_t *row)
{
    const char *site = json_text(row, "site");
    return arguments->site == NULL || site == NULL || text_equal(site, arguments->site);
}

/* Each row as the rules of its own site decide. */
static json_t *decide(const struct arguments *arguments, const json_t *list, const json_t *used,
                      int *ret_ruled)
{
    const int64_t now = clock_realtime_ms();
    json_t *rows = json_array();
    size_t index = 0;
    const json_t *row = NULL;
    json_array_foreach (list, index, row) {
        const struct set_retention rules = rules_of(arguments, json_text(row, "site"));
        if (!is_asked_for(arguments, row))
            continue;
        *ret_ruled |= rules.keep_last > 0 || rules.keep_for_ms > 0;
        cleanup_json json_t *decided = set_retention_decide(list, &rules, used, now);
        json_add(rows, json_incref(json_array_get(decided, index)));
    }
    return rows;
}

static int no_rule(struct error *reterr)
{
    (void)error_set(reterr, EXIT_USAGE, "nothing says what to keep");
    return error_hint(reterr, "give --keep-last NUMBER or --keep-for DURATION, or write keep-last "
                              "or keep-for into salvor.yaml");
}

/* ---- what is used -----------------------------------------------------------------------------
 */

/* What waits for the store is not done with the copy there that it may have begun. */
static int add_staged(const struct arguments *arguments, json_t *used, struct error *reterr)
{
    cleanup_json json_t *staged = NULL;
    size_t index = 0;
    const json_t *row = NULL;
    if (staged_sets_list(arguments, &staged, reterr) != 0)
        return -1;
    json_array_foreach (staged, index, row)
        json_put_text(used, json_text(row, "set"), "'salvor backups push', which is not done");
    return 0;
}

/* Copies of sets of a store elsewhere, brought here for runs. */
static int add_copies(const struct arguments *arguments, const json_t *used, json_t *rows,
                      struct error *reterr)
{
    cleanup_free char *folder =
        source_copies_folder(arguments, json_text(arguments->store, "name"));
    cleanup_json json_t *copies = NULL;
    size_t index = 0;
    json_t *row = NULL;
    if (store_is_folder(arguments->store))
        return 0;
    if (backup_set_list(folder, arguments->provider, &copies, reterr) != 0)
        return -1;
    json_array_foreach (copies, index, row) {
        const char *user = json_text(used, json_text(row, "set"));
        cleanup_free char *why = user != NULL ? text_format("it is used by %s", user)
                                              : text_copy("no open run works from it");
        json_put_text(row, "state", "copy");
        json_put(row, "keep", json_boolean(user != NULL));
        json_put_text(row, "why", why);
        json_add(rows, json_incref(row));
    }
    return 0;
}

/* ---- removing ---------------------------------------------------------------------------------
 */

static int remove_copy(const struct arguments *arguments, const json_t *row, struct error *reterr)
{
    cleanup_free char *folder =
        source_copies_folder(arguments, json_text(arguments->store, "name"));
    cleanup_store struct store *copies = folder_store_new(folder);
    cleanup_free char *prefix = text_format("%s/", json_text(row, "key"));
    return store_remove_all(copies, prefix, NULL, reterr);
}

static int remove_rows(const struct arguments *arguments, struct store_view *view, json_t *rows,
                       struct error *reterr)
{
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row) {
        if (json_flag(row, "keep"))
            continue;
        int result = text_equal(json_text(row, "state"), "copy")
                         ? remove_copy(arguments, row, reterr)
                         : store_view_do(view, "remove",
                                         json_make("{s:s, s:s?}", "key", json_text(row, "key"),
                                                   "digest", json_text(row, "digest")),
                                         NULL, reterr);
        json_put_text(row, "action", result == 0 ? "removed" : "failed");
        if (result != 0)
            return error_prefix(reterr, "set '%s'", json_text(row, "set"));
    }
    return 0;
}

static void put_actions(json_t *rows, int dry_run)
{
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row)
        json_put_text(row, "action",
                      json_flag(row, "keep") ? "kept"
                      : dry_run              ? "would be removed"
                                             : "not removed");
}

/* Names alone are those that went, or would. */
static json_t *rows_to_show(const struct arguments *arguments, json_t *rows)
{
    json_t *shown = arguments->output == OUTPUT_NAME ? json_array() : json_incref(rows);
    size_t index = 0;
    json_t *row = NULL;
    if (shown == rows)
        return shown;
    json_array_foreach (rows, index, row)
        if (text_equal(json_text(row, "action"), "removed") ||
            text_equal(json_text(row, "action"), "would be removed"))
            json_add(shown, json_incref(row));
    return shown;
}

int prune_command(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {
        {"SET", "set", 0},       {"PROVIDER", "provider", 0}, {"SITE", "site", 0},
        {"STATE", "state", 0},   {"CREATED", "created", 1},   {"BYTES", "size", 1},
        {"ACTION", "action", 0}, {"WHY", "why", 0},           {"PATH", "path", 1},
        {NULL, NULL, 0}};
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *list = NULL;
    cleanup_json json_t *used = NULL;
    int ruled = 0;
    if (open_runs_sets(arguments->state_folder, &used, reterr) != 0)
        return -1;
    /* copies are used by runs alone, whatever waits to be pushed */
    cleanup_json json_t *by_runs = json_clone(used);
    if (add_staged(arguments, used, reterr) != 0 ||
        store_view_list(view, arguments->provider, 1, &list, reterr) != 0)
        return -1;
    cleanup_json json_t *rows = decide(arguments, list, used, &ruled);
    if (!ruled && json_array_size(list) > 0)
        return no_rule(reterr);
    if (add_copies(arguments, by_runs, rows, reterr) != 0)
        return -1;
    put_actions(rows, arguments->dry_run);
    int result = arguments->dry_run ? 0 : remove_rows(arguments, view, rows, reterr);
    cleanup_json json_t *shown = rows_to_show(arguments, rows);
    table_print(stdout, arguments->output, columns, "set", shown,
                json_array_size(rows) > 0 ? NULL : "no backup sets");
    return result == 0 ? EXIT_DONE : -1;
}
