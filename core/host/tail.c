#include "host/tail.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/text.h"
#include "base/utf8.h"

void tail_add(struct tail *tail, const char *data, size_t size)
{
    if (tail->data == NULL)
        tail->data = memory_new(1, TAIL_SIZE);
    if (size >= TAIL_SIZE) {
        memcpy(tail->data, data + (size - TAIL_SIZE), TAIL_SIZE);
        tail->size = TAIL_SIZE;
        return;
    }
    const size_t room = TAIL_SIZE - size;
    if (tail->size > room) {
        memmove(tail->data, tail->data + (tail->size - room), room);
        tail->size = room;
    }
    memcpy(tail->data + tail->size, data, size);
    tail->size += size;
}

char *tail_lines(const struct tail *tail, int lines, size_t limit)
{
    size_t end = tail->size;
    while (end > 0 && (tail->data[end - 1] == '\n' || tail->data[end - 1] == '\r'))
        end--;
    if (end == 0)
        return NULL;
    const size_t oldest = end > limit ? end - limit : 0;
    size_t start = end;
    for (int newlines = 0; start > oldest; start--) {
        if (tail->data[start - 1] == '\n' && ++newlines == lines)
            break;
    }
    return utf8_clean(tail->data + start, end - start);
}

void tail_clear(struct tail *tail)
{
    free(tail->data);
    tail->data = NULL;
    tail->size = 0;
}
