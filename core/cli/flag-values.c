#include <salvor/plugin.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments-memory.h"
#include "cli/flag-values.h"
#include "cli/mistakes.h"
#include "config/lock-setting.h"
#include "config/secret-reference.h"
#include "seal/key-text.h"

/* Giving the same twice harms nobody; two different values do. */
static void set_text(struct parser *parser, const struct token *token, const char **slot)
{
    if (*slot != NULL && !text_equal(*slot, token->value)) {
        problems_add(parser->problems, NULL, "flag '%s' is given twice, as '%s' and as '%s'",
                     token->name, *slot, token->value);
        return;
    }
    if (*token->value == '\0') {
        problems_add(parser->problems, NULL, "flag '%s' has an empty value", token->name);
        return;
    }
    *slot = token->value;
}

static int is_on(const struct token *token)
{
    return text_equal(token->value, "true");
}

static void set_approval(struct parser *parser, const struct token *token)
{
    size_t digits = strspn(token->value, "0123456789abcdef");
    if (digits != 64 || token->value[64] != '\0') {
        problems_add(parser->problems, "`salvor plan` prints it",
                     "'%s' is not a plan hash: 64 lower-case hexadecimal digits", token->value);
        return;
    }
    text_list_add(&parser->arguments->memory->approve, token->value);
    parser->arguments->approve = parser->arguments->memory->approve.items;
}

static void add_waiver(struct parser *parser, const struct token *token)
{
    struct arguments_memory *memory = parser->arguments->memory;
    size_t count = memory->waiver_count++;
    memory->waivers = memory_resize(memory->waivers, count + 2, sizeof memory->waivers[0]);
    memory->waivers[count] = (struct waiver){token->value, NULL};
    memory->waivers[count + 1] = (struct waiver){NULL, NULL};
    parser->arguments->waivers = memory->waivers;
    parser->reason_slot = &memory->waivers[count].reason;
}

static void add_settlement(struct parser *parser, const struct token *token)
{
    struct arguments_memory *memory = parser->arguments->memory;
    const char *equals = strrchr(token->value, '=');
    const char *as = equals != NULL ? equals + 1 : "";
    parser->reason_slot = NULL;
    if (equals == token->value || (!text_equal(as, "done") && !text_equal(as, "not-done"))) {
        problems_add(parser->problems, "write --settle STEP=done or --settle STEP=not-done",
                     "'%s' does not say how step and outcome", token->value);
        return;
    }
    const char *step = arguments_keep(
        parser->arguments, text_copy_span(token->value, (size_t)(equals - token->value)));
    size_t count = memory->settlement_count++;
    memory->settlements =
        memory_resize(memory->settlements, count + 2, sizeof memory->settlements[0]);
    memory->settlements[count] = (struct settlement){step, text_equal(as, "done"), NULL};
    memory->settlements[count + 1] = (struct settlement){NULL, 0, NULL};
    parser->arguments->settlements = memory->settlements;
    parser->reason_slot = &memory->settlements[count].reason;
}

static void set_reason(struct parser *parser, const struct token *token)
{
    if (parser->reason_slot == NULL) {
        problems_add(parser->problems, "put it right behind what it is the reason for",
                     "flag '--reason' does not follow a --waive, --settle or --path");
        return;
    }
    if (token->value[strspn(token->value, " \t")] == '\0') {
        problems_add(parser->problems, NULL, "flag '--reason' has an empty value");
        return;
    }
    *parser->reason_slot = token->value;
    parser->reason_slot = NULL;
}

static void set_timeout(struct parser *parser, const struct token *token)
{
    int64_t value = 0;
    if (text_parse_duration(token->value, &value) != 0 || value <= 0) {
        problems_add(parser->problems, "write a number with its unit: 90s, 10m, 2h",
                     "flag '--timeout': '%s' is not a duration", token->value);
        return;
    }
    parser->arguments->timeout_ms = value;
}

/* ---- how backups are kept -------------------------------------------------------------------- */

static void add_keeping(struct parser *parser, const char *name, const char *text)
{
    json_t *given = parser->arguments->memory->given_keeping;
    if (json_object_get(given, name) == NULL)
        json_put(given, name, json_array());
    json_add(json_object_get(given, name), json_string(text));
}

static void add_recipient(struct parser *parser, const struct token *token)
{
    cleanup_error struct error err = ERROR_INIT;
    unsigned char key[SEAL_KEY_SIZE];
    if (recipient_parse(token->value, key, &err) == 0)
        add_keeping(parser, "recipients", token->value);
    else
        problems_add_error(parser->problems, &err);
}

static void add_identity(struct parser *parser, const struct token *token)
{
    if (secret_reference_check(token->value, NULL) == 0)
        add_keeping(parser, "identity", token->value);
    else
        problems_add(parser->problems, "write file:PATH, env:NAME, exec:COMMAND or prompt:",
                     "flag '--identity' takes a reference, never the key itself");
}

static void set_keep_last(struct parser *parser, const struct token *token)
{
    int64_t count = 0;
    if (text_parse_integer(token->value, &count) != 0 || count <= 0)
        problems_add(parser->problems, "write a whole number from 1 on",
                     "flag '--keep-last': '%s' is not a number", token->value);
    else
        json_put(parser->arguments->memory->given_keeping, "keep-last", json_integer(count));
}

static void set_keep_for(struct parser *parser, const struct token *token)
{
    int64_t milliseconds = 0;
    if (text_parse_duration(token->value, &milliseconds) != 0 || milliseconds <= 0)
        problems_add(parser->problems, "write a number with its unit: 12h, 30d",
                     "flag '--keep-for': '%s' is not a duration", token->value);
    else
        json_put(parser->arguments->memory->given_keeping, "keep-for", json_integer(milliseconds));
}

/* ---- output ---------------------------------------------------------------------------------- */

static void set_log_format(struct parser *parser, const struct token *token)
{
    if (text_equal(token->value, "json"))
        parser->arguments->log_json = 1;
    else if (text_equal(token->value, "text"))
        parser->arguments->log_json = 0;
    else
        problems_add(parser->problems, "there are text and json", "unknown log format '%s'",
                     token->value);
}

/* 1 when `format` is among the space-separated `outputs`. */
static int has_output(const char *outputs, const char *format)
{
    size_t size = strlen(format);
    for (const char *at = outputs; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == size && strncmp(at, format, size) == 0)
            return 1;
        at += word + (at[word] == ' ');
    }
    return 0;
}

enum output_format output_number(const char *format)
{
    static const struct {
        const char *name;
        enum output_format number;
    } table[] = {
        {"table", OUTPUT_TABLE}, {"wide", OUTPUT_WIDE}, {"json", OUTPUT_JSON},
        {"yaml", OUTPUT_YAML},   {"name", OUTPUT_NAME}, {"text", OUTPUT_TEXT},
        {"md", OUTPUT_MARKDOWN}, {"html", OUTPUT_HTML},
    };
    size_t size = strcspn(format, " ");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strlen(table[i].name) == size && strncmp(format, table[i].name, size) == 0)
            return table[i].number;
    return OUTPUT_TABLE;
}

static void set_output(struct parser *parser, const struct token *token)
{
    const struct command *command = parser->arguments->command;
    if (command->outputs == NULL) {
        problems_add(parser->problems, NULL, "'%s' has no output formats", command->name);
    } else if (!has_output(command->outputs, token->value)) {
        cleanup_free char *hint = text_format("'%s' has: %s", command->name, command->outputs);
        problems_add(parser->problems, hint, "unknown output format '%s'", token->value);
    } else {
        parser->arguments->output = output_number(token->value);
    }
}

/* ---- options of the provider ----------------------------------------------------------------- */

void parser_add_option(struct parser *parser, const char *name, const char *value,
                       const char *origin)
{
    struct arguments *arguments = parser->arguments;
    const struct plugin_option *option =
        arguments->plugin != NULL ? plugin_info_option(arguments->plugin->info, name) : NULL;
    int list = option != NULL && option->type == SALVOR_OPTION_LIST;
    json_t *text = json_string(value);
    if (text == NULL) {
        problems_add(parser->problems, NULL, "%s: the value is not UTF-8 text", origin);
        return;
    }
    json_t *before = json_object_get(arguments->options, name);
    json_put_text(arguments->origins, name, origin);
    if (before == NULL && !list) {
        json_put(arguments->options, name, text);
    } else if (before == NULL) {
        json_put(arguments->options, name, json_pack("[o]", text));
    } else if (json_is_array(before)) {
        json_add(before, text);
    } else if (json_equal(before, text)) {
        json_decref(text);
    } else if (option != NULL) {
        problems_add(parser->problems, NULL, "option '%s' is given twice, as '%s' and as '%s'",
                     name, option->secret ? "***" : json_string_value(before),
                     option->secret ? "***" : value);
        json_decref(text);
    } else {
        /* without a provider nobody knows yet whether it is a list */
        json_put(arguments->options, name, json_pack("[O,o]", before, text));
    }
}

static void add_set(struct parser *parser, const struct token *token)
{
    const char *equals = strchr(token->value, '=');
    if (equals == NULL || equals == token->value) {
        problems_add(parser->problems, "write --set KEY=VALUE", "--set '%s' sets nothing",
                     token->value);
        return;
    }
    struct arguments *arguments = parser->arguments;
    const char *name =
        arguments_keep(arguments, text_copy_span(token->value, (size_t)(equals - token->value)));
    if (arguments->plugin != NULL && !lock_setting_is(name) &&
        plugin_info_option(arguments->plugin->info, name) == NULL) {
        mistake_unknown_option(parser->arguments, parser->problems, "--set", name);
        return;
    }
    cleanup_free char *origin = text_format("--set %s", name);
    parser_add_option(parser, name, equals + 1, origin);
}

/* ---- which flag ------------------------------------------------------------------------------ */

/* Flags that say what the others mean, and how messages look. */
void parser_take_early_flag(struct parser *parser, const struct token *token)
{
    struct arguments *arguments = parser->arguments;
    struct arguments_memory *memory = arguments->memory;
    switch (token->flag->id) {
    case FLAG_PROVIDER:
        set_text(parser, token, &memory->given_provider);
        break;
    case FLAG_SITE:
        set_text(parser, token, &memory->given_site);
        break;
    case FLAG_CONFIG:
        set_text(parser, token, &memory->given_config);
        break;
    case FLAG_STATE_DIR:
        set_text(parser, token, &memory->given_state_folder);
        break;
    case FLAG_STORE:
        set_text(parser, token, &memory->given_store);
        break;
    case FLAG_PLUGIN_DIR:
        if (*token->value == '\0')
            problems_add(parser->problems, NULL, "flag '%s' has an empty value", token->name);
        else
            text_list_add(&memory->plugin_folders, token->value);
        break;
    case FLAG_LOG_FORMAT:
        set_log_format(parser, token);
        break;
    case FLAG_VERBOSE:
        memory->verbose += is_on(token);
        break;
    case FLAG_QUIET:
        memory->quiet = is_on(token);
        break;
    case FLAG_HELP:
        if (arguments->show == SHOW_NOTHING && is_on(token))
            arguments->show = SHOW_HELP;
        break;
    case FLAG_VERSION:
        if (is_on(token))
            arguments->show = SHOW_VERSION;
        break;
    default:
        break;
    }
}

void parser_take_late_flag(struct parser *parser, const struct token *token)
{
    struct arguments *arguments = parser->arguments;
    switch (token->flag->id) {
    case FLAG_SET:
        add_set(parser, token);
        break;
    case FLAG_FROM:
        set_text(parser, token, &arguments->from);
        break;
    case FLAG_INTO:
        set_text(parser, token, &arguments->into);
        break;
    case FLAG_PATH:
        set_text(parser, token, &arguments->path);
        parser->reason_slot = &arguments->path_reason;
        break;
    case FLAG_APPROVE:
        set_approval(parser, token);
        break;
    case FLAG_POLICY:
        set_text(parser, token, &arguments->policy_file);
        break;
    case FLAG_YES:
        arguments->yes = is_on(token);
        break;
    case FLAG_DRY_RUN:
        arguments->dry_run = is_on(token);
        break;
    case FLAG_MANUAL:
        text_list_add(&arguments->memory->manual, token->value);
        arguments->manual = arguments->memory->manual.items;
        break;
    case FLAG_WAIVE:
        add_waiver(parser, token);
        break;
    case FLAG_SETTLE:
        add_settlement(parser, token);
        break;
    case FLAG_REASON:
        set_reason(parser, token);
        break;
    case FLAG_WAIT:
        arguments->wait = is_on(token) ? SWITCH_ON : SWITCH_OFF;
        break;
    case FLAG_TIMEOUT:
        set_timeout(parser, token);
        break;
    case FLAG_ACCEPT_PLUGIN_CHANGE:
        arguments->accept_plugin_change = is_on(token);
        break;
    case FLAG_NO_POST_RESYNC:
        arguments->no_post_resync = is_on(token);
        break;
    case FLAG_VERIFY:
        arguments->verify = is_on(token);
        break;
    case FLAG_RECIPIENT:
        add_recipient(parser, token);
        break;
    case FLAG_WITHOUT_SECRETS:
        arguments->without_secrets = is_on(token);
        break;
    case FLAG_IDENTITY:
        add_identity(parser, token);
        break;
    case FLAG_READ_DATA:
        arguments->read_data = is_on(token);
        break;
    case FLAG_KEEP_LAST:
        set_keep_last(parser, token);
        break;
    case FLAG_KEEP_FOR:
        set_keep_for(parser, token);
        break;
    case FLAG_RECORD:
        set_text(parser, token, &arguments->record_folder);
        break;
    case FLAG_REPLAY:
        set_text(parser, token, &arguments->replay_folder);
        break;
    case FLAG_OUTPUT:
        set_output(parser, token);
        break;
    default:
        break;
    }
}
