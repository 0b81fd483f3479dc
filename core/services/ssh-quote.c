#include "services/ssh-quote.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/utf8.h"

int ssh_quote_word(struct buffer *out, const char *word)
{
    size_t plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,+@%");
    if (plain > 0 && word[plain] == '\0')
        return buffer_append(out, word, plain);
    if (buffer_append(out, "'", 1) != 0)
        return -1;
    for (;;) {
        size_t size = strcspn(word, "'");
        if (buffer_append(out, word, size) != 0)
            return -1;
        if (word[size] == '\0')
            return buffer_append(out, "'", 1);
        if (buffer_append_text(out, "'\\''") != 0)
            return -1;
        word += size + 1;
    }
}

/* A format of printf: what is neither text nor safe in single quotes becomes an octal escape. */
static size_t put_format(char *out, unsigned char c, int first)
{
    if (c == '\\' || c == '%') {
        out[0] = (char)c;
        out[1] = (char)c;
        return 2;
    }
    if (c == '\n') {
        out[0] = '\\';
        out[1] = 'n';
        return 2;
    }
    if (c >= 0x20 && c < 0x7f && c != '\'' && !(first && c == '-')) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)('0' + (c >> 6));
    out[2] = (char)('0' + (c >> 3 & 7));
    out[3] = (char)('0' + (c & 7));
    return 4;
}

int ssh_quote_format(struct buffer *out, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t at = 0; at < size;) {
        char piece[4096];
        size_t used = 0;
        while (at < size && used + 4 <= sizeof piece) {
            used += put_format(piece + used, bytes[at], at == 0);
            at++;
        }
        int full = buffer_append(out, piece, used);
        sodium_memzero(piece, used);
        if (full != 0)
            return -1;
    }
    return 0;
}

int ssh_word_is_plain(const char *word)
{
    return *word != '\0' &&
           word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "-_./:\\=+")] == '\0';
}

/* One character of valid UTF-8. */
static size_t take_code(const unsigned char *at, unsigned *ret)
{
    if (at[0] < 0x80) {
        *ret = at[0];
        return 1;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    *ret = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        *ret = *ret << 6 | (at[i] & 0x3fu);
    return length;
}

char *ssh_encoded_command(const char *text, size_t size)
{
    if (!utf8_valid(text, size))
        return NULL;
    cleanup_free unsigned char *wide = memory_new(size * 2 + 1, 1);
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        unsigned code = 0;
        at += take_code((const unsigned char *)text + at, &code);
        if (code >= 0x10000) {
            unsigned high = 0xd800 + ((code - 0x10000) >> 10);
            wide[used++] = (unsigned char)(high & 0xff);
            wide[used++] = (unsigned char)(high >> 8);
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        wide[used++] = (unsigned char)(code & 0xff);
        wide[used++] = (unsigned char)(code >> 8);
    }
    size_t room = sodium_base64_encoded_len(used, sodium_base64_VARIANT_ORIGINAL);
    char *encoded = memory_new(room, 1);
    (void)sodium_bin2base64(encoded, room, wide, used, sodium_base64_VARIANT_ORIGINAL);
    return encoded;
}
