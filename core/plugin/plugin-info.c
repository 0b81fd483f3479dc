#include "plugin/plugin-info.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/descriptor-rules.h"
#include "plugin/vocabulary.h"

/* Everything below reads a descriptor that keeps its rules, so that nothing here can fail. */

static const char **texts_of(const json_t *list)
{
    size_t count = json_array_size(list);
    const char **texts = memory_new(count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    texts[count] = NULL;
    return texts;
}

/* A zeroed array with room for the elements of `list`. */
static void *table_for(const json_t *list, size_t size, size_t *ret_count)
{
    *ret_count = json_array_size(list);
    void *table = memory_new(*ret_count + 1, size);
    return table;
}

static void read_options(struct plugin_info *info, const json_t *list)
{
    info->options = table_for(list, sizeof *info->options, &info->option_count);
    for (size_t i = 0; i < info->option_count; i++) {
        const json_t *json = json_array_get(list, i);
        struct plugin_option *option = &info->options[i];
        option->name = json_text(json, "name");
        option->value_name = json_text(json, "value_name");
        option->default_value = json_text(json, "default");
        option->help = json_text(json, "help");
        option->since = json_text(json, "since");
        option->type = number_for(words_option, json_text(json, "type"));
        if (option->type == SALVOR_OPTION_CHOICE)
            option->choices = texts_of(json_object_get(json, "choices"));
        option->required = json_flag(json, "required");
        option->secret = json_flag(json, "secret");
        size_t index = 0;
        json_t *command = NULL;
        json_array_foreach (json_object_get(json, "commands"), index, command)
            option->commands |= number_for(words_command, json_string_value(command));
    }
}

static void read_rows(struct plugin_stage *stage, const json_t *list)
{
    stage->rows = table_for(list, sizeof *stage->rows, &stage->row_count);
    for (size_t i = 0; i < stage->row_count; i++) {
        const json_t *json = json_array_get(list, i);
        struct plugin_row *row = &stage->rows[i];
        row->id = json_text(json, "id");
        row->title = json_text(json, "title");
        row->statements = texts_of(json_object_get(json, "statements"));
        row->instructions = json_text(json, "instructions");
        row->undo = json_text(json, "undo");
        row->effect = number_for(words_effect, json_text(json, "effect"));
        row->manual = json_flag(json, "manual");
        row->idempotent = json_flag(json, "idempotent");
        row->job = json_flag(json, "job");
        row->deadline_ms = json_whole(json, "deadline_ms", 0);
        row->attempts = json_whole(json, "attempts", 1);
        row->backoff_ms = json_whole(json, "backoff_ms", 0);
        row->check_every_ms = json_whole(json, "check_every_ms", 0);
    }
}

static void read_procedures(struct plugin_info *info, const json_t *list)
{
    info->procedures = table_for(list, sizeof *info->procedures, &info->procedure_count);
    for (size_t i = 0; i < info->procedure_count; i++) {
        const json_t *json = json_array_get(list, i);
        struct plugin_procedure *procedure = &info->procedures[i];
        procedure->id = json_text(json, "id");
        procedure->title = json_text(json, "title");
        procedure->document = json_text(json, "document");
        procedure->versions = json_text(json, "versions");
        procedure->kind = number_for(words_procedure, json_text(json, "kind"));
        const json_t *stages = json_object_get(json, "stages");
        procedure->stages = table_for(stages, sizeof *procedure->stages, &procedure->stage_count);
        for (size_t j = 0; j < procedure->stage_count; j++) {
            const json_t *stage = json_array_get(stages, j);
            procedure->stages[j].id = json_text(stage, "id");
            procedure->stages[j].title = json_text(stage, "title");
            read_rows(&procedure->stages[j], json_object_get(stage, "rows"));
        }
    }
}

static void read_findings(struct plugin_info *info, const json_t *list)
{
    info->findings = table_for(list, sizeof *info->findings, &info->finding_count);
    for (size_t i = 0; i < info->finding_count; i++) {
        const json_t *json = json_array_get(list, i);
        struct plugin_finding *finding = &info->findings[i];
        finding->id = json_text(json, "id");
        finding->title = json_text(json, "title");
        finding->statements = texts_of(json_object_get(json, "statements"));
        finding->remedy = json_text(json, "remedy");
        finding->severity = number_for(words_severity, json_text(json, "severity"));
        finding->waivable = json_flag(json, "waivable");
    }
}

static int rules_error(const json_t *json, const json_t *problems, struct error *reterr)
{
    const char *name = json_text(json, "name");
    size_t count = json_array_size(problems);
    error_set(reterr, EXIT_USAGE, "plugin '%s' breaks the rules of a descriptor: %s",
              name != NULL ? name : "?", json_text(json_array_get(problems, 0), "message"));
    if (count > 1)
        error_detail(reterr, "and %zu more", count - 1);
    return error_hint(reterr, "'salvor plugin lint FILE' names all of them");
}

int plugin_info_parse(json_t *json, struct plugin_info **ret_info, struct error *reterr)
{
    cleanup_json json_t *problems = descriptor_problems(json);
    if (json_array_size(problems) > 0)
        return rules_error(json, problems, reterr);
    struct plugin_info *info = memory_new(1, sizeof *info);
    info->json = json_incref(json);
    info->name = json_text(json, "name");
    info->version = json_text(json, "version");
    info->summary = json_text(json, "summary");
    info->abi = json_text(json, "abi");
    read_options(info, json_object_get(json, "options"));
    read_procedures(info, json_object_get(json, "procedures"));
    read_findings(info, json_object_get(json, "findings"));
    *ret_info = info;
    return 0;
}

void plugin_info_free(struct plugin_info *info)
{
    if (info == NULL)
        return;
    for (size_t i = 0; i < info->option_count; i++)
        free(info->options[i].choices);
    for (size_t i = 0; i < info->procedure_count; i++) {
        struct plugin_procedure *procedure = &info->procedures[i];
        for (size_t j = 0; j < procedure->stage_count; j++) {
            for (size_t k = 0; k < procedure->stages[j].row_count; k++)
                free(procedure->stages[j].rows[k].statements);
            free(procedure->stages[j].rows);
        }
        free(procedure->stages);
    }
    for (size_t i = 0; i < info->finding_count; i++)
        free(info->findings[i].statements);
    free(info->options);
    free(info->procedures);
    free(info->findings);
    json_decref((json_t *)info->json);
    free(info);
}

const struct plugin_option *plugin_info_option(const struct plugin_info *info, const char *name)
{
    for (size_t i = 0; i < info->option_count; i++) {
        if (text_equal(info->options[i].name, name))
            return &info->options[i];
    }
    return NULL;
}

const struct plugin_procedure *plugin_info_procedure(const struct plugin_info *info, const char *id)
{
    for (size_t i = 0; i < info->procedure_count; i++) {
        if (text_equal(info->procedures[i].id, id))
            return &info->procedures[i];
    }
    return NULL;
}

const struct plugin_finding *plugin_info_finding(const struct plugin_info *info, const char *id)
{
    for (size_t i = 0; i < info->finding_count; i++) {
        if (text_equal(info->findings[i].id, id))
            return &info->findings[i];
    }
    return NULL;
}

const struct plugin_stage *plugin_procedure_stage(const struct plugin_procedure *procedure,
                                                  const char *id)
{
    for (size_t i = 0; i < procedure->stage_count; i++) {
        if (text_equal(procedure->stages[i].id, id))
            return &procedure->stages[i];
    }
    return NULL;
}

const struct plugin_row *plugin_stage_row(const struct plugin_stage *stage, const char *id)
{
    for (size_t i = 0; i < stage->row_count; i++) {
        if (text_equal(stage->rows[i].id, id))
            return &stage->rows[i];
    }
    return NULL;
}

int plugin_procedure_names_step(const struct plugin_procedure *procedure, const char *name)
{
    for (size_t i = 0; i < procedure->stage_count; i++) {
        const struct plugin_stage *stage = &procedure->stages[i];
        cleanup_free char *prefix = text_format("%s/%s/", procedure->id, stage->id);
        int64_t number = 0;
        if (plugin_stage_row(stage, name) != NULL)
            return 1;
        if (text_starts(name, prefix) && text_parse_integer(name + strlen(prefix), &number) == 0 &&
            number > 0)
            return 1;
    }
    return 0;
}

int plugin_info_has_hook(const struct plugin_info *info, const char *hook)
{
    size_t index = 0;
    json_t *name = NULL;
    json_array_foreach (json_object_get(info->json, "hooks"), index, name) {
        if (text_equal(json_string_value(name), hook))
            return 1;
    }
    return 0;
}
