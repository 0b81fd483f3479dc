#include "engine/delivery.h"

#include <salvor/plugin.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/interrupt.h"
#include "engine/store-desk.h"
#include "store/folder-store.h"

/* ---- what is heard of the work ----------------------------------------------------------------
 */

static void on_progress(void *data, uint64_t done, uint64_t total, const char *what)
{
    const struct run *run = data;
    if (run->ui.progress != NULL)
        run->ui.progress(run->ui.data, done, total, what);
}

static void on_log(void *data, uint32_t level, const char *text)
{
    run_log(data, level, "%s", text);
}

static int on_evidence(void *data, const json_t *body, struct error *reterr)
{
    return run_record(data, "evidence", json_clone(body), JOURNAL_EVIDENCE, reterr);
}

static int on_tick(void *data)
{
    const struct run *run = data;
    if (run->ui.tick != NULL)
        run->ui.tick(run->ui.data);
    return interrupt_count() > 1 ? 2 : interrupt_count();
}

static struct store_desk_hearer hearer_of(struct run *run)
{
    return (struct store_desk_hearer){.data = run,
                                      .progress = on_progress,
                                      .log = on_log,
                                      .evidence = on_evidence,
                                      .tick = on_tick};
}

/* ---- the work ---------------------------------------------------------------------------------
 */

void delivery_look(struct run *run, const json_t *store)
{
    cleanup_store_desk struct store_desk *desk = store_desk_new(store, NULL);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *request = json_object();
    const struct store_desk_hearer hearer = hearer_of(run);
    if (store_desk_do(desk, "reach", request, &hearer, NULL, &err) == 0 ||
        err.code == EXIT_INTERRUPTED)
        return;
    run_log(run, SALVOR_LOG_WARNING,
            "store '%s' cannot be used now: %s; the set will be made here and pushed later",
            json_text(store, "name"), err.message);
}

static int explain(const struct run *run, const json_t *store, const char *folder,
                   struct error *err, struct error *reterr)
{
    const char *name = json_text(store, "name");
    cleanup_free char *cause = text_copy(err->message);
    cleanup_free char *before = text_copy(err->hint != NULL ? err->hint : "");
    (void)error_set(reterr, err->code,
                    "backup set '%s' is complete in '%s', but it is not in store '%s'", run->id,
                    folder, name);
    (void)error_detail(reterr, "%s%s%s", cause, err->detail != NULL ? ": " : "",
                       err->detail != NULL ? err->detail : "");
    return error_hint(
        reterr, "%s%s'salvor backups push %s --store %s' or 'salvor resume %s' brings it there",
        before, *before != '\0' ? "; then " : "", run->id, name, run->id);
}

int delivery_push(struct run *run, const json_t *store, const char *folder, struct error *reterr)
{
    cleanup_store_desk struct store_desk *desk = store_desk_new(store, NULL);
    cleanup_json json_t *request = json_make("{s:s}", "folder", folder);
    cleanup_json json_t *result = NULL;
    cleanup_error struct error err = ERROR_INIT;
    const struct store_desk_hearer hearer = hearer_of(run);
    run_tell_phase(run, "deliver", json_text(store, "name"));
    if (store_desk_do(desk, "push", request, &hearer, &result, &err) != 0)
        return explain(run, store, folder, &err, reterr);
    kill_point("-", "set-pushed");
    if (run_record(run, "set",
                   json_make("{s:s, s:O?, s:O?, s:s?, s:O?, s:O?}", "name", run->id, "digest",
                             json_object_get(result, "digest"), "path",
                             json_object_get(result, "path"), "store", json_text(store, "name"),
                             "sent", json_object_get(result, "sent"), "bytes",
                             json_object_get(result, "bytes")),
                   JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point("-", "set-delivered");
    return 0;
}

void delivery_clear(struct run *run, const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    const char *slash = strrchr(folder, '/');
    cleanup_free char *parent = text_copy_span(folder, (size_t)(slash - folder));
    cleanup_free char *name = text_format("%s/", slash + 1);
    cleanup_store struct store *staging = folder_store_new(parent);
    if (store_remove_all(staging, name, NULL, &err) != 0)
        run_log(run, SALVOR_LOG_WARNING, "%s", err.message);
}
