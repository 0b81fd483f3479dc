#include "plugin/plugin-list.h"

#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/note-skim.h"
#include "plugin/plugin-examine.h"
#include "plugin/search.h"

static const char *text_or_empty(const json_t *object, const char *key)
{
    const char *text = json_text(object, key);
    return text != NULL ? text : "";
}

/* A row, or NULL with *reterr. */
static json_t *read_row(const char *name, const char *found, char **ret_path, struct error *reterr)
{
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    if (examine_file(name, found, 0, ret_path, &note, reterr) != 0)
        return NULL;
    cleanup_json json_t *identity = note_skim(note.text, note.size);
    if (identity == NULL) {
        (void)examine_refuse_note(*ret_path, "its note is not JSON", reterr);
        return NULL;
    }
    if (examine_identity(name, *ret_path, identity, reterr) != 0)
        return NULL;
    return json_make("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", name, "version",
                     text_or_empty(identity, "version"), "abi", text_or_empty(identity, "abi"),
                     "summary", text_or_empty(identity, "summary"), "path", *ret_path, "usable", 1);
}

static void add_row(void *data, const char *name, const char *found)
{
    json_t *rows = data;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = NULL;
    json_t *row = NULL;
    if (name != NULL)
        row = read_row(name, found, &path, &err);
    else
        (void)search_refuse_name(found, &err);
    if (row == NULL)
        row = json_make("{s:s?, s:s, s:b, s:s, s:s?, s:s?}", "name", name, "path",
                        path != NULL ? path : found, "usable", 0, "message", err.message, "detail",
                        err.detail, "hint", err.hint);
    json_add(rows, row);
}

int plugin_list(const char *const *folders, json_t **ret_rows, struct error *reterr)
{
    cleanup_json json_t *rows = json_make("[]");
    if (examine_all(folders, add_row, rows, reterr) != 0)
        return -1;
    *ret_rows = take_pointer(rows);
    return 0;
}
