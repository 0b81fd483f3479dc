/*
 * Regular expressions in the dialect of Go's package regexp (RE2), as the operator evaluates them.
 *
 * A pattern is parsed by Go's own rules, and written anew for PCRE2 with nothing left that the two
 * read differently: classes as code points, anchors as assertions, no greediness (which does not
 * matter for whether something matches).
 */
#ifndef SALVOR_RANCHER_GO_REGEX_H
#define SALVOR_RANCHER_GO_REGEX_H

#include <salvor/types.h>

typedef struct go_regex go_regex;

#define GO_REGEX_PROBLEM_SIZE 160u

/*
 * SALVOR_OK: *ret_regex is the caller's. SALVOR_REFUSED: Go refuses the pattern.
 * SALVOR_UNSUPPORTED: Go takes it, and it cannot be evaluated here. SALVOR_FAILED: no memory. On
 * all but OK `problem` says why.
 */
salvor_status go_regex_compile(const char *pattern, go_regex **ret_regex,
                               char problem[GO_REGEX_PROBLEM_SIZE]);

/* An unanchored search. SALVOR_OK: found. SALVOR_NOT_FOUND: not. SALVOR_FAILED: it took too long,
 * or `text` is no UTF-8. */
salvor_status go_regex_search(const go_regex *regex, struct salvor_span text);

/* NULL is fine. */
void go_regex_free(go_regex *regex);

#if defined(__GNUC__)
static inline void go_regex_free_at(go_regex **regex)
{
    go_regex_free(*regex);
}
#define auto_go_regex __attribute__((__cleanup__(go_regex_free_at)))
#endif

#endif
