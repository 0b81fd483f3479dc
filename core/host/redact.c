#include "host/redact.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/locked.h"
#include "base/text.h"

enum { LEAST_SIZE = 4, LEAST_LINE = 16, FORMS = 64, LINES = 256 };

static const char mark[] = "[redacted]";

/* One form of one secret; the bytes lie in the block of its secret. */
struct form {
    struct form *next; /* of those that begin with the same byte */
    const char *data;
    size_t size;
};

/* Everything known of one value, in memory that is locked and zeroed on release. */
struct secret {
    struct secret *next;
    char *block;
    size_t used;
    struct form *forms;
    size_t form_count;
    size_t form_room;
};

static struct secret *all_secrets;
static struct form *by_first_byte[256];

/* ---- the forms of a value -------------------------------------------------------------------- */

static int is_known(const char *data, size_t size)
{
    for (const struct form *form = by_first_byte[(unsigned char)data[0]]; form != NULL;
         form = form->next)
        if (form->size == size && memcmp(form->data, data, size) == 0)
            return 1;
    return 0;
}

/* Takes what the caller wrote at the end of the block as a form; a known one takes no room. */
static void keep_form(struct secret *secret, size_t size)
{
    const char *data = secret->block + secret->used;
    if (size < LEAST_SIZE || is_known(data, size) || secret->form_count == secret->form_room)
        return;
    struct form *form = &secret->forms[secret->form_count++];
    struct form **bucket = &by_first_byte[(unsigned char)data[0]];
    *form = (struct form){*bucket, data, size};
    *bucket = form;
    secret->used += size;
}

static void add_raw(struct secret *secret, const char *data, size_t size)
{
    memcpy(secret->block + secret->used, data, size);
    keep_form(secret, size);
}

static int is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* `keep`: characters that this writer leaves alone beside the unreserved ones. */
static void add_url(struct secret *secret, const char *data, size_t size, const char *digits,
                    const char *keep, int plus)
{
    char *out = secret->block + secret->used;
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (is_unreserved(c) || (c != '\0' && strchr(keep, c) != NULL)) {
            out[used++] = data[i];
        } else if (plus && c == ' ') {
            out[used++] = '+';
        } else {
            out[used++] = '%';
            out[used++] = digits[c >> 4];
            out[used++] = digits[c & 15];
        }
    }
    keep_form(secret, used);
}

/* Only the characters that no neighbouring byte can change. */
static void add_base64(struct secret *secret, const char *data, size_t size, const char *letters,
                       size_t offset)
{
    char *out = secret->block + secret->used;
    size_t used = 0;
    size_t first_bit = offset * 8;
    size_t last_bit = (offset + size) * 8;
    for (size_t bit = (first_bit + 5) / 6 * 6; bit + 6 <= last_bit; bit += 6) {
        size_t at = (bit - first_bit) / 8;
        unsigned pair = (unsigned)(unsigned char)data[at] << 8;
        if (at + 1 < size)
            pair |= (unsigned char)data[at + 1];
        out[used++] = letters[pair >> (10 - (bit - first_bit) % 8) & 63];
    }
    keep_form(secret, used);
}

enum json_style { JSON_PLAIN = 0, JSON_SLASH = 1, JSON_ASCII = 2, JSON_HTML = 4 };

static size_t put_unicode(char *out, unsigned code, const char *digits)
{
    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++)
        out[2 + i] = digits[code >> (12 - 4 * i) & 15];
    return 6;
}

/* Decodes one UTF-8 character; 0 when there is none. */
static size_t take_character(const char *data, size_t size, unsigned *ret)
{
    unsigned char c = (unsigned char)data[0];
    size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;
    if (length == 0 || length > size)
        return 0;
    *ret = length == 1 ? c : c & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)data[i] & 0xc0) != 0x80)
            return 0;
        *ret = *ret << 6 | ((unsigned char)data[i] & 0x3f);
    }
    return length;
}

static void add_json(struct secret *secret, const char *data, size_t size, int style,
                     const char *digits)
{
    static const char specials[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";
    char *out = secret->block + secret->used;
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        unsigned code = 0;
        size_t length = take_character(data + at, size - at, &code);
        if (length == 0) /* not text: no JSON holds it */
            return;
        const char *special = code != 0 && code < 0x80 ? strchr(specials, (int)code) : NULL;
        if (special != NULL) {
            out[used++] = '\\';
            out[used++] = letters[special - specials];
        } else if (code == '/' && (style & JSON_SLASH) != 0) {
            out[used++] = '\\';
            out[used++] = '/';
        } else if (code < 0x20 ||
                   ((style & JSON_HTML) != 0 && (code == '<' || code == '>' || code == '&'))) {
            used += put_unicode(out + used, code, digits);
        } else if (code >= 0x80 && (style & JSON_ASCII) != 0) {
            if (code >= 0x10000) {
                used += put_unicode(out + used, 0xd800 + ((code - 0x10000) >> 10), digits);
                code = 0xdc00 + ((code - 0x10000) & 0x3ff);
            }
            used += put_unicode(out + used, code, digits);
        } else {
            memcpy(out + used, data + at, length);
            used += length;
        }
        at += length;
    }
    keep_form(secret, used);
}

static void add_forms(struct secret *secret, const char *data, size_t size)
{
    static const char upper[] = "0123456789ABCDEF";
    static const char lower[] = "0123456789abcdef";
    static const char standard[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url_safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    add_raw(secret, data, size);
    for (int plus = 0; plus < 2; plus++) {
        add_url(secret, data, size, upper, "", plus);
        add_url(secret, data, size, lower, "", plus);
        add_url(secret, data, size, upper, "/", plus);
        add_url(secret, data, size, upper, "!*'()", plus);
    }
    for (size_t offset = 0; offset < 3; offset++) {
        add_base64(secret, data, size, standard, offset);
        add_base64(secret, data, size, url_safe, offset);
    }
    for (int style = 0; style < 8; style++) {
        add_json(secret, data, size, style, lower);
        add_json(secret, data, size, style, upper);
    }
}

/* ---- keeping them ---------------------------------------------------------------------------- */

static size_t trimmed(const char *data, size_t size)
{
    while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == '\r'))
        size--;
    return size;
}

/* A key of many lines is printed line by line. */
static void add_lines(struct secret *secret, const char *data, size_t size)
{
    int count = 0;
    for (size_t from = 0; from < size && count < LINES;) {
        const char *newline = memchr(data + from, '\n', size - from);
        size_t length = newline != NULL ? (size_t)(newline - data) - from : size - from;
        size_t text = trimmed(data + from, length);
        /* The frame of a PEM file is no secret. */
        if (text >= LEAST_LINE && memcmp(data + from, "-----", 5) != 0) {
            add_raw(secret, data + from, text);
            count++;
        }
        from += length + 1;
    }
}

/* The room for the worst case is far more than is needed, and locked memory is scarce. */
static void shrink(struct secret *secret)
{
    char *block = locked_new(secret->used);
    memcpy(block, secret->block, secret->used);
    for (size_t i = 0; i < secret->form_count; i++)
        secret->forms[i].data = block + (secret->forms[i].data - secret->block);
    sodium_free(secret->block);
    secret->block = block;
    (void)sodium_mprotect_readonly(block);
}

void redact_add(const void *data, size_t size)
{
    /* Printed lines end without the newline that a file had. */
    size = trimmed(data, size);
    if (size < LEAST_SIZE || is_known(data, size))
        return;
    struct secret *secret = memory_new(1, sizeof *secret);
    /* No form is longer than six times the value; a form that is not kept leaves its room. */
    secret->block = locked_new(size * 6 * (size_t)(FORMS / 2) + size + 64);
    secret->form_room = FORMS + LINES;
    secret->forms = memory_new(secret->form_room, sizeof *secret->forms);
    secret->next = all_secrets;
    all_secrets = secret;
    add_forms(secret, data, size);
    if (memchr(data, '\n', size) != NULL)
        add_lines(secret, data, size);
    shrink(secret);
}

void redact_clear(void)
{
    memset(by_first_byte, 0, sizeof by_first_byte);
    while (all_secrets != NULL) {
        struct secret *secret = all_secrets;
        all_secrets = secret->next;
        sodium_free(secret->block);
        free(secret->forms);
        free(secret);
    }
}

/* ---- replacing ------------------------------------------------------------------------------- */

static size_t longest_at(const char *text, size_t left)
{
    size_t longest = 0;
    for (const struct form *form = by_first_byte[(unsigned char)text[0]]; form != NULL;
         form = form->next)
        if (form->size > longest && form->size <= left && memcmp(text, form->data, form->size) == 0)
            longest = form->size;
    return longest;
}

/* NULL when nothing is found. Everything that any form covers goes, however they overlap. */
static char *replaced(const char *text, size_t size, size_t *ret_size)
{
    struct buffer out = BUFFER_INIT(SIZE_MAX / 2);
    size_t copied = 0;     /* of `text`, so far dealt with */
    size_t covered_to = 0; /* end of the hidden stretch that goes on */
    int any = 0;
    for (size_t at = 0; at < size; at++) {
        size_t length = longest_at(text + at, size - at);
        if (length == 0)
            continue;
        if (!any || at > covered_to) {
            (void)buffer_append(&out, text + copied, at - copied);
            (void)buffer_append_text(&out, mark);
        }
        any = 1;
        if (at + length > covered_to)
            covered_to = at + length;
        copied = covered_to;
    }
    if (!any)
        return NULL;
    (void)buffer_append(&out, text + copied, size - copied);
    *ret_size = out.size;
    return buffer_take(&out);
}

char *redact_text(const char *text)
{
    size_t size = 0;
    char *hidden = all_secrets != NULL ? replaced(text, strlen(text), &size) : NULL;
    return hidden != NULL ? hidden : text_copy(text);
}

static void redact_string(json_t *string)
{
    size_t size = 0;
    cleanup_free char *hidden =
        replaced(json_string_value(string), json_string_length(string), &size);
    if (hidden == NULL)
        return;
    /* A form that cut a character in two leaves no text; nothing of it is worth keeping then. */
    if (json_string_setn(string, hidden, size) != 0)
        (void)json_string_set(string, mark);
}

static void redact_members(json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    void *next = NULL;
    json_object_foreach_safe(object, next, key, value)
    {
        size_t size = 0;
        redact_json(value);
        cleanup_free char *hidden = replaced(key, strlen(key), &size);
        if (hidden == NULL)
            continue;
        cleanup_json json_t *kept = json_incref(value);
        (void)json_object_del(object, key);
        if (json_object_set(object, hidden, kept) != 0)
            (void)json_object_set(object, mark, kept);
    }
}

void redact_json(json_t *json)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (all_secrets == NULL)
        return;
    if (json_is_string(json))
        redact_string(json);
    else if (json_is_object(json))
        redact_members(json);
    else if (json_is_array(json))
        json_array_foreach (json, index, entry)
            redact_json(entry);
}
