#include "cli/store-view.h"

#include <salvor/types.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "engine/interrupt.h"
#include "engine/store-desk.h"

struct store_view {
    struct store_desk *desk;
    struct progress *progress; /* NULL: nothing moves yet */
    json_t *rows;              /* of the list that is being read */
};

struct store_view *store_view_new(const struct arguments *arguments, const json_t *store)
{
    struct store_view *view = memory_new(1, sizeof *view);
    view->desk = store_desk_new(store, json_object_get(arguments->keeping, "identity"));
    interrupt_install();
    return view;
}

void store_view_free(struct store_view *view)
{
    if (view == NULL)
        return;
    store_desk_free(view->desk);
    progress_free(view->progress);
    json_decref(view->rows);
    free(view);
}

char *store_view_place(const json_t *store)
{
    return store_is_folder(store) ? text_copy(json_text(store, "path"))
                                  : text_format("s3://%s", json_text(store, "name"));
}

/* ---- what is heard ----------------------------------------------------------------------------
 */

static void on_item(void *data, const char *name, const json_t *details)
{
    struct store_view *view = data;
    (void)name;
    if (view->rows != NULL && json_is_object(details))
        json_add(view->rows, json_clone(details));
}

static void on_progress(void *data, uint64_t done, uint64_t total, const char *what)
{
    struct store_view *view = data;
    if (view->progress == NULL) {
        view->progress = progress_new(STDERR_FILENO, clock_monotonic_ms);
        progress_phase(view->progress, what);
    }
    progress_items(view->progress, done, total, "bytes");
}

static void on_log(void *data, uint32_t level, const char *text)
{
    (void)data;
    message(level >= SALVOR_LOG_WARNING ? MESSAGE_WARNING
            : level >= SALVOR_LOG_INFO  ? MESSAGE_INFO
                                        : MESSAGE_DEBUG,
            "%s", text);
}

static int on_tick(void *data)
{
    struct store_view *view = data;
    if (view->progress != NULL)
        progress_tick(view->progress);
    return interrupt_count() > 1 ? 2 : interrupt_count();
}

/* ---- the work ---------------------------------------------------------------------------------
 */

int store_view_do(struct store_view *view, const char *work, json_t *request, json_t **ret_result,
                  struct error *reterr)
{
    cleanup_json json_t *own = request;
    const struct store_desk_hearer hearer = {
        .data = view, .item = on_item, .progress = on_progress, .log = on_log, .tick = on_tick};
    int result = store_desk_do(view->desk, work, own, &hearer, ret_result, reterr);
    progress_free(take_pointer(view->progress));
    return result;
}

int store_view_list(struct store_view *view, const char *provider, int touched, json_t **ret_rows,
                    struct error *reterr)
{
    json_decref(view->rows);
    view->rows = json_array();
    int result = store_view_do(view, "list",
                               json_make("{s:s?, s:b}", "provider", provider, "touched", touched),
                               NULL, reterr);
    json_t *rows = take_pointer(view->rows);
    if (result == 0)
        *ret_rows = rows;
    else
        json_decref(rows);
    return result;
}
