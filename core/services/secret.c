#include "services/secret.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "host/redact.h"
#include "services/recorder.h"

struct salvor_secret {
    char *value; /* from sodium_malloc, NUL after the last byte */
    size_t size;
    char *origin; /* "option 'token'", for messages */
};

static void close_secret(struct worker_call *call, void *handle)
{
    (void)call;
    struct salvor_secret *secret = handle;
    sodium_free(secret->value);
    free(secret->origin);
    free(secret);
}

/* `value` (from sodium_malloc) is stolen. */
static salvor_secret *new_secret(struct worker_call *call, char *value, size_t size,
                                 const char *origin)
{
    struct salvor_secret *secret = memory_new(1, sizeof *secret);
    *secret = (struct salvor_secret){value, size, text_copy(origin)};
    /* A recording is written here, not by the parent: it must know what to leave out. */
    if (recorder_records(call->session->recorder))
        redact_add(value, size);
    call_register(call, secret, close_secret);
    return secret;
}

/* jansson knows no zeroing: what passed through it is wiped in place. */
static void wipe(const json_t *string)
{
    if (json_is_string(string))
        sodium_memzero((char *)(uintptr_t)json_string_value(string), json_string_length(string));
}

static json_t *encoded(const void *data, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *text = locked_new(room);
    (void)sodium_bin2base64(text, room, data, size, sodium_base64_VARIANT_ORIGINAL);
    json_t *string = json_string(text);
    sodium_free(text);
    return string;
}

/* Sends a request that holds a value; it is wiped afterwards. */
static salvor_status tell_value(struct worker_call *call, json_t *request, const void *data,
                                size_t size, json_t **ret_reply)
{
    json_t *value = encoded(data, size);
    json_put(request, "value", json_incref(value));
    salvor_status status = call_ask(call, request, ret_reply);
    wipe(value);
    json_decref(value);
    return status;
}

/* Takes the value of a reply into a handle. */
static salvor_status take_value(struct worker_call *call, const json_t *reply, const char *origin,
                                salvor_secret **ret_secret)
{
    const json_t *text = json_object_get(reply, "value");
    if (!json_flag(reply, "found"))
        return call_fail(call, SALVOR_NOT_FOUND, "%s is not given", origin);
    size_t room = json_string_length(text) / 4 * 3 + 3;
    size_t size = 0;
    char *value = locked_new(room + 1);
    int bad = !json_is_string(text) ||
              sodium_base642bin((unsigned char *)value, room, json_string_value(text),
                                json_string_length(text), NULL, &size, NULL,
                                sodium_base64_VARIANT_ORIGINAL) != 0;
    wipe(text);
    if (bad) {
        sodium_free(value);
        return call_fail(call, SALVOR_BUG, "the value of %s came damaged", origin);
    }
    value[size] = '\0';
    *ret_secret = new_secret(call, value, size, origin);
    return SALVOR_OK;
}

salvor_status secret_view(struct worker_call *call, salvor_secret *secret,
                          struct salvor_span *ret_value)
{
    if (!call_owns(call, secret, close_secret))
        return call_fail(call, SALVOR_BUG, "a secret handle is not open in this call");
    *ret_value = (struct salvor_span){secret->value, secret->size};
    return SALVOR_OK;
}

salvor_status secret_redact(struct worker_call *call, const void *data, size_t size)
{
    cleanup_json json_t *reply = NULL;
    if (size > SECRET_VALUE_LIMIT)
        return call_fail(call, SALVOR_FAILED, "a secret is larger than %d bytes",
                         SECRET_VALUE_LIMIT);
    /* It may stand in the answer that it came in. */
    if (recorder_records(call->session->recorder)) {
        cleanup_error struct error err = ERROR_INIT;
        redact_add(data, size);
        if (recorder_hide_again(call->session->recorder, &err) != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
    }
    return tell_value(call, json_make("{s:s}", "ask", "redact"), data, size, &reply);
}

/* ---- the service ----------------------------------------------------------------------------- */

static salvor_status check_option(struct worker_call *call, const char *option)
{
    const json_t *options = json_object_get(call->session->descriptor, "options");
    if (call->hook == HOOK_SERVICE) /* whatever the parent has a reference for */
        return SALVOR_OK;
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (options, index, entry)
        if (text_equal(json_text(entry, "name"), option))
            return json_flag(entry, "secret")
                       ? SALVOR_OK
                       : call_fail(call, SALVOR_BUG, "option '%s' is not a secret one", option);
    return call_fail(call, SALVOR_BUG, "the plugin has no option '%s'", option);
}

salvor_status secret_ask(struct worker_call *call, const char *name, const char *what,
                         salvor_secret **ret_secret)
{
    cleanup_json json_t *reply = NULL;
    *ret_secret = NULL;
    salvor_status status =
        call_ask(call, json_make("{s:s,s:s}", "ask", "secret", "option", name), &reply);
    return status == SALVOR_OK ? take_value(call, reply, what, ret_secret) : status;
}

static salvor_status secret_open(salvor_call *public_call, const char *option,
                                 salvor_secret **ret_secret)
{
    struct worker_call *call = call_of(public_call);
    if (option == NULL || ret_secret == NULL)
        return call_fail(call, SALVOR_BUG, "secret.open: an argument is missing");
    *ret_secret = NULL;
    salvor_status status = check_option(call, option);
    if (status != SALVOR_OK)
        return status;
    const int is_option = call->hook != HOOK_SERVICE;
    cleanup_free char *origin = text_format("secret %s'%s'", is_option ? "option " : "", option);
    status = secret_ask(call, option, origin, ret_secret);
    if (status == SALVOR_NOT_FOUND && is_option)
        return call_hint(
            call, status,
            "give it by reference: --%s env:NAME, file:PATH, exec:COMMAND or prompt:", option);
    return status;
}

static salvor_status secret_reveal(salvor_call *public_call, salvor_secret *secret,
                                   struct salvor_span *ret_value)
{
    struct worker_call *call = call_of(public_call);
    if (ret_value == NULL)
        return call_fail(call, SALVOR_BUG, "secret.reveal: an argument is missing");
    salvor_status status = secret_view(call, secret, ret_value);
    if (status == SALVOR_OK)
        call_evidence(call, json_make("{s:s,s:s,s:s,s:i}", "service", "secret", "what", "reveal",
                                      "of", secret->origin, "duration_ms", 0));
    return status;
}

static salvor_status secret_adopt(salvor_call *public_call, const void *data, uint64_t size,
                                  salvor_secret **ret_secret)
{
    struct worker_call *call = call_of(public_call);
    if ((data == NULL && size > 0) || ret_secret == NULL || size > SECRET_VALUE_LIMIT)
        return call_fail(
            call, SALVOR_BUG,
            "secret.adopt: an argument is missing, or the value is larger than %d bytes",
            SECRET_VALUE_LIMIT);
    *ret_secret = NULL;
    /* Before anything can be printed of it, the parent knows. */
    salvor_status status = secret_redact(call, data, (size_t)size);
    if (status != SALVOR_OK)
        return status;
    *ret_secret = new_secret(call, locked_copy(data, (size_t)size), (size_t)size, "adopted secret");
    return SALVOR_OK;
}

static void secret_close(salvor_call *public_call, salvor_secret *secret)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, secret, close_secret))
        return;
    secret_drop(call, secret);
}

void secret_drop(struct worker_call *call, salvor_secret *secret)
{
    call_forget(call, secret);
    close_secret(call, secret);
}

static salvor_status check_name(struct worker_call *call, const char *name)
{
    size_t size = name != NULL ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
    if (size == 0 || size > 100 || name[size] != '\0')
        return call_fail(call, SALVOR_BUG, "sealed name '%.120s' is not made of a-z 0-9 -",
                         name != NULL ? name : "");
    if (text_starts(name, "salvor-"))
        return call_fail(call, SALVOR_BUG, "sealed name '%s' is one of salvor's own", name);
    return SALVOR_OK;
}

salvor_status secret_remember(struct worker_call *call, const char *name, const void *data,
                              size_t size)
{
    cleanup_json json_t *reply = NULL;
    return tell_value(call, json_make("{s:s,s:s}", "ask", "seal", "name", name), data, size,
                      &reply);
}

salvor_status secret_recall(struct worker_call *call, const char *name, salvor_secret **ret_secret)
{
    cleanup_json json_t *reply = NULL;
    *ret_secret = NULL;
    salvor_status status =
        call_ask(call, json_make("{s:s,s:s}", "ask", "unseal", "name", name), &reply);
    if (status != SALVOR_OK)
        return status;
    cleanup_free char *origin = text_format("sealed secret '%s'", name);
    return take_value(call, reply, origin, ret_secret);
}

static salvor_status secret_seal(salvor_call *public_call, const char *name, salvor_secret *secret)
{
    struct worker_call *call = call_of(public_call);
    struct salvor_span value = {0};
    salvor_status status = check_name(call, name);
    if (status == SALVOR_OK)
        status = secret_view(call, secret, &value);
    if (status == SALVOR_OK && text_equal(call->row, "-"))
        status = call_fail(call, SALVOR_BUG, "secret.seal is for run_step only");
    return status == SALVOR_OK ? secret_remember(call, name, value.data, (size_t)value.size)
                               : status;
}

static salvor_status secret_unseal(salvor_call *public_call, const char *name,
                                   salvor_secret **ret_secret)
{
    struct worker_call *call = call_of(public_call);
    if (ret_secret == NULL)
        return call_fail(call, SALVOR_BUG, "secret.unseal: an argument is missing");
    *ret_secret = NULL;
    salvor_status status = check_name(call, name);
    return status == SALVOR_OK ? secret_recall(call, name, ret_secret) : status;
}

const struct salvor_secrets secrets_table = {
    .struct_size = sizeof(struct salvor_secrets),
    .version = 1,
    .open = secret_open,
    .reveal = secret_reveal,
    .adopt = secret_adopt,
    .close = secret_close,
    .seal = secret_seal,
    .unseal = secret_unseal,
};
