#include "cli/completion-command.h"

#include <dirent.h>
#include <salvor/plugin.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cli/flags.h"
#include "cli/scanner.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "completion-script.h"
#include "config/config.h"

int completion_command(const struct arguments *arguments, struct error *reterr)
{
    if (!text_equal(arguments->operands[0], "bash")) {
        error_set(reterr, EXIT_USAGE, "there is no completion for '%s'", arguments->operands[0]);
        return error_hint(reterr, "there is: bash");
    }
    (void)fputs(completion_script, stdout);
    return EXIT_DONE;
}

/* What is known of the line before the word under the cursor. */
struct completion {
    const struct arguments *arguments;
    const struct plugin_info *info; /* of the provider, or NULL */
    const char *current;            /* the word under the cursor */
    const char *lead;               /* printed before each value: "--output=" */
};

/* ---- candidates ------------------------------------------------------------------------------ */

static void offer(const struct completion *completion, const char *text)
{
    cleanup_free char *whole = text_format("%s%s", completion->lead, text);
    if (text_starts(whole, completion->current))
        (void)printf("%s\n", whole);
}

static void offer_words(const struct completion *completion, const char *words)
{
    for (const char *at = words; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, " |");
        cleanup_free char *word = text_copy_span(at, size);
        offer(completion, word);
        at += size + (at[size] != '\0');
    }
}

static void offer_all(const struct completion *completion, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        offer(completion, *names);
}

static void offer_providers(const struct completion *completion)
{
    struct plugin_file **plugins = NULL;
    cleanup_json json_t *refused = NULL;
    if (plugin_find_all(completion->arguments->plugin_folders, &plugins, &refused, NULL) != 0)
        return;
    for (size_t i = 0; plugins[i] != NULL; i++)
        if (plugins[i]->info != NULL)
            offer(completion, plugins[i]->info->name);
    plugin_files_free(plugins);
}

/* Names of folders below the state folder: runs, sets of a provider. */
static void offer_folders_of(const struct completion *completion, const char *folder)
{
    cleanup_dir DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && !text_ends(entry->d_name, ".partial"))
            offer(completion, entry->d_name);
}

static void offer_runs(const struct completion *completion)
{
    cleanup_free char *folder = text_format("%s/runs", completion->arguments->state_folder);
    offer_folders_of(completion, folder);
}

/* Sets of a folder, or those that wait for a store elsewhere: that one is not asked for a key
 * press. */
static void offer_sets(const struct completion *completion)
{
    const struct arguments *arguments = completion->arguments;
    offer(completion, "latest");
    if (arguments->provider != NULL && arguments->store_folder != NULL) {
        cleanup_free char *sets =
            text_format("%s/%s", arguments->store_folder, arguments->provider);
        offer_folders_of(completion, sets);
    }
}

static void offer_sources(const struct completion *completion)
{
    offer_sets(completion);
    offer_runs(completion);
    (void)puts(":files");
}

static void offer_procedures(const struct completion *completion)
{
    const struct plugin_info *info = completion->info;
    for (size_t i = 0; info != NULL && i < info->procedure_count; i++)
        offer(completion, info->procedures[i].id);
}

static void offer_rows(const struct completion *completion)
{
    const struct plugin_info *info = completion->info;
    for (size_t p = 0; info != NULL && p < info->procedure_count; p++)
        for (size_t s = 0; s < info->procedures[p].stage_count; s++)
            for (size_t r = 0; r < info->procedures[p].stages[s].row_count; r++)
                offer(completion, info->procedures[p].stages[s].rows[r].id);
}

static void offer_findings(const struct completion *completion)
{
    const struct plugin_info *info = completion->info;
    for (size_t i = 0; info != NULL && i < info->finding_count; i++)
        if (info->findings[i].waivable)
            offer(completion, info->findings[i].id);
}

static void offer_option_value(const struct completion *completion,
                               const struct plugin_option *option)
{
    if (option->secret)
        offer_words(completion, "env: file: exec:");
    else if (option->type == SALVOR_OPTION_CHOICE)
        offer_all(completion, (const char *const *)option->choices);
    else if (option->type == SALVOR_OPTION_BOOLEAN)
        offer_words(completion, "true false");
    else if (option->type == SALVOR_OPTION_PATH)
        (void)puts(":files");
}

/* --set KEY=VALUE; `lead` may hold "--set=" already. */
static void offer_settings(const struct completion *completion)
{
    const struct plugin_info *info = completion->info;
    const char *word = completion->current + strlen(completion->lead);
    const char *equals = strchr(word, '=');
    for (size_t i = 0; info != NULL && i < info->option_count; i++) {
        const struct plugin_option *option = &info->options[i];
        cleanup_free char *key = text_format("%s=", option->name);
        if (equals == NULL) {
            offer(completion, key);
        } else if (text_starts(word, key)) {
            cleanup_free char *lead = text_format("%s%s", completion->lead, key);
            struct completion inner = *completion;
            inner.lead = lead;
            offer_option_value(&inner, option);
        }
    }
}

static void offer_flag_value(const struct completion *completion, const struct flag *flag)
{
    const struct arguments *arguments = completion->arguments;
    const struct command *command = arguments->command;
    switch (flag->value) {
    case VALUE_NONE:
        offer_words(completion, "true false");
        break;
    case VALUE_TEXT:
        break;
    case VALUE_FILE:
        (void)puts(":files");
        break;
    case VALUE_FOLDER:
        (void)puts(":folders");
        break;
    case VALUE_PROVIDER:
        offer_providers(completion);
        break;
    case VALUE_SITE:
        offer_all(completion, config_sites(arguments->config));
        break;
    case VALUE_STORE:
        offer_all(completion, config_stores(arguments->config));
        break;
    case VALUE_OPTION:
        offer_settings(completion);
        break;
    case VALUE_SOURCE:
        offer_sources(completion);
        break;
    case VALUE_PROCEDURE:
        offer_procedures(completion);
        break;
    case VALUE_FINDING:
        offer_findings(completion);
        break;
    case VALUE_ROW:
        offer_rows(completion);
        break;
    case VALUE_REFERENCE:
        offer_words(completion, "env: file: exec:");
        break;
    case VALUE_FORMAT:
        offer_words(completion, command != NULL ? command->outputs : NULL);
        break;
    case VALUE_LOG_FORMAT:
        offer_words(completion, flag->value_name);
        break;
    }
}

/* ---- places ---------------------------------------------------------------------------------- */

static void offer_flags(const struct completion *completion)
{
    const struct command *command = completion->arguments->command;
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++) {
        cleanup_free char *text = text_format("--%s", flag->name);
        uint32_t everywhere = 0xffffffffU;
        if (!flag_has_action(flag, command, completion->arguments->action))
            continue;
        if (command != NULL ? (flag->commands & ON(command->id)) != 0
                            : flag->commands == everywhere)
            offer(completion, text);
    }
    const struct plugin_info *info = completion->info;
    for (size_t i = 0; info != NULL && command != NULL && i < info->option_count; i++) {
        cleanup_free char *text = text_format("--%s", info->options[i].name);
        if ((info->options[i].commands & command->options) != 0)
            offer(completion, text);
    }
}

static void offer_operand(const struct completion *completion)
{
    const struct arguments *arguments = completion->arguments;
    const struct command *command = arguments->command;
    if (command == NULL) {
        cleanup_free const char **names = command_names();
        offer_all(completion, names);
        return;
    }
    const struct operands *operands = &command->operands;
    if (command->actions != NULL) {
        const struct action *action =
            arguments->action != NULL ? command_action(command, arguments->action) : NULL;
        if (action == NULL) {
            for (action = command->actions; action->name != NULL; action++)
                offer(completion, action->name);
            return;
        }
        operands = &action->operands;
    }
    if (arguments->operand_count >= operands->most)
        return;
    switch (operands->kind) {
    case OPERAND_ANY:
        break;
    case OPERAND_FILE:
        (void)puts(":files");
        break;
    case OPERAND_RUN:
        offer_runs(completion);
        break;
    case OPERAND_SET:
        if (arguments->operand_count == 0)
            offer_sets(completion);
        (void)puts(":files");
        break;
    case OPERAND_PLUGIN:
        offer_providers(completion);
        break;
    case OPERAND_COMMAND:
        for (command = command_table; command->name != NULL; command++)
            offer(completion, command->name);
        offer(completion, "exit-codes");
        break;
    case OPERAND_SHELL:
        offer(completion, "bash");
        break;
    }
}

/* "--flag=VALUE" under the cursor. */
static void offer_attached_value(struct completion *completion)
{
    const char *equals = strchr(completion->current, '=');
    size_t size = (size_t)(equals - completion->current);
    cleanup_free char *name = text_copy_span(completion->current + 2, size - 2);
    cleanup_free char *lead = text_copy_span(completion->current, size + 1);
    completion->lead = lead;
    const struct flag *flag = flag_find(name);
    const struct plugin_option *option =
        completion->info != NULL ? plugin_info_option(completion->info, name) : NULL;
    if (flag != NULL)
        offer_flag_value(completion, flag);
    else if (option != NULL)
        offer_option_value(completion, option);
    completion->lead = "";
}

static void complete(struct completion *completion, int argc, char **argv)
{
    struct scanner scanner;
    struct token token = {TOKEN_END, NULL, NULL, "", NULL};
    struct token last = token;
    scanner_start(&scanner, argc, argv, completion->info);
    while (scanner_next(&scanner, &token))
        last = token;
    if (last.kind == TOKEN_NEEDS_VALUE && last.flag != NULL)
        offer_flag_value(completion, last.flag);
    else if (last.kind == TOKEN_NEEDS_VALUE)
        offer_option_value(completion, last.option);
    else if (!scanner.operands_only && text_starts(completion->current, "--") &&
             strchr(completion->current, '=') != NULL)
        offer_attached_value(completion);
    else if (!scanner.operands_only && completion->current[0] == '-')
        offer_flags(completion);
    else
        offer_operand(completion);
}

int complete_main(int argc, char **argv)
{
    struct arguments *arguments = NULL;
    const char *current = argc >= 2 ? argv[argc - 1] : "";
    int before = argc >= 2 ? argc - 1 : 1; /* argv[0] stands for the program */
    (void)arguments_parse(before, argv, plugin_find, &arguments, NULL);
    target_prepare(arguments);
    struct completion completion = {
        arguments, arguments->plugin != NULL ? arguments->plugin->info : NULL, current, ""};
    complete(&completion, before, argv);
    arguments_free(arguments);
    (void)terminal_finish_output(EXIT_DONE);
    return EXIT_DONE;
}
