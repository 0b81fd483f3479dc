#include "json-text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char hex_digits[] = "0123456789abcdef";

int json_text_write_string(struct buffer *out, const char *text, size_t size)
{
    /* The longest escape of one byte is six bytes. */
    char *room = buffer_reserve(out, 2 + size * 6);
    if (room == NULL)
        return -1;
    char *at = room;
    *at++ = '"';
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c == '\n' || c == '\r' || c == '\t') {
            *at++ = '\\';
            *at++ = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
        } else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
            memcpy(at, "\\u00", 4);
            at[4] = hex_digits[c >> 4];
            at[5] = hex_digits[c & 15];
            at += 6;
        } else if (c == 0xe2 && i + 2 < size && (unsigned char)text[i + 1] == 0x80 &&
                   ((unsigned char)text[i + 2] & 0xfe) == 0xa8) {
            memcpy(at, "\\u202", 5);
            at[5] = (unsigned char)text[i + 2] == 0xa8 ? '8' : '9';
            at += 6;
            i += 2;
        } else {
            *at++ = (char)c;
        }
    }
    *at++ = '"';
    *at = '\0';
    out->size += (size_t)(at - room);
    return 0;
}

static int write_real(struct buffer *out, double value)
{
    char digits[40];
    int precision = 0;
    do {
        snprintf(digits, sizeof digits, "%.*e", precision, value);
    } while (precision++ < 17 && strtod(digits, NULL) != value);

    double size = fabs(value);
    if (size != 0 && (size < 1e-6 || size >= 1e21)) {
        /* One digit of exponent where one is enough: 1e-7, not 1e-07. */
        char *exponent = strchr(digits, 'e') + 2;
        if (exponent[0] == '0')
            memmove(exponent, exponent + 1, strlen(exponent));
        return buffer_append_text(out, digits);
    }
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    int decimals = precision - 1 - exponent;
    return buffer_format(out, "%.*f", decimals < 0 ? 0 : decimals, value);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Keys of the object, sorted, as an owned array of borrowed texts. */
static const char **sorted_keys(const json_t *object, size_t *ret_count)
{
    size_t count = 0;
    const char **keys = memory_new(json_object_size(object) + 1, sizeof *keys);
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at))
        keys[count++] = json_object_iter_key(at);
    qsort(keys, count, sizeof *keys, compare_keys);
    *ret_count = count;
    return keys;
}

static int write_member(struct buffer *out, const json_t *object, const char *key, int first)
{
    if (!first && buffer_append(out, ",", 1) != 0)
        return -1;
    if (json_text_write_string(out, key, strlen(key)) != 0 || buffer_append(out, ":", 1) != 0)
        return -1;
    return json_text_write(out, json_object_get(object, key));
}

static int write_object(struct buffer *out, const json_t *object)
{
    size_t count;
    cleanup_free const char **keys = sorted_keys(object, &count);
    if (buffer_append(out, "{", 1) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (write_member(out, object, keys[i], i == 0) != 0)
            return -1;
    return buffer_append(out, "}", 1);
}

static int write_array(struct buffer *out, const json_t *array)
{
    if (buffer_append(out, "[", 1) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(array); i++)
        if ((i > 0 && buffer_append(out, ",", 1) != 0) ||
            json_text_write(out, json_array_get(array, i)) != 0)
            return -1;
    return buffer_append(out, "]", 1);
}

int json_text_write(struct buffer *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(out, value);
    case JSON_ARRAY:
        return write_array(out, value);
    case JSON_STRING:
        return json_text_write_string(out, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return buffer_format(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return write_real(out, json_real_value(value));
    case JSON_TRUE:
        return buffer_append_text(out, "true");
    case JSON_FALSE:
        return buffer_append_text(out, "false");
    default:
        return buffer_append_text(out, "null");
    }
}

int json_text_write_object(struct buffer *out, const json_t *object, size_t *ret_metadata_size)
{
    size_t count;
    cleanup_free const char **keys = sorted_keys(object, &count);
    if (buffer_append(out, "{\"metadata\":", 12) != 0)
        return -1;
    size_t begin = out->size;
    if (json_text_write(out, json_object_get(object, "metadata")) != 0)
        return -1;
    *ret_metadata_size = out->size - begin;
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i], "metadata") != 0 && write_member(out, object, keys[i], 0) != 0)
            return -1;
    return buffer_append(out, "}", 1);
}

json_t *json_text_read(const char *text, size_t size, char **ret_message)
{
    json_error_t error;
    json_t *value = json_loadb(text, size, JSON_ALLOW_NUL, &error);
    if (value == NULL && ret_message != NULL)
        *ret_message = text_format("json parse error: %s at offset %d", error.text, error.position);
    return value;
}
