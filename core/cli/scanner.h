/* Splits a command line into flags, options of a provider, and operands, as getopt_long would. */
#ifndef SALVOR_CLI_SCANNER_H
#define SALVOR_CLI_SCANNER_H

#include "cli/flags.h"
#include "plugin/plugin-info.h"

enum token_kind {
    TOKEN_END,
    TOKEN_OPERAND,
    TOKEN_FLAG,          /* one of the core's */
    TOKEN_OPTION,        /* one of the provider's */
    TOKEN_UNKNOWN,       /* looks like a flag; `value` is what stood behind '=' */
    TOKEN_NEEDS_VALUE,   /* flag or option without its value */
    TOKEN_TAKES_NO_VALUE /* a switch with a value that is neither true nor false */
};

struct token {
    enum token_kind kind;
    const struct flag *flag;
    const struct plugin_option *option;
    char name[64];     /* as on the line, cut: "--kubeconfig", "-n" */
    const char *value; /* operand, value, "true" or "false" of a switch; NULL without */
};

struct scanner {
    int argc;
    char **argv;
    int next;
    const char *letters;            /* rest of a cluster "-vq", or NULL */
    int operands_only;              /* "--" was there */
    const struct plugin_info *info; /* NULL: no provider's options */
};

/* Starts behind the program's name. */
void scanner_start(struct scanner *scanner, int argc, char **argv, const struct plugin_info *info);

/* The next token; 0 at the end. */
int scanner_next(struct scanner *scanner, struct token *ret_token);

#endif
