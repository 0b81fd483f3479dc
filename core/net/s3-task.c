#include "net/s3-task.h"

#include <curl/curl.h>
#include <errno.h>
#include <salvor/services.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/evidence.h"
#include "net/retry.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define META "x-amz-meta-salvor-sha256"

enum { ANSWER_LIMIT = 16 << 20, ERROR_LIMIT = 65536, QUEUE_LIMIT = 64 };

enum task_state { TASK_NEW, TASK_DUE, TASK_FLYING, TASK_DONE };

static const struct retry_rule rule = {
    .attempts = 6,
    .statuses = {429, 500, 502, 503, 504},
    .first_ms = RETRY_FIRST_MS,
    .most_ms = RETRY_MOST_MS,
    .budget_ms = RETRY_BUDGET_MS,
};

char *s3_key(const struct s3 *s3, const char *key)
{
    return text_format("%s%s", s3->prefix, key);
}

char *s3_place(const struct store *store, const char *key)
{
    return text_format("s3://%s/%s", ((const struct s3 *)store)->name, key);
}

char *s3_header(const struct s3_task *task, const char *name)
{
    const struct salvor_span value = net_header(&task->headers, name);
    return value.data != NULL ? text_copy_span(value.data, (size_t)value.size) : NULL;
}

/* ---- a request --------------------------------------------------------------------------------
 */

static void drop_request(struct s3_task *task)
{
    net_transfer_clear(&task->transfer);
    for (size_t i = 0; i < task->line_count; i++) {
        sodium_memzero(task->lines[i], strlen(task->lines[i]));
        free(task->lines[i]);
    }
    task->line_count = 0;
    free(take_pointer(task->target));
}

void s3_task_clear(struct s3_task *task)
{
    drop_request(task);
    error_clear(&task->error);
    error_clear(&task->sink_error);
    buffer_clear(&task->answer);
    buffer_clear(&task->headers);
    free(take_pointer(task->key));
    free(take_pointer(task->code));
    free(take_pointer(task->etag));
    task->state = TASK_NEW;
}

static void add_line(struct s3_task *task, const char *name, const char *value)
{
    task->lines[task->line_count++] = text_format("%s: %s", name, value);
}

static char *path_of(const struct s3 *s3, const struct s3_task *task)
{
    cleanup_free char *bucket = sigv4_encode(s3->bucket, 0);
    cleanup_free char *key = task->key != NULL ? sigv4_encode(task->key, 1) : text_copy("");
    if (s3->in_path)
        return text_format("/%s%s%s", bucket, *key != '\0' ? "/" : "", key);
    return text_format("/%s", key);
}

/* Signs for now; what must be sent besides is not signed. */
static void make_request(struct s3 *s3, struct s3_task *task)
{
    struct sigv4_pair headers[S3_HEADERS];
    size_t count = 0;
    char time[SIGV4_TIME_SIZE];
    const char *payload = task->payload_sha256 != NULL ? task->payload_sha256 : EMPTY_SHA256;
    cleanup_free char *path = path_of(s3, task);
    cleanup_free char *query = sigv4_query(task->query, task->query_count);
    sigv4_time(clock_realtime_ms() + s3->skew_ms, time);
    headers[count++] = (struct sigv4_pair){"host", s3->host};
    headers[count++] = (struct sigv4_pair){"x-amz-content-sha256", payload};
    headers[count++] = (struct sigv4_pair){"x-amz-date", time};
    if (task->meta_sha256 != NULL)
        headers[count++] = (struct sigv4_pair){META, task->meta_sha256};
    if (s3->token != NULL)
        headers[count++] = (struct sigv4_pair){"x-amz-security-token", s3->token};
    cleanup_free char *authorization =
        sigv4_authorization(&(struct sigv4_request){.method = task->method,
                                                    .path = path,
                                                    .query = task->query,
                                                    .query_count = task->query_count,
                                                    .headers = headers,
                                                    .header_count = count,
                                                    .payload_sha256 = payload,
                                                    .time = time,
                                                    .region = s3->region,
                                                    .service = "s3",
                                                    .access_key = s3->access_key,
                                                    .secret_key = s3->secret_key});
    drop_request(task);
    for (size_t i = 1; i < count; i++)
        add_line(task, headers[i].name, headers[i].value);
    add_line(task, "authorization", authorization);
    if (task->taken > 0 && task->etag != NULL) {
        cleanup_free char *range = text_format("bytes=%lld-", (long long)task->taken);
        add_line(task, "range", range);
        add_line(task, "if-match", task->etag);
    }
    task->target = text_format("%s%s%s", path, *query != '\0' ? "?" : "", query);
}

/* ---- bodies -----------------------------------------------------------------------------------
 */

static int64_t read_file(void *data, char *buffer, size_t size, struct error *reterr)
{
    struct s3_task *task = data;
    const int64_t left = task->size - task->moved;
    size_t want = left < (int64_t)size ? (size_t)left : size;
    ssize_t got = -1;
    if (want == 0)
        return 0;
    do
        got = pread(task->fd, buffer, want, task->offset + task->moved);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return error_errno(reterr, EXIT_FAILED, got < 0 ? errno : EIO,
                           "cannot read what is to be stored");
    task->moved += got;
    return store_moved(&task->s3->store, got, reterr) == 0 ? got : NET_FAIL;
}

/* What a broken attempt has moved will be moved again. */
static void forget_moved(struct s3_task *task)
{
    if (task->moved > 0)
        (void)store_moved(&task->s3->store, -task->moved, NULL);
    task->moved = 0;
}

/* Whether this is the object, or the rest of it, is known by the head; another answer is an error
 * document. */
static int is_content(const struct s3_task *task)
{
    return task->transfer.code == (task->taken > 0 ? 206 : 200);
}

static int take_piece(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct s3_task *task = data;
    if (!is_content(task)) {
        (void)buffer_append(&task->answer, bytes, size);
        return 0;
    }
    if (task->etag == NULL) {
        const struct salvor_span etag = net_header(&task->transfer.header_lines, "etag");
        if (etag.data != NULL)
            task->etag = text_copy_span(etag.data, (size_t)etag.size);
    }
    task->moved += (int64_t)size;
    if (task->sink(task->sink_data, bytes, size, &task->sink_error) == 0 &&
        store_moved(&task->s3->store, (int64_t)size, &task->sink_error) == 0)
        return 0;
    (void)error_set(reterr, EXIT_FAILED, "what came is not taken");
    return NET_FAIL;
}

/* ---- one attempt ------------------------------------------------------------------------------
 */

static void note_end(struct net_transfer *transfer)
{
    struct s3_task *task = transfer->owner;
    task->state = TASK_DUE; /* what became of it is looked at outside of the loop */
    task->due = 0;
}

static void start(struct s3 *s3, struct s3_task *task)
{
    task->s3 = s3;
    task->attempt++;
    task->moved = 0;
    task->answer.size = 0;
    if (task->attempt == 1) {
        const size_t limit = task->answer_limit > 0 ? task->answer_limit : ANSWER_LIMIT;
        task->begun = clock_monotonic_ms();
        task->answer = (struct buffer)BUFFER_INIT(task->sink != NULL ? ERROR_LIMIT : limit);
    }
    make_request(s3, task);
    task->transfer = (struct net_transfer){
        .pool = s3->pool,
        .method = task->method,
        .target = task->target,
        .headers = (const char *const *)task->lines,
        .header_count = task->line_count,
        .body = task->body,
        .response_limit = task->sink != NULL ? 0 : task->answer.limit,
        .flags = task->once ? 0 : NET_IDEMPOTENT,
        .ended = note_end,
        .owner = task,
    };
    if (task->fd > 0)
        task->transfer.source = (struct net_source){read_file, task, (uint64_t)task->size};
    if (task->sink != NULL)
        task->transfer.sink = (struct net_sink){take_piece, task};
    task->state = TASK_FLYING;
    net_start(s3->call, &task->transfer);
}

/* The server says what time it has: signed by that, the request is good. Once. */
static int take_clock(struct s3 *s3, struct s3_task *task)
{
    const struct salvor_span date = net_header(&task->transfer.header_lines, "date");
    cleanup_free char *text =
        date.data != NULL ? text_copy_span(date.data, (size_t)date.size) : text_copy("");
    const time_t there = curl_getdate(text, NULL);
    if (there == (time_t)-1 || s3->skew_ms != 0)
        return 0;
    s3->skew_ms = (int64_t)there * 1000 - clock_realtime_ms();
    return s3->skew_ms != 0;
}

static int is_good(const struct s3_task *task)
{
    const int32_t code = task->transfer.code;
    return task->sink != NULL ? is_content(task) : code >= 200 && code < 300;
}

static void fail(struct s3_task *task, struct error *err)
{
    task->result = -1;
    error_clear(&task->error);
    (void)error_move(&task->error, err);
}

/* Why it did not end well, in task->error. */
static void explain(struct s3_task *task)
{
    struct net_transfer *transfer = &task->transfer;
    task->result = -1;
    if (error_is_set(&task->sink_error)) {
        fail(task, &task->sink_error);
    } else if (transfer->status == SALVOR_OK) {
        (void)s3_answer_error(task);
    } else {
        struct error err = ERROR_INIT;
        (void)error_move(&err, &transfer->error);
        (void)error_prefix(&err, "store '%s'", task->s3->name);
        if (transfer->fault == NET_FAULT_CANCELLED)
            err.code = EXIT_INTERRUPTED;
        fail(task, &err);
    }
}

/* 1: the task is over; 0: it is due again. */
static int judge(struct s3 *s3, struct s3_task *task)
{
    struct net_transfer *transfer = &task->transfer;
    int64_t delay = 0;
    const int answered = transfer->status == SALVOR_OK;
    task->status = transfer->code;
    task->certainty = transfer->certainty;
    if (task->sink == NULL) {
        buffer_clear(&task->answer);
        task->answer = transfer->answer;
        transfer->answer = (struct buffer)BUFFER_INIT(task->answer.limit);
    }
    evidence_class_count(s3->evidence, task->method, task->what, answered ? transfer->code : -1,
                         transfer->total_ms);
    if (answered && is_good(task)) {
        buffer_clear(&task->headers);
        task->headers = transfer->header_lines;
        transfer->header_lines = (struct buffer)BUFFER_INIT(0);
        task->result = 0;
        return 1;
    }
    if (answered && transfer->code == 404 && task->key != NULL) {
        explain(task);
        if (text_equal(task->code, "") || text_equal(task->code, "NoSuchKey") ||
            text_equal(task->code, "NoSuchUpload"))
            task->result = STORE_ABSENT;
        return 1;
    }
    const int not_taken = error_is_set(&task->sink_error);
    explain(task);
    if (answered && text_equal(task->code, "RequestTimeTooSkewed") && take_clock(s3, task)) {
        task->due = clock_monotonic_ms();
        return 0;
    }
    const struct retry_facts facts = {
        .attempt = task->attempt,
        .repeatable = !task->once,
        .certainty = transfer->certainty,
        .fault = transfer->fault,
        .code = answered ? transfer->code : 0,
        .retry_after_ms = transfer->retry_after_ms,
        .spent_ms = clock_monotonic_ms() - task->begun,
        .left_ms = call_time_left(s3->call),
        .random = retry_random(),
    };
    if (not_taken || task->error.code == EXIT_INTERRUPTED)
        return 1;
    if (task->sink != NULL && task->moved > 0) { /* the rest is asked for, from here on */
        task->taken += task->moved;
        if (task->etag == NULL)
            return 1;
        task->attempt = 0;
        task->begun = clock_monotonic_ms();
    } else {
        forget_moved(task);
        if (!retry_decide(&rule, &facts, &delay))
            return 1;
    }
    task->due = clock_monotonic_ms() + delay;
    return 0;
}

/* ---- many -------------------------------------------------------------------------------------
 */

struct flights {
    struct s3 *s3;
    const struct s3_queue *queue;
    struct s3_task *tasks[QUEUE_LIMIT];
    size_t count;
    size_t limit;
    int no_more;
};

static int fetch_tasks(struct flights *flights, struct error *reterr)
{
    while (!flights->no_more && flights->count < flights->limit) {
        cleanup_error struct error err = ERROR_INIT;
        struct s3_task *task = flights->queue->next(flights->queue->data, &err);
        if (task == NULL && error_is_set(&err))
            return error_move(reterr, &err);
        if (task == NULL)
            flights->no_more = 1;
        else
            flights->tasks[flights->count++] = task;
    }
    return 0;
}

static void leave(struct flights *flights, size_t index)
{
    flights->tasks[index] = flights->tasks[--flights->count];
}

/* The task that failed is the queue's end. */
static int drop(const struct flights *flights, struct s3_task *task, struct error *reterr)
{
    (void)error_move(reterr, &task->error);
    if (flights->queue->drop != NULL)
        flights->queue->drop(task);
    return -1;
}

/* Starts what is due and looks at what has ended; *ret_wait: until the next is due. */
static int step(struct flights *flights, int64_t *ret_wait, struct error *reterr)
{
    const int64_t now = clock_monotonic_ms();
    *ret_wait = -1;
    for (size_t i = 0; i < flights->count;) {
        struct s3_task *task = flights->tasks[i];
        const int ended = task->state == TASK_DUE && task->due == 0;
        if (ended && judge(flights->s3, task)) {
            task->state = TASK_DONE;
            leave(flights, i);
            if (task->result < 0)
                return drop(flights, task, reterr);
            if (flights->queue->done(flights->queue->data, task, reterr) != 0)
                return -1;
            continue;
        }
        if (task->state == TASK_NEW || (task->state == TASK_DUE && task->due <= now))
            start(flights->s3, task);
        else if (task->state == TASK_DUE && (*ret_wait < 0 || task->due - now < *ret_wait))
            *ret_wait = task->due - now;
        i++;
    }
    return 0;
}

static int run(struct flights *flights, struct error *reterr)
{
    for (;;) {
        int64_t wait = -1;
        const size_t before = flights->count;
        if (fetch_tasks(flights, reterr) != 0 || step(flights, &wait, reterr) != 0)
            return -1;
        if (flights->count == 0 && flights->no_more)
            return 0;
        if (flights->count < before && !flights->no_more)
            continue;
        salvor_status status = net_wait(flights->s3->call, wait);
        if (status != SALVOR_OK && status != SALVOR_PENDING) {
            const struct error *why = &flights->s3->call->error;
            return error_set(reterr, status == SALVOR_CANCELLED ? EXIT_INTERRUPTED : EXIT_FAILED,
                             "%s", why->message != NULL ? why->message : "the work was stopped");
        }
    }
}

int s3_run_queue(struct s3 *s3, const struct s3_queue *queue, struct error *reterr)
{
    struct flights flights = {.s3 = s3, .queue = queue, .limit = queue->at_once};
    if (flights.limit == 0 || flights.limit > QUEUE_LIMIT)
        flights.limit = S3_AT_ONCE;
    int result = run(&flights, reterr);
    for (size_t i = 0; i < flights.count; i++) {
        net_cancel(&flights.tasks[i]->transfer);
        forget_moved(flights.tasks[i]);
        if (queue->drop != NULL)
            queue->drop(flights.tasks[i]);
    }
    return result;
}

/* ---- one --------------------------------------------------------------------------------------
 */

static struct s3_task *next_of_one(void *data, struct error *reterr)
{
    struct s3_task **slot = data;
    (void)reterr;
    return take_pointer(*slot);
}

static int done_of_one(void *data, struct s3_task *task, struct error *reterr)
{
    (void)data;
    (void)task;
    (void)reterr;
    return 0;
}

int s3_run(struct s3 *s3, struct s3_task *task, struct error *reterr)
{
    struct s3_task *one = task;
    const struct s3_queue queue = {next_of_one, done_of_one, NULL, &one, 1};
    return s3_run_queue(s3, &queue, reterr) == 0 ? task->result : -1;
}
