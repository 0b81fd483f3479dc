#include "services/ssh-key.h"

#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/locked.h"
#include "base/text.h"
#include "services/shim-spawn.h"

struct ssh_key {
    struct ssh_key *next;
    size_t users;
    char *value; /* from sodium_malloc */
    size_t size;
    char digest[DIGEST_TEXT_SIZE];
};

static struct ssh_key *keys;

/* ---- can it be used? ------------------------------------------------------------------------- */

static int has(const char *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}

/* OpenSSH's own form says right at its beginning how it is encrypted. */
static int is_encrypted_openssh(const char *data, size_t size)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    static const char none[] = "openssh-key-v1\0\0\0\0\4none"; /* 23 bytes */
    char digits[32];
    unsigned char head[24];
    size_t count = 0;
    size_t got = 0;
    const char *at = memmem(data, size, begin, sizeof begin - 1);
    if (at == NULL)
        return 0;
    for (at += sizeof begin - 1; at < data + size && count < sizeof digits; at++)
        if (*at != '\r' && *at != '\n')
            digits[count++] = *at;
    (void)sodium_base642bin(head, sizeof head, digits, count, NULL, &got, NULL,
                            sodium_base64_VARIANT_ORIGINAL);
    return got == sizeof head && memcmp(head, none, sizeof none - 1) != 0;
}

static int check(const char *data, size_t size, struct error *reterr)
{
    if (!has(data, size, "-----BEGIN ") || !has(data, size, "PRIVATE KEY-----")) {
        (void)error_set(reterr, EXIT_USAGE, "the private key for ssh is none");
        return error_hint(reterr, has(data, size, "PuTTY")
                                      ? "convert it: puttygen FILE -O private-openssh -o KEY"
                                  : has(data, size, "ssh-") || has(data, size, "ecdsa-")
                                      ? "it looks like a public key: give the file without '.pub'"
                                      : "give the file that ssh-keygen made, without '.pub'");
    }
    if (has(data, size, "ENCRYPTED") || is_encrypted_openssh(data, size)) {
        (void)error_set(reterr, EXIT_USAGE, "the private key for ssh is protected by a passphrase");
        return error_hint(reterr, "load it into an agent with ssh-add and give no key, or give a "
                                  "copy without passphrase");
    }
    return 0;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* As ssh reads it: lines end with a newline alone, the last one too. */
static char *normalized(const char *data, size_t size, size_t *ret_size)
{
    char *value = locked_new(size + 2);
    size_t used = 0;
    for (size_t i = 0; i < size; i++)
        if (data[i] != '\r')
            value[used++] = data[i];
    if (used > 0 && value[used - 1] != '\n')
        value[used++] = '\n';
    value[used] = '\0';
    *ret_size = used;
    return value;
}

int ssh_key_take(const char *data, size_t size, struct ssh_key **ret_key, struct error *reterr)
{
    char digest[DIGEST_TEXT_SIZE];
    digest_text_of(data, size, digest);
    for (struct ssh_key *key = keys; key != NULL; key = key->next) {
        if (text_equal(key->digest, digest)) {
            *ret_key = ssh_key_ref(key);
            return 0;
        }
    }
    if (check(data, size, reterr) != 0)
        return -1;
    struct ssh_key *key = memory_new(1, sizeof *key);
    *key = (struct ssh_key){.next = keys, .users = 1};
    key->value = normalized(data, size, &key->size);
    memcpy(key->digest, digest, sizeof digest);
    keys = key;
    *ret_key = key;
    return 0;
}

struct ssh_key *ssh_key_ref(struct ssh_key *key)
{
    if (key != NULL)
        key->users++;
    return key;
}

void ssh_key_put(struct ssh_key *key)
{
    if (key == NULL || --key->users > 0)
        return;
    struct ssh_key **at = &keys;
    while (*at != key)
        at = &(*at)->next;
    *at = key->next;
    sodium_free(key->value);
    free(key);
}

const char *ssh_key_digest(const struct ssh_key *key)
{
    return key != NULL ? key->digest : "agent";
}

int ssh_key_file(const struct ssh_key *key)
{
    cleanup_close int fd = memory_file("salvor-key", key->value, key->size);
    /* ssh refuses a key that others could read. */
    if (fd < 0 || fchmod(fd, 0600) != 0)
        return -1;
    return take_fd(&fd);
}
