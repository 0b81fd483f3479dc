#include "cli/plugin-show.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/table.h"

/* "discover, restore" of an array of texts, "-" when it is empty; owned by the caller. */
static char *joined(const json_t *list, const char *separator)
{
    char *text = text_copy("");
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach (list, index, item) {
        char *longer =
            text_format("%s%s%s", text, index > 0 ? separator : "", json_string_value(item));
        free(text);
        text = longer;
    }
    if (text[0] == '\0') {
        free(text);
        return text_copy("-");
    }
    return text;
}

static void print_pair(FILE *out, const char *key, const char *value)
{
    cleanup_free char *safe = display_safe(value != NULL ? value : "", 0);
    (void)fprintf(out, "%s=%s\n", key, safe);
}

static void print_identity(FILE *out, const struct plugin_file *file)
{
    const json_t *json = file->info->json;
    static const char *const keys[] = {"name",       "version",  "abi",     "summary",
                                       "maintainer", "homepage", "license", NULL};
    for (const char *const *key = keys; *key != NULL; key++)
        print_pair(out, *key, json_text(json, *key));
    print_pair(out, "path", file->path);
    print_pair(out, "build_id", file->build_id);
    cleanup_free char *hooks = joined(json_object_get(json, "hooks"), " ");
    print_pair(out, "hooks", hooks);
    size_t index = 0;
    json_t *need = NULL;
    json_array_foreach (json_object_get(json, "needs"), index, need) {
        cleanup_free char *value = text_format(
            "%s %lld %s", json_text(need, "interface"), (long long)json_whole(need, "version", 0),
            json_flag(need, "required") ? "required" : "optional");
        print_pair(out, "needs", value);
    }
}

static void print_heading(FILE *out, const char *heading, const char *subject)
{
    cleanup_free char *safe = display_safe(subject, 0);
    (void)fprintf(out, "\n%s%s%s\n", heading, subject[0] != '\0' ? " " : "", safe);
}

static const char *option_kind(const json_t *option)
{
    if (json_flag(option, "secret"))
        return json_flag(option, "required") ? "required, secret" : "secret";
    return json_flag(option, "required") ? "required" : "";
}

static void print_options(FILE *out, enum output_format format, const json_t *options)
{
    static const struct table_column columns[] = {
        {"OPTION", "name", 0},       {"TYPE", "type", 0},
        {"DEFAULT", "default", 0},   {"", "kind", 0},
        {"COMMANDS", "commands", 1}, {"SINCE", "since", 1},
        {"MEANING", "help", 0},      {NULL, NULL, 0}};
    cleanup_json json_t *rows = json_make("[]");
    size_t index = 0;
    json_t *option = NULL;
    json_array_foreach (options, index, option) {
        json_t *row = json_clone(option);
        json_put_text(row, "kind", option_kind(option));
        const json_t *choices = json_object_get(option, "choices");
        if (json_array_size(choices) > 0) {
            cleanup_free char *list = joined(choices, "|");
            json_put_text(row, "type", list);
        }
        json_add(rows, row);
    }
    if (index == 0)
        return;
    print_heading(out, "options", "");
    table_print(out, format, columns, "name", rows, NULL);
}

/* "manual, idempotent" */
static char *row_kind(const json_t *row)
{
    cleanup_json json_t *words = json_make("[]");
    static const char *const flags[] = {"manual", "idempotent", "job", NULL};
    for (const char *const *flag = flags; *flag != NULL; flag++) {
        if (json_flag(row, *flag))
            json_add(words, json_string(*flag));
    }
    return joined(words, ", ");
}

static void print_stage(FILE *out, enum output_format format, const json_t *stage)
{
    static const struct table_column columns[] = {{"ROW", "id", 0},
                                                  {"EFFECT", "effect", 0},
                                                  {"KIND", "kind", 0},
                                                  {"DEADLINE", "deadline", 1},
                                                  {"ATTEMPTS", "attempts", 1},
                                                  {"UNDO", "undo", 1},
                                                  {"STATEMENTS", "statements", 0},
                                                  {"TITLE", "title", 0},
                                                  {NULL, NULL, 0}};
    cleanup_free char *name =
        text_format("%s: %s", json_text(stage, "id"), json_text(stage, "title"));
    cleanup_free char *safe = display_safe(name, 0);
    (void)fprintf(out, "  stage %s\n", safe);
    cleanup_json json_t *rows = json_make("[]");
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (json_object_get(stage, "rows"), index, row) {
        json_t *shown = json_clone(row);
        cleanup_free char *kind = row_kind(row);
        cleanup_free char *deadline = display_duration(json_whole(row, "deadline_ms", 0));
        json_put_text(shown, "kind", kind);
        json_put_text(shown, "deadline", deadline);
        json_add(rows, shown);
    }
    table_print(out, format, columns, "id", rows, NULL);
}

static void print_procedures(FILE *out, enum output_format format, const json_t *procedures)
{
    size_t index = 0;
    json_t *procedure = NULL;
    json_array_foreach (procedures, index, procedure) {
        cleanup_free char *name =
            text_format("%s (%s): %s", json_text(procedure, "id"), json_text(procedure, "kind"),
                        json_text(procedure, "title"));
        cleanup_free char *source =
            text_format("from '%s', for %s", json_text(procedure, "document"),
                        json_text(procedure, "versions"));
        cleanup_free char *safe = display_safe(source, 0);
        print_heading(out, "procedure", name);
        (void)fprintf(out, "  %s\n", safe);
        size_t i = 0;
        json_t *stage = NULL;
        json_array_foreach (json_object_get(procedure, "stages"), i, stage)
            print_stage(out, format, stage);
    }
}

static void print_table(FILE *out, enum output_format format, const char *heading,
                        const struct table_column *columns, const json_t *rows)
{
    if (json_array_size(rows) == 0)
        return;
    print_heading(out, heading, "");
    table_print(out, format, columns, "id", rows, NULL);
}

static json_t *whole(const struct plugin_file *file)
{
    json_t *json = json_clone(file->info->json);
    json_put_text(json, "path", file->path);
    json_put_text(json, "build_id", file->build_id);
    return json;
}

void plugin_show(FILE *out, enum output_format format, const struct plugin_file *file)
{
    static const struct table_column finding_columns[] = {{"FINDING", "id", 0},
                                                          {"SEVERITY", "severity", 0},
                                                          {"WAIVABLE", "waivable", 0},
                                                          {"STATEMENTS", "statements", 0},
                                                          {"TITLE", "title", 0},
                                                          {"REMEDY", "remedy", 1},
                                                          {NULL, NULL, 0}};
    static const struct table_column read_columns[] = {{"READ", "id", 0},
                                                       {"COMMAND", "pattern", 0},
                                                       {"SCRIPT SHA-256", "script_sha256", 1},
                                                       {"WHY IT ONLY READS", "reason", 0},
                                                       {NULL, NULL, 0}};
    const json_t *json = file->info->json;
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        cleanup_json json_t *value = whole(file);
        table_print_value(out, format, value);
        return;
    }
    if (format == OUTPUT_NAME) {
        (void)fprintf(out, "%s\n", file->info->name);
        return;
    }
    print_identity(out, file);
    print_options(out, format, json_object_get(json, "options"));
    print_procedures(out, format, json_object_get(json, "procedures"));
    print_table(out, format, "findings", finding_columns, json_object_get(json, "findings"));
    print_table(out, format, "reads by declaration", read_columns,
                json_object_get(json, "declared_reads"));
}
