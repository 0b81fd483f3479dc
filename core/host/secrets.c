#include "host/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "config/secret-reference.h"
#include "host/redact.h"

enum { SEALED_LIMIT = SECRET_LIMIT + 256 };

struct fetched {
    struct fetched *next;
    char *option;
    char *value; /* from sodium_malloc */
    size_t size;
};

struct secrets {
    json_t *references;
    char *run_folder; /* or NULL */
    struct fetched *fetched;
};

struct secrets *secrets_new(const json_t *references, const char *run_folder)
{
    struct secrets *secrets = memory_new(1, sizeof *secrets);
    secrets->references = json_is_object(references) ? json_clone(references) : json_make("{}");
    secrets->run_folder = run_folder != NULL ? text_copy(run_folder) : NULL;
    return secrets;
}

void secrets_free(struct secrets *secrets)
{
    if (secrets == NULL)
        return;
    while (secrets->fetched != NULL) {
        struct fetched *gone = secrets->fetched;
        secrets->fetched = gone->next;
        sodium_free(gone->value);
        free(gone->option);
        free(gone);
    }
    json_decref(secrets->references);
    free(secrets->run_folder);
    free(secrets);
}

/* ---- values in JSON -------------------------------------------------------------------------- */

static json_t *reply_with(const char *value, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *text = locked_new(room);
    (void)sodium_bin2base64(text, room, (const unsigned char *)value, size,
                            sodium_base64_VARIANT_ORIGINAL);
    json_t *reply = json_make("{s:b,s:s}", "found", 1, "value", text);
    sodium_free(text);
    return reply;
}

static int value_of(const json_t *request, char **ret_value, size_t *ret_size, struct error *reterr)
{
    const json_t *text = json_object_get(request, "value");
    size_t room = json_string_length(text) / 4 * 3 + 3;
    if (!json_is_string(text) || room > SECRET_LIMIT + 3)
        return error_set(reterr, EXIT_FAILED, "a secret came without a value, or too large");
    char *value = locked_new(room);
    if (sodium_base642bin((unsigned char *)value, room, json_string_value(text),
                          json_string_length(text), NULL, ret_size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        sodium_free(value);
        return error_set(reterr, EXIT_FAILED, "the value of a secret came damaged");
    }
    *ret_value = value;
    return 0;
}

/* ---- secrets of options ---------------------------------------------------------------------- */

/* The question names what it is for, unless the reference has words of its own. */
static int fetch(struct secrets *secrets, const char *option, const char *reference,
                 const struct fetched **ret, struct error *reterr)
{
    cleanup_free char *named = text_equal(reference, "prompt:")
                                   ? text_format("prompt:secret '%s'", option)
                                   : text_copy(reference);
    char *value = NULL;
    size_t size = 0;
    for (const struct fetched *known = secrets->fetched; known != NULL; known = known->next) {
        if (text_equal(known->option, option)) {
            *ret = known;
            return 0;
        }
    }
    if (secret_reference_fetch(named, &value, &size, reterr) != 0)
        return error_prefix(reterr, "option '%s'", option);
    struct fetched *fresh = memory_new(1, sizeof *fresh);
    *fresh = (struct fetched){secrets->fetched, text_copy(option), value, size};
    secrets->fetched = fresh;
    *ret = fresh;
    return 0;
}

int secrets_ask_person(struct secrets *secrets, struct error *reterr)
{
    const char *option = NULL;
    json_t *reference = NULL;
    const struct fetched *fetched = NULL;
    json_object_foreach (secrets->references, option, reference)
        if (text_starts(json_string_value(reference), "prompt:") &&
            fetch(secrets, option, json_string_value(reference), &fetched, reterr) != 0)
            return -1;
    return 0;
}

static int answer_secret(struct secrets *secrets, const json_t *request, json_t **ret_reply,
                         struct error *reterr)
{
    const char *option = json_text(request, "option");
    const char *reference = option != NULL ? json_text(secrets->references, option) : NULL;
    const struct fetched *fetched = NULL;
    if (reference == NULL) {
        *ret_reply = json_make("{s:b}", "found", 0);
        return 0;
    }
    if (fetch(secrets, option, reference, &fetched, reterr) != 0)
        return -1;
    *ret_reply = reply_with(fetched->value, fetched->size);
    return 0;
}

static int answer_redact(const json_t *request, json_t **ret_reply, struct error *reterr)
{
    char *value = NULL;
    size_t size = 0;
    if (value_of(request, &value, &size, reterr) != 0)
        return -1;
    redact_add(value, size);
    sodium_free(value);
    *ret_reply = json_make("{}");
    return 0;
}

/* ---- sealed secrets -------------------------------------------------------------------------- */

static char *sealed_folder(const char *run_folder)
{
    return text_format("%s/sealed", run_folder);
}

/* The run's key in locked memory, made at the first seal when `make`; NULL with *reterr. */
static unsigned char *run_key(const char *folder, int make, struct error *reterr)
{
    cleanup_free char *path = text_format("%s/key", folder);
    unsigned char *key = locked_new(crypto_secretbox_KEYBYTES);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && read(fd, key, crypto_secretbox_KEYBYTES) == crypto_secretbox_KEYBYTES)
        return key;
    if (fd >= 0) {
        (void)error_set(reterr, EXIT_FAILED, "the key '%s' of the run is damaged", path);
    } else if (errno != ENOENT || !make) {
        (void)error_errno(reterr, EXIT_FAILED, errno, "cannot read the key '%s' of the run", path);
    } else {
        randombytes_buf(key, crypto_secretbox_KEYBYTES);
        if (file_make_folder(folder, reterr) == 0 &&
            file_write_atomic(path, key, crypto_secretbox_KEYBYTES, 0600, reterr) == 0)
            return key;
    }
    sodium_free(key);
    return NULL;
}

static char *sealed_path(const struct secrets *secrets, const json_t *request, char **ret_folder,
                         struct error *reterr)
{
    const char *name = json_text(request, "name");
    size_t size = name != NULL ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
    if (size == 0 || size > 100 || name[size] != '\0') {
        (void)error_set(reterr, EXIT_FAILED, "a sealed secret has no usable name");
        return NULL;
    }
    if (secrets->run_folder == NULL) {
        (void)error_set(reterr, EXIT_FAILED, "secret '%s' cannot be sealed outside a run", name);
        return NULL;
    }
    *ret_folder = sealed_folder(secrets->run_folder);
    return text_format("%s/secret-%s", *ret_folder, name);
}

static int answer_seal(struct secrets *secrets, const json_t *request, json_t **ret_reply,
                       struct error *reterr)
{
    cleanup_free char *folder = NULL;
    cleanup_free char *path = sealed_path(secrets, request, &folder, reterr);
    char *value = NULL;
    size_t size = 0;
    if (path == NULL || value_of(request, &value, &size, reterr) != 0)
        return -1;
    redact_add(value, size);
    unsigned char *key = run_key(folder, 1, reterr);
    size_t sealed_size = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + size;
    cleanup_free unsigned char *sealed = memory_new(sealed_size, 1);
    randombytes_buf(sealed, crypto_secretbox_NONCEBYTES);
    int result = -1;
    if (key != NULL) {
        (void)crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES,
                                    (const unsigned char *)value, size, sealed, key);
        result = file_write_atomic(path, sealed, sealed_size, 0600, reterr);
        sodium_free(key);
    }
    sodium_free(value);
    if (result == 0)
        *ret_reply = json_make("{}");
    return result;
}

static int answer_unseal(struct secrets *secrets, const json_t *request, json_t **ret_reply,
                         struct error *reterr)
{
    cleanup_free char *folder = NULL;
    cleanup_free char *path = sealed_path(secrets, request, &folder, reterr);
    cleanup_free char *sealed = NULL;
    size_t sealed_size = 0;
    const size_t head = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (path == NULL)
        return -1;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        *ret_reply = json_make("{s:b}", "found", 0);
        return 0;
    }
    if (file_read(path, SEALED_LIMIT, &sealed, &sealed_size, reterr) != 0)
        return -1;
    unsigned char *key = run_key(folder, 0, reterr);
    if (key == NULL)
        return -1;
    char *value = locked_new(sealed_size + 1);
    int bad = sealed_size < head ||
              crypto_secretbox_open_easy(
                  (unsigned char *)value, (unsigned char *)sealed + crypto_secretbox_NONCEBYTES,
                  sealed_size - crypto_secretbox_NONCEBYTES, (unsigned char *)sealed, key) != 0;
    sodium_free(key);
    if (!bad) {
        redact_add(value, sealed_size - head);
        *ret_reply = reply_with(value, sealed_size - head);
    }
    sodium_free(value);
    return bad ? error_set(reterr, EXIT_FAILED, "sealed secret '%s' is damaged", path) : 0;
}

int secrets_destroy_sealed(const char *run_folder, struct error *reterr)
{
    static const unsigned char zeros[crypto_secretbox_KEYBYTES];
    cleanup_free char *folder = sealed_folder(run_folder);
    cleanup_free char *path = text_format("%s/key", folder);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot destroy the key '%s'", path);
    if (fd >= 0 && (file_write_all(fd, zeros, sizeof zeros) != 0 || fsync(fd) != 0))
        return error_errno(reterr, EXIT_FAILED, errno, "cannot destroy the key '%s'", path);
    return file_remove_tree(folder, reterr);
}

/* ---- which ----------------------------------------------------------------------------------- */

int secrets_answer(struct secrets *secrets, const json_t *request, json_t **ret_reply,
                   struct error *reterr)
{
    const char *ask = json_text(request, "ask");
    int result = 0;
    if (text_equal(ask, "secret"))
        result = answer_secret(secrets, request, ret_reply, reterr);
    else if (text_equal(ask, "redact"))
        result = answer_redact(request, ret_reply, reterr);
    else if (text_equal(ask, "seal"))
        result = answer_seal(secrets, request, ret_reply, reterr);
    else if (text_equal(ask, "unseal"))
        result = answer_unseal(secrets, request, ret_reply, reterr);
    else
        return 0;
    return result == 0 ? 1 : -1;
}
