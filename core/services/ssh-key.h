/*
 * A private key for ssh in locked memory, shared by all hosts that are opened with it. It is handed
 * to ssh as a memory file, never as a name in a file system.
 */
#ifndef SALVOR_SERVICES_SSH_KEY_H
#define SALVOR_SERVICES_SSH_KEY_H

#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"

struct ssh_key;

/* Copies the key unless it is known. -1 when ssh could not use it without asking somebody: it is
 * not a private key, or a passphrase protects it. Give it back with ssh_key_put. */
int ssh_key_take(const char *data, size_t size, struct ssh_key **ret_key, struct error *reterr);
struct ssh_key *ssh_key_ref(struct ssh_key *key);
void ssh_key_put(struct ssh_key *key);

/* Tells keys apart; NULL has one too. */
const char *ssh_key_digest(const struct ssh_key *key);

/* A memory file with it that ssh accepts; -1 with errno. */
int ssh_key_file(const struct ssh_key *key);

#endif
