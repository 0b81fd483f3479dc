#include "backup/store-work.h"

#include <string.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-export.h"
#include "backup/set-fetch.h"
#include "backup/set-list.h"
#include "backup/set-proof.h"
#include "backup/set-push.h"
#include "backup/set-remove.h"
#include "backup/set-verify.h"
#include "backup/store-check.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

struct job {
    struct store *store;
    const json_t *request;
    const struct identity *identity;
    const struct store_work_hearer *hearer;
};

/* A text that must be there. */
static int need(const struct job *job, const char *name, const char **ret_text,
                struct error *reterr)
{
    *ret_text = json_text(job->request, name);
    if (*ret_text != NULL && **ret_text != '\0')
        return 0;
    return error_set(reterr, EXIT_FAILED, "work on a store lacks its '%s'", name);
}

static int need_set(const struct job *job, const char **ret_provider, const char **ret_set,
                    struct error *reterr)
{
    if (need(job, "provider", ret_provider, reterr) != 0 || need(job, "set", ret_set, reterr) != 0)
        return -1;
    if (set_name_is_valid(*ret_provider) && set_name_is_valid(*ret_set))
        return 0;
    return error_set(reterr, EXIT_USAGE, "'%s/%s' cannot be the name of a backup set",
                     *ret_provider, *ret_set);
}

/* ---- list, manifest ---------------------------------------------------------------------------
 */

static int do_list(const struct job *job, json_t **ret_result, struct error *reterr)
{
    cleanup_json json_t *list = NULL;
    size_t index = 0;
    json_t *row = NULL;
    if (set_list(job->store, json_text(job->request, "provider"), &list, reterr) != 0 ||
        (json_flag(job->request, "touched") && set_list_touched(job->store, list, reterr) != 0))
        return -1;
    json_array_foreach (list, index, row)
        job->hearer->item(job->hearer->data, json_text(row, "set"), json_incref(row));
    *ret_result = json_object();
    return 0;
}

static int do_manifest(const struct job *job, json_t **ret_result, struct error *reterr)
{
    const char *provider = NULL;
    const char *set = NULL;
    const char *folder = NULL;
    cleanup_free char *text = NULL;
    cleanup_free char *sums = NULL;
    char digest[DIGEST_TEXT_SIZE];
    size_t size = 0;
    if (need_set(job, &provider, &set, reterr) != 0 || need(job, "folder", &folder, reterr) != 0)
        return -1;
    int found = set_manifest_texts(job->store, provider, set, &text, &size, &sums, reterr);
    if (found == STORE_ABSENT)
        return set_absent_error(job->store, provider, set, reterr);
    if (found != 0)
        return -1;
    cleanup_free char *manifest_path = text_format("%s/" SET_MANIFEST, folder);
    cleanup_free char *sums_path = text_format("%s/" SET_SUMS, folder);
    if (file_write_atomic(manifest_path, text, size, 0600, reterr) != 0 ||
        (sums != NULL && file_write_atomic(sums_path, sums, strlen(sums), 0600, reterr) != 0))
        return -1;
    digest_text_of(text, size, digest);
    *ret_result = json_make("{s:s}", "digest", digest);
    return 0;
}

/* ---- verify -----------------------------------------------------------------------------------
 */

static int do_verify(const struct job *job, json_t **ret_result, struct error *reterr)
{
    struct set_verify_request request = {.read_data = json_flag(job->request, "read_data"),
                                         .identity = job->identity};
    cleanup_json json_t *result = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (need_set(job, &request.provider, &request.set, reterr) != 0 ||
        set_verify(job->store, &request, &job->hearer->listener, &result, reterr) != 0)
        return -1;
    if (json_flag(job->request, "record")) {
        /* whoever may only read the store verifies all the same */
        int recorded = set_proof_record(job->store, result, &err) == 0;
        json_put(result, "recorded", json_boolean(recorded));
        json_put_text(result, "record_problem", err.message);
    }
    *ret_result = json_incref(result);
    return 0;
}

/* ---- moving -----------------------------------------------------------------------------------
 */

static int do_push(const struct job *job, json_t **ret_result, struct error *reterr)
{
    const char *folder = NULL;
    if (need(job, "folder", &folder, reterr) != 0)
        return -1;
    return set_push(job->store, folder, &job->hearer->listener, ret_result, reterr);
}

static int do_fetch(const struct job *job, json_t **ret_result, struct error *reterr)
{
    const char *provider = NULL;
    const char *set = NULL;
    const char *folder = NULL;
    if (need_set(job, &provider, &set, reterr) != 0 || need(job, "folder", &folder, reterr) != 0)
        return -1;
    return set_fetch(job->store, provider, set, folder, &job->hearer->listener, ret_result, reterr);
}

static int do_fetch_bare(const struct job *job, json_t **ret_result, struct error *reterr)
{
    const char *key = NULL;
    const char *folder = NULL;
    if (need(job, "key", &key, reterr) != 0 || need(job, "folder", &folder, reterr) != 0)
        return -1;
    return set_fetch_bare(job->store, key, folder, &job->hearer->listener, ret_result, reterr);
}

static int do_export(const struct job *job, json_t **ret_result, struct error *reterr)
{
    struct set_export_request request = {.identity = job->identity};
    if (need_set(job, &request.provider, &request.set, reterr) != 0 ||
        need(job, "folder", &request.folder, reterr) != 0)
        return -1;
    return set_export(job->store, &request, &job->hearer->listener, ret_result, reterr);
}

static int do_remove(const struct job *job, json_t **ret_result, struct error *reterr)
{
    const char *key = NULL;
    if (need(job, "key", &key, reterr) != 0 ||
        set_remove(job->store, key, json_text(job->request, "digest"), reterr) != 0)
        return -1;
    *ret_result = json_object();
    return 0;
}

static int ignore(void *data, const char *key, const struct store_info *info, struct error *reterr)
{
    (void)data;
    (void)key;
    (void)info;
    (void)reterr;
    return 0;
}

static int do_reach(const struct job *job, json_t **ret_result, struct error *reterr)
{
    if (store_list(job->store, "", 0, ignore, NULL, reterr) != 0)
        return -1;
    *ret_result = json_object();
    return 0;
}

static int do_check(const struct job *job, json_t **ret_result, struct error *reterr)
{
    json_t *rows = NULL;
    if (store_check(job->store, &rows, reterr) != 0)
        return -1;
    *ret_result = json_make("{s:o}", "rows", rows);
    return 0;
}

/* ---- by name ----------------------------------------------------------------------------------
 */

static const struct {
    struct store_work work;
    int (*run)(const struct job *job, json_t **ret_result, struct error *reterr);
} works[] = {
    {{"list", 0, 0}, do_list},     {{"manifest", 0, 0}, do_manifest},
    {{"verify", 0, 1}, do_verify}, {{"push", 1, 0}, do_push},
    {{"fetch", 0, 0}, do_fetch},   {{"fetch-bare", 0, 0}, do_fetch_bare},
    {{"export", 0, 1}, do_export}, {{"remove", 1, 0}, do_remove},
    {{"reach", 0, 0}, do_reach},   {{"check", 1, 0}, do_check},
};

const struct store_work *store_work_find(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        if (text_equal(works[i].work.name, name))
            return &works[i].work;
    }
    return NULL;
}

int store_work_run(struct store *store, const struct store_work *work, const json_t *request,
                   const struct identity *identity, const struct store_work_hearer *hearer,
                   json_t **ret_result, struct error *reterr)
{
    const struct job job = {store, request, identity, hearer};
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        if (&works[i].work == work)
            return works[i].run(&job, ret_result, reterr);
    }
    return error_set(reterr, EXIT_FAILED, "no work of that name is done on stores");
}
