#include "net/store-calls.h"

#include <salvor/services.h>
#include <sodium.h>
#include <string.h>

#include "backup/store-work.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/s3-store.h"
#include "services/secret.h"
#include "worker/interfaces.h"

/* ---- secrets ----------------------------------------------------------------------------------
 */

/* A copy in locked memory (sodium_free), NUL-terminated; NULL with OK when the parent has none. */
static salvor_status secret_text(struct worker_call *call, const char *name, char **ret_text,
                                 size_t *ret_size)
{
    cleanup_error struct error err = ERROR_INIT;
    const struct salvor_secrets *secrets = interface_find(SALVOR_SECRET, 1, &err);
    salvor_secret *secret = NULL;
    struct salvor_span value = {0};
    *ret_text = NULL;
    if (secrets == NULL)
        return call_fail(call, SALVOR_FAILED, "there is no service for secrets");
    salvor_status status = secrets->open(&call->public, name, &secret);
    if (status == SALVOR_NOT_FOUND)
        return SALVOR_OK;
    if (status == SALVOR_OK)
        status = secret_view(call, secret, &value);
    if (status != SALVOR_OK)
        return status;
    *ret_text = locked_copy(value.data, (size_t)value.size);
    *ret_size = (size_t)value.size;
    secrets->close(&call->public, secret);
    return SALVOR_OK;
}

static salvor_status find_identity(struct worker_call *call, struct identity **ret_identity)
{
    cleanup_identity struct identity *identity = identity_new();
    for (size_t i = 0;; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_free char *name = identity_secret_name(i);
        char *text = NULL;
        size_t size = 0;
        salvor_status status = secret_text(call, name, &text, &size);
        if (status != SALVOR_OK)
            return status;
        if (text == NULL)
            break;
        int added = identity_add(identity, text, size, name, &err);
        sodium_free(text);
        if (added != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
    }
    *ret_identity = identity_count(identity) > 0 ? take_pointer(identity) : NULL;
    return SALVOR_OK;
}

/* ---- the store --------------------------------------------------------------------------------
 */

struct keys {
    char *access;
    char *secret;
    char *token;
};

static void drop_keys(struct keys *keys)
{
    sodium_free(keys->access);
    sodium_free(keys->secret);
    sodium_free(keys->token);
}

/* What is behind a file's last newline belongs to the file, not to the key. */
static void cut_newline(char *text)
{
    if (text != NULL && text_ends(text, "\n"))
        text[strlen(text) - 1] = '\0';
}

static salvor_status find_keys(struct worker_call *call, struct keys *keys)
{
    size_t size = 0;
    salvor_status status = secret_text(call, "access-key", &keys->access, &size);
    if (status == SALVOR_OK)
        status = secret_text(call, "secret-key", &keys->secret, &size);
    if (status == SALVOR_OK)
        status = secret_text(call, "session-token", &keys->token, &size);
    if (status == SALVOR_OK && (keys->access == NULL || keys->secret == NULL))
        status = call_fail(call, SALVOR_FAILED, "the store has no access key or no secret key");
    cut_newline(keys->access);
    cut_newline(keys->secret);
    cut_newline(keys->token);
    return status;
}

static salvor_status open_store(struct worker_call *call, const json_t *settings,
                                struct store **ret_store)
{
    __attribute__((cleanup(drop_keys))) struct keys keys = {NULL, NULL, NULL};
    cleanup_error struct error err = ERROR_INIT;
    const char *type = json_text(settings, "type");
    if (!text_equal(type, "s3"))
        return call_fail(call, SALVOR_FAILED, "a store of type '%s' is not known here",
                         type != NULL ? type : "");
    salvor_status status = find_keys(call, &keys);
    if (status != SALVOR_OK)
        return status;
    const struct s3_credentials credentials = {keys.access, keys.secret, keys.token};
    status = s3_store_open(call, settings, &credentials, ret_store, &err);
    return error_is_set(&err) ? call_fail_error(call, status, &err) : status;
}

/* ---- the call ---------------------------------------------------------------------------------
 */

static int tell_progress(void *data, int64_t done, int64_t total, const char *what)
{
    struct worker_call *call = data;
    call->public.host->progress(&call->public, (uint64_t)(done > 0 ? done : 0), (uint64_t)total,
                                what);
    return call_wait(call, NULL, 0, 0) != SALVOR_PENDING;
}

static void send_item(void *data, const char *name, json_t *details)
{
    call_send(data, FRAME_ITEM,
              json_make("{s:s, s:s, s:o}", "kind", "set", "name", name, "details", details));
}

static salvor_status status_of(const struct error *err)
{
    switch (err->code) {
    case EXIT_REFUSED:
        return SALVOR_REFUSED;
    case EXIT_INTERRUPTED:
        return SALVOR_CANCELLED;
    case EXIT_USAGE:
        return SALVOR_NOT_FOUND;
    default:
        return SALVOR_FAILED;
    }
}

static salvor_status run_work(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    const struct store_work *work = store_work_find(strchr(call->hook_name, '.') + 1);
    const struct store_work_hearer hearer = {{tell_progress, call}, send_item, call};
    cleanup_store struct store *store = NULL;
    cleanup_identity struct identity *identity = NULL;
    cleanup_error struct error err = ERROR_INIT;
    salvor_status status =
        work != NULL && work->writes ? call_may_change(call, "write to a store") : SALVOR_OK;
    if (status == SALVOR_OK && work != NULL && work->opens)
        status = find_identity(call, &identity);
    if (status == SALVOR_OK)
        status = open_store(call, json_object_get(request, "store"), &store);
    if (status != SALVOR_OK)
        return status;
    if (store_work_run(store, work, request, identity, &hearer, ret_result, &err) == 0)
        return SALVOR_OK;
    return call_fail_error(call, status_of(&err), &err);
}

const struct service_command store_commands[] = {
    {"store.list", run_work},
    {"store.manifest", run_work},
    {"store.verify", run_work},
    {"store.push", run_work},
    {"store.fetch", run_work},
    {"store.fetch-bare", run_work},
    {"store.export", run_work},
    {"store.remove", run_work},
    {"store.reach", run_work},
    {"store.check", run_work},
    {NULL, NULL},
};
