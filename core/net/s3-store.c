#include "net/s3-store.h"

#include <curl/curl.h>
#include <salvor/services.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/evidence.h"
#include "net/s3-multipart.h"
#include "net/s3-task.h"
#include "net/s3-xml.h"

static struct s3 *s3_of(struct store *store)
{
    return (struct s3 *)store;
}

static int check_key(const struct store *store, const char *key, struct error *reterr)
{
    cleanup_free char *place = s3_place(store, key);
    if (store_key_is_valid(key))
        return 0;
    return error_set(reterr, EXIT_FAILED, "'%s' cannot be the key of an object", place);
}

/* ---- list -------------------------------------------------------------------------------------
 */

struct listing {
    struct s3 *s3;
    const char *prefix; /* that was asked for, of the bucket */
    store_visit visit;
    void *data;
};

static int visit_entry(void *data, const struct s3_entry *entry, struct error *reterr)
{
    const struct listing *listing = data;
    const size_t lead = strlen(listing->s3->prefix);
    const struct store_info info = {.kind = entry->is_prefix ? STORE_FOLDER : STORE_OBJECT,
                                    .size = entry->size,
                                    .modified_ms = entry->modified_ms};
    /* whoever removes what is listed must never be shown anything else */
    if (!text_starts(entry->key, listing->prefix))
        return error_set(reterr, EXIT_FAILED, "store '%s' lists '%s', which was not asked for",
                         listing->s3->name, entry->key);
    /* what other programs make to show an empty folder */
    if (!entry->is_prefix && (entry->key[lead] == '\0' || text_ends(entry->key, "/")))
        return 0;
    return listing->visit(listing->data, entry->key + lead, &info, reterr);
}

static int list_page(struct listing *listing, int deep, char **token, struct error *reterr)
{
    cleanup_s3_task struct s3_task task = {.method = "GET", .what = "list"};
    cleanup_free char *next = NULL;
    if (*token != NULL)
        task.query[task.query_count++] = (struct sigv4_pair){"continuation-token", *token};
    if (!deep)
        task.query[task.query_count++] = (struct sigv4_pair){"delimiter", "/"};
    task.query[task.query_count++] = (struct sigv4_pair){"encoding-type", "url"};
    task.query[task.query_count++] = (struct sigv4_pair){"list-type", "2"};
    task.query[task.query_count++] = (struct sigv4_pair){"prefix", listing->prefix};
    if (s3_run(listing->s3, &task, reterr) < 0)
        return -1;
    if (s3_xml_list(task.answer.data, task.answer.size, visit_entry, listing, &next, reterr) != 0)
        return error_is_set(reterr) && reterr->code != EXIT_INTERRUPTED &&
                       text_starts(reterr->message, "the server's answer")
                   ? error_prefix(reterr, "store '%s'", listing->s3->name)
                   : -1;
    if (next != NULL && text_equal(next, *token))
        return error_set(reterr, EXIT_FAILED, "store '%s' lists the same page again and again",
                         listing->s3->name);
    free(*token);
    *token = take_pointer(next);
    return 0;
}

static int list(struct store *store, const char *prefix, int deep, store_visit visit, void *data,
                struct error *reterr)
{
    cleanup_error struct error err = ERROR_INIT;
    struct s3 *s3 = s3_of(store);
    cleanup_free char *whole = s3_key(s3, prefix);
    struct listing listing = {s3, whole, visit, data};
    cleanup_free char *token = NULL;
    do {
        if (list_page(&listing, deep, &token, &err) != 0)
            return error_move(reterr, &err);
    } while (token != NULL);
    return 0;
}

/* ---- one object -------------------------------------------------------------------------------
 */

static void describe(const struct s3_task *task, struct store_info *ret_info)
{
    cleanup_free char *length = s3_header(task, "content-length");
    cleanup_free char *sha256 = s3_header(task, "x-amz-meta-salvor-sha256");
    cleanup_free char *modified = s3_header(task, "last-modified");
    const time_t time = modified != NULL ? curl_getdate(modified, NULL) : (time_t)-1;
    *ret_info = (struct store_info){.kind = STORE_OBJECT, .size = -1};
    if (length != NULL)
        (void)text_parse_integer(length, &ret_info->size);
    if (time != (time_t)-1)
        ret_info->modified_ms = (int64_t)time * 1000;
    if (sha256 != NULL && strlen(sha256) == DIGEST_TEXT_SIZE - 1)
        memcpy(ret_info->sha256, sha256, DIGEST_TEXT_SIZE);
}

static int head(struct store *store, const char *key, struct store_info *ret_info,
                struct error *reterr)
{
    struct s3 *s3 = s3_of(store);
    cleanup_s3_task struct s3_task task = {.method = "HEAD", .what = "look at"};
    if (check_key(store, key, reterr) != 0)
        return -1;
    task.key = s3_key(s3, key);
    int result = s3_run(s3, &task, reterr);
    if (result == 0)
        describe(&task, ret_info);
    return result;
}

static int get(struct store *store, const char *key, store_sink sink, void *data,
               struct error *reterr)
{
    struct s3 *s3 = s3_of(store);
    cleanup_s3_task struct s3_task task = {
        .method = "GET", .what = "read", .sink = sink, .sink_data = data};
    if (check_key(store, key, reterr) != 0)
        return -1;
    task.key = s3_key(s3, key);
    return s3_run(s3, &task, reterr);
}

static int put(struct store *store, const char *key, const struct store_body *body,
               struct error *reterr)
{
    struct s3 *s3 = s3_of(store);
    cleanup_s3_task struct s3_task task = {.method = "PUT",
                                           .what = "write",
                                           .meta_sha256 = body->sha256,
                                           .payload_sha256 = body->sha256,
                                           .size = body->size};
    if (check_key(store, key, reterr) != 0)
        return -1;
    if (s3_multipart_is_better(body))
        return s3_multipart_put(s3, key, body, reterr);
    task.key = s3_key(s3, key);
    if (body->bytes != NULL || body->size == 0)
        task.body = (struct salvor_span){body->bytes, (uint64_t)body->size};
    else
        task.fd = body->fd;
    int result = s3_run(s3, &task, reterr);
    return result == STORE_ABSENT ? error_move(reterr, &task.error) : result;
}

static int remove_one(struct store *store, const char *key, struct error *reterr)
{
    struct s3 *s3 = s3_of(store);
    cleanup_s3_task struct s3_task task = {.method = "DELETE", .what = "remove"};
    if (check_key(store, key, reterr) != 0)
        return -1;
    task.key = s3_key(s3, key);
    return s3_run(s3, &task, reterr) < 0 ? -1 : 0;
}

/* ---- many objects -----------------------------------------------------------------------------
 */

struct many {
    struct s3 *s3;
    const char *const *keys; /* of the store */
    size_t count;
    size_t next;
    size_t limit;
    store_take take; /* NULL: they are removed */
    void *data;
};

static void free_task(struct s3_task *task)
{
    s3_task_clear(task);
    free(task);
}

static struct s3_task *next_of_many(void *data, struct error *reterr)
{
    struct many *many = data;
    if (many->next == many->count)
        return NULL;
    const char *key = many->keys[many->next];
    if (check_key(&many->s3->store, key, reterr) != 0)
        return NULL;
    struct s3_task *task = memory_new(1, sizeof *task);
    task->method = many->take != NULL ? "GET" : "DELETE";
    task->what = many->take != NULL ? "read" : "remove";
    task->key = s3_key(many->s3, key);
    task->answer_limit = many->limit;
    task->offset = (int64_t)many->next++; /* which one it is */
    return task;
}

static int done_of_many(void *data, struct s3_task *task, struct error *reterr)
{
    struct many *many = data;
    int result = 0;
    if (many->take != NULL)
        result =
            many->take(many->data, (size_t)task->offset,
                       task->result == 0 ? task->answer.size > 0 ? task->answer.data : "" : NULL,
                       task->answer.size, reterr);
    free_task(task);
    return result;
}

static int run_many(struct many *many, struct error *reterr)
{
    const struct s3_queue queue = {next_of_many, done_of_many, free_task, many, S3_AT_ONCE};
    return s3_run_queue(many->s3, &queue, reterr);
}

static int read_many(struct store *store, const char *const *keys, size_t count, size_t limit,
                     store_take take, void *data, struct error *reterr)
{
    struct many many = {s3_of(store), keys, count, 0, limit, take, data};
    return run_many(&many, reterr);
}

struct keys {
    const char **list;
    size_t count;
};

static int note_key(void *data, const char *key, const struct store_info *info,
                    struct error *reterr)
{
    struct keys *keys = data;
    (void)info;
    (void)reterr;
    keys->list = memory_resize(keys->list, keys->count + 1, sizeof *keys->list);
    keys->list[keys->count++] = text_copy(key);
    return 0;
}

static void drop_keys(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        free((char *)(uintptr_t)keys->list[i]);
    free(keys->list);
}

static int remove_all(struct store *store, const char *prefix, const char *first,
                      struct error *reterr)
{
    __attribute__((cleanup(drop_keys))) struct keys keys = {NULL, 0};
    cleanup_free char *first_key = text_format("%s%s", prefix, first != NULL ? first : "");
    if (*prefix == '\0')
        return error_set(reterr, EXIT_FAILED, "all of a store is never removed");
    if (first != NULL && remove_one(store, first_key, reterr) != 0)
        return -1;
    if (list(store, prefix, 1, note_key, &keys, reterr) != 0)
        return -1;
    struct many many = {s3_of(store), keys.list, keys.count, 0, 0, NULL, NULL};
    return run_many(&many, reterr);
}

/* ---- the store --------------------------------------------------------------------------------
 */

static void free_store(struct store *store)
{
    struct s3 *s3 = s3_of(store);
    if (s3->evidence != NULL)
        evidence_class_send(s3->call, s3->evidence);
    evidence_class_free(s3->evidence);
    if (s3->pool != NULL)
        net_pool_release(s3->pool);
    sodium_free(s3->secret_key);
    sodium_free(s3->token);
    free(s3->name);
    free(s3->bucket);
    free(s3->prefix);
    free(s3->region);
    free(s3->host);
    free(s3->access_key);
    free(s3);
}

/* The Host header as libcurl writes it: without the port that the scheme has anyway. */
static char *host_of(const char *origin)
{
    const char *host = strstr(origin, "://") + 3;
    const char *usual = text_starts(origin, "https://") ? ":443" : ":80";
    return text_copy_span(host, strlen(host) - (text_ends(host, usual) ? strlen(usual) : 0));
}

/* Of the bucket: below the server's name where that is asked for. */
static char *origin_of(const char *endpoint, const char *bucket, int in_path)
{
    const char *host = strstr(endpoint, "://") + 3;
    return in_path ? text_copy(endpoint)
                   : text_format("%.*s%s.%s", (int)(host - endpoint), endpoint, bucket, host);
}

static char *prefix_of(const json_t *settings)
{
    const char *given = json_text(settings, "prefix");
    given = given != NULL ? given : "";
    while (*given == '/')
        given++;
    return text_format("%s%s", given, *given == '\0' || text_ends(given, "/") ? "" : "/");
}

static salvor_status open_pool(struct s3 *s3, const json_t *settings, const char *origin)
{
    const char *proxy = json_text(settings, "proxy");
    return net_pool_open(s3->call,
                         &(struct net_pool_settings){
                             .origin = origin,
                             .ca_file = json_text(settings, "ca-file"),
                             .pin_sha256 = json_text(settings, "pin-sha256"),
                             .insecure = json_flag(settings, "insecure-skip-verify"),
                             .proxy = proxy,
                             .connections = S3_AT_ONCE,
                         },
                         &s3->pool);
}

static void warn_of_insecurity(const struct s3 *s3, const json_t *settings)
{
    cleanup_free char *text = text_format(
        "store '%s': the server's certificate is not checked (insecure-skip-verify)", s3->name);
    if (json_flag(settings, "insecure-skip-verify"))
        s3->call->public.host->log(&s3->call->public, SALVOR_LOG_WARNING, text);
}

salvor_status s3_store_open(struct worker_call *call, const json_t *settings,
                            const struct s3_credentials *credentials, struct store **ret_store,
                            struct error *reterr)
{
    static const struct store_operations operations = {
        .list = list,
        .head = head,
        .get = get,
        .put = put,
        .remove = remove_one,
        .remove_all = remove_all,
        .read_many = read_many,
        .probe = s3_multipart_probe,
        .place = s3_place,
        .free = free_store,
    };
    const char *region = json_text(settings, "region");
    const char *bucket = json_text(settings, "bucket");
    const char *endpoint = json_text(settings, "endpoint");
    if (bucket == NULL || *bucket == '\0' || endpoint == NULL || strstr(endpoint, "://") == NULL) {
        (void)error_set(reterr, EXIT_USAGE, "store '%s' has no bucket or no endpoint",
                        json_text(settings, "name"));
        return SALVOR_FAILED;
    }
    struct s3 *s3 = memory_new(1, sizeof *s3);
    s3->store.operations = &operations;
    s3->call = call;
    s3->name = text_copy(json_text(settings, "name"));
    s3->bucket = text_copy(bucket);
    s3->prefix = prefix_of(settings);
    s3->region = text_copy(region != NULL ? region : "us-east-1");
    s3->in_path = !text_equal(json_text(settings, "addressing"), "virtual");
    cleanup_free char *origin = origin_of(endpoint, bucket, s3->in_path);
    s3->host = host_of(origin);
    s3->access_key = text_copy(credentials->access_key);
    s3->secret_key = locked_copy(credentials->secret_key, strlen(credentials->secret_key));
    if (credentials->session_token != NULL)
        s3->token = locked_copy(credentials->session_token, strlen(credentials->session_token));
    s3->evidence = evidence_class_new("store", s3->name);
    salvor_status status = open_pool(s3, settings, origin);
    if (status != SALVOR_OK) {
        free_store(&s3->store);
        return status;
    }
    warn_of_insecurity(s3, settings);
    *ret_store = &s3->store;
    return SALVOR_OK;
}
