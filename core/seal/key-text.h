/*
 * Keys as people copy them: "salvor-pk1…" is public (a recipient of backups), "salvor-sk1…"
 * private. Behind the prefix stand 32 bytes of key and 4 bytes of checksum in base64url, so that a
 * slip is found and the two kinds are never taken for each other. docs/encryption.md has the
 * details.
 */
#ifndef SALVOR_SEAL_KEY_TEXT_H
#define SALVOR_SEAL_KEY_TEXT_H

#include "base/error.h"

enum { SEAL_KEY_SIZE = 32, KEY_TEXT_SIZE = sizeof "salvor-pk1" + 48 };

/* -1 names what is wrong with the text. A key that cannot be encrypted to is none. */
int recipient_parse(const char *text, unsigned char ret_key[SEAL_KEY_SIZE], struct error *reterr);
void recipient_text(const unsigned char key[SEAL_KEY_SIZE], char ret_text[KEY_TEXT_SIZE]);

/* The same of private keys; the error never shows the text. `text` need not end with a NUL. */
int private_key_parse(const char *text, size_t size, unsigned char ret_key[SEAL_KEY_SIZE],
                      struct error *reterr);
void private_key_text(const unsigned char key[SEAL_KEY_SIZE], char ret_text[KEY_TEXT_SIZE]);

#endif
