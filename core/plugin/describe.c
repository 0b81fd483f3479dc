#include "plugin/describe.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/vocabulary.h"

/* More than any real plugin has; a count above is garbage, not a large plugin. */
enum {
    MOST_OPTIONS = 256,
    MOST_PROCEDURES = 64,
    MOST_STAGES = 64,
    MOST_ROWS = 256,
    MOST_FINDINGS = 1024,
    MOST_DECLARED_READS = 256,
    MOST_NEEDS = 64,
    ELEMENT_SIZE_LIMIT = 4096
};

/* One pass over a descriptor. After the first failure everything reads as absent and empty, so
 * that callers need not look after each text. */
struct describer {
    const char *plugin;
    struct error *reterr;
    int failed;
    size_t json_size; /* estimate, to stop before memory runs out */
};

static void damaged(struct describer *d, char *detail)
{
    if (!d->failed)
        negotiate_damaged(d->reterr, d->plugin, detail);
    d->failed = 1;
    free(detail);
}

static void unknown(struct describer *d, char *detail)
{
    if (!d->failed)
        negotiate_unknown(d->reterr, d->plugin, detail);
    d->failed = 1;
    free(detail);
}

static void count_bytes(struct describer *d, size_t size)
{
    d->json_size += size;
    if (!d->failed && d->json_size > DESCRIBE_JSON_LIMIT)
        damaged(d, text_format("it describes more than %d bytes", DESCRIBE_JSON_LIMIT));
}

static json_t *text_value(struct describer *d, const char *text, const char *what)
{
    if (text == NULL || d->failed)
        return json_null();
    size_t length = strnlen(text, DESCRIBE_TEXT_LIMIT + 1);
    if (length > DESCRIBE_TEXT_LIMIT) {
        damaged(d, text_format("the %s is longer than %d bytes", what, DESCRIBE_TEXT_LIMIT));
        return json_null();
    }
    json_t *value = json_stringn(text, length);
    if (value == NULL) {
        damaged(d, text_format("the %s is not UTF-8", what));
        return json_null();
    }
    count_bytes(d, length + 16);
    return value;
}

/* The words of `text` between single separators; an empty array for NULL. */
static json_t *list_value(struct describer *d, const char *text, char separator, const char *what)
{
    json_t *list = json_make("[]");
    json_t *whole = text_value(d, text, what);
    if (json_is_string(whole)) {
        const char *from = json_string_value(whole);
        for (const char *at = from;; at++) {
            if (*at != separator && *at != '\0')
                continue;
            /* Empty words stay: the rules of the descriptor name them. */
            if (at > from || separator != ' ')
                json_add(list, json_stringn(from, (size_t)(at - from)));
            if (*at == '\0')
                break;
            from = at + 1;
        }
    }
    json_decref(whole);
    return list;
}

static json_t *word_value(struct describer *d, const struct word *table, uint32_t number,
                          const char *what)
{
    const char *word = word_for(table, number);
    if (word != NULL)
        return json_string(word);
    unknown(d, text_format("%s %u", what, (unsigned)number));
    return json_null();
}

static json_t *whole_value(struct describer *d, uint64_t number, const char *what)
{
    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    damaged(d, text_format("the %s is larger than any time", what));
    return json_null();
}

static void check_flags(struct describer *d, uint32_t flags, uint32_t known, const char *what)
{
    if ((flags & ~known) != 0)
        unknown(d, text_format("flags 0x%x of %s", (unsigned)(flags & ~known), what));
}

static void check_reserved(struct describer *d, uint32_t reserved, const char *what)
{
    if (reserved != 0)
        unknown(d, text_format("reserved field 0x%x of %s", (unsigned)reserved, what));
}

/* Offset of the first non-zero byte in [from, size) of `data`, or `size`. */
static size_t first_set(const unsigned char *data, size_t from, size_t size)
{
    while (from < size && data[from] == 0)
        from++;
    return from;
}

/* An array of the descriptor, as the plugin tells it. */
struct array {
    const char *what; /* "option" */
    const void *first;
    uint32_t count;
    uint32_t size;  /* of one element there */
    uint32_t known; /* of one element here */
    uint32_t most;
};

/* Elements may be read afterwards; none when there are not any or the array is garbage. */
static uint32_t array_count(struct describer *d, const struct array *array)
{
    if (array->count == 0 || d->failed)
        return 0;
    if (array->count > array->most)
        damaged(d, text_format("it says that it has %u elements of kind %s, more than %u",
                               (unsigned)array->count, array->what, (unsigned)array->most));
    else if (array->first == NULL)
        damaged(d, text_format("it says that it has %u elements of kind %s, but they are missing",
                               (unsigned)array->count, array->what));
    else if (array->size < array->known || array->size > ELEMENT_SIZE_LIMIT ||
             array->size % sizeof(uint32_t) != 0)
        damaged(d, text_format("it says that an element of kind %s has %u bytes, not %u",
                               array->what, (unsigned)array->size, (unsigned)array->known));
    return d->failed ? 0 : array->count;
}

static void array_element(struct describer *d, const struct array *array, uint32_t index,
                          void *ret_element)
{
    const unsigned char *element =
        (const unsigned char *)array->first + (size_t)index * array->size;
    memcpy(ret_element, element, array->known);
    size_t offset = first_set(element, array->known, array->size);
    if (offset < array->size)
        unknown(d, text_format("byte %zu of %s %u", offset, array->what, (unsigned)index + 1));
    count_bytes(d, 64);
}

static json_t *commands_value(struct describer *d, uint32_t commands)
{
    json_t *list = json_make("[]");
    uint32_t known = 0;
    for (const struct word *word = words_command; word->word != NULL; word++) {
        known |= word->number;
        if ((commands & word->number) != 0)
            json_add(list, json_string(word->word));
    }
    if (commands != SALVOR_ON_ALL)
        check_flags(d, commands, known, "the commands of an option");
    return list;
}

static json_t *options_value(struct describer *d, const struct salvor_plugin *plugin)
{
    const struct array array = {"option",
                                plugin->options,
                                plugin->option_count,
                                plugin->option_size,
                                sizeof(struct salvor_option),
                                MOST_OPTIONS};
    json_t *list = json_make("[]");
    uint32_t count = array_count(d, &array);
    for (uint32_t i = 0; i < count && !d->failed; i++) {
        struct salvor_option option;
        array_element(d, &array, i, &option);
        json_t *json = json_object();
        json_put(json, "name", text_value(d, option.name, "name of an option"));
        json_put(json, "type", word_value(d, words_option, option.type, "type of an option"));
        json_put(json, "value_name", text_value(d, option.value_name, "value name of an option"));
        json_put(json, "default", text_value(d, option.default_value, "default of an option"));
        json_put(json, "help", text_value(d, option.help, "help of an option"));
        json_put(json, "choices",
                 option.choices == NULL
                     ? json_null()
                     : list_value(d, option.choices, '|', "choices of an option"));
        json_put(json, "since", text_value(d, option.since, "first version of an option"));
        json_put(json, "required", json_boolean((option.flags & SALVOR_OPTION_REQUIRED) != 0));
        json_put(json, "secret", json_boolean((option.flags & SALVOR_OPTION_SECRET) != 0));
        json_put(json, "commands", commands_value(d, option.commands));
        check_flags(d, option.flags, SALVOR_OPTION_REQUIRED | SALVOR_OPTION_SECRET, "an option");
        check_reserved(d, option.reserved, "an option");
        json_add(list, json);
    }
    return list;
}

static json_t *row_value(struct describer *d, const struct salvor_row *row)
{
    json_t *json = json_object();
    json_put(json, "id", text_value(d, row->id, "id of a row"));
    json_put(json, "title", text_value(d, row->title, "title of a row"));
    json_put(json, "statements", list_value(d, row->statements, ' ', "statements of a row"));
    json_put(json, "instructions", text_value(d, row->instructions, "instructions of a row"));
    json_put(json, "undo", text_value(d, row->undo, "undo of a row"));
    json_put(json, "effect", word_value(d, words_effect, row->effect, "effect of a row"));
    json_put(json, "manual", json_boolean((row->flags & SALVOR_ROW_MANUAL) != 0));
    json_put(json, "idempotent", json_boolean((row->flags & SALVOR_ROW_IDEMPOTENT) != 0));
    json_put(json, "job", json_boolean((row->flags & SALVOR_ROW_JOB) != 0));
    json_put(json, "deadline_ms", whole_value(d, row->deadline_ms, "deadline of a row"));
    json_put(json, "attempts", json_integer(row->attempts));
    json_put(json, "backoff_ms", json_integer(row->backoff_ms));
    json_put(json, "check_every_ms", json_integer(row->check_every_ms));
    check_flags(d, row->flags, SALVOR_ROW_MANUAL | SALVOR_ROW_IDEMPOTENT | SALVOR_ROW_JOB, "a row");
    check_reserved(d, row->reserved, "a row");
    return json;
}

static json_t *stages_value(struct describer *d, const struct salvor_procedure *procedure)
{
    const struct array stages = {"stage",
                                 procedure->stages,
                                 procedure->stage_count,
                                 procedure->stage_size,
                                 sizeof(struct salvor_stage),
                                 MOST_STAGES};
    json_t *list = json_make("[]");
    uint32_t count = array_count(d, &stages);
    for (uint32_t i = 0; i < count && !d->failed; i++) {
        struct salvor_stage stage;
        array_element(d, &stages, i, &stage);
        const struct array rows = {
            "row",    stage.rows, stage.row_count, stage.row_size, sizeof(struct salvor_row),
            MOST_ROWS};
        json_t *json = json_object();
        json_put(json, "id", text_value(d, stage.id, "id of a stage"));
        json_put(json, "title", text_value(d, stage.title, "title of a stage"));
        json_t *row_list = json_make("[]");
        uint32_t row_count = array_count(d, &rows);
        for (uint32_t j = 0; j < row_count && !d->failed; j++) {
            struct salvor_row row;
            array_element(d, &rows, j, &row);
            json_add(row_list, row_value(d, &row));
        }
        json_put(json, "rows", row_list);
        json_add(list, json);
    }
    return list;
}

static json_t *procedures_value(struct describer *d, const struct salvor_plugin *plugin)
{
    const struct array array = {"procedure",
                                plugin->procedures,
                                plugin->procedure_count,
                                plugin->procedure_size,
                                sizeof(struct salvor_procedure),
                                MOST_PROCEDURES};
    json_t *list = json_make("[]");
    uint32_t count = array_count(d, &array);
    for (uint32_t i = 0; i < count && !d->failed; i++) {
        struct salvor_procedure procedure;
        array_element(d, &array, i, &procedure);
        json_t *json = json_object();
        json_put(json, "id", text_value(d, procedure.id, "id of a procedure"));
        json_put(json, "title", text_value(d, procedure.title, "title of a procedure"));
        json_put(json, "document", text_value(d, procedure.document, "document of a procedure"));
        json_put(json, "versions", text_value(d, procedure.versions, "versions of a procedure"));
        json_put(json, "kind",
                 word_value(d, words_procedure, procedure.kind, "kind of a procedure"));
        json_put(json, "stages", stages_value(d, &procedure));
        check_reserved(d, procedure.reserved, "a procedure");
        json_add(list, json);
    }
    return list;
}

static json_t *findings_value(struct describer *d, const struct salvor_plugin *plugin)
{
    const struct array array = {"finding",
                                plugin->findings,
                                plugin->finding_count,
                                plugin->finding_size,
                                sizeof(struct salvor_finding),
                                MOST_FINDINGS};
    json_t *list = json_make("[]");
    uint32_t count = array_count(d, &array);
    for (uint32_t i = 0; i < count && !d->failed; i++) {
        struct salvor_finding finding;
        array_element(d, &array, i, &finding);
        json_t *json = json_object();
        json_put(json, "id", text_value(d, finding.id, "id of a finding"));
        json_put(json, "title", text_value(d, finding.title, "title of a finding"));
        json_put(json, "statements",
                 list_value(d, finding.statements, ' ', "statements of a finding"));
        json_put(json, "remedy", text_value(d, finding.remedy, "remedy of a finding"));
        json_put(json, "severity",
                 word_value(d, words_severity, finding.severity, "severity of a finding"));
        json_put(json, "waivable", json_boolean((finding.flags & SALVOR_FINDING_WAIVABLE) != 0));
        check_flags(d, finding.flags, SALVOR_FINDING_WAIVABLE, "a finding");
        json_add(list, json);
    }
    return list;
}

static json_t *declared_reads_value(struct describer *d, const struct salvor_plugin *plugin)
{
    const struct array array = {"declared read",
                                plugin->declared_reads,
                                plugin->declared_read_count,
                                plugin->declared_read_size,
                                sizeof(struct salvor_declared_read),
                                MOST_DECLARED_READS};
    json_t *list = json_make("[]");
    uint32_t count = array_count(d, &array);
    for (uint32_t i = 0; i < count && !d->failed; i++) {
        struct salvor_declared_read read_only;
        array_element(d, &array, i, &read_only);
        json_t *json = json_object();
        json_put(json, "id", text_value(d, read_only.id, "id of a declared read"));
        json_put(json, "pattern", text_value(d, read_only.pattern, "pattern of a declared read"));
        json_put(json, "reason", text_value(d, read_only.reason, "reason of a declared read"));
        json_put(json, "script_sha256",
                 text_value(d, read_only.script_sha256, "digest of a declared read"));
        json_add(list, json);
    }
    return list;
}

static json_t *needs_value(struct describer *d, const struct salvor_plugin *plugin)
{
    const struct array array = {
        "need",    plugin->needs, plugin->need_count, plugin->need_size, sizeof(struct salvor_need),
        MOST_NEEDS};
    json_t *list = json_make("[]");
    uint32_t count = array_count(d, &array);
    for (uint32_t i = 0; i < count && !d->failed; i++) {
        struct salvor_need need;
        array_element(d, &array, i, &need);
        json_t *json = json_object();
        json_put(json, "interface", text_value(d, need.interface_name, "name of a needed service"));
        json_put(json, "version", json_integer(need.min_version));
        json_put(json, "required", json_boolean(need.required != 0));
        check_flags(d, need.required, 1, "a needed service");
        json_add(list, json);
    }
    return list;
}

static json_t *hooks_value(const struct salvor_hooks *hooks)
{
    const struct {
        const char *name;
        int offered;
    } table[] = {{"discover", hooks->discover != NULL},       {"validate", hooks->validate != NULL},
                 {"backup", hooks->backup != NULL},           {"restore", hooks->restore != NULL},
                 {"post_resync", hooks->post_resync != NULL}, {"run_step", hooks->run_step != NULL},
                 {"check_step", hooks->check_step != NULL},   {"observe", hooks->observe != NULL}};
    json_t *list = json_make("[]");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].offered)
            json_add(list, json_string(table[i].name));
    }
    return list;
}

int describe_head(const void *address, struct negotiate_plugin *ret_plugin, struct error *reterr)
{
    const char *detail = NULL;
    if (address == NULL)
        detail = "it has no address";
    else if ((uintptr_t)address % _Alignof(struct salvor_plugin) != 0)
        detail = "its address is not aligned";
    if (detail != NULL)
        return negotiate_damaged(reterr, ret_plugin->requested, detail);
    unsigned char head[NEGOTIATE_HEAD_SIZE];
    memcpy(head, address, sizeof head);
    struct salvor_plugin plugin = {0};
    memcpy(&plugin, head, sizeof head);
    ret_plugin->magic = plugin.magic;
    ret_plugin->major = plugin.abi_major;
    ret_plugin->minor = plugin.abi_minor;
    ret_plugin->size = plugin.struct_size;
    ret_plugin->min_host_minor = plugin.min_host_minor;
    ret_plugin->reserved = plugin.reserved;
    memcpy(ret_plugin->tag, plugin.abi_tag, NEGOTIATE_TAG_SIZE);
    ret_plugin->flags = plugin.flags;
    ret_plugin->head_read = 1;
    return 0;
}
_Static_assert(offsetof(struct salvor_plugin, flags) + sizeof(uint64_t) == NEGOTIATE_HEAD_SIZE,
               "the head of a descriptor never moves");
_Static_assert(sizeof(((struct salvor_plugin *)NULL)->abi_tag) == NEGOTIATE_TAG_SIZE,
               "the head of a descriptor never moves");

/* Both copies are min(sizes) into zeroed memory; what the plugin has beyond must be zero. */
static void copy_known(struct describer *d, const struct salvor_plugin *plugin,
                       struct description *description)
{
    uint32_t size = plugin->struct_size;
    memset(&description->plugin, 0, sizeof description->plugin);
    memcpy(&description->plugin, plugin,
           size < sizeof description->plugin ? size : sizeof description->plugin);
    size_t offset = first_set((const unsigned char *)plugin, sizeof *plugin, size);
    if (offset < size)
        description->unknown = text_format("byte %zu of the descriptor", offset);

    memset(&description->hooks, 0, sizeof description->hooks);
    const struct salvor_hooks *hooks = description->plugin.hooks;
    if (hooks == NULL) {
        damaged(d, text_copy("it has no hooks"));
        return;
    }
    size = hooks->struct_size;
    if (size < sizeof *hooks || size > ELEMENT_SIZE_LIMIT || size % sizeof(uint64_t) != 0) {
        damaged(d, text_format("it says that its hooks have %u bytes, not %zu", (unsigned)size,
                               sizeof *hooks));
        return;
    }
    memcpy(&description->hooks, hooks, sizeof description->hooks);
    check_reserved(d, description->hooks.reserved, "the hooks");
    offset = first_set((const unsigned char *)hooks, sizeof *hooks, size);
    if (offset < size && description->unknown == NULL)
        description->unknown =
            text_format("hook %zu", (offset - sizeof(uint64_t)) / sizeof(void *) + 1);
}

static void fill_body(struct description *description, struct negotiate_plugin *plugin)
{
    const json_t *needs = json_object_get(description->json, "needs");
    size_t index = 0;
    json_t *need = NULL;
    description->need_count = json_array_size(needs);
    description->needs = memory_new(description->need_count + 1, sizeof *description->needs);
    json_array_foreach (needs, index, need) {
        const char *name = json_text(need, "interface");
        description->needs[index].name = name != NULL ? name : "";
        description->needs[index].min_version = (uint32_t)json_whole(need, "version", 0);
        description->needs[index].required = json_flag(need, "required");
    }
    const char *name = json_text(description->json, "name");
    description->name = name != NULL ? text_copy(name) : NULL;
    plugin->name = description->name;
    plugin->unknown = description->unknown;
    plugin->needs = description->needs;
    plugin->need_count = description->need_count;
    plugin->body_read = 1;
}

int describe_plugin(const void *address, struct negotiate_plugin *plugin,
                    struct description *ret_description, struct error *reterr)
{
    struct describer d = {.plugin = plugin->requested, .reterr = reterr};
    cleanup_description struct description description = {.json = NULL};
    copy_known(&d, address, &description);
    const struct salvor_plugin *copy = &description.plugin;
    cleanup_free char *abi = text_format("%u.%u", copy->abi_major, copy->abi_minor);
    json_t *json = description.json = json_object();
    json_put_text(json, "abi", abi);
    json_put(json, "name", text_value(&d, copy->name, "name"));
    json_put(json, "version", text_value(&d, copy->version, "version"));
    json_put(json, "summary", text_value(&d, copy->summary, "summary"));
    json_put(json, "maintainer", text_value(&d, copy->maintainer, "maintainer"));
    json_put(json, "homepage", text_value(&d, copy->homepage, "homepage"));
    json_put(json, "license", text_value(&d, copy->license, "license"));
    json_put(json, "options", options_value(&d, copy));
    json_put(json, "procedures", procedures_value(&d, copy));
    json_put(json, "findings", findings_value(&d, copy));
    json_put(json, "declared_reads", declared_reads_value(&d, copy));
    json_put(json, "needs", needs_value(&d, copy));
    json_put(json, "hooks", hooks_value(&description.hooks));
    if (d.failed)
        return -1;
    cleanup_free char *text = json_canonical(json);
    if (strlen(text) > DESCRIBE_JSON_LIMIT) {
        damaged(&d, text_format("it describes more than %d bytes", DESCRIBE_JSON_LIMIT));
        return -1;
    }
    fill_body(&description, plugin);
    *ret_description = description;
    memset(&description, 0, sizeof description);
    return 0;
}

void description_clear(struct description *description)
{
    json_decref(description->json);
    free(description->name);
    free(description->unknown);
    free(description->needs);
    memset(description, 0, sizeof *description);
}
