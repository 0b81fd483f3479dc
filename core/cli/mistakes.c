#include "cli/mistakes.h"

#include <assert.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cli/flags.h"

static const struct plugin_info *info_of(const struct arguments *arguments)
{
    assert(arguments->plugin != NULL);
    return arguments->plugin->info;
}

void mistake_unknown_option(const struct arguments *arguments, struct problems *problems,
                            const char *origin, const char *name)
{
    const struct plugin_info *info = info_of(arguments);
    cleanup_free const char **names = memory_new(info->option_count + 1, sizeof *names);
    for (size_t i = 0; i < info->option_count; i++)
        names[i] = info->options[i].name;
    const char *nearest = text_nearest(name, names);
    cleanup_free char *hint = nearest != NULL
                                  ? text_format("did you mean '%s'?", nearest)
                                  : text_format("`salvor plugin show %s` lists them", info->name);
    problems_add(problems, hint, "%s: unknown option '%s' for provider '%s'", origin, name,
                 info->name);
}

static char *commands_of(uint32_t mask)
{
    char *text = text_copy("");
    for (const struct command *command = command_table; command->name != NULL; command++) {
        if ((mask & ON(command->id)) == 0)
            continue;
        char *longer = text_format("%s%s%s", text, *text != '\0' ? ", " : "", command->name);
        free(text);
        text = longer;
    }
    return text;
}

void mistake_foreign_flag(const struct arguments *arguments, struct problems *problems,
                          const struct token *token)
{
    cleanup_free char *where = commands_of(token->flag->commands);
    cleanup_free char *hint = text_format("it belongs to: %s", where);
    problems_add(problems, *where != '\0' ? hint : NULL, "flag '%s' does not belong to '%s'",
                 token->name, arguments->command->name);
}

void mistake_foreign_option(const struct arguments *arguments, struct problems *problems,
                            const struct token *token)
{
    cleanup_free char *hint =
        text_format("it can be given here as --set %s=VALUE", token->option->name);
    problems_add(problems, hint, "flag '%s' of provider '%s' does not belong to '%s'", token->name,
                 info_of(arguments)->name, arguments->command->name);
}

/* Nearest flag that could stand here; NULL when none is near. */
static const char *nearest_flag(const struct arguments *arguments, const char *name)
{
    const struct plugin_info *info = arguments->plugin != NULL ? arguments->plugin->info : NULL;
    size_t count = 0;
    while (flag_table[count].name != NULL)
        count++;
    size_t options = info != NULL ? info->option_count : 0;
    cleanup_free const char **names = memory_new(count + options + 1, sizeof *names);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (arguments->command == NULL ||
            (flag_table[i].commands & ON(arguments->command->id)) != 0)
            names[used++] = flag_table[i].name;
    for (size_t i = 0; i < options; i++)
        if (arguments->command != NULL &&
            (info->options[i].commands & arguments->command->options) != 0)
            names[used++] = info->options[i].name;
    return text_nearest(name, names);
}

void mistake_unknown_flag(const struct arguments *arguments, struct problems *problems,
                          const struct token *token)
{
    const struct command *command = arguments->command;
    const char *nearest =
        text_starts(token->name, "--") ? nearest_flag(arguments, token->name + 2) : NULL;
    /* Without a provider it may be one of its options; that the provider is missing is said
     * anyway. */
    if (nearest == NULL && command != NULL && command->need == NEED_PROVIDER &&
        arguments->plugin == NULL)
        return;
    cleanup_free char *hint = NULL;
    if (nearest != NULL)
        hint = text_format("did you mean '--%s'?", nearest);
    else if (command == NULL)
        hint = text_copy("options of a provider stand behind the command");
    else if (command->id == COMMAND_RESUME)
        hint = text_copy("give options of the provider with --set KEY=VALUE");
    else
        hint = text_format("`salvor help %s` lists the flags", command->name);
    if (arguments->plugin != NULL && command != NULL)
        problems_add(problems, hint, "unknown flag '%s' for '%s' with provider '%s'", token->name,
                     command->name, info_of(arguments)->name);
    else if (command != NULL)
        problems_add(problems, hint, "unknown flag '%s' for '%s'", token->name, command->name);
    else
        problems_add(problems, hint, "unknown flag '%s'", token->name);
}

void mistake_bad_value(const struct arguments *arguments, struct problems *problems,
                       const struct token *token)
{
    (void)arguments;
    if (token->kind == TOKEN_TAKES_NO_VALUE) {
        problems_add(problems, NULL, "flag '%s' is a switch and takes no value '%s'", token->name,
                     token->value);
        return;
    }
    const char *value_name = token->flag != NULL                 ? token->flag->value_name
                             : token->option->value_name != NULL ? token->option->value_name
                                                                 : "VALUE";
    cleanup_free char *hint =
        text_format("write %s%s%s", token->name, token->name[1] == '-' ? "=" : " ", value_name);
    problems_add(problems, hint, "flag '%s' needs a value", token->name);
}

void mistake_unknown_command(struct problems *problems, const char *name)
{
    cleanup_free const char **names = command_names();
    const char *nearest = text_nearest(name, names);
    cleanup_free char *hint = nearest != NULL ? text_format("did you mean '%s'?", nearest)
                                              : text_copy("`salvor help` lists the commands");
    problems_add(problems, hint, "unknown command '%s'", name);
}
