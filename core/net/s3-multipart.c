#include "net/s3-multipart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "net/s3-xml.h"

#define MIB INT64_C(1048576)

enum { PARTS_LIMIT = 10000, PARTS_AT_ONCE = 4, LIST_LIMIT = 2 << 20, CHUNK = 65536 };

struct upload {
    struct s3 *s3;
    const char *key; /* of the bucket */
    const struct store_body *body;
    char *id;
    int64_t part_size;
    int64_t parts;
    int64_t next;         /* from 0 */
    struct digest digest; /* of all parts so far */
    char **etags;         /* by part */
};

int s3_multipart_is_better(const struct store_body *body)
{
    return body->bytes == NULL && body->size > 32 * MIB;
}

/* ---- beginning and giving up ------------------------------------------------------------------
 */

static int begin(struct s3 *s3, const char *key, const char *sha256, char **ret_id,
                 struct error *reterr)
{
    cleanup_s3_task struct s3_task task = {.method = "POST",
                                           .what = "write",
                                           .key = text_copy(key),
                                           .query = {{"uploads", ""}},
                                           .query_count = 1,
                                           .meta_sha256 = sha256,
                                           .once = 1};
    int result = s3_run(s3, &task, reterr);
    if (result != 0)
        return result < 0 ? -1 : error_move(reterr, &task.error);
    if (s3_xml_upload_id(task.answer.data, task.answer.size, ret_id, reterr) != 0)
        return error_prefix(reterr, "store '%s'", s3->name);
    return 0;
}

static int give_up(struct s3 *s3, const char *key, const char *id, struct error *reterr)
{
    cleanup_s3_task struct s3_task task = {.method = "DELETE",
                                           .what = "give up the upload of",
                                           .key = text_copy(key),
                                           .query = {{"uploadId", id}},
                                           .query_count = 1};
    return s3_run(s3, &task, reterr) < 0 ? -1 : 0;
}

struct leftovers {
    char **ids;
    size_t count;
};

static int note_id(void *data, const char *id, struct error *reterr)
{
    struct leftovers *leftovers = data;
    (void)reterr;
    leftovers->ids = memory_resize(leftovers->ids, leftovers->count + 1, sizeof *leftovers->ids);
    leftovers->ids[leftovers->count++] = text_copy(id);
    return 0;
}

/* Best effort: the right to list uploads is one more, and nothing depends on it but cost. */
static void give_up_leftovers(struct s3 *s3, const char *key)
{
    struct leftovers leftovers = {NULL, 0};
    cleanup_s3_task struct s3_task task = {
        .method = "GET",
        .what = "list uploads of",
        .query = {{"encoding-type", "url"}, {"prefix", key}, {"uploads", ""}},
        .query_count = 3,
        .answer_limit = LIST_LIMIT};
    if (s3_run(s3, &task, NULL) == 0)
        (void)s3_xml_uploads(task.answer.data, task.answer.size, key, note_id, &leftovers, NULL);
    for (size_t i = 0; i < leftovers.count; i++) {
        (void)give_up(s3, key, leftovers.ids[i], NULL);
        free(leftovers.ids[i]);
    }
    free(leftovers.ids);
}

/* ---- parts ------------------------------------------------------------------------------------
 */

struct part {
    struct s3_task task; /* first */
    char number[24];
    char sha256[DIGEST_TEXT_SIZE];
    int64_t index;
};

/* The digest of a part has to be known before it is sent; parts begin in their order, so that the
 * whole one comes out of the same reading. */
static int hash_part(struct upload *upload, struct part *part, struct error *reterr)
{
    static const char cannot[] = "cannot read what is to be stored";
    cleanup_free char *chunk = memory_new(CHUNK, 1);
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    digest_begin(&digest);
    for (int64_t at = 0; at < part->task.size;) {
        const int64_t left = part->task.size - at;
        ssize_t got = pread(upload->body->fd, chunk, left < CHUNK ? (size_t)left : CHUNK,
                            part->task.offset + at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_errno(reterr, EXIT_FAILED, got < 0 ? errno : EIO, "%s", cannot);
        digest_add(&digest, chunk, (size_t)got);
        digest_add(&upload->digest, chunk, (size_t)got);
        at += got;
    }
    digest_end(&digest, hash);
    digest_text(hash, part->sha256);
    return 0;
}

static void free_part(struct s3_task *task)
{
    s3_task_clear(task);
    free(task);
}

static struct s3_task *next_part(void *data, struct error *reterr)
{
    struct upload *upload = data;
    if (upload->next == upload->parts)
        return NULL;
    struct part *part = memory_new(1, sizeof *part);
    part->index = upload->next++;
    (void)snprintf(part->number, sizeof part->number, "%lld", (long long)part->index + 1);
    part->task.method = "PUT";
    part->task.what = "write";
    part->task.key = text_copy(upload->key);
    part->task.query[0] = (struct sigv4_pair){"partNumber", part->number};
    part->task.query[1] = (struct sigv4_pair){"uploadId", upload->id};
    part->task.query_count = 2;
    part->task.payload_sha256 = part->sha256;
    part->task.fd = upload->body->fd;
    part->task.offset = part->index * upload->part_size;
    part->task.size = upload->body->size - part->task.offset;
    if (part->task.size > upload->part_size)
        part->task.size = upload->part_size;
    if (hash_part(upload, part, reterr) != 0) {
        free_part(&part->task);
        return NULL;
    }
    return &part->task;
}

static int done_part(void *data, struct s3_task *task, struct error *reterr)
{
    struct upload *upload = data;
    const struct part *part = (const struct part *)task;
    char *etag = s3_header(task, "etag");
    upload->etags[part->index] = etag;
    int result = 0;
    if (task->result == STORE_ABSENT)
        result = error_move(reterr, &task->error);
    else if (etag == NULL)
        result = error_set(reterr, EXIT_FAILED, "store '%s' took a part and did not say which",
                           upload->s3->name);
    free_part(task);
    return result;
}

/* ---- completing -------------------------------------------------------------------------------
 */

static void add_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"')
            (void)buffer_append_text(out, "&quot;");
        else if (*text == '&')
            (void)buffer_append_text(out, "&amp;");
        else if (*text == '<')
            (void)buffer_append_text(out, "&lt;");
        else
            (void)buffer_append(out, text, 1);
    }
}

static char *completion_text(const struct upload *upload)
{
    struct buffer out = BUFFER_INIT((size_t)PARTS_LIMIT * 512);
    (void)buffer_append_text(&out, "<CompleteMultipartUpload>");
    for (int64_t i = 0; i < upload->parts; i++) {
        (void)buffer_format(&out, "<Part><PartNumber>%lld</PartNumber><ETag>", (long long)i + 1);
        add_escaped(&out, upload->etags[i]);
        (void)buffer_append_text(&out, "</ETag></Part>");
    }
    (void)buffer_append_text(&out, "</CompleteMultipartUpload>");
    return buffer_take(&out);
}

/* Whether the object came to be although the answer was lost. */
static int is_there(struct upload *upload)
{
    cleanup_s3_task struct s3_task task = {
        .method = "HEAD", .what = "look at", .key = text_copy(upload->key)};
    if (s3_run(upload->s3, &task, NULL) != 0)
        return 0;
    cleanup_free char *length = s3_header(&task, "content-length");
    cleanup_free char *sha256 = s3_header(&task, "x-amz-meta-salvor-sha256");
    cleanup_free char *wanted = text_format("%lld", (long long)upload->body->size);
    return text_equal(length, wanted) && text_equal(sha256, upload->body->sha256);
}

static int complete(struct upload *upload, struct error *reterr)
{
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_free char *text = completion_text(upload);
    digest_text_of(text, strlen(text), sha256);
    cleanup_s3_task struct s3_task task = {.method = "POST",
                                           .what = "write",
                                           .key = text_copy(upload->key),
                                           .query = {{"uploadId", upload->id}},
                                           .query_count = 1,
                                           .payload_sha256 = sha256,
                                           .body = {text, strlen(text)},
                                           .once = 1};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *code = NULL;
    cleanup_free char *message = NULL;
    int result = s3_run(upload->s3, &task, &err);
    /* status 200 is sent before the work is done: an error document may follow */
    if (result == 0 && s3_xml_error(task.answer.data, task.answer.size, &code, &message))
        result = s3_answer_error(&task);
    if (result == 0)
        return 0;
    if (!error_is_set(&err))
        (void)error_move(&err, &task.error);
    return is_there(upload) ? 0 : error_move(reterr, &err);
}

static int check_digest(struct upload *upload, struct error *reterr)
{
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE];
    digest_end(&upload->digest, hash);
    digest_text(hash, sha256);
    if (text_equal(sha256, upload->body->sha256))
        return 0;
    return error_set(reterr, EXIT_FAILED,
                     "cannot write 's3://%s/%s': its SHA-256 is not the one "
                     "that was said",
                     upload->s3->name, upload->key + strlen(upload->s3->prefix));
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int send(struct upload *upload, struct error *reterr)
{
    const struct s3_queue queue = {next_part, done_part, free_part, upload, PARTS_AT_ONCE};
    if (s3_run_queue(upload->s3, &queue, reterr) != 0 || check_digest(upload, reterr) != 0)
        return -1;
    return complete(upload, reterr);
}

int s3_multipart_put(struct s3 *s3, const char *key, const struct store_body *body,
                     struct error *reterr)
{
    cleanup_free char *whole = s3_key(s3, key);
    struct upload upload = {.s3 = s3, .key = whole, .body = body, .part_size = 16 * MIB};
    while (upload.part_size * PARTS_LIMIT < body->size)
        upload.part_size += MIB;
    upload.parts = (body->size + upload.part_size - 1) / upload.part_size;
    upload.etags = memory_new((size_t)upload.parts, sizeof *upload.etags);
    digest_begin(&upload.digest);
    give_up_leftovers(s3, whole);
    int result = begin(s3, whole, body->sha256, &upload.id, reterr);
    if (result == 0)
        result = send(&upload, reterr);
    if (result != 0 && upload.id != NULL)
        (void)give_up(s3, whole, upload.id, NULL);
    for (int64_t i = 0; i < upload.parts; i++)
        free(upload.etags[i]);
    free(upload.etags);
    free(upload.id);
    return result;
}

int s3_multipart_probe(struct store *store, const char *key, struct error *reterr)
{
    struct s3 *s3 = (struct s3 *)store;
    cleanup_free char *whole = s3_key(s3, key);
    cleanup_free char *id = NULL;
    if (begin(s3, whole, NULL, &id, reterr) != 0)
        return -1;
    return give_up(s3, whole, id, reterr);
}
