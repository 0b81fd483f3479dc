/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/scan.h - JSON token by token, without building a document: for bulk.
 *
 * Strict RFC 8259: grammar, escapes, UTF-8 and numbers are checked as the tokens pass; nothing is
 * allocated. Values are spans into the input, strings without their quotes and with their escapes
 * as they stand.
 */
#ifndef SALVOR_SCAN_H
#define SALVOR_SCAN_H

#include <stddef.h>

#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SALVOR_SCAN_DEPTH 256u /* deeper documents are refused */

#define SALVOR_TOKEN_OBJECT 1000u
#define SALVOR_TOKEN_OBJECT_END 1100u
#define SALVOR_TOKEN_ARRAY 2000u
#define SALVOR_TOKEN_ARRAY_END 2100u
#define SALVOR_TOKEN_KEY 3000u
#define SALVOR_TOKEN_STRING 4000u
#define SALVOR_TOKEN_NUMBER 5000u
#define SALVOR_TOKEN_TRUE 6000u
#define SALVOR_TOKEN_FALSE 6100u
#define SALVOR_TOKEN_NULL 6200u

struct salvor_token {
    uint32_t type;    /* SALVOR_TOKEN_* */
    uint32_t escaped; /* KEY, STRING: 1 when it holds a backslash */
    uint32_t depth;   /* containers around it; a container and its end have the same */
    uint32_t reserved;
    struct salvor_span text; /* KEY, STRING: between the quotes; else the token's own bytes */
};

/* What is wrong with a document, and where. */
struct salvor_scan_error {
    const char *problem; /* constant text: "control character in a string" */
    uint64_t offset;     /* byte of the input */
};

struct salvor_scanner {
    const char *start;
    const char *at;
    const char *end;
    uint32_t depth;
    uint32_t state;
    uint64_t objects[SALVOR_SCAN_DEPTH / 64u]; /* one bit a level: object or array */
    struct salvor_scan_error error;            /* after SALVOR_FAILED */
};

void salvor_scan_begin(struct salvor_scanner *scanner, struct salvor_span json);

/* The next token. SALVOR_END: the one value is complete and nothing but white space follows.
 * SALVOR_FAILED: scanner->error says what and where; so does every further call. */
salvor_status salvor_scan_next(struct salvor_scanner *scanner, struct salvor_token *ret_token);

/* Passes over the rest of the value that `first` began (nothing to do for a scalar). ret_value (may
 * be NULL): all its bytes, a string with its quotes. */
salvor_status salvor_scan_skip(struct salvor_scanner *scanner, const struct salvor_token *first,
                               struct salvor_span *ret_value);

/* Compares a KEY or STRING token with a text, escapes decoded. 1: equal. */
int salvor_token_is(const struct salvor_token *token, const char *text);

/* Decodes a KEY or STRING token into `buffer` with a NUL. SALVOR_REFUSED: it does not fit, or holds
 * a NUL or half a surrogate pair. */
salvor_status salvor_token_decode(const struct salvor_token *token, char *buffer, size_t size);

/*
 * The value at a JSON pointer. *ret_value: all its bytes; ret_token (may be NULL): its first token.
 * SALVOR_NOT_FOUND: not there. Stops as soon as it is found, so the rest is not checked; of
 * duplicate keys the first counts.
 */
salvor_status salvor_scan_find(struct salvor_span json, const char *path,
                               struct salvor_token *ret_token, struct salvor_span *ret_value,
                               struct salvor_scan_error *reterr);

/* Checks a whole document. */
salvor_status salvor_scan_check(struct salvor_span json, struct salvor_scan_error *reterr);

/* A span of a constant text, and comparison of a span with a text. */
struct salvor_span salvor_span_of(const char *text);
int salvor_span_is(struct salvor_span span, const char *text);

#ifdef __cplusplus
}
#endif

#endif
