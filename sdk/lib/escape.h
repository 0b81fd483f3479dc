/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Escapes of JSON strings; internal to the helper library. */
#ifndef SALVOR_LIB_ESCAPE_H
#define SALVOR_LIB_ESCAPE_H

#include <stdint.h>

#include "utf8.h"

static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Bytes of the escape at the backslash `at`: 2, 6, or 0 when it is none. */
static inline unsigned escape_size(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    switch (at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 2;
    case 'u':
        if (end - at < 6)
            return 0;
        for (int i = 2; i < 6; i++) {
            if (hex_value(at[i]) < 0)
                return 0;
        }
        return 6;
    default:
        return 0;
    }
}

/* The code unit of a checked \uXXXX escape. */
static inline uint32_t escape_unit(const char *at)
{
    uint32_t unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit * 16 + (uint32_t)hex_value(at[i]);
    return unit;
}

static inline int is_high_surrogate(uint32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static inline int is_low_surrogate(uint32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* Decodes the checked escape at *at and moves behind it. Returns the code point; half a surrogate
 * pair is returned as it stands. */
static inline uint32_t escape_decode(const char **at, const char *end)
{
    const char *here = *at;
    if (here[1] != 'u') {
        *at = here + 2;
        switch (here[1]) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return (uint32_t)(unsigned char)here[1];
        }
    }
    const uint32_t unit = escape_unit(here);
    *at = here + 6;
    if (is_high_surrogate(unit) && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        const uint32_t low = escape_unit(*at);
        if (is_low_surrogate(low)) {
            *at += 6;
            return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return unit;
}

/* The next character of a checked string, decoded; its bytes, or 0 for half a surrogate pair. */
static inline unsigned string_next(const char **at, const char *end, char decoded[4])
{
    if (**at != '\\') {
        decoded[0] = *(*at)++;
        return 1;
    }
    const uint32_t code = escape_decode(at, end);
    if (is_high_surrogate(code) || is_low_surrogate(code))
        return 0;
    return utf8_encode(code, decoded);
}

#endif
