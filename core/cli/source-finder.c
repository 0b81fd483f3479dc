#include "cli/source-finder.h"

#include <string.h>
#include <sys/stat.h>

#include "backup/set-list.h"
#include "backup/set-pick.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/message.h"
#include "cli/open-runs.h"
#include "cli/staged-sets.h"
#include "cli/store-view.h"
#include "config/config.h"
#include "engine/store-desk.h"

char *source_copies_folder(const struct arguments *arguments, const char *store)
{
    return text_format("%s/fetched/%s", arguments->state_folder, store);
}

static int from_path(const struct arguments *arguments, const char *path,
                     struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *absolute =
        strchr(path, '/') != NULL ? text_copy(path) : text_format("./%s", path);
    return backup_source_find("", arguments->provider, NULL, absolute, ret_source, reterr);
}

static int exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* ---- stores elsewhere -------------------------------------------------------------------------
 */

static int fetch(const struct arguments *arguments, const json_t *store, const char *work,
                 json_t *request, struct backup_source **ret_source, struct error *reterr)
{
    cleanup_store_view struct store_view *view = store_view_new(arguments, store);
    cleanup_json json_t *result = NULL;
    if (store_view_do(view, work, request, &result, reterr) != 0)
        return -1;
    return from_path(arguments, json_text(result, "path"), ret_source, reterr);
}

static int fetch_set(const struct arguments *arguments, const json_t *store, const char *provider,
                     const char *set, struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *folder = source_copies_folder(arguments, json_text(store, "name"));
    message(MESSAGE_INFO, "bringing set '%s' out of store '%s'", set, json_text(store, "name"));
    return fetch(arguments, store, "fetch",
                 json_make("{s:s, s:s, s:s}", "provider", provider, "set", set, "folder", folder),
                 ret_source, reterr);
}

/* 0, SET_NOT_THERE or -1. Sets that wait for the store count as being in it. */
static int from_store(const struct arguments *arguments, const char *what,
                      struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *place = store_view_place(arguments->store);
    const struct set_wish wish = {arguments->provider, arguments->site, what, place, 1};
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *rows = NULL;
    cleanup_json json_t *staged = NULL;
    const json_t *row = NULL;
    size_t index = 0;
    if (staged_sets_list(arguments, &staged, reterr) != 0)
        return -1;
    json_array_foreach (staged, index, row) {
        if (text_equal(json_text(row, "state"), "staged") &&
            text_equal(json_text(row, "set"), what))
            return from_path(arguments, json_text(row, "path"), ret_source, reterr);
    }
    if (store_view_list(view, arguments->provider, 0, &rows, reterr) != 0)
        return -1;
    int picked = set_pick(rows, &wish, &row, reterr);
    if (picked != 0)
        return picked;
    if (json_array_size(staged) > 0 && text_equal(what, "latest"))
        message(MESSAGE_WARNING,
                "sets that were made here are not in store '%s' yet, and 'latest' leaves them out: "
                "'salvor backups list' shows them",
                json_text(arguments->store, "name"));
    return fetch_set(arguments, arguments->store, json_text(row, "provider"), json_text(row, "set"),
                     ret_source, reterr);
}

static int from_folder_store(const struct arguments *arguments, const char *what,
                             struct backup_source **ret_source, struct error *reterr)
{
    const struct set_wish wish = {arguments->provider, arguments->site, what,
                                  arguments->store_folder, 1};
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *rows = NULL;
    const json_t *row = NULL;
    if (store_view_list(view, arguments->provider, 0, &rows, reterr) != 0)
        return -1;
    int picked = set_pick(rows, &wish, &row, reterr);
    return picked == 0 ? from_path(arguments, json_text(row, "path"), ret_source, reterr) : picked;
}

/* ---- URLs -------------------------------------------------------------------------------------
 */

/* 1 when the key is PROVIDER/SET. */
static int is_set_key(const char *key, char **ret_provider, char **ret_set)
{
    const char *slash = strchr(key, '/');
    if (slash == NULL || strchr(slash + 1, '/') != NULL)
        return 0;
    *ret_provider = text_copy_span(key, (size_t)(slash - key));
    *ret_set = text_copy(slash + 1);
    return set_name_is_valid(*ret_provider) && set_name_is_valid(*ret_set);
}

static int unusable(const char *url, const char *hint, struct error *reterr)
{
    (void)error_set(reterr, EXIT_USAGE, "'%s' names no backup", url);
    return error_hint(reterr, "%s", hint);
}

static int from_key(const struct arguments *arguments, const json_t *store, const char *key,
                    struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *provider = NULL;
    cleanup_free char *set = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (is_set_key(key, &provider, &set)) {
        if (fetch_set(arguments, store, provider, set, ret_source, &err) == 0)
            return 0;
        if (err.code != EXIT_USAGE) /* it is a set, and something else is wrong */
            return error_move(reterr, &err);
        error_clear(&err);
    }
    /* what lies under different keys must not meet under one name here */
    char digest[DIGEST_TEXT_SIZE];
    digest_text_of(key, strlen(key), digest);
    cleanup_free char *copies = source_copies_folder(arguments, json_text(store, "name"));
    cleanup_free char *folder = text_format("%s/bare/%.16s", copies, digest);
    return fetch(arguments, store, "fetch-bare",
                 json_make("{s:s, s:s}", "key", key, "folder", folder), ret_source, reterr);
}

static int from_url(const struct arguments *arguments, const char *url,
                    struct backup_source **ret_source, struct error *reterr)
{
    if (!text_starts(url, "s3://"))
        return unusable(url,
                        "URLs are s3://STORE/..., STORE being one of salvor.yaml; download "
                        "anything else and name the file",
                        reterr);
    const char *name = url + strlen("s3://");
    const char *slash = strchr(name, '/');
    if (slash == NULL || slash[1] == '\0')
        return unusable(url, "write s3://STORE/PROVIDER/SET or s3://STORE/KEY", reterr);
    cleanup_free char *store_name = text_copy_span(name, (size_t)(slash - name));
    cleanup_json json_t *store = config_store(arguments->config, store_name);
    if (store == NULL || store_is_folder(store)) {
        (void)error_set(reterr, EXIT_USAGE, "'%s': there is no store '%s' of type s3", url,
                        store_name);
        return error_hint(reterr, "STORE in s3://STORE/... is the name of a store in salvor.yaml, "
                                  "where its endpoint and bucket stand");
    }
    return from_key(arguments, store, slash + 1, ret_source, reterr);
}

/* ---- runs -------------------------------------------------------------------------------------
 */

/* 0, SET_NOT_THERE (no such run) or -1. */
static int from_run(const struct arguments *arguments, const char *what,
                    struct backup_source **ret_source, struct error *reterr)
{
    cleanup_json json_t *set = NULL;
    if (open_runs_made(arguments->state_folder, what, &set, NULL) != 0)
        return SET_NOT_THERE;
    if (set == NULL)
        return error_set(reterr, EXIT_USAGE, "run '%s' made no backup set", what);
    const char *path = json_text(set, "path");
    if (path != NULL && strstr(path, "://") != NULL)
        return from_url(arguments, path, ret_source, reterr);
    return from_path(arguments, path != NULL ? path : "", ret_source, reterr);
}

int source_find(const struct arguments *arguments, const char *what,
                struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *place = store_view_place(arguments->store);
    const struct set_wish wish = {arguments->provider, arguments->site, what, place, 1};
    if (strstr(what, "://") != NULL)
        return from_url(arguments, what, ret_source, reterr);
    if (strchr(what, '/') != NULL)
        return from_path(arguments, what, ret_source, reterr);
    int found = store_is_folder(arguments->store)
                    ? from_folder_store(arguments, what, ret_source, reterr)
                    : from_store(arguments, what, ret_source, reterr);
    if (found == SET_NOT_THERE && exists(what))
        return from_path(arguments, what, ret_source, reterr);
    if (found == SET_NOT_THERE)
        found = from_run(arguments, what, ret_source, reterr);
    return found == SET_NOT_THERE ? set_pick_nothing(&wish, reterr) : found;
}
