#include "backup/set-progress.h"

#include "base/banned.h"

static int moved(void *data, int64_t bytes)
{
    struct set_progress *progress = data;
    progress->done += bytes;
    if (progress->listener == NULL || progress->listener->progress == NULL)
        return 0;
    return progress->listener->progress(progress->listener->data, progress->done, progress->total,
                                        progress->what);
}

void set_progress_begin(struct set_progress *progress, struct store *store,
                        const struct set_listener *listener, int64_t total, const char *what)
{
    *progress = (struct set_progress){store, listener, what, 0, total};
    store_set_watch(store, (struct store_watch){moved, progress});
}

int set_progress_skip(struct set_progress *progress, int64_t bytes, struct error *reterr)
{
    return store_moved(progress->store, bytes, reterr);
}

void set_progress_end(struct set_progress *progress)
{
    if (progress->store != NULL)
        store_set_watch(progress->store, (struct store_watch){NULL, NULL});
}
