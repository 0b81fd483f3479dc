#include "tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <salvor/memory.h>
#include <salvor/options.h>
#include <salvor/text.h>

/* Bytes of the well-formed character at `at`; 0: none. */
static size_t character(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask;
        unsigned char mark;
        size_t size;
    } forms[] = {{0xE0, 0xC0, 2}, {0xF0, 0xE0, 3}, {0xF8, 0xF0, 4}};
    if (*at >= 0x20 && *at < 0x7f)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((*at & forms[i].mask) != forms[i].mark || left < forms[i].size)
            continue;
        for (size_t j = 1; j < forms[i].size; j++) {
            if ((at[j] & 0xC0) != 0x80)
                return 0;
        }
        /* overlong forms, surrogates and what lies beyond Unicode */
        if (*at < 0xC2 || *at > 0xF4 || (*at == 0xE0 && at[1] < 0xA0) ||
            (*at == 0xED && at[1] > 0x9F) || (*at == 0xF0 && at[1] < 0x90) ||
            (*at == 0xF4 && at[1] > 0x8F))
            return 0;
        return forms[i].size;
    }
    return 0;
}

const char *shown_name(struct salvor_span name, char buffer[SHOWN_SIZE])
{
    const unsigned char *at = (const unsigned char *)name.data;
    size_t left = (size_t)name.size;
    size_t used = 0;
    while (left > 0 && used + 8 < SHOWN_SIZE) {
        const size_t size = character(at, left);
        if (size == 0)
            buffer[used] = '?';
        else
            memcpy(buffer + used, at, size);
        used += size > 0 ? size : 1;
        at += size > 0 ? size : 1;
        left -= size > 0 ? size : 1;
    }
    memcpy(buffer + used, left > 0 ? "..." : "", left > 0 ? 4 : 1);
    return buffer;
}

enum { DETAIL_LIMIT = 2048, LIST_LIMIT = 8192 };

salvor_status tally_add(salvor_call *call, struct tally *tally, const char *object,
                        const char *format, ...)
{
    char detail[DETAIL_LIMIT];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    tally->count++;
    if (salvor_option_flag(call, "all-objects"))
        return salvor_raise_as(call, tally->severity, tally->finding, object, "%s", detail);
    if (tally->count > TALLY_NAMED)
        return SALVOR_OK;
    if (tally->count == 1) {
        tally->detail = salvor_copy_text(detail);
        if (tally->detail == NULL)
            return salvor_fail_memory(call, "a finding");
    }
    tally->objects[tally->count - 1] = salvor_copy_text(object);
    return tally->objects[tally->count - 1] != NULL ? SALVOR_OK
                                                    : salvor_fail_memory(call, "a finding");
}

uint64_t tally_wants(salvor_call *call, uint64_t count)
{
    return salvor_option_flag(call, "all-objects") || count < TALLY_NAMED ? count : TALLY_NAMED;
}

salvor_status tally_raise(salvor_call *call, struct tally *tally)
{
    salvor_auto_text struct salvor_text detail = SALVOR_TEXT_INIT(LIST_LIMIT);
    if (tally->count == 0 || tally->objects[0] == NULL)
        return SALVOR_OK;
    salvor_text_put(&detail, tally->detail);
    if (tally->count > 1)
        salvor_text_format(&detail,
                           "; %llu more objects: ", (unsigned long long)(tally->count - 1));
    for (uint32_t i = 1; i < TALLY_NAMED && tally->objects[i] != NULL; i++)
        salvor_text_format(&detail, "%s'%s'", i > 1 ? ", " : "", tally->objects[i]);
    if (tally->count > TALLY_NAMED)
        salvor_text_put(&detail, ", ... ('--all-objects' names each)");
    SALVOR_TRY(salvor_text_check(call, &detail, "a finding"));
    return salvor_raise_as(call, tally->severity, tally->finding, tally->objects[0], "%s",
                           salvor_text_get(&detail));
}

void tally_clear(struct tally *tally)
{
    for (uint32_t i = 0; i < TALLY_NAMED; i++)
        salvor_release(tally->objects[i]);
    salvor_release(tally->detail);
    memset(tally->objects, 0, sizeof tally->objects);
    tally->detail = NULL;
    tally->count = 0;
}
