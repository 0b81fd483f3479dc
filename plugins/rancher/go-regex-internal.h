/* Shared by the files of the parser of Go's regular expressions. */
#ifndef SALVOR_RANCHER_GO_REGEX_INTERNAL_H
#define SALVOR_RANCHER_GO_REGEX_INTERNAL_H

#include <salvor/text.h>

#include "go-regex.h"

#define FLAG_FOLD 1u       /* i */
#define FLAG_MULTI_LINE 2u /* m */
#define FLAG_DOT_ALL 4u    /* s */
#define FLAG_UNGREEDY 8u   /* U: without meaning here */

#define LAST_CODE_POINT 0x10FFFFu

struct go_parser {
    const char *at;
    struct salvor_text *out; /* the pattern for PCRE2 */
    uint32_t flags;
    uint32_t depth;
    salvor_status status; /* of the first problem */
    char *problem;        /* GO_REGEX_PROBLEM_SIZE bytes */
    char names[32][64];   /* of the groups so far */
    uint32_t name_count;
};

/* Notes the first problem and returns its status. `from` to `to`: the part of the pattern. */
salvor_status go_regex_fail(struct go_parser *parser, salvor_status status, const char *what,
                            const char *from, const char *to);

/* Code point at parser->at, which moves behind it. The pattern was checked to be UTF-8. */
uint32_t go_regex_rune(struct go_parser *parser);

/* A backslash and what follows, standing for one code point. parser->at is at the backslash. */
salvor_status go_regex_escape(struct go_parser *parser, uint32_t *ret_rune);

/* Writes a code point as PCRE2 takes it, in and out of classes. */
void go_regex_put_rune(struct salvor_text *out, uint32_t rune);

/* "[...]". parser->at is at the bracket. */
salvor_status go_regex_class(struct go_parser *parser);

/* \d \D \s \S \w \W \p{...} \P{...} as a class of its own, or as part of one (`inside`: written
 * without brackets). *ret_found 0: it is none of them, and nothing was read. */
salvor_status go_regex_named_class(struct go_parser *parser, int inside, int *ret_found);

#endif
