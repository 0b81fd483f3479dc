#include "cli/display.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/banned.h"
#include "base/text.h"

/* Length of the UTF-8 sequence at `text` and its code point; 0 when it is none. */
static size_t decode(const unsigned char *text, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80             ? 1
                  : (text[0] & 0xe0) == 0xc0 ? 2
                  : (text[0] & 0xf0) == 0xe0 ? 3
                  : (text[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (size == 0)
        return 0;
    uint32_t point = size == 1 ? text[0] : text[0] & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3fU);
    }
    if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    *ret_point = point;
    return size;
}

/* C1 controls and the marks that reverse the order of text hide as well as C0 does. */
static int is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

char *display_safe(const char *text, int keep_lines)
{
    size_t size = strlen(text);
    char *safe = memory_new(size + 1, 1);
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        uint32_t point = 0;
        size_t length = decode((const unsigned char *)text + at, &point);
        int bad = length == 0 || (is_control(point) && !(keep_lines && point == '\n'));
        if (bad) {
            safe[used++] = point == '\t' && length == 1 ? ' ' : '?';
        } else {
            memcpy(safe + used, text + at, length);
            used += length;
        }
        at += length > 0 ? length : 1;
    }
    safe[used] = '\0';
    return safe;
}

/* The C library knows the widths, but only of the locale in force; the program itself stays in the
 * C locale. */
static int width_of(uint32_t point)
{
    if (point < 0x300)
        return 1;
    static locale_t unicode;
    if (unicode == (locale_t)0)
        unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (unicode == (locale_t)0)
        return 1;
    locale_t before = uselocale(unicode);
    int width = wcwidth((wchar_t)point);
    uselocale(before);
    return width < 0 ? 1 : width;
}

/* Bytes of `text` that fit into `limit` columns; *ret_width: columns they take. */
static size_t measure(const char *text, size_t limit, size_t *ret_width)
{
    size_t at = 0;
    size_t width = 0;
    while (text[at] != '\0') {
        uint32_t point = 0;
        size_t length = decode((const unsigned char *)text + at, &point);
        size_t columns = length > 0 ? (size_t)width_of(point) : 1;
        if (width + columns > limit)
            break;
        width += columns;
        at += length > 0 ? length : 1;
    }
    *ret_width = width;
    return at;
}

size_t display_width(const char *text)
{
    size_t width = 0;
    (void)measure(text, SIZE_MAX / 2, &width);
    return width;
}

char *display_clip(const char *text, size_t width)
{
    size_t used = 0;
    size_t fits = measure(text, width, &used);
    if (text[fits] == '\0')
        return text_copy(text);
    if (width <= 3)
        return text_copy_span("...", width);
    fits = measure(text, width - 3, &used);
    return text_format("%.*s...", (int)fits, text);
}

char *display_duration(long long milliseconds)
{
    if (milliseconds < 0)
        milliseconds = 0;
    long long seconds = milliseconds / 1000;
    if (milliseconds < 1000)
        return text_format("%lldms", milliseconds);
    if (seconds < 60)
        return text_format("%llds", seconds);
    if (seconds < 3600)
        return text_format("%lldm%02llds", seconds / 60, seconds % 60);
    if (seconds < 86400)
        return text_format("%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
    return text_format("%lldd%02lldh", seconds / 86400, seconds / 3600 % 24);
}
