#include "cli/scanner.h"

#include <salvor/plugin.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"
#include "base/text.h"

void scanner_start(struct scanner *scanner, int argc, char **argv, const struct plugin_info *info)
{
    *scanner = (struct scanner){argc, argv, 1, NULL, 0, info};
}

static int is_switch(const struct token *token)
{
    return token->flag != NULL ? token->flag->value_name == NULL
                               : token->option->type == SALVOR_OPTION_BOOLEAN;
}

/* What follows is a value unless it looks like a long flag: a forgotten value must not swallow
 * "--yes". A value like that can be written behind '='. */
static const char *take_value(struct scanner *scanner)
{
    if (scanner->next >= scanner->argc || text_starts(scanner->argv[scanner->next], "--"))
        return NULL;
    return scanner->argv[scanner->next++];
}

static void finish(struct scanner *scanner, struct token *token, const char *attached)
{
    token->kind = token->flag != NULL ? TOKEN_FLAG : TOKEN_OPTION;
    if (is_switch(token)) {
        token->value = attached != NULL ? attached : "true";
        /* the provider's own booleans are judged with its other values */
        if (token->flag != NULL && !text_equal(token->value, "true") &&
            !text_equal(token->value, "false"))
            token->kind = TOKEN_TAKES_NO_VALUE;
        return;
    }
    token->value = attached != NULL ? attached : take_value(scanner);
    if (token->value == NULL)
        token->kind = TOKEN_NEEDS_VALUE;
}

static void scan_long(struct scanner *scanner, const char *text, struct token *token)
{
    const char *equals = strchr(text, '=');
    size_t size = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const char *attached = equals != NULL ? equals + 1 : NULL;
    (void)snprintf(token->name, sizeof token->name, "%.*s", (int)(size < 63 ? size : 63), text);
    if (size < sizeof token->name) {
        token->flag = flag_find(token->name + 2);
        if (token->flag == NULL && scanner->info != NULL)
            token->option = plugin_info_option(scanner->info, token->name + 2);
    }
    if (token->flag == NULL && token->option == NULL) {
        token->kind = TOKEN_UNKNOWN;
        token->value = attached;
        return;
    }
    finish(scanner, token, attached);
}

static void scan_letter(struct scanner *scanner, struct token *token)
{
    char letter = *scanner->letters++;
    const char *rest = scanner->letters;
    if (*rest == '\0')
        scanner->letters = NULL;
    (void)snprintf(token->name, sizeof token->name, "-%c", letter);
    token->flag = flag_by_letter(letter);
    const char *option = flag_option_by_letter(letter);
    if (token->flag == NULL && option != NULL && scanner->info != NULL)
        token->option = plugin_info_option(scanner->info, option);
    if (token->flag == NULL && token->option == NULL) {
        token->kind = TOKEN_UNKNOWN;
        scanner->letters = NULL;
        return;
    }
    const char *attached = NULL;
    if (!is_switch(token)) {
        scanner->letters = NULL;
        if (*rest != '\0')
            attached = *rest == '=' ? rest + 1 : rest;
    }
    finish(scanner, token, attached);
}

int scanner_next(struct scanner *scanner, struct token *ret_token)
{
    *ret_token = (struct token){TOKEN_END, NULL, NULL, "", NULL};
    if (scanner->letters != NULL) {
        scan_letter(scanner, ret_token);
        return 1;
    }
    if (scanner->next >= scanner->argc)
        return 0;
    const char *text = scanner->argv[scanner->next++];
    if (!scanner->operands_only && strcmp(text, "--") == 0) {
        scanner->operands_only = 1;
        return scanner_next(scanner, ret_token);
    }
    if (scanner->operands_only || text[0] != '-' || text[1] == '\0') {
        ret_token->kind = TOKEN_OPERAND;
        ret_token->value = text;
    } else if (text[1] == '-') {
        scan_long(scanner, text, ret_token);
    } else {
        scanner->letters = text + 1;
        scan_letter(scanner, ret_token);
    }
    return 1;
}
