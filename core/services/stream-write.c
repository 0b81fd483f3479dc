#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "seal/seal.h"
#include "services/artifact-key.h"
#include "services/artifact.h"
#include "services/beneath.h"
#include "services/codec.h"
#include "services/run-paths.h"
#include "services/stream.h"

enum { CHUNK = 65536, MEDIA_TYPE_LIMIT = 100, ALL_FLAGS = 7 };

struct salvor_stream_writer {
    char *name;
    char *media_type;
    const char *folder; /* of the call's settings */
    int folder_fd;
    int fd;
    char *temporary; /* path */
    struct encoder *encoder;
    struct sealer *sealer; /* behind the encoder; NULL: not encrypted */
    int sensitive;
    int left_out; /* nothing of it is kept */
    struct digest digest;
    uint64_t size;
    int failed; /* bytes of it are lost: it can only be aborted */
};

static void release(struct salvor_stream_writer *writer)
{
    encoder_free(writer->encoder);
    sealer_free(writer->sealer);
    if (writer->fd >= 0)
        (void)close(writer->fd);
    if (writer->folder_fd >= 0)
        (void)close(writer->folder_fd);
    if (writer->temporary != NULL)
        (void)unlink(writer->temporary);
    free(writer->temporary);
    free(writer->name);
    free(writer->media_type);
    free(writer);
}

static void close_writer(struct worker_call *call, void *handle)
{
    (void)call;
    release(handle);
}

static int take_bytes(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct salvor_stream_writer *writer = data;
    if (file_write_all(writer->fd, bytes, size) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write artifact '%s'", writer->name);
    digest_add(&writer->digest, bytes, size);
    writer->size += size;
    return 0;
}

static int take_plain(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct salvor_stream_writer *writer = data;
    if (writer->left_out)
        return 0;
    return writer->sealer != NULL ? sealer_write(writer->sealer, bytes, size, reterr)
                                  : take_bytes(writer, bytes, size, reterr);
}

/* ---- what is encrypted ------------------------------------------------------------------------
 */

static const json_t *sealing_of(const struct worker_call *call)
{
    return json_object_get(call->session->open, "seal");
}

static salvor_status no_recipient(struct worker_call *call, const char *name)
{
    (void)call_fail(call, SALVOR_REFUSED,
                    "artifact '%s' is sensitive, and there is no recipient to encrypt it to", name);
    return call_hint(call, SALVOR_REFUSED,
                     "'salvor backups keygen FILE' makes a key, on a machine that restores; backup "
                     "and resume take its recipient with --recipient ('recipients' in salvor.yaml "
                     "is for all backups to come), or leave the artifact out with "
                     "--without-secrets");
}

static salvor_status make_sealer(struct worker_call *call, struct salvor_stream_writer *writer)
{
    cleanup_error struct error err = ERROR_INIT;
    const json_t *recipients = json_object_get(sealing_of(call), "recipients");
    size_t count = json_array_size(recipients);
    cleanup_free unsigned char(*keys)[SEAL_KEY_SIZE] = memory_new(count + 1, sizeof *keys);
    if (count > SEAL_RECIPIENTS_LIMIT)
        return call_fail(call, SALVOR_FAILED, "there are more than %d recipients",
                         SEAL_RECIPIENTS_LIMIT);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(recipients, i));
        if (recipient_parse(text != NULL ? text : "", keys[i], &err) != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
    }
    writer->sealer =
        sealer_new((const unsigned char(*)[SEAL_KEY_SIZE])keys, count, take_bytes, writer);
    return SALVOR_OK;
}

/* Decides what becomes of the bytes. What no set holds (artifacts of a restore) needs no recipient:
 * the run itself reads it, and nobody after it. */
static salvor_status choose_form(struct worker_call *call, struct salvor_stream_writer *writer)
{
    const json_t *sealing = sealing_of(call);
    const int has_recipients = json_array_size(json_object_get(sealing, "recipients")) > 0;
    if (writer->sensitive && json_flag(sealing, "without_secrets")) {
        writer->left_out = 1;
        return SALVOR_OK;
    }
    if (writer->sensitive && !has_recipients && !json_flag(sealing, "for_run"))
        return no_recipient(call, writer->name);
    if (writer->sensitive || (has_recipients && json_flag(sealing, "all")))
        return make_sealer(call, writer);
    return SALVOR_OK;
}

/* ---- create ---------------------------------------------------------------------------------- */

static int media_type_is_usable(const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;
    if (size == 0 || size > MEDIA_TYPE_LIMIT || strchr(text, '/') == NULL)
        return 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return 0;
    return 1;
}

static salvor_status check_request(struct worker_call *call, const char *name,
                                   const char *media_type, uint32_t flags)
{
    cleanup_error struct error err = ERROR_INIT;
    if (name == NULL || beneath_check(name, 1, &err) != 0)
        return err.message != NULL ? call_fail_error(call, SALVOR_BUG, &err)
                                   : call_fail(call, SALVOR_BUG, "an artifact has no name");
    if (text_equal(name, "manifest.json") || text_equal(name, "SHA256SUMS"))
        return call_fail(call, SALVOR_BUG, "an artifact cannot be called '%s'", name);
    if (!media_type_is_usable(media_type))
        return call_fail(call, SALVOR_BUG, "artifact '%s' has no media type", name);
    if ((flags & ~(uint32_t)ALL_FLAGS) != 0 ||
        (flags & (SALVOR_STREAM_GZIP | SALVOR_STREAM_ZSTD)) ==
            (SALVOR_STREAM_GZIP | SALVOR_STREAM_ZSTD))
        return call_fail(call, SALVOR_BUG, "artifact '%s' has flags that exclude each other", name);
    if (artifact_is_of_source(call, name))
        return call_fail(call, SALVOR_REFUSED,
                         "artifact '%s' cannot be made: the source has one of that name", name);
    return SALVOR_OK;
}

static int open_files(struct salvor_stream_writer *writer, struct error *reterr)
{
    writer->folder_fd = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_free char *parts = text_format("%s/.parts", writer->folder);
    cleanup_free char *temporary = text_format("%s/XXXXXX", parts);
    if (writer->folder_fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open folder '%s'", writer->folder);
    if (file_make_folder(parts, reterr) != 0)
        return -1;
    writer->fd = mkostemp(temporary, O_CLOEXEC);
    if (writer->fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create artifact '%s'", writer->name);
    writer->temporary = take_pointer(temporary);
    return 0;
}

salvor_status stream_create(salvor_call *public_call, const char *name, const char *media_type,
                            uint32_t flags, salvor_stream_writer **ret_writer)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    if (ret_writer == NULL)
        return call_fail(call, SALVOR_BUG, "stream.create: an argument is missing");
    *ret_writer = NULL;
    salvor_status status = check_request(call, name, media_type, flags);
    const char *folder = status == SALVOR_OK ? run_folder(call, "artifact_folder") : NULL;
    if (folder == NULL)
        return status != SALVOR_OK ? status : SALVOR_FAILED;
    struct salvor_stream_writer *writer = memory_new(1, sizeof *writer);
    *writer = (struct salvor_stream_writer){.name = text_copy(name),
                                            .media_type = text_copy(media_type),
                                            .folder = folder,
                                            .folder_fd = -1,
                                            .fd = -1,
                                            .sensitive = (flags & SALVOR_STREAM_SENSITIVE) != 0};
    digest_begin(&writer->digest);
    writer->encoder = encoder_new((flags & SALVOR_STREAM_GZIP) != 0   ? CODEC_GZIP
                                  : (flags & SALVOR_STREAM_ZSTD) != 0 ? CODEC_ZSTD
                                                                      : CODEC_NONE,
                                  take_plain, writer);
    status = choose_form(call, writer);
    if (status == SALVOR_OK && open_files(writer, &err) != 0)
        status = call_fail_error(call, SALVOR_FAILED, &err);
    if (status != SALVOR_OK) {
        release(writer);
        return status;
    }
    call_register(call, writer, close_writer);
    *ret_writer = writer;
    return SALVOR_OK;
}

salvor_status stream_write(salvor_call *public_call, salvor_stream_writer *writer, const void *data,
                           uint64_t size)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    if (!call_owns(call, writer, close_writer) || (data == NULL && size > 0))
        return call_fail(call, SALVOR_BUG, "stream.write: the writer is not open in this call");
    if (writer->failed)
        return call_fail(call, SALVOR_FAILED, "artifact '%s' lost bytes before", writer->name);
    if (size == 0)
        return SALVOR_OK;
    if (encoder_write(writer->encoder, data, (size_t)size, &err) != 0) {
        writer->failed = 1;
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    return SALVOR_OK;
}

/* ---- commit ---------------------------------------------------------------------------------- */

static int name_it(struct salvor_stream_writer *writer, const json_t *note, struct error *reterr)
{
    const char *last = NULL;
    /* The old note goes before the old bytes do: a kill in between leaves no artifact rather than
     * one that contradicts its note. */
    if (artifact_note_remove(writer->folder_fd, writer->name, reterr) != 0)
        return -1;
    cleanup_close int parent = -1;
    if (beneath_make_parents(writer->folder_fd, writer->name) == 0)
        parent = beneath_open_parent(writer->folder_fd, writer->name, &last);
    if (parent < 0 || renameat(AT_FDCWD, writer->temporary, parent, last) != 0 ||
        fsync(parent) != 0 || fsync(writer->folder_fd) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot name artifact '%s'", writer->name);
    free(writer->temporary);
    writer->temporary = NULL;
    return artifact_note_write(writer->folder, writer->name, note, reterr);
}

/* All bytes are in the file, and durable. */
static int complete(struct salvor_stream_writer *writer, struct error *reterr)
{
    if (writer->failed)
        return error_set(reterr, EXIT_FAILED, "artifact '%s' lost bytes before", writer->name);
    if (encoder_end(writer->encoder, reterr) != 0 ||
        (writer->sealer != NULL && sealer_end(writer->sealer, reterr) != 0))
        return -1;
    if (fsync(writer->fd) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make artifact '%s' durable",
                           writer->name);
    return 0;
}

/* The ARTIFACT frame's body. */
static json_t *about(struct salvor_stream_writer *writer)
{
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE] = "";
    digest_end(&writer->digest, hash);
    if (!writer->left_out)
        digest_text(hash, sha256);
    return json_make("{s:s,s:s,s:I,s:s,s:b,s:s?,s:b}", "name", writer->name, "media_type",
                     writer->media_type, "size", (json_int_t)writer->size, "sha256", sha256,
                     "sensitive", writer->sensitive, "encryption",
                     writer->sealer != NULL ? SEAL_FORMAT : NULL, "left_out", writer->left_out);
}

static salvor_status finish(struct worker_call *call, struct salvor_stream_writer *writer,
                            json_t **ret_about)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *key = NULL;
    if (complete(writer, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    if (writer->sealer != NULL) {
        salvor_status status = artifact_key_wrap(call, sealer_key(writer->sealer), &key);
        if (status != SALVOR_OK)
            return status;
    }
    *ret_about = about(writer);
    cleanup_json json_t *note = json_clone(*ret_about);
    json_put_text(note, "key", key);
    return name_it(writer, note, &err) == 0 ? SALVOR_OK
                                            : call_fail_error(call, SALVOR_FAILED, &err);
}

salvor_status stream_commit(salvor_call *public_call, salvor_stream_writer *writer,
                            struct salvor_artifact *ret_artifact)
{
    struct worker_call *call = call_of(public_call);
    cleanup_json json_t *body = NULL;
    if (!call_owns(call, writer, close_writer))
        return call_fail(call, SALVOR_BUG, "stream.commit: the writer is not open in this call");
    if (ret_artifact != NULL && ret_artifact->struct_size < sizeof *ret_artifact)
        return call_fail(call, SALVOR_BUG, "stream.commit: struct_size is not set");
    salvor_status status = finish(call, writer, &body);
    call_forget(call, writer);
    release(writer);
    if (status != SALVOR_OK)
        return status;
    if (ret_artifact != NULL) {
        ret_artifact->size = (uint64_t)json_whole(body, "size", 0);
        (void)snprintf(ret_artifact->sha256, sizeof ret_artifact->sha256, "%s",
                       json_text(body, "sha256"));
    }
    call_send(call, FRAME_ARTIFACT, take_pointer(body));
    return SALVOR_OK;
}

void stream_abort(salvor_call *public_call, salvor_stream_writer *writer)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, writer, close_writer))
        return;
    call_forget(call, writer);
    release(writer);
}

/* ---- adopt ----------------------------------------------------------------------------------- */

static salvor_status open_scratch_file(struct worker_call *call, const char *path, int *ret_fd)
{
    cleanup_error struct error err = ERROR_INIT;
    struct stat status;
    const char *scratch = run_scratch_folder(call);
    if (scratch == NULL)
        return SALVOR_FAILED;
    const char *relative = path != NULL ? beneath_relative(scratch, path) : NULL;
    if (relative == NULL || beneath_check(relative, 0, NULL) != 0)
        return call_fail(call, SALVOR_BUG, "file '%s' is not below the scratch folder",
                         path != NULL ? path : "");
    cleanup_close int folder = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int fd =
        folder < 0 ? -1 : beneath_open(folder, relative, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0 || fstat(fd, &status) != 0) {
        (void)error_errno(&err, EXIT_FAILED, errno, "cannot read '%s'", path);
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    if (!S_ISREG(status.st_mode))
        return call_fail(call, SALVOR_FAILED, "cannot read '%s': it is not a plain file", path);
    *ret_fd = take_fd(&fd);
    return SALVOR_OK;
}

static salvor_status write_from(struct worker_call *call, salvor_stream_writer *writer, int fd,
                                const char *path)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *chunk = memory_new(CHUNK, 1);
    for (;;) {
        ssize_t got = read(fd, chunk, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            (void)error_errno(&err, EXIT_FAILED, errno, "cannot read '%s'", path);
            return call_fail_error(call, SALVOR_FAILED, &err);
        }
        if (got == 0)
            return SALVOR_OK;
        salvor_status status = stream_write(&call->public, writer, chunk, (uint64_t)got);
        if (status == SALVOR_OK)
            status = call_wait(call, NULL, 0, 0);
        if (status != SALVOR_PENDING)
            return status;
    }
}

salvor_status stream_adopt(salvor_call *public_call, const char *path, const char *name,
                           const char *media_type, uint32_t flags,
                           struct salvor_artifact *ret_artifact)
{
    struct worker_call *call = call_of(public_call);
    cleanup_close int fd = -1;
    salvor_stream_writer *writer = NULL;
    salvor_status status = open_scratch_file(call, path, &fd);
    if (status == SALVOR_OK)
        status = stream_create(public_call, name, media_type, flags, &writer);
    if (status != SALVOR_OK)
        return status;
    status = write_from(call, writer, fd, path);
    if (status == SALVOR_OK)
        return stream_commit(public_call, writer, ret_artifact);
    stream_abort(public_call, writer);
    return status;
}
