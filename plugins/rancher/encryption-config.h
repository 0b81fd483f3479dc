/*
 * An EncryptionConfiguration (apiserver.config.k8s.io/v1) as the operator reads it: which types are
 * encrypted, with which providers and keys. Keys lie in guarded memory.
 */
#ifndef SALVOR_RANCHER_ENCRYPTION_CONFIG_H
#define SALVOR_RANCHER_ENCRYPTION_CONFIG_H

#include <salvor/types.h>
#include <stddef.h>

#define ENCRYPTION_CONFIG_KEY "encryption-provider-config.yaml" /* of the Secret's data */

enum cipher { CIPHER_AESCBC, CIPHER_AESGCM, CIPHER_SECRETBOX, CIPHER_KMS, CIPHER_IDENTITY };

struct encryption_key {
    char *name;
    unsigned char *secret; /* sodium_malloc() */
    size_t size;
    char *text; /* its base64, for redaction; sodium_malloc() */
};

struct encryption_provider {
    enum cipher cipher;
    struct encryption_key *keys;
    size_t key_count;
};

/* All that holds for one name of a resource, "secrets" or "*.apps", in the order of the file. */
struct encryption_target {
    char *resource; /* "*": every one of the group */
    char *group;    /* "" for the core; "*": every group */
    struct encryption_provider **providers;
    size_t provider_count;
};

struct encryption_config {
    struct encryption_provider *providers;
    size_t provider_count;
    struct encryption_target *targets;
    size_t target_count;
};

/* Name of a cipher in the file and in the blobs: "aescbc". */
const char *cipher_name(enum cipher cipher);

/* SALVOR_REFUSED: the operator refuses it, too (reported, without anything of its content). */
salvor_status encryption_config_read(salvor_call *call, struct salvor_span yaml,
                                     struct encryption_config **ret_config);
void encryption_config_free(struct encryption_config *config);

/* What holds for a type: exact, then all of its group, then all of all groups. NULL: it stays
 * plain. */
const struct encryption_target *encryption_config_find(const struct encryption_config *config,
                                                       struct salvor_span group,
                                                       struct salvor_span resource);

/* 1: some name is a wildcard, which operators before release 6 do not honour. */
int encryption_config_has_wildcards(const struct encryption_config *config);

/* 1: some provider is a key management service, which is out of reach here. */
int encryption_config_has_kms(const struct encryption_config *config);

#if defined(__GNUC__)
static inline void encryption_config_free_at(struct encryption_config **config)
{
    encryption_config_free(*config);
}
#define auto_encryption_config __attribute__((__cleanup__(encryption_config_free_at)))
#endif

#endif
