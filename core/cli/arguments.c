#include "cli/arguments.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments-memory.h"
#include "cli/flag-values.h"
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
    arguments->memory->given_keeping = json_object();
    arguments->keeping = json_object();
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
    json_decref(memory->store);
    json_decref(memory->given_keeping);
    json_decref(arguments->keeping);
    free(memory);
    json_decref(arguments->options);
    json_decref(arguments->origins);
    free(arguments);
}

/* ---- the two passes -------------------------------------------------------------------------- */

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
            parser_take_early_flag(parser, &token);
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
        parser_add_option(parser, token->option->name, token->value, token->name);
}

/* Which action it is may stand behind the flag. */
static void note_seen(struct arguments *arguments, const struct flag *flag)
{
    struct arguments_memory *memory = arguments->memory;
    if (flag->actions != NULL && memory->seen_count < ARGUMENTS_FLAG_LIMIT)
        memory->seen[memory->seen_count++] = flag;
}

static void check_seen(struct parser *parser)
{
    const struct arguments *arguments = parser->arguments;
    for (size_t i = 0; i < arguments->memory->seen_count; i++) {
        const struct flag *flag = arguments->memory->seen[i];
        if (flag_has_action(flag, arguments->command, arguments->action))
            continue;
        cleanup_free char *hint =
            text_format("it belongs to: %s %s", arguments->command->name, flag->actions);
        problems_add(parser->problems, hint, "flag '--%s' does not belong to '%s %s'", flag->name,
                     arguments->command->name, arguments->action);
    }
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
            if ((token.flag->commands & ON(arguments->command->id)) == 0) {
                mistake_foreign_flag(parser->arguments, parser->problems, &token);
            } else {
                note_seen(arguments, token.flag);
                parser_take_late_flag(parser, &token);
            }
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
    check_seen(parser);
    json_object_update(arguments->keeping, arguments->memory->given_keeping);
    arguments->recipients = json_object_get(arguments->memory->given_keeping, "recipients");
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
