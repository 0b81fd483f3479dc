/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/canonical.h>

#include "paths.h"

struct editor {
    struct paths paths;
    const struct salvor_edit *edits;
    struct salvor_text *out;
    struct salvor_scanner scanner;
    uint32_t done; /* edits that met their member or its object */
};

static uint32_t last_set(uint32_t mask)
{
    return 31u - (uint32_t)__builtin_clz(mask);
}

static salvor_status edit_value(struct editor *editor, const struct salvor_token *first,
                                uint32_t mask);

static void put_separator(struct editor *editor, int *any)
{
    if (*any)
        salvor_text_add(editor->out, ",", 1);
    *any = 1;
}

/* Members to be set that the object does not have. */
static void put_missing(struct editor *editor, uint32_t level, uint32_t mask, int *any)
{
    for (uint32_t left = mask & ~editor->done; left != 0; left &= left - 1) {
        const uint32_t i = (uint32_t)__builtin_ctz(left);
        if (editor->paths.paths[i].length != level + 1)
            continue;
        editor->done |= UINT32_C(1) << i;
        if (editor->edits[i].value.data == NULL)
            continue;
        const struct salvor_span name = salvor_span_of(editor->paths.paths[i].words[level]);
        put_separator(editor, any);
        salvor_text_quote(editor->out, name.data, (size_t)name.size);
        salvor_text_add(editor->out, ":", 1);
        salvor_text_span(editor->out, editor->edits[i].value);
    }
}

static salvor_status edit_object(struct editor *editor, uint32_t level, uint32_t mask)
{
    int any = 0;
    salvor_text_add(editor->out, "{", 1);
    for (;;) {
        struct salvor_token key;
        struct salvor_token value;
        salvor_status status = salvor_scan_next(&editor->scanner, &key);
        if (status != SALVOR_OK)
            return status;
        if (key.type == SALVOR_TOKEN_OBJECT_END)
            break;
        uint32_t ended = 0;
        const uint32_t through = paths_step(&editor->paths, mask, level, &key, &ended);
        status = salvor_scan_next(&editor->scanner, &value);
        if (status != SALVOR_OK)
            return status;
        editor->done |= ended;
        const struct salvor_edit *edit = ended != 0 ? &editor->edits[last_set(ended)] : NULL;
        if (edit != NULL) {
            status = salvor_scan_skip(&editor->scanner, &value, NULL);
            if (status != SALVOR_OK)
                return status;
            if (edit->value.data == NULL)
                continue;
        }
        put_separator(editor, &any);
        salvor_text_add(editor->out, "\"", 1);
        salvor_text_span(editor->out, key.text);
        salvor_text_add(editor->out, "\":", 2);
        if (edit != NULL)
            salvor_text_span(editor->out, edit->value);
        else
            status = edit_value(editor, &value, through);
        if (status != SALVOR_OK)
            return status;
    }
    put_missing(editor, level, mask, &any);
    salvor_text_add(editor->out, "}", 1);
    return SALVOR_OK;
}

static salvor_status edit_value(struct editor *editor, const struct salvor_token *first,
                                uint32_t mask)
{
    if (mask != 0 && first->type == SALVOR_TOKEN_OBJECT)
        return edit_object(editor, first->depth, mask);
    struct salvor_span value;
    const salvor_status status = salvor_scan_skip(&editor->scanner, first, &value);
    if (status == SALVOR_OK)
        salvor_text_span(editor->out, value);
    return status;
}

static salvor_status edit_document(struct editor *editor, struct salvor_scan_error *error)
{
    struct salvor_token token;
    salvor_status status = salvor_scan_next(&editor->scanner, &token);
    if (status == SALVOR_OK)
        status = edit_value(editor, &token, editor->paths.all);
    if (status == SALVOR_OK) {
        status = salvor_scan_next(&editor->scanner, &token);
        if (status == SALVOR_END)
            status = SALVOR_OK;
    }
    if (status != SALVOR_OK) {
        *error = editor->scanner.error;
        return status;
    }
    if (editor->out->failed != SALVOR_OK) {
        error->problem =
            editor->out->failed == SALVOR_REFUSED ? "the result is too large" : "no memory";
        return SALVOR_REFUSED;
    }
    for (uint32_t left = editor->paths.all & ~editor->done; left != 0; left &= left - 1) {
        if (editor->edits[__builtin_ctz(left)].value.data != NULL) {
            error->problem = "a member was to be set in an object that is not there";
            return SALVOR_NOT_FOUND;
        }
    }
    return SALVOR_OK;
}

salvor_status salvor_json_edit(struct salvor_span json, const struct salvor_edit *edits,
                               size_t count, struct salvor_text *out,
                               struct salvor_scan_error *reterr)
{
    const char *pointers[PATHS_LIMIT];
    struct editor editor = {.edits = edits, .out = out};
    struct salvor_scan_error error = {"a bad path, or too many of them", 0};
    salvor_status status = SALVOR_REFUSED;
    const size_t before = out->size;
    const uint32_t failed_before = out->failed;
    if (count <= PATHS_LIMIT) {
        for (size_t i = 0; i < count; i++)
            pointers[i] = edits[i].path;
        status = paths_make(&editor.paths, pointers, count);
        if (status == SALVOR_FAILED) {
            error.problem = "no memory";
            status = SALVOR_REFUSED;
        }
    }
    if (status == SALVOR_OK) {
        salvor_scan_begin(&editor.scanner, json);
        status = edit_document(&editor, &error);
        paths_free(&editor.paths);
    }
    if (status != SALVOR_OK) {
        out->size = before;
        out->failed = failed_before;
        if (out->data != NULL)
            out->data[before] = '\0';
        if (reterr != NULL)
            *reterr = error;
    }
    return status;
}
