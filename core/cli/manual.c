#include "cli/manual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "config/config-table.h"

/* Text for roff: backslashes, hyphens that are typed, and a leading dot or quote are escaped;
 * `code` in grave accents becomes bold. */
static void print_text(const char *text)
{
    int bold = 0;
    if (*text == '.' || *text == '\'')
        (void)fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '`') {
            bold = !bold;
            (void)fputs(bold ? "\\fB" : "\\fR", stdout);
        } else if (*text == '\\') {
            (void)fputs("\\e", stdout);
        } else if (*text == '-') {
            (void)fputs("\\-", stdout);
        } else {
            (void)fputc(*text, stdout);
        }
    }
}

static void print_tag(const char *bold, const char *italic)
{
    (void)fputs(".TP\n\\fB", stdout);
    print_text(bold);
    (void)fputs("\\fR", stdout);
    if (italic != NULL && *italic != '\0') {
        (void)fputs(" \\fI", stdout);
        print_text(italic);
        (void)fputs("\\fR", stdout);
    }
    (void)fputc('\n', stdout);
}

static void print_line(const char *text)
{
    print_text(text);
    (void)fputc('\n', stdout);
}

static void print_commands(void)
{
    for (const struct command *command = command_table; command->name != NULL; command++) {
        if (command->actions == NULL)
            print_tag(command->name, command->operands.text);
        for (const struct action *action = command->actions; action != NULL && action->name != NULL;
             action++) {
            char *words = text_format("%s %s", command->name, action->name);
            print_tag(words, action->operands.text);
            free(words);
            print_text(action->summary);
            (void)fputs(".\n", stdout);
        }
        if (command->actions != NULL)
            (void)fputs(".IP\n", stdout);
        print_line(command->description);
        if (command->outputs != NULL) {
            char *formats = text_format("Output formats: %s.", command->outputs);
            (void)fputs(".br\n", stdout);
            print_line(formats);
            free(formats);
        }
    }
}

/* Commands of a flag, or NULL when it belongs to all. */
static char *owners(const struct flag *flag)
{
    char *names = text_copy("");
    int missing = 0;
    for (const struct command *command = command_table; command->name != NULL; command++) {
        if ((flag->commands & ON(command->id)) == 0) {
            missing = 1;
            continue;
        }
        const int some = command->actions != NULL && flag->actions != NULL;
        missing |= some;
        char *longer = text_format("%s%s%s%s%s%s", names, *names != '\0' ? ", " : "", command->name,
                                   some ? " (" : "", some ? flag->actions : "", some ? ")" : "");
        free(names);
        names = longer;
    }
    if (missing)
        return names;
    free(names);
    return NULL;
}

static void print_flags(void)
{
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++) {
        char *tag = flag->letter != 0 ? text_format("-%c, --%s", flag->letter, flag->name)
                                      : text_format("--%s", flag->name);
        char *commands = owners(flag);
        print_tag(tag, flag->value_name);
        print_text(flag->help);
        (void)fputs(flag->repeatable ? " (may be repeated).\n" : ".\n", stdout);
        if (commands != NULL) {
            char *line = text_format("Belongs to: %s.", commands);
            print_line(line);
            free(line);
        }
        free(commands);
        free(tag);
    }
}

static void print_exit_status(void)
{
    for (const struct exit_code_row *row = exit_code_rows; row->meaning != NULL; row++) {
        char *number = text_format("%d", (int)row->code);
        print_tag(number, NULL);
        print_line(row->meaning);
        free(number);
    }
}

static void print_members(const struct config_member *members)
{
    static const char *const kinds[] = {[MEMBER_TEXT] = "TEXT",
                                        [MEMBER_FOLDER] = "FOLDER",
                                        [MEMBER_FOLDERS] = "[FOLDER, ...]",
                                        [MEMBER_DURATION] = "DURATION",
                                        [MEMBER_SIZE] = "SIZE",
                                        [MEMBER_FLAG] = "true|false",
                                        [MEMBER_COUNT] = "NUMBER",
                                        [MEMBER_CHOICE] = NULL,
                                        [MEMBER_FILE] = "FILE",
                                        [MEMBER_SERVER] = "URL",
                                        [MEMBER_SECRET] = "REFERENCE",
                                        [MEMBER_SECRETS] = "[REFERENCE, ...]",
                                        [MEMBER_RECIPIENTS] = "[KEY, ...]"};
    for (; members->name != NULL; members++) {
        char *key = text_format("%s:", members->name);
        char *choices = members->choices != NULL ? text_format("%s", members->choices) : NULL;
        for (char *at = choices; at != NULL && (at = strchr(at, ' ')) != NULL;)
            *at = '|';
        print_tag(key, choices != NULL ? choices : kinds[members->kind]);
        print_text(members->help);
        (void)fputs(".\n", stdout);
        if (members->only != NULL) {
            char *line = text_format("Belongs to type %s%s.", members->only,
                                     members->required ? ", which needs it" : "");
            print_line(line);
            free(line);
        }
        free(choices);
        free(key);
    }
}

int manual_main(int argc, char **argv)
{
    const char *part = argc == 2 ? argv[1] : "";
    if (text_equal(part, "commands"))
        print_commands();
    else if (text_equal(part, "flags"))
        print_flags();
    else if (text_equal(part, "exit-status"))
        print_exit_status();
    else if (text_equal(part, "sites"))
        print_members(config_site_members);
    else if (text_equal(part, "stores"))
        print_members(config_store_members);
    else if (text_equal(part, "defaults"))
        print_members(config_default_members);
    else if (text_equal(part, "limits"))
        print_members(config_limit_members);
    else
        return EXIT_USAGE;
    return terminal_finish_output(EXIT_DONE);
}
