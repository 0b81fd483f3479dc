/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/canonical.h>

#include <string.h>

#include "escape.h"
#include "paths.h"

/* A member of the object being written: its bytes in `out`, a comma behind them included. */
struct member {
    size_t start;
    size_t end;
    uint32_t key_size; /* without the quotes */
    uint32_t escaped;  /* the key holds a backslash */
};

struct salvor_canonicalizer {
    struct paths drops;
    struct salvor_text out;
    struct salvor_text scratch; /* an object while its members are put in order */
    struct member *members;     /* of all objects that are open */
    size_t member_count;
    size_t member_capacity;
    struct salvor_scanner scanner;
    struct salvor_scan_error problem; /* what the scanner does not find itself */
};

salvor_canonicalizer *salvor_canonicalizer_create(const char *const *drops, size_t drop_count)
{
    salvor_canonicalizer *made = salvor_allocate_zeroed(sizeof *made);
    if (made == NULL)
        return NULL;
    made->out.limit = made->scratch.limit = (size_t)4 << 30;
    if (paths_make(&made->drops, drops, drop_count) != SALVOR_OK) {
        salvor_release(made);
        return NULL;
    }
    return made;
}

void salvor_canonicalizer_free(salvor_canonicalizer *canonicalizer)
{
    if (canonicalizer == NULL)
        return;
    paths_free(&canonicalizer->drops);
    salvor_text_clear(&canonicalizer->out);
    salvor_text_clear(&canonicalizer->scratch);
    salvor_release(canonicalizer->members);
    salvor_release(canonicalizer);
}

static salvor_status problem(salvor_canonicalizer *canonicalizer, salvor_status status,
                             const char *text)
{
    canonicalizer->problem.problem = text;
    canonicalizer->problem.offset =
        (uint64_t)(canonicalizer->scanner.at - canonicalizer->scanner.start);
    return status;
}

static salvor_status no_memory(salvor_canonicalizer *canonicalizer)
{
    return problem(canonicalizer, SALVOR_REFUSED, "no memory");
}

static void put_escape(struct salvor_text *out, uint32_t code)
{
    static const char hex[] = "0123456789abcdef";
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *name = names; *name != '\0'; name += 2) {
        if ((uint32_t)(unsigned char)*name == code) {
            const char escape[2] = {'\\', name[1]};
            salvor_text_add(out, escape, sizeof escape);
            return;
        }
    }
    const char escape[6] = {
        '\\',          'u', hex[(code >> 12) & 15], hex[(code >> 8) & 15], hex[(code >> 4) & 15],
        hex[code & 15]};
    salvor_text_add(out, escape, sizeof escape);
}

/* Writes the string of the token with its quotes. *ret_escaped: it still holds a backslash. */
static void put_string(struct salvor_text *out, const struct salvor_token *token,
                       uint32_t *ret_escaped)
{
    *ret_escaped = 0;
    if (!token->escaped) {
        char *room = salvor_text_reserve(out, (size_t)token->text.size + 2);
        if (room == NULL)
            return;
        room[0] = '"';
        memcpy(room + 1, token->text.data, (size_t)token->text.size);
        room[token->text.size + 1] = '"';
        room[token->text.size + 2] = '\0';
        out->size += (size_t)token->text.size + 2;
        return;
    }
    const char *at = token->text.data;
    const char *end = at + token->text.size;
    salvor_text_add(out, "\"", 1);
    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        const char *plain = backslash != NULL ? backslash : end;
        salvor_text_add(out, at, (size_t)(plain - at));
        at = plain;
        if (at == end)
            break;
        const uint32_t code = escape_decode(&at, end);
        if (code < 0x20 || code == '"' || code == '\\' || is_high_surrogate(code) ||
            is_low_surrogate(code)) {
            put_escape(out, code);
            *ret_escaped = 1;
        } else {
            char bytes[4];
            salvor_text_add(out, bytes, utf8_encode(code, bytes));
        }
    }
    salvor_text_add(out, "\"", 1);
}

/* Order of two keys by the bytes of their decoded UTF-8. */
static int compare_keys(const char *out, const struct member *a, const struct member *b)
{
    const char *a_at = out + a->start + 1;
    const char *b_at = out + b->start + 1;
    if (!a->escaped && !b->escaped) {
        const size_t shorter = a->key_size < b->key_size ? a->key_size : b->key_size;
        const int order = memcmp(a_at, b_at, shorter);
        return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
    }
    const char *a_end = a_at + a->key_size;
    const char *b_end = b_at + b->key_size;
    while (a_at < a_end && b_at < b_end) {
        const uint32_t a_code =
            *a_at == '\\' ? escape_decode(&a_at, a_end) : (uint32_t)(unsigned char)*a_at++;
        const uint32_t b_code =
            *b_at == '\\' ? escape_decode(&b_at, b_end) : (uint32_t)(unsigned char)*b_at++;
        if (a_code != b_code)
            return a_code < b_code ? -1 : 1;
    }
    return (a_at < a_end) - (b_at < b_end);
}

static void sift_down(const char *out, struct member *members, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare_keys(out, &members[child], &members[child + 1]) < 0)
            child++;
        if (compare_keys(out, &members[root], &members[child]) >= 0)
            return;
        const struct member swapped = members[root];
        members[root] = members[child];
        members[child] = swapped;
        root = child;
    }
}

/* Insertion for the usual handful; a heap for large maps, so that no input makes it quadratic. */
static void sort_members(const char *out, struct member *members, size_t count)
{
    if (count <= 32) {
        for (size_t i = 1; i < count; i++) {
            const struct member moved = members[i];
            size_t j = i;
            for (; j > 0 && compare_keys(out, &members[j - 1], &moved) > 0; j--)
                members[j] = members[j - 1];
            members[j] = moved;
        }
        return;
    }
    for (size_t i = count / 2; i-- > 0;)
        sift_down(out, members, i, count);
    for (size_t last = count; last-- > 1;) {
        const struct member swapped = members[0];
        members[0] = members[last];
        members[last] = swapped;
        sift_down(out, members, 0, last);
    }
}

static salvor_status order_members(salvor_canonicalizer *canonicalizer, size_t first)
{
    struct salvor_text *out = &canonicalizer->out;
    struct salvor_text *scratch = &canonicalizer->scratch;
    struct member *members = canonicalizer->members + first;
    const size_t count = canonicalizer->member_count - first;
    const size_t start = members[0].start;

    sort_members(out->data, members, count);
    salvor_text_reset(scratch);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_keys(out->data, &members[i - 1], &members[i]) == 0)
            return problem(canonicalizer, SALVOR_FAILED, "duplicate key in the object");
        salvor_text_add(scratch, out->data + members[i].start, members[i].end - members[i].start);
    }
    if (scratch->failed != SALVOR_OK)
        return no_memory(canonicalizer);
    memcpy(out->data + start, scratch->data, scratch->size);
    return SALVOR_OK;
}

static salvor_status add_member(salvor_canonicalizer *canonicalizer, const struct member *member)
{
    if (canonicalizer->member_count == canonicalizer->member_capacity) {
        const size_t capacity =
            canonicalizer->member_capacity > 0 ? canonicalizer->member_capacity * 2 : 64;
        struct member *members = salvor_resize(canonicalizer->members, capacity * sizeof *members);
        if (members == NULL)
            return no_memory(canonicalizer);
        canonicalizer->members = members;
        canonicalizer->member_capacity = capacity;
    }
    canonicalizer->members[canonicalizer->member_count++] = *member;
    return SALVOR_OK;
}

static salvor_status put_value(salvor_canonicalizer *canonicalizer,
                               const struct salvor_token *first, uint32_t mask);

/* Each member is written with a comma behind it, so that their order can still change. */
static salvor_status put_object(salvor_canonicalizer *canonicalizer, uint32_t level, uint32_t mask)
{
    struct salvor_text *out = &canonicalizer->out;
    const size_t first = canonicalizer->member_count;
    int sorted = 1;
    salvor_text_add(out, "{", 1);
    for (;;) {
        struct salvor_token token;
        salvor_status status = salvor_scan_next(&canonicalizer->scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (token.type == SALVOR_TOKEN_OBJECT_END)
            break;
        uint32_t ended = 0;
        const uint32_t through =
            mask != 0 ? paths_step(&canonicalizer->drops, mask, level, &token, &ended) : 0;
        struct member member = {out->size, 0, 0, 0};
        if (ended == 0) {
            put_string(out, &token, &member.escaped);
            member.key_size = (uint32_t)(out->size - member.start - 2);
            salvor_text_add(out, ":", 1);
        }
        status = salvor_scan_next(&canonicalizer->scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (ended != 0) {
            status = salvor_scan_skip(&canonicalizer->scanner, &token, NULL);
            if (status != SALVOR_OK)
                return status;
            continue;
        }
        status = put_value(canonicalizer, &token, through);
        if (status != SALVOR_OK)
            return status;
        salvor_text_add(out, ",", 1);
        if (out->failed != SALVOR_OK)
            return no_memory(canonicalizer);
        member.end = out->size;
        if (sorted && canonicalizer->member_count > first) {
            const struct member *before = &canonicalizer->members[canonicalizer->member_count - 1];
            sorted = compare_keys(out->data, before, &member) < 0;
        }
        status = add_member(canonicalizer, &member);
        if (status != SALVOR_OK)
            return status;
    }
    if (!sorted) {
        const salvor_status status = order_members(canonicalizer, first);
        if (status != SALVOR_OK)
            return status;
    }
    if (canonicalizer->member_count > first && out->failed == SALVOR_OK)
        out->size--; /* the last comma */
    salvor_text_add(out, "}", 1);
    canonicalizer->member_count = first;
    return SALVOR_OK;
}

static salvor_status put_array(salvor_canonicalizer *canonicalizer, uint32_t level, uint32_t mask)
{
    struct salvor_text *out = &canonicalizer->out;
    int any = 0;
    uint32_t ended = 0;
    const uint32_t through =
        mask != 0 ? paths_step(&canonicalizer->drops, mask, level, NULL, &ended) : 0;
    salvor_text_add(out, "[", 1);
    for (;;) {
        struct salvor_token token;
        salvor_status status = salvor_scan_next(&canonicalizer->scanner, &token);
        if (status != SALVOR_OK)
            return status;
        if (token.type == SALVOR_TOKEN_ARRAY_END)
            break;
        if (ended != 0) {
            status = salvor_scan_skip(&canonicalizer->scanner, &token, NULL);
        } else {
            if (any)
                salvor_text_add(out, ",", 1);
            any = 1;
            status = put_value(canonicalizer, &token, through);
        }
        if (status != SALVOR_OK)
            return status;
    }
    salvor_text_add(out, "]", 1);
    return SALVOR_OK;
}

/* Recursion is bounded by SALVOR_SCAN_DEPTH. */
static salvor_status put_value(salvor_canonicalizer *canonicalizer,
                               const struct salvor_token *first, uint32_t mask)
{
    uint32_t escaped;
    switch (first->type) {
    case SALVOR_TOKEN_OBJECT:
        return put_object(canonicalizer, first->depth, mask);
    case SALVOR_TOKEN_ARRAY:
        return put_array(canonicalizer, first->depth, mask);
    case SALVOR_TOKEN_STRING:
        put_string(&canonicalizer->out, first, &escaped);
        return SALVOR_OK;
    default:
        salvor_text_span(&canonicalizer->out, first->text);
        return SALVOR_OK;
    }
}

salvor_status salvor_canonicalize(salvor_canonicalizer *canonicalizer, struct salvor_span json,
                                  struct salvor_span *ret_json, struct salvor_scan_error *reterr)
{
    struct salvor_token token;
    canonicalizer->problem.problem = NULL;
    canonicalizer->member_count = 0;
    salvor_text_reset(&canonicalizer->out);
    salvor_scan_begin(&canonicalizer->scanner, json);
    /* One growth instead of many: without escapes the result is never longer. */
    if (json.size < canonicalizer->out.limit)
        (void)salvor_text_reserve(&canonicalizer->out, (size_t)json.size + 1);
    salvor_status status = salvor_scan_next(&canonicalizer->scanner, &token);
    if (status == SALVOR_OK)
        status = put_value(canonicalizer, &token, canonicalizer->drops.all);
    if (status == SALVOR_OK && canonicalizer->out.failed != SALVOR_OK)
        status = no_memory(canonicalizer);
    if (status == SALVOR_OK) {
        status = salvor_scan_next(&canonicalizer->scanner, &token);
        if (status == SALVOR_END)
            status = SALVOR_OK;
    }
    if (status == SALVOR_OK)
        *ret_json = salvor_text_as_span(&canonicalizer->out);
    else if (reterr != NULL)
        *reterr = canonicalizer->problem.problem != NULL ? canonicalizer->problem
                                                         : canonicalizer->scanner.error;
    return status;
}
