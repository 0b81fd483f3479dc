#include "engine/store-desk.h"

#include <salvor/plugin.h>
#include <sodium.h>
#include <stdlib.h>

#include "backup/store-work.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/secret-reference.h"
#include "host/service.h"
#include "store/folder-store.h"

/* Uploads take as long as they take; what stands still is ended by the transport. */
#define DEADLINE_MS (INT64_C(30) * 86400000)

struct store_desk {
    const json_t *store;
    const json_t *identity;
    struct service *service; /* NULL: not needed yet */
};

struct store_desk *store_desk_new(const json_t *store, const json_t *identity)
{
    struct store_desk *desk = memory_new(1, sizeof *desk);
    desk->store = store;
    desk->identity = identity;
    return desk;
}

void store_desk_free(struct store_desk *desk)
{
    if (desk == NULL)
        return;
    service_free(desk->service);
    free(desk);
}

int store_is_folder(const json_t *store)
{
    return text_equal(json_text(store, "type"), "folder");
}

/* ---- here -------------------------------------------------------------------------------------
 */

static int fetch_identity(const struct store_desk *desk, struct identity *identity,
                          struct error *reterr)
{
    size_t index = 0;
    const json_t *reference = NULL;
    json_array_foreach (desk->identity, index, reference) {
        const char *from = json_string_value(reference);
        char *text = NULL;
        size_t size = 0;
        if (secret_reference_fetch(from, &text, &size, reterr) != 0)
            return -1;
        int added = identity_add(identity, text, size, from, reterr);
        sodium_free(text);
        if (added != 0)
            return -1;
    }
    return 0;
}

static int on_progress(void *data, int64_t done, int64_t total, const char *what)
{
    const struct store_desk_hearer *hearer = data;
    if (hearer != NULL && hearer->progress != NULL)
        hearer->progress(hearer->data, (uint64_t)(done > 0 ? done : 0), (uint64_t)total, what);
    return hearer != NULL && hearer->tick != NULL && hearer->tick(hearer->data) != 0;
}

static void on_item(void *data, const char *name, json_t *details)
{
    const struct store_desk_hearer *hearer = data;
    cleanup_json json_t *own = details;
    if (hearer != NULL && hearer->item != NULL)
        hearer->item(hearer->data, name, own);
}

static int do_here(const struct store_desk *desk, const struct store_work *work,
                   const json_t *request, const struct store_desk_hearer *hearer,
                   json_t **ret_result, struct error *reterr)
{
    void *data = (void *)(uintptr_t)hearer;
    const struct store_work_hearer inner = {{on_progress, data}, on_item, data};
    cleanup_store struct store *store = folder_store_new(json_text(desk->store, "path"));
    cleanup_identity struct identity *identity = identity_new();
    if (work->opens && fetch_identity(desk, identity, reterr) != 0)
        return -1;
    return store_work_run(store, work, request, identity_count(identity) > 0 ? identity : NULL,
                          &inner, ret_result, reterr);
}

/* ---- in a service worker ----------------------------------------------------------------------
 */

static json_t *secrets_of(const struct store_desk *desk)
{
    static const char *const names[] = {"access-key", "secret-key", "session-token"};
    json_t *secrets = json_object();
    size_t index = 0;
    const json_t *reference = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (json_text(desk->store, names[i]) != NULL)
            json_put_text(secrets, names[i], json_text(desk->store, names[i]));
    }
    json_array_foreach (desk->identity, index, reference) {
        cleanup_free char *name = identity_secret_name(index);
        json_put_text(secrets, name, json_string_value(reference));
    }
    return secrets;
}

static struct service *service_of(struct store_desk *desk)
{
    if (desk->service == NULL) {
        cleanup_json json_t *secrets = secrets_of(desk);
        const struct service_settings settings = {
            .secrets = secrets,
            .per_call = text_equal(getenv("SALVOR_WORKER"), "per-call"),
            .debug = getenv("SALVOR_DEBUG") != NULL,
        };
        desk->service = service_new(&settings);
    }
    return desk->service;
}

static int on_frame(void *data, enum frame_type type, const json_t *body, struct error *reterr)
{
    const struct store_desk_hearer *hearer = data;
    if (hearer == NULL)
        return 0;
    if (type == FRAME_ITEM && hearer->item != NULL)
        hearer->item(hearer->data, json_text(body, "name"), json_object_get(body, "details"));
    if (type == FRAME_PROGRESS && hearer->progress != NULL)
        hearer->progress(hearer->data, (uint64_t)json_whole(body, "done", 0),
                         (uint64_t)json_whole(body, "total", 0), json_text(body, "what"));
    if (type == FRAME_LOG && hearer->log != NULL)
        hearer->log(hearer->data, (uint32_t)json_whole(body, "level", SALVOR_LOG_INFO),
                    json_text(body, "text"));
    if (type == FRAME_EVIDENCE && hearer->evidence != NULL)
        return hearer->evidence(hearer->data, body, reterr);
    return 0;
}

static int on_tick(void *data)
{
    const struct store_desk_hearer *hearer = data;
    return hearer != NULL && hearer->tick != NULL ? hearer->tick(hearer->data) : 0;
}

static int do_there(struct store_desk *desk, const struct store_work *work, const json_t *request,
                    const struct store_desk_hearer *hearer, json_t **ret_result,
                    struct error *reterr)
{
    cleanup_free char *name = text_format("store.%s", work->name);
    cleanup_json json_t *whole = json_clone(request);
    salvor_status status = SALVOR_FAILED;
    json_put(whole, "store", json_clone(desk->store));
    const struct service_request call = {
        .name = name,
        /* verify writes down what it found; that it may not is no reason to refuse it */
        .effect = SALVOR_EFFECT_CHANGE,
        .deadline_ms = DEADLINE_MS,
        .request = whole,
    };
    const struct service_listener listener = {(void *)(uintptr_t)hearer, on_frame, on_tick};
    if (service_call(service_of(desk), &call, &listener, ret_result, &status, reterr) == 0)
        return 0;
    if (reterr != NULL && status == SALVOR_NOT_FOUND) /* as the same work here has it */
        reterr->code = EXIT_USAGE;
    return -1;
}

int store_desk_do(struct store_desk *desk, const char *work_name, const json_t *request,
                  const struct store_desk_hearer *hearer, json_t **ret_result, struct error *reterr)
{
    const struct store_work *work = store_work_find(work_name);
    cleanup_json json_t *result = NULL;
    if (work == NULL)
        return error_set(reterr, EXIT_FAILED, "no work '%s' is done on stores", work_name);
    if ((store_is_folder(desk->store)
             ? do_here(desk, work, request, hearer, &result, reterr)
             : do_there(desk, work, request, hearer, &result, reterr)) != 0)
        return -1;
    if (ret_result != NULL)
        *ret_result = json_incref(result);
    return 0;
}
