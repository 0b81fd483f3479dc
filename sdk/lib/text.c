/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/report.h>
#include <salvor/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

char *salvor_text_reserve(struct salvor_text *text, size_t size)
{
    if (text->failed != SALVOR_OK)
        return NULL;
    if (size > text->limit - text->size) {
        text->failed = SALVOR_REFUSED;
        return NULL;
    }
    const size_t needed = text->size + size + 1;
    if (needed > text->capacity) {
        size_t capacity = text->capacity < 128 ? 256 : text->capacity * 2;
        if (capacity < needed)
            capacity = needed;
        char *data = salvor_resize(text->data, capacity);
        if (data == NULL) {
            text->failed = SALVOR_FAILED;
            return NULL;
        }
        text->data = data;
        text->capacity = capacity;
    }
    return text->data + text->size;
}

void salvor_text_add(struct salvor_text *text, const void *data, size_t size)
{
    char *room = salvor_text_reserve(text, size);
    if (room == NULL)
        return;
    if (size > 0)
        memcpy(room, data, size);
    room[size] = '\0';
    text->size += size;
}

void salvor_text_put(struct salvor_text *text, const char *string)
{
    salvor_text_add(text, string, strlen(string));
}

void salvor_text_span(struct salvor_text *text, struct salvor_span span)
{
    salvor_text_add(text, span.data, (size_t)span.size);
}

void salvor_text_format(struct salvor_text *text, const char *format, ...)
{
    char small[512];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (size < 0) {
        text->failed = SALVOR_FAILED;
        return;
    }
    if ((size_t)size < sizeof small) {
        salvor_text_add(text, small, (size_t)size);
        return;
    }
    char *room = salvor_text_reserve(text, (size_t)size);
    if (room == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(room, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

void salvor_text_quote(struct salvor_text *text, const char *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *at = (const unsigned char *)data;
    const unsigned char *end = at + size;
    salvor_text_add(text, "\"", 1);
    while (at < end) {
        const unsigned char *plain = at;
        while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
            at++;
        salvor_text_add(text, plain, (size_t)(at - plain));
        if (at == end)
            break;
        if (*at >= 0x80) {
            const unsigned length = utf8_sequence(at, (size_t)(end - at));
            if (length > 0)
                salvor_text_add(text, at, length);
            else
                salvor_text_put(text, "\xef\xbf\xbd");
            at += length > 0 ? length : 1;
            continue;
        }
        const unsigned char c = *at++;
        const char *names = "\"\"\\\\\bb\ff\nn\rr\tt";
        char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        size_t escape_size = sizeof escape;
        for (const char *name = names; *name != '\0'; name += 2) {
            if ((unsigned char)*name == c) {
                escape[1] = name[1];
                escape_size = 2;
                break;
            }
        }
        salvor_text_add(text, escape, escape_size);
    }
    salvor_text_add(text, "\"", 1);
}

void salvor_text_encode(struct salvor_text *text, const char *string)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *string != '\0'; string++) {
        const unsigned char c = (unsigned char)*string;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            c == '.' || c == '_' || c == '~' || c == '-') {
            salvor_text_add(text, string, 1);
        } else {
            const char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
            salvor_text_add(text, escape, sizeof escape);
        }
    }
}

const char *salvor_text_get(const struct salvor_text *text)
{
    if (text->failed != SALVOR_OK)
        return NULL;
    return text->data != NULL ? text->data : "";
}

struct salvor_span salvor_text_as_span(const struct salvor_text *text)
{
    const struct salvor_span span = {text->failed == SALVOR_OK ? text->data : NULL,
                                     text->failed == SALVOR_OK ? text->size : 0};
    return span;
}

salvor_status salvor_text_check(salvor_call *call, const struct salvor_text *text, const char *what)
{
    if (text->failed == SALVOR_OK)
        return SALVOR_OK;
    if (text->failed == SALVOR_REFUSED)
        return salvor_fail(call, SALVOR_FAILED, NULL, "%s is larger than %zu bytes", what,
                           text->limit);
    return salvor_fail_memory(call, what);
}

void salvor_text_reset(struct salvor_text *text)
{
    text->size = 0;
    text->failed = SALVOR_OK;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void salvor_text_clear(struct salvor_text *text)
{
    salvor_release(text->data);
    text->data = NULL;
    text->size = text->capacity = 0;
    text->failed = SALVOR_OK;
}
