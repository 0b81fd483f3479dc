#include "plugin/descriptor-rules.h"

#include <assert.h>
#include <salvor/plugin.h>
#include <stdarg.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/declared-read.h"
#include "plugin/option-value.h"
#include "plugin/reserved-names.h"
#include "plugin/vocabulary.h"

enum { MOST_PROBLEMS = 200 };

static void problem(json_t *problems, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(json_t *problems, const char *id, const char *format, ...)
{
    if (json_array_size(problems) >= MOST_PROBLEMS)
        return;
    va_list args;
    va_start(args, format);
    cleanup_free char *message = text_vformat(format, args);
    va_end(args);
    json_add(problems, json_make("{s:s, s:s}", "id", id, "message", message));
}

/* ---- shape ---------------------------------------------------------------------------------- */

enum kind {
    TEXT,    /* a string that is not empty */
    MAYBE,   /* a string, null or absent */
    LINE,    /* TEXT without line breaks */
    WORDS,   /* array of strings that are not empty, or absent */
    CHOICES, /* WORDS or null */
    COUNT,   /* whole number, not negative; absent is 0 */
    FLAG,    /* true, false or absent */
    LIST     /* array of objects, or absent */
};

struct member {
    const char *key;
    enum kind kind;
};

static int words_fit(const json_t *value)
{
    size_t index = 0;
    json_t *word = NULL;
    json_array_foreach (value, index, word) {
        if (!json_is_string(word) || json_string_length(word) == 0)
            return 0;
    }
    return json_is_array(value);
}

static int list_fits(const json_t *value)
{
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach (value, index, item) {
        if (!json_is_object(item))
            return 0;
    }
    return json_is_array(value);
}

static const char *misfit(const json_t *value, enum kind kind)
{
    int text = json_is_string(value) && json_string_length(value) > 0;
    switch (kind) {
    case TEXT:
        return text ? NULL : "is missing";
    case LINE:
        return !text                                               ? "is missing"
               : strpbrk(json_string_value(value), "\r\n") != NULL ? "has more than one line"
                                                                   : NULL;
    case MAYBE:
        return text || value == NULL || json_is_null(value) ? NULL : "is empty or not text";
    case WORDS:
        return value == NULL || words_fit(value) ? NULL : "is not a list of words";
    case CHOICES:
        return value == NULL || json_is_null(value) || words_fit(value) ? NULL
                                                                        : "has an empty choice";
    case COUNT:
        return value == NULL || (json_is_integer(value) && json_integer_value(value) >= 0)
                   ? NULL
                   : "is not a whole number";
    case FLAG:
        return value == NULL || json_is_boolean(value) ? NULL : "is not true or false";
    case LIST:
        return value == NULL || list_fits(value) ? NULL : "is not a list of objects";
    }
    return NULL;
}

/* 1 when all members have the shape that the rules below rely on. `owner`: "option 'x'". */
static int shape_fits(json_t *problems, const json_t *object, const struct member *members,
                      const char *owner)
{
    size_t before = json_array_size(problems);
    for (; members->key != NULL; members++) {
        const char *fault = misfit(json_object_get(object, members->key), members->kind);
        if (fault != NULL)
            problem(problems, "descriptor-shape", "%s: %s %s", owner, members->key, fault);
    }
    return json_array_size(problems) == before;
}

static const struct member plugin_members[] = {
    {"abi", LINE},        {"name", LINE},      {"version", LINE}, {"summary", LINE},
    {"maintainer", LINE}, {"homepage", MAYBE}, {"license", LINE}, {"options", LIST},
    {"procedures", LIST}, {"findings", LIST},  {"needs", LIST},   {"declared_reads", LIST},
    {"hooks", WORDS},     {NULL, TEXT}};
static const struct member option_members[] = {
    {"name", LINE},   {"type", LINE},       {"value_name", MAYBE}, {"default", MAYBE},
    {"help", LINE},   {"choices", CHOICES}, {"since", MAYBE},      {"required", FLAG},
    {"secret", FLAG}, {"commands", WORDS},  {NULL, TEXT}};
static const struct member procedure_members[] = {
    {"id", LINE},   {"title", LINE},  {"document", LINE}, {"versions", LINE},
    {"kind", LINE}, {"stages", LIST}, {NULL, TEXT}};
static const struct member stage_members[] = {
    {"id", LINE}, {"title", LINE}, {"rows", LIST}, {NULL, TEXT}};
static const struct member row_members[] = {{"id", LINE},
                                            {"title", LINE},
                                            {"statements", WORDS},
                                            {"instructions", MAYBE},
                                            {"undo", MAYBE},
                                            {"effect", LINE},
                                            {"manual", FLAG},
                                            {"idempotent", FLAG},
                                            {"job", FLAG},
                                            {"deadline_ms", COUNT},
                                            {"attempts", COUNT},
                                            {"backoff_ms", COUNT},
                                            {"check_every_ms", COUNT},
                                            {NULL, TEXT}};
static const struct member finding_members[] = {
    {"id", LINE},       {"title", LINE},    {"statements", WORDS}, {"remedy", TEXT},
    {"severity", LINE}, {"waivable", FLAG}, {NULL, TEXT}};
static const struct member declared_read_members[] = {
    {"id", LINE}, {"pattern", LINE}, {"reason", LINE}, {"script_sha256", MAYBE}, {NULL, TEXT}};
static const struct member need_members[] = {
    {"interface", LINE}, {"version", COUNT}, {"required", FLAG}, {NULL, TEXT}};

/* ---- names ---------------------------------------------------------------------------------- */

static int matches(const char *name, const char *first, const char *further, size_t most)
{
    assert(name != NULL); /* nobody asks before the shape was found to fit */
    size_t length = strlen(name);
    return length > 0 && length <= most && strchr(first, name[0]) != NULL &&
           strspn(name, further) == length;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

int name_is_well_formed(const char *name)
{
    return matches(name, LOWER, LOWER DIGITS "-", 32);
}

static int is_id(const char *id)
{
    return matches(id, LOWER DIGITS, LOWER DIGITS "-", 64);
}

static int is_finding_id(const char *id)
{
    return matches(id, UPPER, UPPER DIGITS "-", 64);
}

static int is_statement_id(const char *id)
{
    return matches(id, UPPER LOWER, UPPER LOWER DIGITS "-._", 64);
}

static void check_statements(json_t *problems, const json_t *object, const char *owner)
{
    size_t index = 0;
    json_t *statement = NULL;
    json_array_foreach (json_object_get(object, "statements"), index, statement) {
        if (!is_statement_id(json_string_value(statement)))
            problem(problems, "statement-id", "%s: '%s' is not a statement id", owner,
                    json_string_value(statement));
    }
}

/* Notes `id` in `seen` (an object used as a set); a second one is a problem. */
static void check_unique(json_t *problems, json_t *seen, const char *id, const char *rule,
                         const char *owner)
{
    if (json_object_get(seen, id) != NULL)
        problem(problems, rule, "%s exists twice", owner);
    json_put(seen, id, json_true());
}

/* ---- options -------------------------------------------------------------------------------- */

static void check_choices(json_t *problems, const json_t *json, uint32_t type, const char *owner)
{
    const json_t *choices = json_object_get(json, "choices");
    size_t count = json_array_size(choices);
    if (type == SALVOR_OPTION_CHOICE && count == 0)
        problem(problems, "option-choices", "%s: a choice without choices", owner);
    if (type != SALVOR_OPTION_CHOICE && count > 0)
        problem(problems, "option-choices", "%s: only the type choice has choices", owner);
    cleanup_json json_t *seen = json_make("{}");
    size_t index = 0;
    json_t *choice = NULL;
    json_array_foreach (choices, index, choice) {
        cleanup_free char *what = text_format("%s: choice '%s'", owner, json_string_value(choice));
        check_unique(problems, seen, json_string_value(choice), "option-choices", what);
    }
}

static void check_default(json_t *problems, const json_t *json, uint32_t type, const char *owner)
{
    const char *text = json_text(json, "default");
    if (text == NULL || type == 0)
        return;
    if (json_flag(json, "secret")) {
        problem(problems, "option-default", "%s: a secret has no default", owner);
        return;
    }
    if (json_flag(json, "required"))
        problem(problems, "option-default", "%s: it is required and has a default", owner);
    const json_t *choices = json_object_get(json, "choices");
    size_t count = json_array_size(choices);
    cleanup_free const char **list = memory_new(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = json_string_value(json_array_get(choices, i));
    list[count] = NULL;
    const struct plugin_option option = {.type = type, .choices = list};
    cleanup_json json_t *value = NULL;
    cleanup_error struct error fault = ERROR_INIT;
    if (option_value_parse(&option, text, &value, &fault) != 0)
        problem(problems, "option-default", "%s: default %s", owner, fault.message);
}

static void check_option(json_t *problems, const json_t *json, json_t *seen)
{
    const char *name = json_text(json, "name");
    cleanup_free char *owner = text_format("option '%s'", name != NULL ? name : "?");
    if (!shape_fits(problems, json, option_members, owner))
        return;
    check_unique(problems, seen, name, "option-name", owner);
    if (!name_is_well_formed(name))
        problem(problems, "option-name",
                "%s: its name is not lower-case letters, digits and hyphens (32 at most)", owner);
    if (name_is_reserved(name))
        problem(problems, "option-reserved", "%s: salvor itself has a flag of that name", owner);
    uint32_t type = number_for(words_option, json_text(json, "type"));
    if (type == 0)
        problem(problems, "option-type", "%s: type '%s' is unknown", owner,
                json_text(json, "type"));
    if (json_array_size(json_object_get(json, "commands")) == 0)
        problem(problems, "option-commands", "%s: it belongs to no command", owner);
    size_t index = 0;
    json_t *command = NULL;
    json_array_foreach (json_object_get(json, "commands"), index, command) {
        if (number_for(words_command, json_string_value(command)) == 0)
            problem(problems, "option-commands", "%s: command '%s' is unknown", owner,
                    json_string_value(command));
    }
    check_choices(problems, json, type, owner);
    check_default(problems, json, type, owner);
}

/* ---- procedures ----------------------------------------------------------------------------- */

static int has_procedure(const json_t *procedures, const char *id)
{
    size_t index = 0;
    json_t *procedure = NULL;
    json_array_foreach (procedures, index, procedure) {
        if (text_equal(json_text(procedure, "id"), id))
            return 1;
    }
    return 0;
}

static void check_row(json_t *problems, const json_t *json, const json_t *procedures, json_t *seen)
{
    const char *id = json_text(json, "id");
    cleanup_free char *owner = text_format("row '%s'", id != NULL ? id : "?");
    if (!shape_fits(problems, json, row_members, owner))
        return;
    check_unique(problems, seen, id, "row-id", owner);
    if (!is_id(id))
        problem(problems, "row-id", "%s: its id is not lower-case letters, digits and hyphens",
                owner);
    if (number_for(words_effect, json_text(json, "effect")) == 0)
        problem(problems, "row-effect", "%s: effect '%s' is unknown", owner,
                json_text(json, "effect"));
    const char *instructions = json_text(json, "instructions");
    if (json_flag(json, "manual") && instructions == NULL)
        problem(problems, "row-instructions", "%s: a person does it, but nothing says how", owner);
    if (!json_flag(json, "manual") && instructions != NULL)
        problem(problems, "row-instructions", "%s: it has instructions, but is not manual", owner);
    if (json_whole(json, "deadline_ms", 0) == 0)
        problem(problems, "row-deadline", "%s: it has no deadline", owner);
    if (json_whole(json, "attempts", 0) == 0)
        problem(problems, "row-attempts", "%s: it has no attempt, at least 1 is needed", owner);
    const char *undo = json_text(json, "undo");
    if (undo != NULL && !has_procedure(procedures, undo))
        problem(problems, "row-undo", "%s: its undo '%s' is no procedure of the plugin", owner,
                undo);
    check_statements(problems, json, owner);
}

static void check_stage(json_t *problems, const json_t *json, const json_t *procedures,
                        const char *procedure, json_t *seen_stages, json_t *seen_rows)
{
    const char *id = json_text(json, "id");
    cleanup_free char *owner = text_format("stage '%s/%s'", procedure, id != NULL ? id : "?");
    if (!shape_fits(problems, json, stage_members, owner))
        return;
    check_unique(problems, seen_stages, id, "stage-id", owner);
    if (!is_id(id))
        problem(problems, "stage-id", "%s: its id is not lower-case letters, digits and hyphens",
                owner);
    const json_t *rows = json_object_get(json, "rows");
    if (json_array_size(rows) == 0)
        problem(problems, "stage-rows", "%s: it has no row", owner);
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row)
        check_row(problems, row, procedures, seen_rows);
}

static void check_procedure(json_t *problems, const json_t *json, const json_t *procedures,
                            json_t *seen, json_t *seen_rows)
{
    const char *id = json_text(json, "id");
    cleanup_free char *owner = text_format("procedure '%s'", id != NULL ? id : "?");
    if (!shape_fits(problems, json, procedure_members, owner))
        return;
    check_unique(problems, seen, id, "procedure-id", owner);
    if (!is_id(id))
        problem(problems, "procedure-id",
                "%s: its id is not lower-case letters, digits and hyphens", owner);
    if (number_for(words_procedure, json_text(json, "kind")) == 0)
        problem(problems, "procedure-kind", "%s: kind '%s' is unknown", owner,
                json_text(json, "kind"));
    const json_t *stages = json_object_get(json, "stages");
    if (json_array_size(stages) == 0)
        problem(problems, "procedure-stages", "%s: it has no stage", owner);
    cleanup_json json_t *seen_stages = json_make("{}");
    size_t index = 0;
    json_t *stage = NULL;
    json_array_foreach (stages, index, stage)
        check_stage(problems, stage, procedures, id, seen_stages, seen_rows);
}

/* ---- findings, declared reads, needs, hooks ---------------------------------------------------
 */

static void check_finding(json_t *problems, const json_t *json, json_t *seen)
{
    const char *id = json_text(json, "id");
    cleanup_free char *owner = text_format("finding '%s'", id != NULL ? id : "?");
    if (!shape_fits(problems, json, finding_members, owner))
        return;
    check_unique(problems, seen, id, "finding-id", owner);
    if (!is_finding_id(id))
        problem(problems, "finding-id", "%s: its id is not upper-case letters, digits and hyphens",
                owner);
    if (id != NULL && text_starts(id, "SALVOR-"))
        problem(problems, "finding-id", "%s: ids that begin with 'SALVOR-' are the core's", owner);
    if (number_for(words_severity, json_text(json, "severity")) == 0)
        problem(problems, "finding-severity", "%s: severity '%s' is unknown", owner,
                json_text(json, "severity"));
    check_statements(problems, json, owner);
}

static void check_declared_read(json_t *problems, const json_t *json, json_t *seen)
{
    const char *id = json_text(json, "id");
    cleanup_free char *owner = text_format("declared read '%s'", id != NULL ? id : "?");
    if (!shape_fits(problems, json, declared_read_members, owner))
        return;
    check_unique(problems, seen, id, "declared-read-id", owner);
    if (!is_id(id))
        problem(problems, "declared-read-id",
                "%s: its id is not lower-case letters, digits and hyphens", owner);
    const char *fault =
        declared_read_fault(json_text(json, "pattern"), json_text(json, "script_sha256"));
    if (fault != NULL)
        problem(problems, "declared-read-pattern", "%s: %s", owner, fault);
}

static void check_need(json_t *problems, const json_t *json, json_t *seen)
{
    const char *name = json_text(json, "interface");
    cleanup_free char *owner = text_format("needed service '%s'", name != NULL ? name : "?");
    if (!shape_fits(problems, json, need_members, owner))
        return;
    check_unique(problems, seen, name, "need-interface", owner);
    if (!matches(name, LOWER, LOWER DIGITS "-.", 64))
        problem(problems, "need-interface", "%s: this cannot be the name of a service", owner);
    if (json_whole(json, "version", 0) == 0)
        problem(problems, "need-version", "%s: it has no version, the first is 1", owner);
}

static int has_word(const json_t *list, const char *word)
{
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach (list, index, item) {
        if (text_equal(json_string_value(item), word))
            return 1;
    }
    return 0;
}

static int has_kind(const json_t *procedures, const char *kind)
{
    size_t index = 0;
    json_t *procedure = NULL;
    json_array_foreach (procedures, index, procedure) {
        if (text_equal(json_text(procedure, "kind"), kind))
            return 1;
    }
    return 0;
}

static void check_hooks(json_t *problems, const json_t *descriptor)
{
    const json_t *hooks = json_object_get(descriptor, "hooks");
    const json_t *procedures = json_object_get(descriptor, "procedures");
    static const char *const plan_hooks[][2] = {
        {"backup", "backup"}, {"restore", "restore"}, {"post_resync", "post-resync"}};
    if (!has_word(hooks, "discover"))
        problem(problems, "hook-missing", "the hook 'discover' is missing");
    int plans = 0;
    for (size_t i = 0; i < sizeof plan_hooks / sizeof plan_hooks[0]; i++) {
        int offered = has_word(hooks, plan_hooks[i][0]);
        int described = has_kind(procedures, plan_hooks[i][1]);
        plans |= offered;
        if (offered && !described)
            problem(problems, "hook-procedure", "the hook '%s' has no procedure of kind '%s'",
                    plan_hooks[i][0], plan_hooks[i][1]);
        if (!offered && described)
            problem(problems, "hook-missing",
                    "the hook '%s' is missing, there are procedures for it", plan_hooks[i][0]);
    }
    int runs = has_word(hooks, "run_step");
    if (plans && !runs)
        problem(problems, "hook-missing", "the hook 'run_step' is missing, there are plan hooks");
    if (runs && !has_word(hooks, "check_step"))
        problem(problems, "hook-missing", "the hook 'check_step' is missing, there is 'run_step'");
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void check_identity(json_t *problems, const json_t *descriptor)
{
    const char *abi = json_text(descriptor, "abi");
    size_t major = strspn(abi, DIGITS);
    size_t minor = abi[major] == '.' ? strspn(abi + major + 1, DIGITS) : 0;
    if (major == 0 || minor == 0 || abi[major + 1 + minor] != '\0')
        problem(problems, "abi", "ABI '%s' is not MAJOR.MINOR", abi);
    if (!name_is_well_formed(json_text(descriptor, "name")))
        problem(problems, "name",
                "name '%s' is not lower-case letters, digits and hyphens (32 at most)",
                json_text(descriptor, "name"));
}

json_t *descriptor_problems(const json_t *descriptor)
{
    json_t *problems = json_make("[]");
    if (!json_is_object(descriptor)) {
        problem(problems, "descriptor-shape", "the descriptor is not a JSON object");
        return problems;
    }
    if (!shape_fits(problems, descriptor, plugin_members, "the descriptor"))
        return problems;
    check_identity(problems, descriptor);
    const json_t *procedures = json_object_get(descriptor, "procedures");
    cleanup_json json_t *options = json_make("{}");
    cleanup_json json_t *procedure_ids = json_make("{}");
    cleanup_json json_t *rows = json_make("{}");
    cleanup_json json_t *findings = json_make("{}");
    cleanup_json json_t *declared_reads = json_make("{}");
    cleanup_json json_t *needs = json_make("{}");
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach (json_object_get(descriptor, "options"), index, item)
        check_option(problems, item, options);
    json_array_foreach (procedures, index, item)
        check_procedure(problems, item, procedures, procedure_ids, rows);
    json_array_foreach (json_object_get(descriptor, "findings"), index, item)
        check_finding(problems, item, findings);
    json_array_foreach (json_object_get(descriptor, "declared_reads"), index, item)
        check_declared_read(problems, item, declared_reads);
    json_array_foreach (json_object_get(descriptor, "needs"), index, item)
        check_need(problems, item, needs);
    check_hooks(problems, descriptor);
    return problems;
}
