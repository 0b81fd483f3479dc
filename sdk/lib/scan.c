/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/scan.h>

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "escape.h"
#include "pointer.h"
#include "utf8.h"

/* What may come next. */
#define AWAIT_VALUE 0u
#define AWAIT_KEY_OR_END 1u   /* after { */
#define AWAIT_KEY 2u          /* after , in an object */
#define AWAIT_VALUE_OR_END 3u /* after [ */
#define AWAIT_COMMA_OR_END 4u
#define AWAIT_NOTHING 5u
#define BROKEN 6u

void salvor_scan_begin(struct salvor_scanner *scanner, struct salvor_span json)
{
    memset(scanner, 0, sizeof *scanner);
    scanner->start = scanner->at = json.data != NULL ? json.data : "";
    scanner->end = scanner->start + json.size;
    scanner->state = AWAIT_VALUE;
}

static salvor_status broken(struct salvor_scanner *scanner, const char *at, const char *problem)
{
    scanner->state = BROKEN;
    scanner->error.problem = problem;
    scanner->error.offset = (uint64_t)(at - scanner->start);
    return SALVOR_FAILED;
}

/* First byte at or after `at` that a string does not simply contain: quote, backslash, control
 * character, or the first of a longer UTF-8 sequence. */
static const char *plain_end(const char *at, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (end - at >= 16) {
        __m128i block;
        memcpy(&block, at, sizeof block);
        /* signed comparison: bytes from 0x80 on count as less than the space, too */
        const __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmplt_epi8(block, space));
        const unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

/* scanner->at is behind the opening quote; leaves it behind the closing one. */
static salvor_status scan_string(struct salvor_scanner *scanner, struct salvor_token *token)
{
    const char *at = scanner->at;
    const char *end = scanner->end;
    token->text.data = at;
    token->escaped = 0;
    for (;;) {
        at = plain_end(at, end);
        if (at == end)
            return broken(scanner, at, "a string does not end");
        const unsigned char c = (unsigned char)*at;
        if (c == '"')
            break;
        if (c == '\\') {
            const unsigned size = escape_size(at, end);
            if (size == 0)
                return broken(scanner, at, "bad escape in a string");
            token->escaped = 1;
            at += size;
        } else if (c < 0x20) {
            return broken(scanner, at, "control character in a string");
        } else {
            const unsigned size = utf8_sequence((const unsigned char *)at, (size_t)(end - at));
            if (size == 0)
                return broken(scanner, at, "a string is no UTF-8");
            at += size;
        }
    }
    token->text.size = (uint64_t)(at - token->text.data);
    scanner->at = at + 1;
    return SALVOR_OK;
}

static int is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static salvor_status scan_number(struct salvor_scanner *scanner, struct salvor_token *token)
{
    const char *at = scanner->at;
    const char *end = scanner->end;
    if (*at == '-')
        at++;
    if (!is_digit(at, end))
        return broken(scanner, at, "bad number");
    if (*at == '0') {
        at++;
    } else {
        while (is_digit(at, end))
            at++;
    }
    if (at < end && *at == '.') {
        at++;
        if (!is_digit(at, end))
            return broken(scanner, at, "bad number");
        while (is_digit(at, end))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (!is_digit(at, end))
            return broken(scanner, at, "bad number");
        while (is_digit(at, end))
            at++;
    }
    token->type = SALVOR_TOKEN_NUMBER;
    token->text.size = (uint64_t)(at - scanner->at);
    scanner->at = at;
    return SALVOR_OK;
}

static salvor_status scan_word(struct salvor_scanner *scanner, struct salvor_token *token,
                               const char *word, size_t size, uint32_t type)
{
    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0)
        return broken(scanner, scanner->at, "a value was expected");
    token->type = type;
    token->text.size = size;
    scanner->at += size;
    return SALVOR_OK;
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static int in_object(const struct salvor_scanner *scanner)
{
    const uint32_t level = scanner->depth - 1;
    return (int)((scanner->objects[level / 64] >> (level % 64)) & 1u);
}

static void after_value(struct salvor_scanner *scanner)
{
    scanner->state = scanner->depth == 0 ? AWAIT_NOTHING : AWAIT_COMMA_OR_END;
}

static salvor_status open_container(struct salvor_scanner *scanner, struct salvor_token *token,
                                    int object)
{
    if (scanner->depth == SALVOR_SCAN_DEPTH)
        return broken(scanner, scanner->at, "nested too deeply");
    const uint32_t level = scanner->depth++;
    const uint64_t bit = UINT64_C(1) << (level % 64);
    if (object)
        scanner->objects[level / 64] |= bit;
    else
        scanner->objects[level / 64] &= ~bit;
    token->type = object ? SALVOR_TOKEN_OBJECT : SALVOR_TOKEN_ARRAY;
    token->text.size = 1;
    scanner->at++;
    scanner->state = object ? AWAIT_KEY_OR_END : AWAIT_VALUE_OR_END;
    return SALVOR_OK;
}

static salvor_status close_container(struct salvor_scanner *scanner, struct salvor_token *token,
                                     uint32_t type)
{
    scanner->depth--;
    token->type = type;
    token->depth = scanner->depth;
    token->text.size = 1;
    scanner->at++;
    after_value(scanner);
    return SALVOR_OK;
}

static salvor_status scan_key(struct salvor_scanner *scanner, struct salvor_token *token)
{
    if (scanner->at == scanner->end || *scanner->at != '"')
        return broken(scanner, scanner->at, "a member name was expected");
    scanner->at++;
    const salvor_status status = scan_string(scanner, token);
    if (status != SALVOR_OK)
        return status;
    token->type = SALVOR_TOKEN_KEY;
    scanner->at = skip_space(scanner->at, scanner->end);
    if (scanner->at == scanner->end || *scanner->at != ':')
        return broken(scanner, scanner->at, "':' was expected");
    scanner->at++;
    scanner->state = AWAIT_VALUE;
    return SALVOR_OK;
}

static salvor_status scan_value(struct salvor_scanner *scanner, struct salvor_token *token)
{
    salvor_status status;
    switch (*scanner->at) {
    case '{':
        return open_container(scanner, token, 1);
    case '[':
        return open_container(scanner, token, 0);
    case '"':
        scanner->at++;
        token->type = SALVOR_TOKEN_STRING;
        status = scan_string(scanner, token);
        break;
    case 't':
        status = scan_word(scanner, token, "true", 4, SALVOR_TOKEN_TRUE);
        break;
    case 'f':
        status = scan_word(scanner, token, "false", 5, SALVOR_TOKEN_FALSE);
        break;
    case 'n':
        status = scan_word(scanner, token, "null", 4, SALVOR_TOKEN_NULL);
        break;
    default:
        if (*scanner->at != '-' && !is_digit(scanner->at, scanner->end))
            return broken(scanner, scanner->at, "a value was expected");
        status = scan_number(scanner, token);
        break;
    }
    if (status == SALVOR_OK)
        after_value(scanner);
    return status;
}

salvor_status salvor_scan_next(struct salvor_scanner *scanner, struct salvor_token *token)
{
    if (scanner->state == BROKEN)
        return SALVOR_FAILED;
    scanner->at = skip_space(scanner->at, scanner->end);
    if (scanner->at == scanner->end) {
        if (scanner->state == AWAIT_NOTHING)
            return SALVOR_END;
        return broken(scanner, scanner->at, "the document ends too early");
    }
    if (scanner->state == AWAIT_COMMA_OR_END) {
        const int object = in_object(scanner);
        token->text.data = scanner->at;
        token->escaped = token->reserved = 0;
        if (*scanner->at == (object ? '}' : ']'))
            return close_container(scanner, token,
                                   object ? SALVOR_TOKEN_OBJECT_END : SALVOR_TOKEN_ARRAY_END);
        if (*scanner->at != ',')
            return broken(scanner, scanner->at, "',' or the end of the container was expected");
        scanner->state = object ? AWAIT_KEY : AWAIT_VALUE;
        scanner->at = skip_space(scanner->at + 1, scanner->end);
        if (scanner->at == scanner->end)
            return broken(scanner, scanner->at, "the document ends too early");
    }
    token->depth = scanner->depth;
    token->escaped = token->reserved = 0;
    token->text.data = scanner->at;
    switch (scanner->state) {
    case AWAIT_KEY_OR_END:
        if (*scanner->at == '}')
            return close_container(scanner, token, SALVOR_TOKEN_OBJECT_END);
        return scan_key(scanner, token);
    case AWAIT_KEY:
        return scan_key(scanner, token);
    case AWAIT_VALUE_OR_END:
        if (*scanner->at == ']')
            return close_container(scanner, token, SALVOR_TOKEN_ARRAY_END);
        return scan_value(scanner, token);
    case AWAIT_VALUE:
        return scan_value(scanner, token);
    default:
        return broken(scanner, scanner->at, "something follows the document");
    }
}

salvor_status salvor_scan_skip(struct salvor_scanner *scanner, const struct salvor_token *first,
                               struct salvor_span *ret_value)
{
    const char *start = first->text.data - (first->type == SALVOR_TOKEN_STRING ? 1 : 0);
    if (first->type == SALVOR_TOKEN_OBJECT || first->type == SALVOR_TOKEN_ARRAY) {
        struct salvor_token token;
        do {
            const salvor_status status = salvor_scan_next(scanner, &token);
            if (status != SALVOR_OK)
                return status;
        } while (token.depth > first->depth ||
                 (token.type != SALVOR_TOKEN_OBJECT_END && token.type != SALVOR_TOKEN_ARRAY_END));
    }
    if (ret_value != NULL) {
        ret_value->data = start;
        ret_value->size = (uint64_t)(scanner->at - start);
    }
    return SALVOR_OK;
}

int salvor_token_is(const struct salvor_token *token, const char *text)
{
    if (!token->escaped)
        return salvor_span_is(token->text, text);
    const char *at = token->text.data;
    const char *end = at + token->text.size;
    size_t left = strlen(text);
    while (at < end) {
        char decoded[4];
        const unsigned size = string_next(&at, end, decoded);
        if (size == 0 || size > left || memcmp(text, decoded, size) != 0)
            return 0;
        text += size;
        left -= size;
    }
    return left == 0;
}

salvor_status salvor_token_decode(const struct salvor_token *token, char *buffer, size_t size)
{
    const char *at = token->text.data;
    const char *end = at + token->text.size;
    size_t used = 0;
    while (at < end) {
        char decoded[4];
        const unsigned bytes = string_next(&at, end, decoded);
        if (bytes == 0 || decoded[0] == '\0' || size - used <= bytes)
            return SALVOR_REFUSED;
        memcpy(buffer + used, decoded, bytes);
        used += bytes;
    }
    if (size == 0)
        return SALVOR_REFUSED;
    buffer[used] = '\0';
    return SALVOR_OK;
}

/* Takes the scanner to the member `word` of the object, or the element of the array, that `token`
 * opened; `token` is then the first of its value. */
static salvor_status enter(struct salvor_scanner *scanner, struct salvor_token *token,
                           const char *word)
{
    const uint32_t depth = token->depth;
    const int object = token->type == SALVOR_TOKEN_OBJECT;
    unsigned long index = 0;
    if (!object && token->type != SALVOR_TOKEN_ARRAY)
        return SALVOR_NOT_FOUND;
    for (;;) {
        salvor_status status = salvor_scan_next(scanner, token);
        if (status != SALVOR_OK)
            return status;
        if (token->depth == depth)
            return SALVOR_NOT_FOUND;
        int found;
        if (object) {
            found = salvor_token_is(token, word);
            status = salvor_scan_next(scanner, token);
            if (status != SALVOR_OK)
                return status;
        } else {
            found = pointer_is_index(word, index++);
        }
        if (found)
            return SALVOR_OK;
        status = salvor_scan_skip(scanner, token, NULL);
        if (status != SALVOR_OK)
            return status;
    }
}

salvor_status salvor_scan_find(struct salvor_span json, const char *path,
                               struct salvor_token *ret_token, struct salvor_span *ret_value,
                               struct salvor_scan_error *reterr)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    char word[POINTER_WORD_LIMIT];
    salvor_scan_begin(&scanner, json);
    salvor_status status = salvor_scan_next(&scanner, &token);
    while (status == SALVOR_OK && *path != '\0') {
        if (pointer_next(&path, word) != 0)
            return SALVOR_NOT_FOUND;
        status = enter(&scanner, &token, word);
    }
    if (status == SALVOR_OK) {
        const struct salvor_token first = token;
        status = salvor_scan_skip(&scanner, &token, ret_value);
        if (status == SALVOR_OK && ret_token != NULL)
            *ret_token = first;
    }
    if (status == SALVOR_FAILED && reterr != NULL)
        *reterr = scanner.error;
    return status;
}

salvor_status salvor_scan_check(struct salvor_span json, struct salvor_scan_error *reterr)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    salvor_status status;
    salvor_scan_begin(&scanner, json);
    do {
        status = salvor_scan_next(&scanner, &token);
    } while (status == SALVOR_OK);
    if (status == SALVOR_END)
        return SALVOR_OK;
    if (reterr != NULL)
        *reterr = scanner.error;
    return status;
}

struct salvor_span salvor_span_of(const char *text)
{
    const struct salvor_span span = {text, text != NULL ? strlen(text) : 0};
    return span;
}

int salvor_span_is(struct salvor_span span, const char *text)
{
    const size_t size = strlen(text);
    return span.size == size && (size == 0 || memcmp(span.data, text, size) == 0);
}
