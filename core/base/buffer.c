#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/text.h"

void *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (size > buffer->limit || buffer->size > buffer->limit - size)
        return NULL;
    size_t needed = buffer->size + size + 1;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity < 128 ? 256 : buffer->capacity * 2;
        if (capacity < needed)
            capacity = needed;
        buffer->data = memory_resize(buffer->data, capacity, 1);
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

int buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    char *room = buffer_reserve(buffer, size);
    if (room == NULL)
        return -1;
    if (size > 0)
        memcpy(room, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return 0;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

int buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_vformat(format, args);
    va_end(args);
    int result = buffer_append_text(buffer, text);
    free(text);
    return result;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    if (size >= buffer->size) {
        buffer->size = 0;
    } else {
        memmove(buffer->data, buffer->data + size, buffer->size - size);
        buffer->size -= size;
    }
    if (buffer->data != NULL)
        buffer->data[buffer->size] = '\0';
}

char *buffer_take(struct buffer *buffer)
{
    char *text = buffer->data != NULL ? buffer->data : text_copy("");
    buffer->data = NULL;
    buffer->size = 0;
    buffer->capacity = 0;
    return text;
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->size = 0;
    buffer->capacity = 0;
}
