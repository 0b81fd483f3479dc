/* The private keys that a person holds: what opens encrypted artifacts. In locked memory. */
#ifndef SALVOR_SEAL_IDENTITY_H
#define SALVOR_SEAL_IDENTITY_H

#include <stddef.h>

#include "base/error.h"
#include "seal/key-text.h"

struct identity;

enum { IDENTITY_KEYS_LIMIT = 64 };

struct identity *identity_new(void);

/* Name under which the parent has the reference of the n-th private key for its workers
 * ("identity.0"; no option of a plugin has a dot in its name). Owned by the caller. */
char *identity_secret_name(size_t index);

/*
 * Takes the keys of `text` (an identity file: a key a line, '#' begins a comment). `name` is what
 * errors call it; they show no line of it.
 */
int identity_add(struct identity *identity, const char *text, size_t size, const char *name,
                 struct error *reterr);

size_t identity_count(const struct identity *identity);
const unsigned char *identity_public(const struct identity *identity, size_t index);
const unsigned char *identity_secret(const struct identity *identity, size_t index);

/*
 * A new key: *ret_text is the content of an identity file in locked memory (sodium_free), the
 * recipient goes to `ret_recipient`.
 */
void identity_generate(char **ret_text, char ret_recipient[KEY_TEXT_SIZE]);

void identity_free(struct identity *identity);

static inline void identity_free_at(struct identity **slot)
{
    identity_free(*slot);
}

#define cleanup_identity __attribute__((cleanup(identity_free_at)))

#endif
