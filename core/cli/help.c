#include "cli/help.h"

#include <salvor/plugin.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cli/flags.h"
#include "cli/terminal.h"
#include "plugin/vocabulary.h"

const struct exit_code_row exit_code_rows[] = {
    {EXIT_DONE, "done; for validate: nothing above a warning"},
    {EXIT_FAILED, "failed"},
    {EXIT_USAGE, "the command line or the configuration is wrong"},
    {EXIT_BLOCKED, "findings of severity blocker"},
    {EXIT_WAITS, "waits for a person: an approval or a step by hand"},
    {EXIT_REFUSED, "refused by a guard, an identity check or a lock"},
    {EXIT_OUTCOME_UNKNOWN, "it cannot be told whether a step took effect"},
    {EXIT_INTERRUPTED, "interrupted; the run can be resumed"},
    {EXIT_DONE, NULL},
};

void help_version(FILE *out)
{
    (void)fprintf(out, "salvor %s (plugin ABI %u.%u)\n", SALVOR_VERSION, SALVOR_ABI_MAJOR,
                  SALVOR_ABI_MINOR);
}

/* Words of `text`, broken before `width`, every line but the first indented. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t column, size_t width)
{
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > width) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fprintf(out, "%.*s", (int)word, text);
        column += word;
        text += word;
        while (*text == ' ')
            text++;
    }
    (void)fputc('\n', out);
}

enum { LEFT_COLUMN = 28 };

static void print_row(FILE *out, const char *left, const char *text)
{
    size_t width = (size_t)terminal_width(STDOUT_FILENO);
    if (width > 100)
        width = 100;
    if (width < LEFT_COLUMN + 20)
        width = LEFT_COLUMN + 20;
    size_t used = (size_t)fprintf(out, "  %s", left);
    if (used + 2 > LEFT_COLUMN) {
        (void)fputc('\n', out);
        used = 0;
    }
    (void)fprintf(out, "%*s", (int)(LEFT_COLUMN - used), "");
    print_wrapped(out, text, LEFT_COLUMN, LEFT_COLUMN, width);
}

static void print_paragraph(FILE *out, const char *text)
{
    size_t width = (size_t)terminal_width(STDOUT_FILENO);
    print_wrapped(out, text, 0, 0, width > 100 ? 100 : width);
}

/* command: whose actions may have the flag; or NULL. */
static void print_flag(FILE *out, const struct flag *flag, const struct command *command)
{
    char letter[8] = "    ";
    if (flag->letter != 0)
        (void)snprintf(letter, sizeof letter, "-%c, ", flag->letter);
    cleanup_free char *left =
        text_format("%s--%s%s%s", letter, flag->name, flag->value_name != NULL ? " " : "",
                    flag->value_name != NULL ? flag->value_name : "");
    const int some = command != NULL && command->actions != NULL && flag->actions != NULL;
    cleanup_free char *help =
        text_format("%s%s%s%s", flag->help, flag->repeatable ? " (may be repeated)" : "",
                    some ? "; belongs to: " : "", some ? flag->actions : "");
    print_row(out, left, help);
}

#define EVERYWHERE 0xffffffffu

static void print_flags(FILE *out, const struct command *command)
{
    int own = 0;
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        own += flag->commands != EVERYWHERE && (flag->commands & ON(command->id)) != 0;
    if (own > 0)
        (void)fputs("\nFlags:\n", out);
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        if (flag->commands != EVERYWHERE && (flag->commands & ON(command->id)) != 0)
            print_flag(out, flag, command);
    (void)fputs("\nFlags of every command:\n", out);
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        if (flag->commands == EVERYWHERE)
            print_flag(out, flag, command);
}

static void print_option(FILE *out, const struct plugin_option *option)
{
    const char *value = option->value_name;
    if (value == NULL && option->type != SALVOR_OPTION_BOOLEAN)
        value = word_for(words_option, option->type);
    cleanup_free char *left = text_format("    --%s%s%s", option->name, value != NULL ? " " : "",
                                          value != NULL ? value : "");
    cleanup_free char *help = text_copy(option->help);
    char *longer = NULL;
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        longer = text_format("%s%s%s", help, i == 0 ? "; one of " : ", ", option->choices[i]);
        free(help);
        help = longer;
    }
    if (option->default_value != NULL) {
        longer = text_format("%s (default %s)", help, option->default_value);
        free(help);
        help = longer;
    }
    if (option->required) {
        longer = text_format("%s (required)", help);
        free(help);
        help = longer;
    }
    if (option->secret) {
        longer = text_format("%s (by reference: env:NAME, file:PATH, exec:COMMAND, prompt:)", help);
        free(help);
        help = longer;
    }
    print_row(out, left, help);
}

static void print_options(FILE *out, const struct command *command, const struct plugin_info *info)
{
    int count = 0;
    for (size_t i = 0; i < info->option_count; i++)
        count += (info->options[i].commands & command->options) != 0;
    if (count == 0)
        return;
    (void)fprintf(out, "\nOptions of provider '%s':\n", info->name);
    for (size_t i = 0; i < info->option_count; i++)
        if ((info->options[i].commands & command->options) != 0)
            print_option(out, &info->options[i]);
}

static void print_command(FILE *out, const struct command *command, const struct plugin_info *info)
{
    if (command->actions != NULL) {
        for (const struct action *action = command->actions; action->name != NULL; action++)
            (void)fprintf(out, "%s salvor %s %s%s%s [flags]\n",
                          action == command->actions ? "Usage:" : "      ", command->name,
                          action->name, *action->operands.text != '\0' ? " " : "",
                          action->operands.text);
    } else {
        (void)fprintf(out, "Usage: salvor %s%s%s [flags]\n", command->name,
                      *command->operands.text != '\0' ? " " : "", command->operands.text);
    }
    (void)fputc('\n', out);
    print_paragraph(out, command->description);
    if (command->actions != NULL) {
        (void)fputs("\nActions:\n", out);
        for (const struct action *action = command->actions; action->name != NULL; action++)
            print_row(out, action->name, action->summary);
    }
    if (command->outputs != NULL)
        (void)fprintf(out, "\nOutput formats (-o): %s\n", command->outputs);
    print_flags(out, command);
    if (info != NULL)
        print_options(out, command, info);
    else if (command->options != 0)
        (void)fprintf(out, "\n`salvor --provider NAME help %s` adds the provider's options.\n",
                      command->name);
}

static void print_overview(FILE *out)
{
    (void)fputs("salvor brings wrecked Kubernetes platforms back by the vendor's own procedure.\n"
                "\nUsage: salvor [--provider NAME] COMMAND [flags]\n\nCommands:\n",
                out);
    for (const struct command *command = command_table; command->name != NULL; command++)
        print_row(out, command->name, command->summary);
    (void)fputs("\nFlags of every command:\n", out);
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        if (flag->commands == EVERYWHERE)
            print_flag(out, flag, NULL);
    (void)fputs("\n`salvor help COMMAND` says more, `salvor help exit-codes` what salvor answers "
                "with.\n",
                out);
}

static void print_exit_codes(FILE *out)
{
    for (const struct exit_code_row *row = exit_code_rows; row->meaning != NULL; row++)
        (void)fprintf(out, "%3d  %s\n", (int)row->code, row->meaning);
}

int help_show(const struct arguments *arguments, FILE *out, struct error *reterr)
{
    if (arguments->command == NULL)
        print_overview(out);
    else if (arguments->command->id == COMMAND_HELP)
        return help_command(arguments, reterr);
    else
        print_command(out, arguments->command,
                      arguments->plugin != NULL ? arguments->plugin->info : NULL);
    return EXIT_DONE;
}

int help_command(const struct arguments *arguments, struct error *reterr)
{
    if (arguments->operand_count == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    const char *topic = arguments->operands[0];
    if (text_equal(topic, "exit-codes")) {
        print_exit_codes(stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(topic);
    if (command == NULL) {
        cleanup_free const char **names = command_names();
        const char *nearest = text_nearest(topic, names);
        error_set(reterr, EXIT_USAGE, "there is no help for '%s'", topic);
        if (nearest != NULL)
            return error_hint(reterr, "did you mean '%s'?", nearest);
        return error_hint(reterr, "`salvor help` lists the commands");
    }
    print_command(stdout, command, arguments->plugin != NULL ? arguments->plugin->info : NULL);
    return EXIT_DONE;
}
