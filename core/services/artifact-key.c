#include "services/artifact-key.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/locked.h"
#include "base/text.h"
#include "services/secret.h"

#define RUN_KEY "salvor-artifacts"

enum {
    WRAPPED_SIZE = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + SEAL_KEY_SIZE,
    VARIANT = sodium_base64_VARIANT_ORIGINAL
};

salvor_status artifact_identity(struct worker_call *call, struct identity **ret_identity)
{
    cleanup_identity struct identity *identity = identity_new();
    *ret_identity = NULL;
    for (size_t i = 0;; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_free char *name = identity_secret_name(i);
        salvor_secret *secret = NULL;
        struct salvor_span value = {0};
        salvor_status status = secret_ask(call, name, "the private key", &secret);
        if (status == SALVOR_NOT_FOUND)
            break;
        if (status == SALVOR_OK)
            status = secret_view(call, secret, &value);
        if (status != SALVOR_OK)
            return status;
        int added = identity_add(identity, value.data, (size_t)value.size, name, &err);
        secret_drop(call, secret);
        if (added != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
    }
    if (identity_count(identity) > 0)
        *ret_identity = take_pointer(identity);
    return SALVOR_OK;
}

/* ---- what this run has made ------------------------------------------------------------------ */

static salvor_status make_run_key(struct worker_call *call, unsigned char *ret_key)
{
    crypto_secretbox_keygen(ret_key);
    return secret_remember(call, RUN_KEY, ret_key, crypto_secretbox_KEYBYTES);
}

/* NOT_FOUND when there is none. */
static salvor_status find_run_key(struct worker_call *call, unsigned char *ret_key)
{
    salvor_secret *secret = NULL;
    struct salvor_span value = {0};
    salvor_status status = secret_recall(call, RUN_KEY, &secret);
    if (status == SALVOR_OK)
        status = secret_view(call, secret, &value);
    if (status != SALVOR_OK)
        return status;
    if (value.size == crypto_secretbox_KEYBYTES)
        memcpy(ret_key, value.data, crypto_secretbox_KEYBYTES);
    else
        status = call_fail(call, SALVOR_FAILED, "the run's key for its artifacts is damaged");
    secret_drop(call, secret);
    return status;
}

salvor_status artifact_key_wrap(struct worker_call *call, const unsigned char *key, char **ret_text)
{
    unsigned char wrapped[WRAPPED_SIZE];
    unsigned char *run_key = locked_new(crypto_secretbox_KEYBYTES);
    salvor_status status = find_run_key(call, run_key);
    if (status == SALVOR_NOT_FOUND)
        status = make_run_key(call, run_key);
    if (status == SALVOR_OK) {
        const size_t room = sodium_base64_encoded_len(sizeof wrapped, VARIANT);
        randombytes_buf(wrapped, crypto_secretbox_NONCEBYTES);
        (void)crypto_secretbox_easy(wrapped + crypto_secretbox_NONCEBYTES, key, SEAL_KEY_SIZE,
                                    wrapped, run_key);
        *ret_text = memory_new(room, 1);
        (void)sodium_bin2base64(*ret_text, room, wrapped, sizeof wrapped, VARIANT);
    }
    sodium_free(run_key);
    return status;
}

salvor_status artifact_key_unwrap(struct worker_call *call, const char *text,
                                  unsigned char *ret_key)
{
    unsigned char wrapped[WRAPPED_SIZE];
    size_t size = 0;
    unsigned char *run_key = locked_new(crypto_secretbox_KEYBYTES);
    salvor_status status = find_run_key(call, run_key);
    if (status == SALVOR_OK &&
        (sodium_base642bin(wrapped, sizeof wrapped, text, strlen(text), NULL, &size, NULL,
                           VARIANT) != 0 ||
         size != sizeof wrapped ||
         crypto_secretbox_open_easy(ret_key, wrapped + crypto_secretbox_NONCEBYTES,
                                    sizeof wrapped - crypto_secretbox_NONCEBYTES, wrapped,
                                    run_key) != 0))
        status = call_fail(call, SALVOR_FAILED, "its key in the note beside it is damaged");
    sodium_free(run_key);
    return status;
}
