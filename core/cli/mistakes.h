/* What is said about a wrong command line: the mistake, and the nearest thing that would be right.
 */
#ifndef SALVOR_CLI_MISTAKES_H
#define SALVOR_CLI_MISTAKES_H

#include "cli/arguments.h"
#include "cli/scanner.h"
#include "config/problems.h"

void mistake_unknown_command(struct problems *problems, const char *name);

/* Says nothing without a provider whose option it may be; that it is missing is said anyway. */
void mistake_unknown_flag(const struct arguments *arguments, struct problems *problems,
                          const struct token *token);

/* `origin` is what gave it: "--set". Needs the provider's plugin. */
void mistake_unknown_option(const struct arguments *arguments, struct problems *problems,
                            const char *origin, const char *name);

/* A flag of other commands. */
void mistake_foreign_flag(const struct arguments *arguments, struct problems *problems,
                          const struct token *token);
void mistake_foreign_option(const struct arguments *arguments, struct problems *problems,
                            const struct token *token);

/* TOKEN_NEEDS_VALUE and TOKEN_TAKES_NO_VALUE. */
void mistake_bad_value(const struct arguments *arguments, struct problems *problems,
                       const struct token *token);

#endif
