#include "big-number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <salvor/scan.h>

enum { RUN = 16 }; /* digits of 2^53 = 9007199254740992 */

/* Any run of that many digits covers a multiple of RUN. Most documents have none, not even within a
 * text, and are done with here. */
static int has_long_run(struct salvor_span json)
{
    for (uint64_t at = RUN - 1; at < json.size; at += RUN) {
        if (json.data[at] < '0' || json.data[at] > '9')
            continue;
        uint64_t first = at;
        uint64_t end = at + 1;
        while (first > 0 && json.data[first - 1] >= '0' && json.data[first - 1] <= '9')
            first--;
        while (end < json.size && json.data[end] >= '0' && json.data[end] <= '9')
            end++;
        if (end - first >= RUN)
            return 1;
    }
    return 0;
}

static int is_damaged_by_doubles(struct salvor_span number)
{
    char text[32];
    if (memchr(number.data, '.', (size_t)number.size) != NULL ||
        memchr(number.data, 'e', (size_t)number.size) != NULL ||
        memchr(number.data, 'E', (size_t)number.size) != NULL)
        return 0;
    if (number.size >= sizeof text)
        return 1;
    memcpy(text, number.data, (size_t)number.size);
    text[number.size] = '\0';
    errno = 0;
    const long long value = strtoll(text, NULL, 10);
    if (errno != 0)
        return 1;
    const double rounded = (double)value;
    /* 2^63 itself does not fit back into the type */
    return rounded >= 9223372036854775808.0 || (long long)rounded != value;
}

int big_number_find(struct salvor_span json, char *digits, size_t size)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    if (!has_long_run(json))
        return 0;
    salvor_scan_begin(&scanner, json);
    while (salvor_scan_next(&scanner, &token) == SALVOR_OK) {
        if (token.type != SALVOR_TOKEN_NUMBER || !is_damaged_by_doubles(token.text))
            continue;
        const size_t shown = token.text.size < size ? (size_t)token.text.size : size - 1;
        memcpy(digits, token.text.data, shown);
        digits[shown] = '\0';
        return 1;
    }
    return 0;
}
