#include "base/utf8.h"

#include <string.h>

#include "base/banned.h"
#include "base/text.h"

/* Length of the valid character at `bytes`, 0 when there is none. */
static size_t character(const unsigned char *bytes, size_t size)
{
    const unsigned char lead = bytes[0];
    if (lead < 0x80)
        return lead != 0;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Overlong forms, surrogates and what lies above U+10FFFF show in the second byte. */
    if ((lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xed && bytes[1] > 0x9f) ||
        (lead == 0xf0 && bytes[1] < 0x90) || (lead == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

int utf8_valid(const char *data, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t i = 0; i < size;) {
        size_t length = character(bytes + i, size - i);
        if (length == 0)
            return 0;
        i += length;
    }
    return 1;
}

char *utf8_clean(const char *data, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *bytes = (const unsigned char *)data;
    char *clean = memory_new(sizeof replacement - 1, size + 1);
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        size_t length = character(bytes + i, size - i);
        const int control =
            bytes[i] == 0x7f || (bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\t');
        if (length == 0 || control) {
            memcpy(clean + used, replacement, sizeof replacement - 1);
            used += sizeof replacement - 1;
            i++;
        } else {
            memcpy(clean + used, data + i, length);
            used += length;
            i += length;
        }
    }
    clean[used] = '\0';
    return clean;
}

size_t utf8_cut(const char *data, size_t size)
{
    size_t start = size;
    while (start > 0 && size - start < 3 && ((unsigned char)data[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return size;
    const unsigned char lead = (unsigned char)data[start - 1];
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    return start - 1 + length > size ? start - 1 : size;
}
