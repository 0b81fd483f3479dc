#include "engine/plan.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/lock-target.h"
#include "plugin/vocabulary.h"

enum { PLAN_FORMAT = 1, STEP_LIMIT = 10000 };

struct planned_objects {
    struct digest digest;
    int64_t count;
};

struct plan_builder {
    const struct plan_context *context;
    const struct plugin_procedure *procedure;
    const struct plugin_stage *stage;
    json_t *decision;
    json_t *ruled_out;
    json_t *facts;
    json_t *steps;
    struct planned_objects *objects; /* one a step */
    const char *next_stage;
};

struct plan_builder *plan_builder_new(const struct plan_context *context)
{
    struct plan_builder *builder = memory_new(1, sizeof *builder);
    builder->context = context;
    builder->ruled_out = json_array();
    builder->facts = json_object();
    builder->steps = json_array();
    if (context->procedure != NULL)
        builder->procedure = plugin_info_procedure(context->info, context->procedure);
    return builder;
}

void plan_builder_free(struct plan_builder *builder)
{
    if (builder == NULL)
        return;
    json_decref(builder->decision);
    json_decref(builder->ruled_out);
    json_decref(builder->facts);
    json_decref(builder->steps);
    free(builder->objects);
    free(builder);
}

static int broken(const struct plan_builder *builder, struct error *reterr, const char *why,
                  const char *subject)
{
    return error_set(reterr, EXIT_FAILED, "plugin '%s' made a plan that cannot be run: %s '%s'",
                     builder->context->info->name, why, subject != NULL ? subject : "");
}

/* ---- what the hook emits ----------------------------------------------------------------- */

static int take_decide(struct plan_builder *builder, const json_t *frame, struct error *reterr)
{
    const struct plan_context *context = builder->context;
    const char *id = json_text(frame, "procedure");
    const struct plugin_procedure *procedure =
        id != NULL ? plugin_info_procedure(context->info, id) : NULL;
    if (procedure == NULL)
        return broken(builder, reterr, "it decides for an unknown procedure", id);
    if (context->stage != NULL)
        return broken(builder, reterr, "it decides again in a later stage, for", id);
    if (context->asked_for != NULL && !text_equal(context->asked_for, id))
        return broken(builder, reterr, "another procedure was asked for than", id);
    if (context->asked_for == NULL && procedure->kind != context->kind)
        return broken(builder, reterr, "it decides for a procedure of another kind", id);
    builder->procedure = procedure;
    json_decref(builder->decision);
    builder->decision =
        json_make("{s:s, s:s?}", "procedure", id, "reason", json_text(frame, "reason"));
    return 0;
}

static int take_fact(struct plan_builder *builder, const json_t *frame, struct error *reterr)
{
    const char *name = json_text(frame, "name");
    const char *class_word = json_text(frame, "class");
    const json_t *value = json_object_get(frame, "value");
    if (name == NULL || value == NULL || number_for(words_fact, class_word) == 0)
        return broken(builder, reterr, "a fact lacks its class or value:", name);
    json_put(builder->facts, name, json_make("{s:s, s:O}", "class", class_word, "value", value));
    return 0;
}

static const json_t *fact_of(const struct plan_builder *builder, const char *name)
{
    const json_t *own = json_object_get(builder->facts, name);
    return own != NULL ? own : json_object_get(builder->context->facts, name);
}

static int find_stage(struct plan_builder *builder, struct error *reterr)
{
    const struct plan_context *context = builder->context;
    if (builder->stage != NULL)
        return 0;
    if (builder->procedure == NULL) {
        if (context->asked_for == NULL)
            return broken(builder, reterr, "it plans steps before it decides for a procedure",
                          NULL);
        builder->procedure = plugin_info_procedure(context->info, context->asked_for);
    }
    if (builder->procedure == NULL || builder->procedure->stage_count == 0)
        return broken(builder, reterr, "there is no procedure", context->asked_for);
    builder->stage = context->stage != NULL
                         ? plugin_procedure_stage(builder->procedure, context->stage)
                         : &builder->procedure->stages[0];
    if (builder->stage == NULL)
        return broken(builder, reterr, "its procedure has no stage", context->stage);
    return 0;
}

static size_t row_position(const struct plugin_stage *stage, const char *row)
{
    size_t position = 0;
    while (position < stage->row_count && !text_equal(stage->rows[position].id, row))
        position++;
    return position;
}

/* The vendor's order holds on each target; other targets may be at other rows. */
static int keeps_order(const struct plan_builder *builder, const char *row, const char *target)
{
    for (size_t i = json_array_size(builder->steps); i > 0; i--) {
        const json_t *earlier = json_array_get(builder->steps, i - 1);
        if (text_equal(json_text(earlier, "target"), target))
            return row_position(builder->stage, json_text(earlier, "row")) <=
                   row_position(builder->stage, row);
    }
    return 1;
}

static int by_hand(const struct plan_builder *builder, const struct plugin_row *row,
                   const char *instance)
{
    size_t index = 0;
    const json_t *name = NULL;
    if (row->manual)
        return 1;
    json_array_foreach (builder->context->manual, index, name) {
        const char *text = json_string_value(name);
        if (text_equal(text, row->id) || text_equal(text, instance))
            return 1;
    }
    return 0;
}

/* The number of a step of the builder's own stage, or 0 when `name` is of no step of it. */
static int64_t number_in_stage(const struct plan_builder *builder, const char *name)
{
    cleanup_free char *prefix = text_format("%s/%s/", builder->procedure->id, builder->stage->id);
    int64_t number = 0;
    if (!text_starts(name, prefix) || text_parse_integer(name + strlen(prefix), &number) != 0)
        return 0;
    return number;
}

/* A run that restores goes on to post-resync; nothing else comes before or after another. */
static int is_of_run(const struct plan_builder *builder, const struct plugin_procedure *procedure)
{
    if (builder->context->kind == SALVOR_PROCEDURE_POST_RESYNC)
        return procedure == builder->procedure || procedure->kind == SALVOR_PROCEDURE_RESTORE;
    return procedure == builder->procedure || (builder->context->kind == SALVOR_PROCEDURE_RESTORE &&
                                               procedure->kind == SALVOR_PROCEDURE_POST_RESYNC);
}

static int may_be_planned(const struct plan_builder *builder, const char *name)
{
    const struct plugin_info *info = builder->context->info;
    for (size_t i = 0; i < info->procedure_count; i++) {
        const struct plugin_procedure *procedure = &info->procedures[i];
        if (is_of_run(builder, procedure) && plugin_procedure_names_step(procedure, name))
            return 1;
    }
    return 0;
}

/* What a person means to do must never be done by salvor because of a slip of the pen. */
static int check_by_hand(const struct plan_builder *builder, struct error *reterr)
{
    size_t count = json_array_size(builder->steps);
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (builder->context->manual, index, entry) {
        const char *name = json_string_value(entry);
        if (!may_be_planned(builder, name))
            (void)error_set(reterr, EXIT_USAGE,
                            "procedure '%s', which this run takes, has no step '%s' to do by hand",
                            builder->procedure->id, name);
        else if (number_in_stage(builder, name) > (int64_t)count)
            (void)error_set(reterr, EXIT_USAGE,
                            "stage '%s' has no step '%s' to do by hand: it has %zu step%s",
                            builder->stage->id, name, count, count == 1 ? "" : "s");
        else
            continue;
        return error_hint(reterr, "'salvor plan' shows the steps of a stage; give the one that is "
                                  "meant, or 'none', with '--manual'");
    }
    return 0;
}

/* "{name}" stands for the parameter of that name; what is not one stays as it is. */
static char *fill_in(const char *text, const json_t *parameters, const char *target)
{
    struct buffer out = BUFFER_INIT(1 << 20);
    while (*text != '\0') {
        const char *close = *text == '{' ? strchr(text, '}') : NULL;
        if (close != NULL) {
            cleanup_free char *name = text_copy_span(text + 1, (size_t)(close - text) - 1);
            const json_t *value = json_object_get(parameters, name);
            cleanup_free char *shown = value == NULL           ? NULL
                                       : json_is_string(value) ? text_copy(json_string_value(value))
                                                               : json_canonical(value);
            const char *replacement =
                shown != NULL ? shown : (text_equal(name, "target") ? target : NULL);
            if (replacement != NULL) {
                (void)buffer_append_text(&out, replacement);
                text = close + 1;
                continue;
            }
        }
        (void)buffer_append(&out, text, 1);
        text++;
    }
    return buffer_take(&out);
}

static json_t *instructions_of(const struct plugin_row *row, const json_t *parameters,
                               const char *target)
{
    if (row->instructions != NULL) {
        cleanup_free char *text = fill_in(row->instructions, parameters, target);
        return json_string(text);
    }
    cleanup_free char *shown = json_canonical(parameters);
    cleanup_free char *text =
        text_format("by hand: %s%s%s%s%s", row->title, *target != '\0' ? ", on " : "", target,
                    json_object_size(parameters) > 0 ? ", with " : "",
                    json_object_size(parameters) > 0 ? shown : "");
    return json_string(text);
}

static int check_guards(struct plan_builder *builder, const json_t *guards, struct error *reterr)
{
    size_t index = 0;
    const json_t *guard = NULL;
    json_array_foreach (guards, index, guard) {
        const char *name = json_string_value(guard);
        const json_t *fact = name != NULL ? fact_of(builder, name) : NULL;
        if (!text_equal(json_text(fact, "class"), "guard"))
            return broken(builder, reterr,
                          "a step is guarded by something that is no guard fact:", name);
    }
    return 0;
}

static json_t *statements_of(const struct plugin_row *row)
{
    json_t *statements = json_array();
    for (size_t i = 0; row->statements != NULL && row->statements[i] != NULL; i++)
        json_add(statements, json_string(row->statements[i]));
    return statements;
}

static int take_step(struct plan_builder *builder, const json_t *frame, struct error *reterr)
{
    if (find_stage(builder, reterr) != 0)
        return -1;
    const char *row_id = json_text(frame, "row");
    const char *target = json_text(frame, "target");
    const struct plugin_row *row = row_id != NULL ? plugin_stage_row(builder->stage, row_id) : NULL;
    json_t *parameters = json_object_get(frame, "parameters");
    json_t *guards = json_object_get(frame, "guards");
    if (row == NULL)
        return broken(builder, reterr, "its stage has no row", row_id);
    if (target == NULL)
        target = "";
    if (json_array_size(builder->steps) >= STEP_LIMIT)
        return broken(builder, reterr, "too many steps in stage", builder->stage->id);
    if (!keeps_order(builder, row_id, target))
        return broken(builder, reterr, "a step is out of the documented order: row", row_id);
    if (check_guards(builder, guards, reterr) != 0)
        return -1;

    size_t number = json_array_size(builder->steps) + 1;
    cleanup_free char *instance =
        text_format("%s/%s/%zu", builder->procedure->id, builder->stage->id, number);
    cleanup_json json_t *own_parameters =
        json_is_object(parameters) ? json_incref(parameters) : json_object();
    cleanup_json json_t *own_guards = json_is_array(guards) ? json_incref(guards) : json_array();
    int manual = by_hand(builder, row, instance);
    int irreversible = row->effect >= SALVOR_EFFECT_IRREVERSIBLE;
    const char *confirmation = json_text(frame, "confirmation");
    if (irreversible && (confirmation == NULL || *confirmation == '\0'))
        confirmation = *target != '\0' ? target : row->id;
    json_t *step = json_make(
        "{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:O, s:O, s:s?, s:s?, s:n, s:n}", "step", instance,
        "row", row->id, "title", row->title, "effect", word_for(words_effect, row->effect),
        "manual", manual, "idempotent", row->idempotent, "target", target, "parameters",
        own_parameters, "guards", own_guards, "consequence", json_text(frame, "consequence"),
        "confirmation", irreversible ? confirmation : NULL, "instructions", "objects");
    json_put(step, "statements", statements_of(row));
    if (manual)
        json_put(step, "instructions", instructions_of(row, own_parameters, target));
    json_add(builder->steps, step);
    builder->objects = memory_resize(builder->objects, number, sizeof *builder->objects);
    digest_begin(&builder->objects[number - 1].digest);
    builder->objects[number - 1].count = 0;
    return 0;
}

static int take_objects(struct plan_builder *builder, const json_t *frame, struct error *reterr)
{
    const struct plan_context *context = builder->context;
    int64_t step = json_whole(frame, "index", -1);
    const json_t *names = json_object_get(frame, "names");
    size_t index = 0;
    const json_t *name = NULL;
    if (step < 0 || (size_t)step >= json_array_size(builder->steps) || !json_is_array(names))
        return broken(builder, reterr, "it names objects of a step that is not in the stage", NULL);
    struct planned_objects *objects = &builder->objects[step];
    json_array_foreach (names, index, name) {
        const char *text = json_string_value(name);
        if (text == NULL)
            return broken(builder, reterr, "an object has no name", NULL);
        /* the size in front keeps ("a\nb") and ("a","b") apart */
        cleanup_free char *line = text_format("%zu:%s\n", strlen(text), text);
        digest_add(&objects->digest, line, strlen(line));
        objects->count++;
    }
    const char *instance = json_text(json_array_get(builder->steps, (size_t)step), "step");
    return context->objects != NULL ? context->objects(context->data, instance, names, reterr) : 0;
}

static int take_next_stage(struct plan_builder *builder, const json_t *frame, struct error *reterr)
{
    const char *id = json_text(frame, "stage");
    if (find_stage(builder, reterr) != 0)
        return -1;
    const struct plugin_stage *next =
        id != NULL ? plugin_procedure_stage(builder->procedure, id) : NULL;
    if (next == NULL || next <= builder->stage)
        return broken(builder, reterr,
                      "the stage to follow is not a later one of the procedure:", id);
    builder->next_stage = next->id;
    return 0;
}

int plan_builder_take(struct plan_builder *builder, const json_t *frame, struct error *reterr)
{
    const char *what = json_text(frame, "do");
    if (text_equal(what, "decide"))
        return take_decide(builder, frame, reterr);
    if (text_equal(what, "rule_out")) {
        json_add(builder->ruled_out,
                 json_make("{s:s?, s:s?}", "procedure", json_text(frame, "procedure"), "reason",
                           json_text(frame, "reason")));
        return 0;
    }
    if (text_equal(what, "fact"))
        return take_fact(builder, frame, reterr);
    if (text_equal(what, "step"))
        return take_step(builder, frame, reterr);
    if (text_equal(what, "objects"))
        return take_objects(builder, frame, reterr);
    if (text_equal(what, "next_stage"))
        return take_next_stage(builder, frame, reterr);
    return broken(builder, reterr, "unknown part", what);
}

/* ---- freezing it ------------------------------------------------------------------------- */

static int close_objects(struct plan_builder *builder, struct error *reterr)
{
    size_t index = 0;
    json_t *step = NULL;
    json_array_foreach (builder->steps, index, step) {
        struct planned_objects *objects = &builder->objects[index];
        uint32_t effect = number_for(words_effect, json_text(step, "effect"));
        if (objects->count == 0) {
            if (effect >= SALVOR_EFFECT_DESTRUCTIVE)
                return broken(builder, reterr,
                              "a destructive step names no object that it touches: row",
                              json_text(step, "row"));
            continue;
        }
        unsigned char hash[DIGEST_SIZE];
        char text[DIGEST_TEXT_SIZE];
        digest_end(&objects->digest, hash);
        digest_text(hash, text);
        json_put(step, "objects",
                 json_make("{s:I, s:s}", "count", (json_int_t)objects->count, "sha256", text));
    }
    return 0;
}

static int is_named_guard(const struct plan_builder *builder, const char *name)
{
    size_t index = 0;
    const json_t *step = NULL;
    json_array_foreach (builder->steps, index, step) {
        size_t position = 0;
        const json_t *guard = NULL;
        json_array_foreach (json_object_get(step, "guards"), position, guard) {
            if (text_equal(json_string_value(guard), name))
                return 1;
        }
    }
    return 0;
}

static json_t *all_facts(const struct plan_builder *builder)
{
    json_t *all = builder->context->facts != NULL ? json_clone(builder->context->facts) : NULL;
    if (all == NULL)
        all = json_object();
    (void)json_object_update(all, builder->facts);
    return all;
}

/* Identity, and the guards that this stage's steps name: others may change without harm to it. */
static json_t *hashed_facts(const struct plan_builder *builder)
{
    cleanup_json json_t *all = all_facts(builder);
    json_t *hashed = json_object();
    const char *name = NULL;
    json_t *fact = NULL;
    json_object_foreach (all, name, fact) {
        const char *class_word = json_text(fact, "class");
        if (text_equal(class_word, "identity") ||
            (text_equal(class_word, "guard") && is_named_guard(builder, name)))
            json_put(hashed, name, json_incref(fact));
    }
    return hashed;
}

/* What keeps others away while the stage runs; null when nothing is changed. */
static int put_lock(const struct plan_builder *builder, json_t *body, struct error *reterr)
{
    const struct plan_context *context = builder->context;
    cleanup_json json_t *facts = all_facts(builder);
    json_t *lock = NULL;
    if (lock_target(context->lock, facts, context->info->name, &lock, reterr) != 0)
        return -1;
    if (plan_effect(body) < SALVOR_EFFECT_CHANGE) {
        json_decref(lock);
        lock = json_null();
    }
    json_put(body, "lock", lock);
    return 0;
}

int plan_builder_finish(struct plan_builder *builder, json_t **ret_body, struct error *reterr)
{
    const struct plan_context *context = builder->context;
    if (find_stage(builder, reterr) != 0 || close_objects(builder, reterr) != 0 ||
        check_by_hand(builder, reterr) != 0)
        return -1;
    cleanup_json json_t *waivers =
        context->waivers != NULL ? json_clone(context->waivers) : json_array();
    cleanup_json json_t *source =
        context->source != NULL ? json_clone(context->source) : json_null();
    cleanup_json json_t *options =
        context->options != NULL ? json_clone(context->options) : json_object();
    *ret_body = json_make(
        "{s:i, s:s, s:{s:s, s:s}, s:s, s:s, s:I, s:s?, s:O, s:O, s:o, s:O, s:s?, s:O}",
        "salvor-plan", PLAN_FORMAT, "provider", context->info->name, "plugin", "version",
        context->info->version, "build_id", context->build_id != NULL ? context->build_id : "",
        "procedure", builder->procedure->id, "stage", builder->stage->id, "number",
        (json_int_t)context->number, "previous", context->previous, "source", source, "options",
        options, "facts", hashed_facts(builder), "waivers", waivers, "next_stage",
        builder->next_stage, "steps", builder->steps);
    if (put_lock(builder, *ret_body, reterr) == 0)
        return 0;
    json_decref(*ret_body);
    *ret_body = NULL;
    return -1;
}

const json_t *plan_builder_decision(const struct plan_builder *builder)
{
    if (builder->decision != NULL)
        (void)json_object_set(builder->decision, "ruled_out", builder->ruled_out);
    return builder->decision;
}

const json_t *plan_builder_facts(const struct plan_builder *builder)
{
    return builder->facts;
}

uint32_t plan_effect(const json_t *body)
{
    uint32_t most = SALVOR_EFFECT_READ;
    size_t index = 0;
    const json_t *step = NULL;
    json_array_foreach (json_object_get(body, "steps"), index, step) {
        uint32_t effect = number_for(words_effect, json_text(step, "effect"));
        if (effect > most)
            most = effect;
    }
    return most;
}

void plan_hash(const json_t *body, char ret_text[DIGEST_TEXT_SIZE])
{
    json_digest(body, ret_text);
}
