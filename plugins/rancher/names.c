#include "names.h"

#include <string.h>

#include <salvor/memory.h>

/* FNV-1a: the texts are names of this archive, and a bad distribution only costs time. */
static uint32_t hash_of(struct salvor_span text)
{
    uint32_t hash = 2166136261u;
    for (uint64_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash;
}

static uint32_t slot_of(const struct names *names, struct salvor_span text)
{
    uint32_t slot = hash_of(text) & (names->slot_count - 1);
    while (names->slots[slot] != 0) {
        const char *one = names->texts[names->slots[slot] - 1];
        if (strlen(one) == text.size &&
            (text.size == 0 || memcmp(one, text.data, (size_t)text.size) == 0))
            break;
        slot = (slot + 1) & (names->slot_count - 1);
    }
    return slot;
}

static int grow(struct names *names)
{
    if (names->count == names->capacity) {
        const uint32_t capacity = names->capacity > 0 ? names->capacity * 2 : 64;
        char **texts = salvor_resize(names->texts, capacity * sizeof *texts);
        if (texts == NULL)
            return -1;
        names->texts = texts;
        names->capacity = capacity;
    }
    if (names->count * 2 < names->slot_count)
        return 0;
    const uint32_t slot_count = names->slot_count > 0 ? names->slot_count * 2 : 128;
    uint32_t *slots = salvor_allocate_zeroed(slot_count * sizeof *slots);
    if (slots == NULL)
        return -1;
    salvor_release(names->slots);
    names->slots = slots;
    names->slot_count = slot_count;
    for (uint32_t i = 0; i < names->count; i++) {
        const struct salvor_span text = {names->texts[i], strlen(names->texts[i])};
        slots[slot_of(names, text)] = i + 1;
    }
    return 0;
}

uint32_t names_find(const struct names *names, struct salvor_span text)
{
    if (names->slot_count == 0)
        return NAME_NONE;
    const uint32_t slot = slot_of(names, text);
    return names->slots[slot] != 0 ? names->slots[slot] - 1 : NAME_NONE;
}

uint32_t names_add(struct names *names, struct salvor_span text)
{
    const uint32_t known = names_find(names, text);
    if (known != NAME_NONE)
        return known;
    if (names->count == NAME_NONE - 1 || grow(names) != 0)
        return NAME_NONE;
    char *copy = salvor_copy_bytes(text.data != NULL ? text.data : "", (size_t)text.size);
    if (copy == NULL)
        return NAME_NONE;
    names->texts[names->count] = copy;
    names->slots[slot_of(names, text)] = ++names->count;
    names->bytes += text.size + 1;
    return names->count - 1;
}

const char *names_text(const struct names *names, uint32_t number)
{
    return names->texts[number];
}

void names_clear(struct names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        salvor_release(names->texts[i]);
    salvor_release(names->texts);
    salvor_release(names->slots);
    memset(names, 0, sizeof *names);
}
