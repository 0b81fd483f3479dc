#include "practice-bucket.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "net/sigv4.h"

enum { LIMIT = 200, UPLOAD_PARTS = 16 };

struct object {
    char *key; /* NULL: free */
    char *data;
    size_t size;
    char *meta;
};

struct upload {
    int open;
    char *key;
    char *meta;
    char *parts[UPLOAD_PARTS];
    size_t sizes[UPLOAD_PARTS];
};

struct practice_bucket {
    struct practice_server *server;
    pthread_mutex_t lock;
    int page;
    int64_t skew_ms;
    const char *lie; /* a key that listings hold as well */
    int again;
    struct object objects[LIMIT];
    struct upload uploads[8];
    struct practice_answer answers[8];
    char *log[2000]; /* "METHOD target" */
    size_t logged;
};

/* ---- objects ----------------------------------------------------------------------------------
 */

static struct object *find(struct practice_bucket *bucket, const char *key)
{
    for (size_t i = 0; i < LIMIT; i++)
        if (text_equal(bucket->objects[i].key, key) && key != NULL)
            return &bucket->objects[i];
    return NULL;
}

static void drop(struct object *object)
{
    free(object->key);
    free(object->data);
    free(object->meta);
    *object = (struct object){NULL, NULL, 0, NULL};
}

static void store(struct practice_bucket *bucket, const char *key, const void *data, size_t size,
                  const char *meta)
{
    struct object *object = find(bucket, key);
    for (size_t i = 0; i < LIMIT && object == NULL; i++)
        if (bucket->objects[i].key == NULL)
            object = &bucket->objects[i];
    if (object == NULL)
        abort();
    drop(object);
    *object = (struct object){text_copy(key), text_copy_span(data, size), size,
                              meta != NULL ? text_copy(meta) : NULL};
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void refuse(struct served *served, int status, const char *code)
{
    served->status = status;
    served->out.size = 0;
    (void)buffer_format(&served->out,
                        "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>as the test wants"
                        "</Message></Error>",
                        code);
}

static char *target_of(const struct served *served)
{
    struct buffer out = BUFFER_INIT(65536);
    static const char *const names[] = {"continuation-token", "delimiter",  "encoding-type",
                                        "list-type",          "partNumber", "prefix",
                                        "uploadId",           "uploads"};
    struct sigv4_pair query[8];
    size_t count = 0;
    for (size_t i = 0; i < 8; i++) {
        const char *value = served_query(served, names[i]);
        if (value != NULL)
            query[count++] = (struct sigv4_pair){names[i], value};
    }
    cleanup_free char *path = sigv4_encode(served->path, 1);
    cleanup_free char *text = sigv4_query(query, count);
    (void)buffer_format(&out, "%s%s%s", path, count > 0 ? "?" : "", text);
    return buffer_take(&out);
}

/* NULL: all is well; else the code of the refusal. */
static const char *check_signature(struct practice_bucket *bucket, const struct served *served)
{
    static const char *const names[] = {"host", "x-amz-content-sha256", "x-amz-date",
                                        "x-amz-meta-salvor-sha256", "x-amz-security-token"};
    const char *given = served_header(served, "authorization");
    const char *payload = served_header(served, "x-amz-content-sha256");
    const char *date = served_header(served, "x-amz-date");
    struct sigv4_pair headers[5];
    size_t count = 0;
    char sha256[DIGEST_TEXT_SIZE];
    char now[SIGV4_TIME_SIZE];
    if (given == NULL || payload == NULL || date == NULL)
        return "AccessDenied";
    digest_text_of(served->body, served->body_size, sha256);
    if (!text_equal(sha256, payload))
        return "XAmzContentSHA256Mismatch";
    sigv4_time(clock_realtime_ms() + bucket->skew_ms, now);
    if (strncmp(now, date, strlen("20130524T00")) != 0)
        return "RequestTimeTooSkewed";
    for (size_t i = 0; i < 5; i++)
        if (served_header(served, names[i]) != NULL)
            headers[count++] = (struct sigv4_pair){names[i], served_header(served, names[i])};
    cleanup_free char *target = target_of(served);
    cleanup_free char *path = text_copy_span(target, strcspn(target, "?"));
    const char *mark = strchr(target, '?');
    struct sigv4_pair query[8];
    size_t query_count = 0;
    static const char *const known[] = {"continuation-token", "delimiter",  "encoding-type",
                                        "list-type",          "partNumber", "prefix",
                                        "uploadId",           "uploads"};
    for (size_t i = 0; i < 8 && mark != NULL; i++)
        if (served_query(served, known[i]) != NULL)
            query[query_count++] = (struct sigv4_pair){known[i], served_query(served, known[i])};
    cleanup_free char *wanted =
        sigv4_authorization(&(struct sigv4_request){.method = served->method,
                                                    .path = path,
                                                    .query = query,
                                                    .query_count = query_count,
                                                    .headers = headers,
                                                    .header_count = count,
                                                    .payload_sha256 = payload,
                                                    .time = date,
                                                    .region = "us-east-1",
                                                    .service = "s3",
                                                    .access_key = ACCESS_KEY,
                                                    .secret_key = SECRET_KEY});
    return text_equal(wanted, given) ? NULL : "SignatureDoesNotMatch";
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list(struct practice_bucket *bucket, struct served *served)
{
    const char *prefix = served_query(served, "prefix");
    const char *after = served_query(served, "continuation-token");
    const int shallow = served_query(served, "delimiter") != NULL;
    const char *keys[LIMIT];
    size_t count = 0;
    int given = 0;
    char last[1100] = "";
    for (size_t i = 0; i < LIMIT; i++)
        if (bucket->objects[i].key != NULL && text_starts(bucket->objects[i].key, prefix))
            keys[count++] = bucket->objects[i].key;
    qsort(keys, count, sizeof *keys, by_key);
    (void)buffer_append_text(&served->out, "<?xml version=\"1.0\"?><ListBucketResult>");
    if (bucket->lie != NULL)
        (void)buffer_format(&served->out, "<Contents><Key>%s</Key><Size>1</Size></Contents>",
                            bucket->lie);
    if (bucket->again) {
        (void)buffer_append_text(&served->out, "<IsTruncated>true</IsTruncated>"
                                               "<NextContinuationToken>again"
                                               "</NextContinuationToken></ListBucketResult>");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *slash = shallow ? strchr(keys[i] + strlen(prefix), '/') : NULL;
        cleanup_free char *name = slash != NULL
                                      ? text_copy_span(keys[i], (size_t)(slash + 1 - keys[i]))
                                      : text_copy(keys[i]);
        if ((after != NULL && strcmp(name, after) <= 0) || text_equal(name, last))
            continue;
        if (given == bucket->page) {
            (void)buffer_format(&served->out,
                                "<IsTruncated>true</IsTruncated><NextContinuationToken>%s"
                                "</NextContinuationToken>",
                                last);
            break;
        }
        given++;
        (void)snprintf(last, sizeof last, "%s", name);
        cleanup_free char *shown = sigv4_encode(name, 1);
        if (slash != NULL)
            (void)buffer_format(&served->out,
                                "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", shown);
        else
            (void)buffer_format(&served->out,
                                "<Contents><Key>%s</Key><LastModified>2026-01-02T03:04:05.000Z"
                                "</LastModified><Size>%zu</Size></Contents>",
                                shown, find(bucket, name)->size);
    }
    (void)buffer_append_text(&served->out, "</ListBucketResult>");
}

static void give(struct practice_bucket *bucket, struct served *served, const char *key)
{
    const struct object *object = find(bucket, key);
    const char *range = served_header(served, "range");
    char etag[DIGEST_TEXT_SIZE];
    long long from = 0;
    if (object == NULL) {
        refuse(served, 404, "NoSuchKey");
        return;
    }
    digest_text_of(object->data, object->size, etag);
    served_set_header(served, "ETag", etag);
    if (object->meta != NULL)
        served_set_header(served, "x-amz-meta-salvor-sha256", object->meta);
    served_set_header(served, "Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
    if (range != NULL) {
        if (!text_equal(served_header(served, "if-match"), etag)) {
            refuse(served, 412, "PreconditionFailed");
            return;
        }
        from = strtoll(range + strlen("bytes="), NULL, 10);
        served->status = 206;
    }
    (void)buffer_append(&served->out, object->data + from, object->size - (size_t)from);
}

static struct upload *upload_of(struct practice_bucket *bucket, const struct served *served)
{
    const char *id = served_query(served, "uploadId");
    long number = id != NULL ? strtol(id, NULL, 10) : -1;
    return number >= 0 && number < 8 && bucket->uploads[number].open ? &bucket->uploads[number]
                                                                     : NULL;
}

static void close_upload(struct upload *upload)
{
    for (size_t i = 0; i < UPLOAD_PARTS; i++)
        free(upload->parts[i]);
    free(upload->key);
    free(upload->meta);
    *upload = (struct upload){0};
}

static void begin_upload(struct practice_bucket *bucket, struct served *served, const char *key)
{
    const char *meta = served_header(served, "x-amz-meta-salvor-sha256");
    for (int i = 0; i < 8; i++) {
        if (bucket->uploads[i].open)
            continue;
        bucket->uploads[i] = (struct upload){
            .open = 1, .key = text_copy(key), .meta = meta != NULL ? text_copy(meta) : NULL};
        (void)buffer_format(&served->out,
                            "<InitiateMultipartUploadResult><UploadId>%d</UploadId>"
                            "</InitiateMultipartUploadResult>",
                            i);
        return;
    }
    abort();
}

static void complete_upload(struct practice_bucket *bucket, struct served *served,
                            struct upload *upload)
{
    cleanup_buffer struct buffer whole = BUFFER_INIT(64 << 20);
    for (size_t i = 0; i < UPLOAD_PARTS && upload->parts[i] != NULL; i++) {
        cleanup_free char *wanted = text_format(
            "<Part><PartNumber>%zu</PartNumber><ETag>&quot;part-%zu&quot;</ETag></Part>", i + 1,
            i + 1);
        if (strstr(served->body, wanted) == NULL) {
            refuse(served, 400, "InvalidPart");
            return;
        }
        (void)buffer_append(&whole, upload->parts[i], upload->sizes[i]);
    }
    store(bucket, upload->key, whole.data, whole.size, upload->meta);
    close_upload(upload);
    (void)buffer_append_text(&served->out, "<CompleteMultipartUploadResult/>");
}

static void list_uploads(struct practice_bucket *bucket, struct served *served)
{
    (void)buffer_append_text(&served->out, "<ListMultipartUploadsResult>");
    for (int i = 0; i < 8; i++)
        if (bucket->uploads[i].open)
            (void)buffer_format(&served->out,
                                "<Upload><Key>%s</Key><UploadId>%d</UploadId></Upload>",
                                bucket->uploads[i].key, i);
    (void)buffer_append_text(&served->out, "</ListMultipartUploadsResult>");
}

static void put_part(struct served *served, struct upload *upload)
{
    long number = strtol(served_query(served, "partNumber"), NULL, 10) - 1;
    char etag[32];
    free(upload->parts[number]);
    upload->parts[number] = text_copy_span(served->body, served->body_size);
    upload->sizes[number] = served->body_size;
    (void)snprintf(etag, sizeof etag, "\"part-%ld\"", number + 1);
    served_set_header(served, "ETag", etag);
}

static void act(struct practice_bucket *bucket, struct served *served)
{
    const char *key = strchr(served->path + 1, '/');
    key = key != NULL ? key + 1 : NULL;
    struct upload *upload = upload_of(bucket, served);
    if (!text_starts(served->path, "/" BUCKET))
        refuse(served, 404, "NoSuchBucket");
    else if (served_query(served, "uploadId") != NULL && upload == NULL)
        refuse(served, 404, "NoSuchUpload");
    else if (key == NULL && served_query(served, "uploads") != NULL)
        list_uploads(bucket, served);
    else if (key == NULL)
        list(bucket, served);
    else if (text_equal(served->method, "POST") && upload != NULL)
        complete_upload(bucket, served, upload);
    else if (text_equal(served->method, "POST"))
        begin_upload(bucket, served, key);
    else if (text_equal(served->method, "PUT") && upload != NULL)
        put_part(served, upload);
    else if (text_equal(served->method, "PUT"))
        store(bucket, key, served->body, served->body_size,
              served_header(served, "x-amz-meta-salvor-sha256"));
    else if (text_equal(served->method, "DELETE") && upload != NULL)
        close_upload(upload);
    else if (text_equal(served->method, "DELETE") && find(bucket, key) != NULL)
        drop(find(bucket, key));
    else if (!text_equal(served->method, "DELETE"))
        give(bucket, served, key);
}

static struct practice_answer *planned_answer(struct practice_bucket *bucket, const char *method,
                                              const char *target)
{
    for (size_t i = 0; i < 8; i++) {
        struct practice_answer *answer = &bucket->answers[i];
        if (answer->count > 0 && text_equal(answer->method, method) &&
            strstr(target, answer->part) != NULL) {
            answer->count--;
            return answer;
        }
    }
    return NULL;
}

static void answer(struct served *served, void *data)
{
    struct practice_bucket *bucket = data;
    cleanup_free char *target = target_of(served);
    (void)pthread_mutex_lock(&bucket->lock);
    if (bucket->logged < 2000)
        bucket->log[bucket->logged++] = text_format("%s %s", served->method, target);
    const struct practice_answer *planned = planned_answer(bucket, served->method, target);
    const char *wrong = check_signature(bucket, served);
    if (wrong != NULL) {
        char date[64];
        time_t now = (time_t)((clock_realtime_ms() + bucket->skew_ms) / 1000);
        struct tm parts;
        (void)gmtime_r(&now, &parts);
        (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        served_set_header(served, "Date", date);
        refuse(served, text_equal(wrong, "XAmzContentSHA256Mismatch") ? 400 : 403, wrong);
    } else {
        if (planned == NULL || planned->act)
            act(bucket, served);
        if (planned != NULL) {
            served->out.size = 0;
            served->header_count = 0;
            if (planned->code != NULL)
                refuse(served, planned->status, planned->code);
            served->status = planned->status;
            if (planned->header_name != NULL)
                served_set_header(served, planned->header_name, planned->header_value);
        }
    }
    (void)pthread_mutex_unlock(&bucket->lock);
}

/* ---- the bucket -------------------------------------------------------------------------------
 */

struct practice_bucket *practice_bucket_start(const struct certificate *certificate, int page)
{
    struct practice_bucket *bucket = memory_new(1, sizeof *bucket);
    (void)pthread_mutex_init(&bucket->lock, NULL);
    bucket->page = page;
    bucket->server = practice_server_start(&(struct practice_server_options){
        .answer = answer, .data = bucket, .certificate = certificate});
    return bucket;
}

void practice_bucket_stop(struct practice_bucket *bucket)
{
    practice_server_stop(bucket->server);
    for (size_t i = 0; i < LIMIT; i++)
        drop(&bucket->objects[i]);
    for (size_t i = 0; i < 8; i++)
        close_upload(&bucket->uploads[i]);
    for (size_t i = 0; i < bucket->logged; i++)
        free(bucket->log[i]);
    (void)pthread_mutex_destroy(&bucket->lock);
    free(bucket);
}

const char *practice_bucket_url(const struct practice_bucket *bucket)
{
    return practice_server_url(bucket->server);
}

void practice_bucket_answer(struct practice_bucket *bucket, const struct practice_answer *wanted)
{
    (void)pthread_mutex_lock(&bucket->lock);
    for (size_t i = 0; i < 8; i++) {
        if (bucket->answers[i].count == 0) {
            bucket->answers[i] = *wanted;
            break;
        }
    }
    (void)pthread_mutex_unlock(&bucket->lock);
}

int practice_bucket_count(struct practice_bucket *bucket, const char *method, const char *part)
{
    int count = 0;
    (void)pthread_mutex_lock(&bucket->lock);
    for (size_t i = 0; i < bucket->logged; i++)
        count += text_starts(bucket->log[i], method) && strstr(bucket->log[i], part) != NULL;
    (void)pthread_mutex_unlock(&bucket->lock);
    return count;
}

int64_t practice_bucket_size(struct practice_bucket *bucket, const char *key)
{
    (void)pthread_mutex_lock(&bucket->lock);
    const struct object *object = find(bucket, key);
    int64_t size = object != NULL ? (int64_t)object->size : -1;
    (void)pthread_mutex_unlock(&bucket->lock);
    return size;
}

void practice_bucket_put(struct practice_bucket *bucket, const char *key, const void *data,
                         size_t size)
{
    (void)pthread_mutex_lock(&bucket->lock);
    store(bucket, key, data, size, NULL);
    (void)pthread_mutex_unlock(&bucket->lock);
}

int practice_bucket_uploads(struct practice_bucket *bucket)
{
    int count = 0;
    (void)pthread_mutex_lock(&bucket->lock);
    for (size_t i = 0; i < 8; i++)
        count += bucket->uploads[i].open;
    (void)pthread_mutex_unlock(&bucket->lock);
    return count;
}

void practice_bucket_lie(struct practice_bucket *bucket, const char *key, int again)
{
    (void)pthread_mutex_lock(&bucket->lock);
    bucket->lie = key;
    bucket->again = again;
    (void)pthread_mutex_unlock(&bucket->lock);
}

void practice_bucket_skew(struct practice_bucket *bucket, int64_t ms)
{
    (void)pthread_mutex_lock(&bucket->lock);
    bucket->skew_ms = ms;
    (void)pthread_mutex_unlock(&bucket->lock);
}
