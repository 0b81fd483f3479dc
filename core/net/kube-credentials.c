#include "net/kube-credentials.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/kube-plugin.h"
#include "services/secret.h"

enum {
    KEPT_ANSWERS = 16,
    TOKEN_FILE_AGE_MS = 60000, /* as kubectl: a projected token changes without notice */
    TOKEN_LIMIT = 65536,
    EARLY_MS = 10000 /* an answer that ends sooner is not used any more */
};

/* Answers of plugins, by what they were asked; the oldest one makes room. */
static struct kept {
    char key[DIGEST_TEXT_SIZE];
    struct kube_plugin_answer answer;
    int64_t used;
} answers[KEPT_ANSWERS];

static struct kept *find_answer(const char *key)
{
    for (size_t i = 0; i < KEPT_ANSWERS; i++) {
        if (strcmp(answers[i].key, key) == 0)
            return &answers[i];
    }
    return NULL;
}

static struct kept *room_for_answer(const char *key)
{
    struct kept *oldest = &answers[0];
    for (size_t i = 1; i < KEPT_ANSWERS; i++) {
        if (answers[i].used < oldest->used)
            oldest = &answers[i];
    }
    kube_plugin_clear(&oldest->answer);
    memcpy(oldest->key, key, sizeof oldest->key);
    return oldest;
}

void kube_credentials_forget(void)
{
    for (size_t i = 0; i < KEPT_ANSWERS; i++) {
        kube_plugin_clear(&answers[i].answer);
        answers[i] = (struct kept){0};
    }
}

/* ---- taking them over ------------------------------------------------------------------------ */

static salvor_status make_known(struct worker_call *call, const char *secret)
{
    return secret == NULL ? SALVOR_OK : secret_redact(call, secret, strlen(secret));
}

static void drop_own(struct kube_credentials *credentials)
{
    sodium_free(credentials->own_token);
    free(credentials->own_certificate);
    sodium_free(credentials->own_key);
    credentials->own_token = credentials->own_certificate = credentials->own_key = NULL;
    credentials->token = credentials->certificate = credentials->key = NULL;
}

static char *copy_secret(const char *secret)
{
    return secret != NULL ? locked_copy(secret, strlen(secret)) : NULL;
}

static void take_answer(struct kube_credentials *credentials, struct kept *kept)
{
    drop_own(credentials);
    kept->used = clock_monotonic_ms();
    credentials->own_token = copy_secret(kept->answer.token);
    credentials->own_certificate =
        kept->answer.certificate != NULL ? text_copy(kept->answer.certificate) : NULL;
    credentials->own_key = copy_secret(kept->answer.key);
    credentials->token = credentials->own_token;
    credentials->certificate = credentials->own_certificate;
    credentials->key = credentials->own_key;
    credentials->renew_at = kept->answer.expires_ms;
    credentials->generation++;
}

/* ---- where they come from -------------------------------------------------------------------- */

/* `fresh`: an answer that is kept already will not do. */
static salvor_status ask_plugin(struct worker_call *call, struct kube_credentials *credentials,
                                int fresh)
{
    char key[DIGEST_TEXT_SIZE];
    struct kube_plugin_answer answer = {0};
    json_digest(credentials->access->exec, key);
    struct kept *kept = find_answer(key);
    if (kept != NULL && !fresh &&
        (kept->answer.expires_ms == 0 ||
         kept->answer.expires_ms - EARLY_MS > clock_realtime_ms())) {
        salvor_status status = make_known(call, kept->answer.token);
        if (status == SALVOR_OK)
            take_answer(credentials, kept);
        return status;
    }
    salvor_status status = kube_plugin_run(call, credentials->access->exec, &answer);
    if (status == SALVOR_OK)
        status = make_known(call, answer.token);
    if (status == SALVOR_OK)
        status = make_known(call, answer.key);
    if (status != SALVOR_OK) {
        kube_plugin_clear(&answer);
        return status;
    }
    if (kept == NULL)
        kept = room_for_answer(key);
    kube_plugin_clear(&kept->answer);
    kept->answer = answer;
    take_answer(credentials, kept);
    return SALVOR_OK;
}

/* The file's present token; the last one that could be read holds when it cannot. */
static salvor_status read_token_file(struct worker_call *call, struct kube_credentials *credentials)
{
    char *text = NULL;
    size_t size = 0;
    credentials->file_read_at = clock_monotonic_ms();
    if (file_read(credentials->access->token_file, TOKEN_LIMIT, &text, &size, NULL) != 0)
        return SALVOR_OK;
    const size_t begin = strspn(text, " \t\r\n");
    const size_t length = strcspn(text + begin, " \t\r\n");
    char *token = length > 0 ? locked_copy(text + begin, length) : NULL;
    sodium_memzero(text, size);
    free(text);
    if (token == NULL || text_equal(token, credentials->token)) {
        sodium_free(token);
        return SALVOR_OK;
    }
    salvor_status status = make_known(call, token);
    if (status != SALVOR_OK) {
        sodium_free(token);
        return status;
    }
    sodium_free(credentials->own_token);
    credentials->token = credentials->own_token = token;
    credentials->generation++;
    return SALVOR_OK;
}

/* ---- the life of them ------------------------------------------------------------------------ */

salvor_status kube_credentials_open(struct worker_call *call, const struct kube_access *access,
                                    struct kube_credentials *ret_credentials)
{
    *ret_credentials = (struct kube_credentials){
        .access = access,
        .generation = 1,
        .token = access->token,
        .certificate = access->certificate,
        .key = access->key,
        .file_read_at = clock_monotonic_ms(),
    };
    salvor_status status = make_known(call, access->token);
    if (status == SALVOR_OK)
        status = make_known(call, access->password);
    if (status == SALVOR_OK)
        status = make_known(call, access->key);
    if (status == SALVOR_OK && access->exec != NULL)
        status = ask_plugin(call, ret_credentials, 0);
    return status;
}

salvor_status kube_credentials_check(struct worker_call *call, struct kube_credentials *credentials)
{
    const struct kube_access *access = credentials->access;
    if (access->exec != NULL && credentials->renew_at != 0 &&
        clock_realtime_ms() + EARLY_MS > credentials->renew_at)
        return ask_plugin(call, credentials, 0);
    if (access->token_file != NULL &&
        clock_monotonic_ms() - credentials->file_read_at > TOKEN_FILE_AGE_MS)
        return read_token_file(call, credentials);
    return SALVOR_OK;
}

salvor_status kube_credentials_renew(struct worker_call *call, struct kube_credentials *credentials,
                                     uint64_t generation)
{
    if (credentials->generation != generation)
        return SALVOR_OK;
    if (credentials->access->exec != NULL)
        return ask_plugin(call, credentials, 1);
    if (credentials->access->token_file != NULL) {
        salvor_status status = read_token_file(call, credentials);
        if (status != SALVOR_OK)
            return status;
    }
    return credentials->generation != generation ? SALVOR_OK : SALVOR_NOT_FOUND;
}

char *kube_credentials_header(const struct kube_credentials *credentials)
{
    const struct kube_access *access = credentials->access;
    if (!access->tls)
        return NULL;
    if (credentials->token != NULL)
        return text_format("Authorization: Bearer %s", credentials->token);
    if (access->username == NULL)
        return NULL;
    cleanup_free char *both = text_format("%s:%s", access->username, access->password);
    const size_t size = strlen(both);
    const size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *encoded = memory_new(room, 1);
    (void)sodium_bin2base64(encoded, room, (const unsigned char *)both, size,
                            sodium_base64_VARIANT_ORIGINAL);
    char *header = text_format("Authorization: Basic %s", encoded);
    sodium_memzero(both, size);
    sodium_memzero(encoded, room);
    return header;
}

void kube_credentials_clear(struct kube_credentials *credentials)
{
    drop_own(credentials);
    *credentials = (struct kube_credentials){0};
}
