#include "cli/arguments.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments-memory.h"
#include "cli/flags.h"
#include "cli/mistakes.h"
#include "cli/scanner.h"
#include "cli/target.h"
#include "config/config.h"
#include "config/problems.h"

/* ---- what the texts live in ----------------------------------------------------------------- */

const char *arguments_keep(struct arguments *arguments, char *text)
{
    struct arguments_memory *memory = arguments->memory;
    memory->texts = memory_resize(memory->texts, memory->text_count + 1, sizeof memory->texts[0]);
    memory->texts[memory->text_count++] = text;
    return text;
}

void text_list_add(struct text_list *list, const char *text)
{
    list->items = memory_resize(list->items, list->count + 2, sizeof list->items[0]);
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

static struct arguments *new_arguments(void)
{
    static const char *const none[] = {NULL};
    static const struct waiver no_waiver = {NULL, NULL};
    static const struct settlement no_settlement = {NULL, 0, NULL};
    struct arguments *arguments = memory_new(1, sizeof *arguments);
    arguments->memory = memory_new(1, sizeof *arguments->memory);
    arguments->options = json_object();
    arguments->origins = json_object();
    arguments->wait = SWITCH_UNSET;
    arguments->operands = none;
    arguments->approve = none;
    arguments->manual = none;
    arguments->plugin_folders = none;
    arguments->waivers = &no_waiver;
    arguments->settlements = &no_settlement;
    return arguments;
}

void arguments_free(struct arguments *arguments)
{
    if (arguments == NULL)
        return;
    struct arguments_memory *memory = arguments->memory;
    for (size_t i = 0; i < memory->text_count; i++)
        free(memory->texts[i]);
    free(memory->texts);
    free(memory->operands.items);
    free(memory->approve.items);
    free(memory->manual.items);
    free(memory->plugin_folders.items);
    free(memory->waivers);
    free(memory->settlements);
    plugin_file_free(memory->plugin);
    config_free(memory->config);
    free(memory);
    json_decref(arguments->options);
    json_decref(arguments->origins);
    free(arguments);
}

/* ---- one flag -------------------------------------------------------------------------------- */

struct parser {
    struct arguments *arguments;
    struct problems *problems;
    const char **reason_slot; /* what the next --reason is for; NULL: nothing */
};

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

static enum output_format output_number(const char *format)
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

static void add_option(struct parser *parser, const char *name, const char *value,
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
    if (arguments->plugin != NULL && plugin_info_option(arguments->plugin->info, name) == NULL) {
        mistake_unknown_option(parser->arguments, parser->problems, "--set", name);
        return;
    }
    cleanup_free char *origin = text_format("--set %s", name);
    add_option(parser, name, equals + 1, origin);
}

/* ---- the two passes -------------------------------------------------------------------------- */

/* Flags that say what the others mean, and how messages look. */
static void take_early_flag(struct parser *parser, const struct token *token)
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

static void take_late_flag(struct parser *parser, const struct token *token)
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

/* Finds the command and the flags that decide what the others mean. */
static void first_pass(struct parser *parser, int argc, char **argv)
{
    struct arguments *arguments = parser->arguments;
    struct scanner scanner;
    struct token token;
    int lost = 0;
    scanner_start(&scanner, argc, argv, NULL);
    while (scanner_next(&scanner, &token)) {
        if (token.kind == TOKEN_FLAG) {
            take_early_flag(parser, &token);
        } else if (token.kind == TOKEN_UNKNOWN && arguments->command == NULL) {
            mistake_unknown_flag(parser->arguments, parser->problems, &token);
            lost = 1; /* what follows may be its value */
        } else if (token.kind == TOKEN_OPERAND && arguments->command == NULL && !lost) {
            arguments->command = command_find(token.value);
            if (arguments->command == NULL) {
                mistake_unknown_command(parser->problems, token.value);
                return;
            }
        } else if (arguments->command == NULL &&
                   (token.kind == TOKEN_NEEDS_VALUE || token.kind == TOKEN_TAKES_NO_VALUE)) {
            mistake_bad_value(parser->arguments, parser->problems, &token);
        }
    }
    if (arguments->memory->quiet && arguments->memory->verbose > 0)
        problems_add(parser->problems, NULL, "flags '--quiet' and '--verbose' exclude each other");
    arguments->verbosity = arguments->memory->quiet ? -1 : arguments->memory->verbose;
}

static void take_operand(struct parser *parser, const char *value, int *actions_open)
{
    struct arguments *arguments = parser->arguments;
    const struct command *command = arguments->command;
    if (*actions_open) {
        *actions_open = 0;
        const struct action *action = command_action(command, value);
        if (action != NULL) {
            arguments->action = action->name;
            arguments->memory->action = action;
            return;
        }
        const char *names[16] = {NULL};
        for (size_t i = 0; command->actions[i].name != NULL && i < 15; i++)
            names[i] = command->actions[i].name;
        const char *nearest = text_nearest(value, names);
        cleanup_free char *hint =
            nearest != NULL ? text_format("did you mean '%s %s'?", command->name, nearest)
                            : text_format("`salvor help %s` lists what it can do", command->name);
        problems_add(parser->problems, hint, "'%s' cannot '%s'", command->name, value);
        arguments->memory->action_unknown = 1;
        return;
    }
    text_list_add(&arguments->memory->operands, value);
    arguments->operands = arguments->memory->operands.items;
    arguments->operand_count = arguments->memory->operands.count;
}

static void take_option(struct parser *parser, const struct token *token)
{
    if ((token->option->commands & parser->arguments->command->options) == 0)
        mistake_foreign_option(parser->arguments, parser->problems, token);
    else
        add_option(parser, token->option->name, token->value, token->name);
}

static void second_pass(struct parser *parser, int argc, char **argv)
{
    struct arguments *arguments = parser->arguments;
    struct scanner scanner;
    struct token token;
    int command_seen = 0;
    int actions_open = arguments->command->actions != NULL;
    scanner_start(&scanner, argc, argv, arguments->plugin != NULL ? arguments->plugin->info : NULL);
    while (scanner_next(&scanner, &token)) {
        switch (token.kind) {
        case TOKEN_OPERAND:
            if (!command_seen)
                command_seen = 1;
            else
                take_operand(parser, token.value, &actions_open);
            break;
        case TOKEN_FLAG:
            if ((token.flag->commands & ON(arguments->command->id)) == 0)
                mistake_foreign_flag(parser->arguments, parser->problems, &token);
            else
                take_late_flag(parser, &token);
            break;
        case TOKEN_OPTION:
            if (command_seen)
                take_option(parser, &token);
            else
                problems_add(parser->problems, "put it behind the command",
                             "flag '%s' of provider '%s' stands before the command", token.name,
                             arguments->provider);
            break;
        case TOKEN_UNKNOWN:
            mistake_unknown_flag(parser->arguments, parser->problems, &token);
            arguments->memory->flag_unknown = 1;
            break;
        case TOKEN_NEEDS_VALUE:
        case TOKEN_TAKES_NO_VALUE:
            mistake_bad_value(parser->arguments, parser->problems, &token);
            break;
        case TOKEN_END:
            break;
        }
    }
}

static void check_operands(struct parser *parser)
{
    struct arguments *arguments = parser->arguments;
    const struct command *command = arguments->command;
    const struct operands *rule = &command->operands;
    if (arguments->memory->action_unknown)
        return;
    if (command->actions != NULL && arguments->memory->action == NULL) {
        if (!command->default_action) {
            cleanup_free char *hint =
                text_format("`salvor help %s` lists what it can do", command->name);
            problems_add(parser->problems, hint, "'%s' needs to be told what to do", command->name);
            return;
        }
        arguments->memory->action = &command->actions[0];
        arguments->action = command->actions[0].name;
    }
    if (command->actions != NULL)
        rule = &arguments->memory->action->operands;
    cleanup_free char *usage =
        text_format("usage: salvor %s%s%s%s%s", command->name, arguments->action != NULL ? " " : "",
                    arguments->action != NULL ? arguments->action : "",
                    *rule->text != '\0' ? " " : "", rule->text);
    if (arguments->operand_count < rule->least)
        problems_add(parser->problems, usage, "'%s' is missing", rule->text);
    /* behind an unknown flag it may be meant as its value */
    if (arguments->operand_count > rule->most && !arguments->memory->flag_unknown)
        problems_add(parser->problems, usage, "unexpected argument '%s'",
                     arguments->operands[rule->most]);
}

static void check_together(struct parser *parser)
{
    struct arguments *arguments = parser->arguments;
    for (const struct waiver *waiver = arguments->waivers; waiver->finding != NULL; waiver++)
        if (waiver->reason == NULL)
            problems_add(parser->problems, "add --reason TEXT behind it; the report will show it",
                         "flag '--waive %s' has no reason", waiver->finding);
    if (arguments->record_folder != NULL && arguments->replay_folder != NULL)
        problems_add(parser->problems, NULL, "flags '--record' and '--replay' exclude each other");
    if (arguments->command->id == COMMAND_DRILL && arguments->from == NULL)
        arguments->from = "latest";
    if (arguments->command->id == COMMAND_VALIDATE && arguments->operand_count == 1) {
        const char *source = arguments->operands[0];
        if (arguments->from != NULL && !text_equal(arguments->from, source))
            problems_add(parser->problems, "give one of them",
                         "two backups to validate: '%s' and --from '%s'", source, arguments->from);
        arguments->from = source;
    }
}

int arguments_parse(int argc, char **argv, plugin_finder find, struct arguments **ret_arguments,
                    struct error *reterr)
{
    struct arguments *arguments = new_arguments();
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    struct parser parser = {arguments, &problems, NULL};
    *ret_arguments = arguments;

    first_pass(&parser, argc, argv);
    if (arguments->show == SHOW_VERSION && problems.count == 0)
        return 0;
    if (arguments->command == NULL && arguments->show != SHOW_HELP && problems.count == 0)
        problems_add(&problems, "`salvor help` lists the commands", "no command is given");
    if (arguments->command == NULL || problems.count > 0)
        return problems_error(&problems, reterr);
    if (arguments->command->outputs != NULL)
        arguments->output = output_number(arguments->command->outputs);

    cleanup_error struct error target_error = ERROR_INIT;
    int found = target_find(arguments, find, &target_error);
    if (arguments->show == SHOW_HELP)
        return found == 0 ? 0 : error_move(reterr, &target_error);
    second_pass(&parser, argc, argv);
    check_operands(&parser);
    check_together(&parser);
    if (found == 0)
        return problems_error(&problems, reterr);
    if (problems.count == 0)
        return error_move(reterr, &target_error);
    problems_add_error(&problems, &target_error);
    return problems_error(&problems, reterr);
}
