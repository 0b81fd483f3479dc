#include "cli/plan-view.h"

#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/display.h"
#include "engine/lock-target.h"

enum { OBJECTS_SHOWN = 20, PARAMETER_SHOWN = 200 };

static const struct plugin_row *row_of(const struct plugin_info *info, const json_t *body,
                                       const json_t *step)
{
    const struct plugin_procedure *procedure =
        plugin_info_procedure(info, json_text(body, "procedure"));
    const struct plugin_stage *stage =
        procedure != NULL ? plugin_procedure_stage(procedure, json_text(body, "stage")) : NULL;
    return stage != NULL ? plugin_stage_row(stage, json_text(step, "row")) : NULL;
}

char *plan_view_statements(const struct plugin_info *info, const json_t *body, const json_t *step)
{
    struct buffer text = BUFFER_INIT(65536);
    const struct plugin_row *row = row_of(info, body, step);
    for (size_t i = 0; row != NULL && row->statements != NULL && row->statements[i] != NULL; i++)
        (void)buffer_format(&text, "%s%s", i > 0 ? ", " : "", row->statements[i]);
    return buffer_take(&text);
}

/* Names come from the site and the plugin: they may neither move the cursor nor begin a line. */
static void put(FILE *out, const char *before, const char *text, const char *after)
{
    cleanup_free char *safe = display_safe(text != NULL ? text : "", 0);
    (void)fprintf(out, "%s%s%s", before, safe, after);
}

static void print_indented(FILE *out, const char *label, const char *raw)
{
    cleanup_free char *safe = display_safe(raw, 1);
    const char *text = safe;
    (void)fprintf(out, "       %s", label);
    for (; *text != '\0'; text++) {
        (void)fputc(*text, out);
        if (*text == '\n')
            (void)fputs("         ", out);
    }
    (void)fputc('\n', out);
}

struct shown_objects {
    FILE *out;
    int64_t shown;
};

static void print_object(void *data, const char *name)
{
    struct shown_objects *shown = data;
    if (shown->shown++ < OBJECTS_SHOWN)
        put(shown->out, "         - ", name, "\n");
}

static void print_objects(FILE *out, const json_t *step, plan_view_objects objects, void *data)
{
    int64_t count = json_whole(json_object_get(step, "objects"), "count", 0);
    struct shown_objects shown = {out, 0};
    if (count == 0)
        return;
    (void)fprintf(out, "       touches %lld object%s:\n", (long long)count, count == 1 ? "" : "s");
    if (objects != NULL)
        objects(data, json_text(step, "step"), print_object, &shown);
    if (count > OBJECTS_SHOWN)
        (void)fprintf(out, "         ... and %lld more; -o json names them all\n",
                      (long long)(count - OBJECTS_SHOWN));
}

static void print_parameters(FILE *out, const json_t *parameters)
{
    const char *name = NULL;
    const json_t *value = NULL;
    json_object_foreach ((json_t *)parameters, name, value) {
        cleanup_free char *shown =
            json_is_string(value) ? text_copy(json_string_value(value)) : json_canonical(value);
        put(out, "       ", name, ": ");
        if (strlen(shown) > PARAMETER_SHOWN)
            (void)fprintf(out, "%zu bytes; -o json shows them\n", strlen(shown));
        else
            put(out, "", shown, "\n");
    }
}

static void print_guards(FILE *out, const json_t *step, const json_t *facts)
{
    size_t index = 0;
    const json_t *guard = NULL;
    json_array_foreach (json_object_get(step, "guards"), index, guard) {
        const char *name = json_string_value(guard);
        cleanup_free char *value =
            json_canonical(json_object_get(json_object_get(facts, name), "value"));
        put(out, "       only while ", name, " is ");
        put(out, "", value, "\n");
    }
}

static void print_step(FILE *out, const struct plugin_info *info, const json_t *body,
                       const json_t *step, size_t number, plan_view_objects objects, void *data)
{
    const char *target = json_text(step, "target");
    cleanup_free char *statements = plan_view_statements(info, body, step);
    (void)fprintf(out, "\n  %2zu.  ", number);
    put(out, "", json_text(step, "title"), json_flag(step, "manual") ? "  (by hand)\n" : "\n");
    (void)fprintf(out, "       %s", json_text(step, "effect"));
    if (target != NULL && *target != '\0')
        put(out, " on ", target, "");
    if (*statements != '\0')
        put(out, "   [", statements, "]");
    (void)fputc('\n', out);
    print_parameters(out, json_object_get(step, "parameters"));
    print_guards(out, step, json_object_get(body, "facts"));
    if (json_text(step, "consequence") != NULL)
        print_indented(out, "lost: ", json_text(step, "consequence"));
    if (json_text(step, "instructions") != NULL)
        print_indented(out, "do:   ", json_text(step, "instructions"));
    print_objects(out, step, objects, data);
}

static void print_decision(FILE *out, const json_t *decision)
{
    size_t index = 0;
    const json_t *other = NULL;
    if (json_text(decision, "reason") != NULL)
        put(out, "because ", json_text(decision, "reason"), "\n");
    json_array_foreach (json_object_get(decision, "ruled_out"), index, other) {
        put(out, "not '", json_text(other, "procedure"), "': ");
        put(out, "", json_text(other, "reason"), "\n");
    }
}

static void print_waivers(FILE *out, const json_t *waivers)
{
    size_t index = 0;
    const json_t *waiver = NULL;
    json_array_foreach (waivers, index, waiver) {
        put(out, "waived '", json_text(waiver, "finding"), "': ");
        put(out, "", json_text(waiver, "reason"), "\n");
    }
}

/* Nothing is said where nothing is changed. */
static void print_lock(FILE *out, const json_t *lock)
{
    if (!json_is_object(lock))
        return;
    if (!lock_target_is_lease(lock)) {
        put(out, "no lock across machines: ", json_text(lock, "why"), "\n");
        return;
    }
    cleanup_free char *text = lock_target_text(lock);
    put(out, "held against other machines: ", text, "\n");
}

void plan_view_print(FILE *out, const struct plugin_info *info, const json_t *record,
                     const json_t *decision, plan_view_objects objects, void *data)
{
    const json_t *body = json_object_get(record, "body");
    const json_t *steps = json_object_get(body, "steps");
    const struct plugin_procedure *procedure =
        plugin_info_procedure(info, json_text(body, "procedure"));
    size_t index = 0;
    const json_t *step = NULL;
    (void)fprintf(out, "procedure '%s', stage '%s': %zu step%s\n", json_text(body, "procedure"),
                  json_text(body, "stage"), json_array_size(steps),
                  json_array_size(steps) == 1 ? "" : "s");
    if (procedure != NULL) {
        put(out, "after the page \"", procedure->document, "\" (");
        put(out, "", procedure->versions, ")\n");
    }
    print_decision(out, decision);
    print_waivers(out, json_object_get(body, "waivers"));
    print_lock(out, json_object_get(body, "lock"));
    json_array_foreach (steps, index, step)
        print_step(out, info, body, step, index + 1, objects, data);
    if (json_text(body, "next_stage") != NULL)
        (void)fprintf(out, "\n  then stage '%s', planned from what this one finds\n",
                      json_text(body, "next_stage"));
    (void)fprintf(out, "\nplan hash %s\n", json_text(record, "hash"));
}
