#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/message.h"

enum { CELL_LIMIT = 4096, YAML_LIMIT = 64 << 20 };

/* ---- cells ----------------------------------------------------------------------------------- */

static char *cell_text(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return text_copy("-");
    if (json_is_string(value))
        return display_safe(json_string_value(value), 0);
    if (json_is_boolean(value))
        return text_copy(json_is_true(value) ? "yes" : "no");
    if (json_is_integer(value))
        return text_format("%lld", (long long)json_integer_value(value));
    if (json_is_array(value)) {
        cleanup_buffer struct buffer joined = BUFFER_INIT(CELL_LIMIT);
        size_t index = 0;
        json_t *item = NULL;
        json_array_foreach (value, index, item) {
            cleanup_free char *text = cell_text(item);
            if (buffer_format(&joined, "%s%s", index > 0 ? "," : "", text) != 0)
                break;
        }
        return joined.size > 0 ? buffer_take(&joined) : text_copy("-");
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    return text != NULL ? text : text_copy("?");
}

/* Columns shown; the others are skipped everywhere. */
static int is_shown(const struct table_column *column, enum output_format format)
{
    return !column->wide || format == OUTPUT_WIDE;
}

static void print_cell(FILE *out, const char *text, size_t width, int is_last)
{
    size_t taken = display_width(text);
    (void)fputs(text, out);
    if (!is_last)
        (void)fprintf(out, "%*s", (int)(width - taken + 3), "");
}

static void print_columns(FILE *out, enum output_format format, const struct table_column *columns,
                          const json_t *rows)
{
    size_t count = 0;
    size_t last = 0;
    for (; columns[count].title != NULL; count++)
        if (is_shown(&columns[count], format))
            last = count;
    size_t row_count = json_array_size(rows);
    cleanup_free char **cells = memory_new(count * row_count, sizeof *cells);
    cleanup_free size_t *widths = memory_new(count, sizeof *widths);
    for (size_t c = 0; c < count; c++) {
        widths[c] = display_width(columns[c].title);
        for (size_t r = 0; r < row_count; r++) {
            char *text = cell_text(json_object_get(json_array_get(rows, r), columns[c].key));
            cells[r * count + c] = text;
            if (display_width(text) > widths[c])
                widths[c] = display_width(text);
        }
    }
    for (size_t c = 0; c < count; c++)
        if (is_shown(&columns[c], format))
            print_cell(out, columns[c].title, widths[c], c == last);
    (void)fputc('\n', out);
    for (size_t r = 0; r < row_count; r++) {
        for (size_t c = 0; c < count; c++)
            if (is_shown(&columns[c], format))
                print_cell(out, cells[r * count + c], widths[c], c == last);
        (void)fputc('\n', out);
    }
    for (size_t i = 0; i < count * row_count; i++)
        free(cells[i]);
}

/* ---- YAML ------------------------------------------------------------------------------------ */

static int append_yaml(void *data, unsigned char *bytes, size_t size)
{
    return buffer_append(data, bytes, size) == 0;
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
    (void)yaml_emitter_emit(emitter, event);
}

/* Texts that a YAML reader could take for a number, a date, a boolean or nothing are quoted; so is
 * everything unusual. */
static yaml_scalar_style_t style_of(const char *text)
{
    static const char *const words[] = {"true", "false", "yes",  "no",  "on",  "off",
                                        "y",    "n",     "null", "nan", "inf", NULL};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_./+-";
    if (strchr(text, '\n') != NULL)
        return YAML_LITERAL_SCALAR_STYLE;
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcasecmp(words[i], text) == 0)
            return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (*text == '\0' || strchr(letters, *text) == NULL || strspn(text, others) != strlen(text))
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return YAML_PLAIN_SCALAR_STYLE;
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    if (yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                     (int)strlen(text), 1, 1, style) != 1)
        out_of_memory();
    emit(emitter, &event);
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value)
{
    yaml_event_t event;
    if (json_is_object(value)) {
        (void)yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE);
        emit(emitter, &event);
        const char *key = NULL;
        json_t *member = NULL;
        json_object_foreach ((json_t *)value, key, member) {
            emit_scalar(emitter, key, style_of(key));
            emit_value(emitter, member);
        }
        (void)yaml_mapping_end_event_initialize(&event);
        emit(emitter, &event);
    } else if (json_is_array(value)) {
        (void)yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_SEQUENCE_STYLE);
        emit(emitter, &event);
        size_t index = 0;
        json_t *item = NULL;
        json_array_foreach (value, index, item)
            emit_value(emitter, item);
        (void)yaml_sequence_end_event_initialize(&event);
        emit(emitter, &event);
    } else if (json_is_string(value)) {
        emit_scalar(emitter, json_string_value(value), style_of(json_string_value(value)));
    } else {
        cleanup_free char *text = json_dumps(value, JSON_ENCODE_ANY);
        emit_scalar(emitter, text != NULL ? text : "null", YAML_PLAIN_SCALAR_STYLE);
    }
}

char *table_yaml(const json_t *value)
{
    cleanup_buffer struct buffer text = BUFFER_INIT(YAML_LIMIT);
    yaml_emitter_t emitter;
    yaml_event_t event;
    if (yaml_emitter_initialize(&emitter) != 1)
        out_of_memory();
    yaml_emitter_set_output(&emitter, append_yaml, &text);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    (void)yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(&emitter, &event);
    (void)yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    emit(&emitter, &event);
    emit_value(&emitter, value);
    (void)yaml_document_end_event_initialize(&event, 1);
    emit(&emitter, &event);
    (void)yaml_stream_end_event_initialize(&event);
    emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return buffer_take(&text);
}

/* ---- the formats ----------------------------------------------------------------------------- */

void table_print_value(FILE *out, enum output_format format, const json_t *value)
{
    if (format == OUTPUT_YAML) {
        cleanup_free char *yaml = table_yaml(value);
        (void)fputs(yaml, out);
        return;
    }
    cleanup_free char *text = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (text != NULL)
        (void)fprintf(out, "%s\n", text);
}

void table_print(FILE *out, enum output_format format, const struct table_column *columns,
                 const char *name_key, const json_t *rows, const char *nothing)
{
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        table_print_value(out, format, rows);
        return;
    }
    if (json_array_size(rows) == 0) {
        message(MESSAGE_INFO, "%s", nothing);
        return;
    }
    if (format != OUTPUT_NAME) {
        print_columns(out, format, columns, rows);
        return;
    }
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row) {
        cleanup_free char *name = cell_text(json_object_get(row, name_key));
        (void)fprintf(out, "%s\n", name);
    }
}
