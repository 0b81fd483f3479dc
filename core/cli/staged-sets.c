#include "cli/staged-sets.h"

#include <stdio.h>
#include <string.h>

#include "backup/backup-set.h"
#include "backup/backup-source.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/message.h"
#include "cli/store-view.h"
#include "cli/table.h"
#include "engine/store-desk.h"
#include "store/folder-store.h"

static int is_in_state(const json_t *row, const char *state)
{
    return text_equal(json_text(row, "state"), state);
}

int staged_sets_list(const struct arguments *arguments, json_t **ret_rows, struct error *reterr)
{
    size_t index = 0;
    json_t *row = NULL;
    if (store_is_folder(arguments->store)) {
        *ret_rows = json_array();
        return 0;
    }
    if (backup_set_list(arguments->store_folder, arguments->provider, ret_rows, reterr) != 0)
        return -1;
    json_array_foreach (*ret_rows, index, row) {
        if (is_in_state(row, "complete"))
            json_put_text(row, "state", "staged");
    }
    return 0;
}

/* ---- push -------------------------------------------------------------------------------------
 */

/* Folders to push: [{"folder","staged":bool}]. */
static int find_folders(const struct arguments *arguments, json_t **ret_folders,
                        struct error *reterr)
{
    const char *what = arguments->operand_count > 0 ? arguments->operands[0] : NULL;
    cleanup_json json_t *staged = NULL;
    cleanup_json json_t *folders = json_array();
    size_t index = 0;
    const json_t *row = NULL;
    if (staged_sets_list(arguments, &staged, reterr) != 0)
        return -1;
    json_array_foreach (staged, index, row) {
        if (is_in_state(row, "staged") && (what == NULL || text_equal(json_text(row, "set"), what)))
            json_add(folders,
                     json_make("{s:s, s:b}", "folder", json_text(row, "path"), "staged", 1));
    }
    if (json_array_size(folders) == 0 && what != NULL) {
        /* one that was made for this machine, or lies anywhere */
        cleanup_free char *local = text_format("%s/sets", arguments->state_folder);
        struct backup_source *source = NULL;
        if (backup_source_find(local, arguments->provider, NULL, what, &source, reterr) != 0)
            return -1;
        const int is_set = source->manifest != NULL;
        json_add(folders, json_make("{s:s, s:b}", "folder", source->path, "staged", 0));
        backup_source_free(source);
        if (!is_set)
            return error_set(reterr, EXIT_USAGE, "'%s' is no backup set", what);
    }
    *ret_folders = json_incref(folders);
    return 0;
}

/* The copy here was for the way only. */
static void drop_staged(const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    const char *slash = strrchr(folder, '/');
    cleanup_free char *parent = text_copy_span(folder, (size_t)(slash - folder));
    cleanup_free char *name = text_format("%s/", slash + 1);
    cleanup_store struct store *staging = folder_store_new(parent);
    if (store_remove_all(staging, name, NULL, &err) != 0)
        message_warn_error(&err);
}

int staged_sets_push(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {
        {"SET", "set", 0},     {"SENT", "sent", 0}, {"SKIPPED", "skipped", 0},
        {"BYTES", "bytes", 0}, {"PATH", "path", 0}, {"DIGEST", "digest", 1},
        {NULL, NULL, 0}};
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *folders = NULL;
    cleanup_json json_t *rows = json_array();
    size_t index = 0;
    const json_t *entry = NULL;
    int result = find_folders(arguments, &folders, reterr);
    json_array_foreach (folders, index, entry) {
        const char *folder = json_text(entry, "folder");
        json_t *pushed = NULL;
        if (result != 0)
            break;
        result = store_view_do(view, "push", json_make("{s:s}", "folder", folder), &pushed, reterr);
        if (result != 0)
            break;
        json_add(rows, pushed);
        if (json_flag(entry, "staged"))
            drop_staged(folder);
    }
    if (result == 0 || json_array_size(rows) > 0)
        table_print(stdout, arguments->output, columns, "set", rows,
                    "nothing waits for this store");
    return result == 0 ? EXIT_DONE : -1;
}
