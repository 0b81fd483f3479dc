#include "net/kube-list-split.h"

#include <salvor/scan.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/banned.h"
#include "base/text.h"

enum { BLOCK = 64 };

/* One bit a byte of a block. */
struct marks {
    uint64_t quote;
    uint64_t backslash;
    uint64_t open;    /* { and [ */
    uint64_t close;   /* } and ] */
    uint64_t control; /* below the space */
};

/* ---- blocks ---------------------------------------------------------------------------------- */

/* '{' and '[', '}' and ']' differ in one bit only. */
enum { BRACKET_BIT = 0x20 };

#if defined(__SSE2__)
static uint64_t bits(__m128i comparison, unsigned shift)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(comparison) << shift;
}

static void mark(const char *block, struct marks *ret)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i bracket = _mm_set1_epi8(BRACKET_BIT);
    const __m128i open = _mm_set1_epi8('{');
    const __m128i close = _mm_set1_epi8('}');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    *ret = (struct marks){0};
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i bytes;
        memcpy(&bytes, block + i, sizeof bytes);
        const __m128i either = _mm_or_si128(bytes, bracket);
        ret->quote |= bits(_mm_cmpeq_epi8(bytes, quote), i);
        ret->backslash |= bits(_mm_cmpeq_epi8(bytes, backslash), i);
        ret->open |= bits(_mm_cmpeq_epi8(either, open), i);
        ret->close |= bits(_mm_cmpeq_epi8(either, close), i);
        ret->control |= bits(_mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes), i);
    }
}
#else
static void mark(const char *block, struct marks *ret)
{
    *ret = (struct marks){0};
    for (unsigned i = 0; i < BLOCK; i++) {
        const unsigned char byte = (unsigned char)block[i];
        const unsigned char either = byte | BRACKET_BIT;
        ret->quote |= (uint64_t)(byte == '"') << i;
        ret->backslash |= (uint64_t)(byte == '\\') << i;
        ret->open |= (uint64_t)(either == '{') << i;
        ret->close |= (uint64_t)(either == '}') << i;
        ret->control |= (uint64_t)(byte < 0x20) << i;
    }
}
#endif

/* The characters behind an odd number of backslashes. *carry: the first one of the block is. */
static uint64_t escaped(uint64_t backslash, uint64_t *carry)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    if (backslash == 0) {
        const uint64_t first = *carry;
        *carry = 0;
        return first;
    }
    backslash &= ~*carry;
    const uint64_t behind = backslash << 1 | *carry;
    const uint64_t odd_starts = backslash & ~even & ~behind;
    uint64_t from_even = 0;
    *carry = __builtin_add_overflow(odd_starts, backslash, &from_even) ? 1 : 0;
    return (even ^ (from_even << 1)) & behind;
}

/* Bit n: the number of bits up to and with n is odd. */
static uint64_t parity(uint64_t bits_set)
{
    for (unsigned shift = 1; shift < BLOCK; shift *= 2)
        bits_set ^= bits_set << shift;
    return bits_set;
}

/* ---- values ---------------------------------------------------------------------------------- */

struct nesting {
    unsigned depth;
    uint64_t objects[KUBE_LIST_DEPTH / 64]; /* one bit a level: object or array */
};

/* Follows the brackets of a block; the index behind the one that ends the value, 0 while it goes
 * on, -1 when they do not fit (*ret_at: where). */
static int follow(struct nesting *nesting, const char *block, uint64_t brackets, unsigned *ret_at,
                  const char **ret_problem)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        const unsigned at = (unsigned)__builtin_ctzll(brackets);
        const char c = block[at];
        const int object = c == '{' || c == '}';
        *ret_at = at;
        if (c == '{' || c == '[') {
            if (nesting->depth == KUBE_LIST_DEPTH) {
                *ret_problem = "nested too deeply";
                return -1;
            }
            const uint64_t bit = UINT64_C(1) << (nesting->depth % 64);
            uint64_t *word = &nesting->objects[nesting->depth++ / 64];
            *word = object ? *word | bit : *word & ~bit;
            continue;
        }
        nesting->depth--;
        const uint64_t level = nesting->objects[nesting->depth / 64] >> (nesting->depth % 64);
        if ((int)(level & 1) != object) {
            *ret_problem = "brackets do not match";
            return -1;
        }
        if (nesting->depth == 0)
            return (int)at + 1;
    }
    return 0;
}

/* `at` is an opening bracket. */
static const char *skip_container(const char *at, const char *end, const char **ret_problem,
                                  const char **ret_at)
{
    struct nesting nesting = {0};
    uint64_t escape_carry = 0;
    uint64_t in_string_carry = 0;
    while (at < end) {
        char padded[BLOCK];
        const char *block = at;
        struct marks marks;
        unsigned where = 0;
        if (end - at < BLOCK) {
            memset(padded, ' ', sizeof padded);
            memcpy(padded, at, (size_t)(end - at));
            block = padded;
        }
        mark(block, &marks);
        const uint64_t quotes = marks.quote & ~escaped(marks.backslash, &escape_carry);
        const uint64_t in_string = parity(quotes) ^ in_string_carry;
        const uint64_t bad = marks.control & in_string;
        in_string_carry = (uint64_t)0 - (in_string >> 63);
        const int found =
            follow(&nesting, block, (marks.open | marks.close) & ~in_string, &where, ret_problem);
        const int before_end = found > 0 && found < BLOCK;
        const uint64_t within = before_end ? (UINT64_C(1) << found) - 1 : UINT64_MAX;
        if ((bad & within) != 0) {
            *ret_problem = "control character in a string";
            *ret_at = at + __builtin_ctzll(bad & within);
            return NULL;
        }
        if (found < 0) {
            *ret_at = at + where;
            return NULL;
        }
        if (found > 0)
            return at + found;
        at += BLOCK;
    }
    *ret_problem = "the page ends too early";
    *ret_at = end;
    return NULL;
}

/* `at` is behind the opening quote; the byte behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    while (at < end && *at != '"') {
        if ((unsigned char)*at < 0x20)
            return NULL;
        at += *at == '\\' ? 2 : 1;
    }
    return at < end ? at + 1 : NULL;
}

static int ends_word(char c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char *kube_list_skip(const char *at, const char *end, const char **ret_problem,
                           const char **ret_at)
{
    const char *begin = at;
    *ret_at = at;
    if (at < end && (*at == '{' || *at == '['))
        return skip_container(at, end, ret_problem, ret_at);
    if (at < end && *at == '"') {
        at = skip_string(at + 1, end);
        *ret_problem = "a string does not end";
        return at;
    }
    while (at < end && !ends_word(*at))
        at++;
    *ret_problem = "a value was expected";
    return at > begin ? at : NULL;
}

/* ---- the list -------------------------------------------------------------------------------- */

struct reader {
    const char *start;
    const char *at;
    const char *end;
    struct error *reterr;
};

static int bad_at(const struct reader *reader, const char *at, const char *problem)
{
    return error_set(reader->reterr, EXIT_FAILED, "the answer is not a list: %s at byte %zu",
                     problem, (size_t)(at - reader->start));
}

/* The next character that is no white space, or NUL at the end. */
static char peek(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\r' || *reader->at == '\t'))
        reader->at++;
    return (char)(reader->at < reader->end ? *reader->at : '\0');
}

static int take_value(struct reader *reader, struct salvor_span *ret)
{
    const char *problem = NULL;
    const char *where = reader->at;
    const char *end = kube_list_skip(reader->at, reader->end, &problem, &where);
    if (end == NULL)
        return bad_at(reader, where, problem);
    *ret = (struct salvor_span){reader->at, (uint64_t)(end - reader->at)};
    reader->at = end;
    return 0;
}

/* A value that is read here and not handed on: strictly. */
static int take_checked(struct reader *reader, struct salvor_span *ret)
{
    struct salvor_scan_error err = {NULL, 0};
    if (take_value(reader, ret) != 0)
        return -1;
    if (salvor_scan_check(*ret, &err) != SALVOR_OK)
        return bad_at(reader, ret->data + err.offset, err.problem);
    return 0;
}

static void add_item(struct kube_list_page *page, struct salvor_span item)
{
    if (page->item_count == page->item_room) {
        page->item_room = page->item_room == 0 ? 512 : page->item_room * 2;
        page->items = memory_resize(page->items, page->item_room, sizeof *page->items);
    }
    page->items[page->item_count++] = item;
}

static int take_items(struct reader *reader, struct kube_list_page *page)
{
    struct salvor_span item = {NULL, 0};
    if (page->has_items)
        return bad_at(reader, reader->at, "'items' stands there twice");
    page->has_items = 1;
    if (peek(reader) == 'n') {
        if (take_checked(reader, &item) != 0)
            return -1;
        return 0;
    }
    if (peek(reader) != '[')
        return bad_at(reader, reader->at, "'items' is no array");
    reader->at++;
    if (peek(reader) == ']') {
        reader->at++;
        return 0;
    }
    for (;;) {
        if (peek(reader) != '{')
            return bad_at(reader, reader->at, "an item is no object");
        if (take_value(reader, &item) != 0)
            return -1;
        add_item(page, item);
        const char next = peek(reader);
        if (next != ',' && next != ']')
            return bad_at(reader, reader->at, "',' or ']' was expected");
        reader->at++;
        if (next == ']')
            return 0;
    }
}

/* Text at `path` of `value`, if there is one. */
static int take_text(const struct reader *reader, struct salvor_span value, const char *path,
                     char *ret, size_t size)
{
    struct salvor_token token;
    const salvor_status status = salvor_scan_find(value, path, &token, NULL, NULL);
    if (status == SALVOR_NOT_FOUND || (status == SALVOR_OK && token.type == SALVOR_TOKEN_NULL))
        return 0;
    if (status != SALVOR_OK || token.type != SALVOR_TOKEN_STRING ||
        salvor_token_decode(&token, ret, size) != SALVOR_OK)
        return error_set(reader->reterr, EXIT_FAILED,
                         "the answer is not a list: '%s' is no text of less than %zu bytes",
                         *path != '\0' ? path + 1 : "kind", size);
    return 0;
}

static int take_metadata(struct reader *reader, struct kube_list_page *page)
{
    struct salvor_span value = {NULL, 0};
    struct salvor_token token;
    if (take_checked(reader, &value) != 0)
        return -1;
    if (take_text(reader, value, "/resourceVersion", page->resource_version,
                  sizeof page->resource_version) != 0 ||
        take_text(reader, value, "/continue", page->continue_token, sizeof page->continue_token) !=
            0)
        return -1;
    if (salvor_scan_find(value, "/remainingItemCount", &token, NULL, NULL) == SALVOR_OK &&
        token.type == SALVOR_TOKEN_NUMBER) {
        char digits[24] = {0};
        int64_t number = 0;
        if (token.text.size < sizeof digits)
            memcpy(digits, token.text.data, (size_t)token.text.size);
        if (text_parse_integer(digits, &number) == 0 && number > 0)
            page->remaining = (uint64_t)number;
    }
    return 0;
}

static int is_key(const char *key, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(key, name, size) == 0;
}

static int take_member(struct reader *reader, struct kube_list_page *page)
{
    struct salvor_span key = {NULL, 0};
    struct salvor_span value = {NULL, 0};
    if (peek(reader) != '"')
        return bad_at(reader, reader->at, "a member name was expected");
    if (take_checked(reader, &key) != 0)
        return -1;
    const char *name = key.data + 1;
    const size_t size = (size_t)key.size - 2;
    if (peek(reader) != ':')
        return bad_at(reader, reader->at, "':' was expected");
    reader->at++;
    (void)peek(reader);
    if (is_key(name, size, "items"))
        return take_items(reader, page);
    if (is_key(name, size, "metadata"))
        return take_metadata(reader, page);
    if (take_checked(reader, &value) != 0)
        return -1;
    return is_key(name, size, "kind") ? take_text(reader, value, "", page->kind, sizeof page->kind)
                                      : 0;
}

static int take_list(struct reader *reader, struct kube_list_page *page)
{
    if (peek(reader) != '{')
        return bad_at(reader, reader->at, "an object was expected");
    reader->at++;
    if (peek(reader) == '}')
        reader->at++;
    else
        for (;;) {
            if (take_member(reader, page) != 0)
                return -1;
            const char next = peek(reader);
            if (next != ',' && next != '}')
                return bad_at(reader, reader->at, "',' or '}' was expected");
            reader->at++;
            if (next == '}')
                break;
        }
    if (peek(reader) != '\0' || reader->at != reader->end)
        return bad_at(reader, reader->at, "something follows it");
    return 0;
}

int kube_list_split(struct salvor_span body, struct kube_list_page *page, struct error *reterr)
{
    const char *start = body.data != NULL ? body.data : "";
    struct reader reader = {start, start, start + body.size, reterr};
    page->item_count = 0;
    page->has_items = 0;
    page->remaining = 0;
    page->kind[0] = page->resource_version[0] = page->continue_token[0] = '\0';
    if (take_list(&reader, page) != 0)
        return -1;
    if (!page->has_items && !text_ends(page->kind, "List"))
        return error_set(reterr, EXIT_FAILED, "the answer is not a list: it is of kind '%s'",
                         page->kind);
    return 0;
}

void kube_list_page_clear(struct kube_list_page *page)
{
    free(page->items);
    *page = (struct kube_list_page){0};
}
