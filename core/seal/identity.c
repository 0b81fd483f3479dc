#include "seal/identity.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/clock.h"
#include "base/locked.h"
#include "base/text.h"

struct identity {
    size_t count;
    struct key {
        unsigned char secret[SEAL_KEY_SIZE];
        unsigned char public[SEAL_KEY_SIZE];
    } keys[IDENTITY_KEYS_LIMIT];
};

struct identity *identity_new(void)
{
    struct identity *identity = locked_new(sizeof *identity);
    identity->count = 0;
    return identity;
}

char *identity_secret_name(size_t index)
{
    return text_format("identity.%zu", index);
}

void identity_free(struct identity *identity)
{
    sodium_free(identity);
}

static int add_key(struct identity *identity, const char *line, size_t size, struct error *reterr)
{
    struct key *key = &identity->keys[identity->count];
    if (identity->count == IDENTITY_KEYS_LIMIT)
        return error_set(reterr, EXIT_USAGE, "there are more than %d private keys",
                         IDENTITY_KEYS_LIMIT);
    if (private_key_parse(line, size, key->secret, reterr) != 0)
        return -1;
    (void)crypto_scalarmult_base(key->public, key->secret);
    identity->count++;
    return 0;
}

int identity_add(struct identity *identity, const char *text, size_t size, const char *name,
                 struct error *reterr)
{
    size_t before = identity->count;
    const char *end = text + size;
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline != NULL ? newline : end) - line);
        const char *next = line + length + 1;
        while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
            length--;
        if (length > 0 && *line != '#' && add_key(identity, line, length, reterr) != 0)
            return error_prefix(reterr, "'%s'", name);
        line = next;
    }
    if (identity->count == before)
        return error_set(reterr, EXIT_USAGE, "'%s' holds no private key", name);
    return 0;
}

size_t identity_count(const struct identity *identity)
{
    return identity->count;
}

const unsigned char *identity_public(const struct identity *identity, size_t index)
{
    return identity->keys[index].public;
}

const unsigned char *identity_secret(const struct identity *identity, size_t index)
{
    return identity->keys[index].secret;
}

void identity_generate(char **ret_text, char ret_recipient[KEY_TEXT_SIZE])
{
    enum { ROOM = 512 };
    unsigned char public[SEAL_KEY_SIZE];
    unsigned char *secret = locked_new(SEAL_KEY_SIZE);
    char *key = locked_new(KEY_TEXT_SIZE);
    char *text = locked_new(ROOM);
    char now[CLOCK_TEXT_SIZE];
    (void)crypto_box_keypair(public, secret);
    recipient_text(public, ret_recipient);
    private_key_text(secret, key);
    clock_format(clock_realtime_ms(), now);
    (void)snprintf(text, ROOM,
                   "# Private key of salvor backups. Whoever has it can read them; without it "
                   "nobody can.\n# created %s\n# recipient %s\n%s\n",
                   now, ret_recipient, key);
    sodium_free(secret);
    sodium_free(key);
    *ret_text = text;
}
