#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "seal/seal.h"
#include "services/artifact-key.h"
#include "services/artifact.h"
#include "services/beneath.h"
#include "services/codec.h"
#include "services/run-paths.h"
#include "services/stream.h"

/* One stored chunk completes at most one message more than it is long. */
enum { CHUNK = 65536, OPENED_LIMIT = 2 * CHUNK };

struct salvor_stream_reader {
    char *name;
    struct artifact artifact;
    int fd;
    struct decoder *decoder;
    struct unsealer *unsealer; /* before the decoder; NULL: not encrypted */
    struct identity *identity; /* that it opens with, or */
    unsigned char *key;        /* (locked) */
    struct digest digest;
    int64_t taken; /* stored bytes read */
    char chunk[CHUNK];
    struct buffer opened; /* what the unsealer made of the chunk */
    const char *next;     /* what is not decoded yet */
    size_t left;
    int at_eof;           /* of the stored bytes */
    salvor_status ended;  /* OK while more may come; END or FAILED for good */
    struct error problem; /* with FAILED */
};

static void close_reader(struct worker_call *call, void *handle)
{
    (void)call;
    struct salvor_stream_reader *reader = handle;
    decoder_free(reader->decoder);
    unsealer_free(reader->unsealer);
    identity_free(reader->identity);
    sodium_free(reader->key);
    if (reader->opened.data != NULL)
        sodium_memzero(reader->opened.data, reader->opened.capacity);
    buffer_clear(&reader->opened);
    if (reader->fd >= 0)
        (void)close(reader->fd);
    error_clear(&reader->problem);
    free(reader->name);
    free(reader);
}

/* ---- open ------------------------------------------------------------------------------------ */

static salvor_status open_stored(struct worker_call *call, const char *name,
                                 const struct artifact *artifact, int *ret_fd)
{
    cleanup_error struct error err = ERROR_INIT;
    struct stat status;
    cleanup_close int folder = open(artifact->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int fd = folder < 0 ? -1 : beneath_open(folder, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0 || fstat(fd, &status) != 0) {
        (void)error_errno(&err, EXIT_FAILED, errno, "cannot read artifact '%s' in '%s'", name,
                          artifact->folder);
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    if (!S_ISREG(status.st_mode))
        return call_fail(call, SALVOR_FAILED,
                         "cannot read artifact '%s' in '%s': it is not a plain file", name,
                         artifact->folder);
    *ret_fd = take_fd(&fd);
    return SALVOR_OK;
}

static void begin(struct salvor_stream_reader *reader)
{
    digest_begin(&reader->digest);
    reader->taken = 0;
    reader->left = 0;
    reader->at_eof = 0;
    if (reader->unsealer != NULL)
        unsealer_reset(reader->unsealer);
    reader->ended = SALVOR_OK;
    error_clear(&reader->problem);
}

static int take_opened(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct salvor_stream_reader *reader = data;
    if (buffer_append(&reader->opened, bytes, size) != 0)
        return error_set(reterr, EXIT_FAILED, "it opens to more than it is made of");
    return 0;
}

/* 1 when it has to be decrypted. */
static int is_encrypted(const struct salvor_stream_reader *reader)
{
    char begin[SEAL_MAGIC_SIZE];
    if (!reader->artifact.maybe_encrypted)
        return reader->artifact.encrypted;
    ssize_t got = pread(reader->fd, begin, sizeof begin, 0);
    return got > 0 && seal_is_sealed(begin, (size_t)got);
}

/* The key in the note of an artifact that this run has made, else the private keys. */
static salvor_status find_keys(struct worker_call *call, struct salvor_stream_reader *reader)
{
    cleanup_free char *wrapped = artifact_note_key(call, reader->name);
    if (wrapped == NULL || text_equal(reader->artifact.origin, "source"))
        return artifact_identity(call, &reader->identity);
    reader->key = locked_new(SEAL_KEY_SIZE);
    return artifact_key_unwrap(call, wrapped, reader->key);
}

static int fill(struct salvor_stream_reader *reader, struct error *reterr);

/* The first bytes are read now: whether there is a key for them belongs to opening. */
static salvor_status open_sealed(struct worker_call *call, struct salvor_stream_reader *reader)
{
    cleanup_error struct error err = ERROR_INIT;
    salvor_status status = find_keys(call, reader);
    if (status != SALVOR_OK)
        return status;
    reader->unsealer = unsealer_new(reader->identity, reader->key, take_opened, reader);
    if (fill(reader, &err) == 0)
        return SALVOR_OK;
    return call_fail_error(call, err.code == EXIT_REFUSED ? SALVOR_REFUSED : SALVOR_FAILED, &err);
}

static int are_read_flags(uint32_t flags)
{
    const uint32_t codec = flags & ~SALVOR_STREAM_SENSITIVE;
    return codec == 0 || codec == SALVOR_STREAM_GZIP || codec == SALVOR_STREAM_ZSTD;
}

salvor_status stream_open(salvor_call *public_call, const char *name, uint32_t flags,
                          salvor_stream_reader **ret_reader)
{
    struct worker_call *call = call_of(public_call);
    struct artifact artifact = {0};
    int fd = -1;
    if (ret_reader == NULL || !are_read_flags(flags))
        return call_fail(call, SALVOR_BUG, "stream.open: an argument is missing or contradictory");
    *ret_reader = NULL;
    salvor_status status = artifact_find(call, name, &artifact);
    if (status == SALVOR_OK)
        status = open_stored(call, name, &artifact, &fd);
    if (status != SALVOR_OK)
        return status;
    struct salvor_stream_reader *reader = memory_new(1, sizeof *reader);
    reader->name = text_copy(name);
    reader->artifact = artifact;
    reader->fd = fd;
    reader->opened = (struct buffer)BUFFER_INIT(OPENED_LIMIT);
    reader->decoder = decoder_new((flags & SALVOR_STREAM_GZIP) != 0   ? CODEC_GZIP
                                  : (flags & SALVOR_STREAM_ZSTD) != 0 ? CODEC_ZSTD
                                                                      : CODEC_NONE);
    begin(reader);
    status = is_encrypted(reader) ? open_sealed(call, reader) : SALVOR_OK;
    if (status != SALVOR_OK) {
        close_reader(call, reader);
        return status;
    }
    call_register(call, reader, close_reader);
    *ret_reader = reader;
    return SALVOR_OK;
}

void stream_close(salvor_call *public_call, salvor_stream_reader *reader)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, reader, close_reader))
        return;
    call_forget(call, reader);
    close_reader(call, reader);
}

salvor_status stream_rewind(salvor_call *public_call, salvor_stream_reader *reader)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, reader, close_reader))
        return call_fail(call, SALVOR_BUG, "stream.rewind: the reader is not open in this call");
    if (lseek(reader->fd, 0, SEEK_SET) != 0)
        return call_fail(call, SALVOR_FAILED, "cannot read artifact '%s' again: %s", reader->name,
                         strerror(errno));
    decoder_reset(reader->decoder);
    begin(reader);
    return SALVOR_OK;
}

/* ---- read ------------------------------------------------------------------------------------ */

static int read_chunk(struct salvor_stream_reader *reader, size_t *ret_size, struct error *reterr)
{
    ssize_t got = -1;
    do
        got = read(reader->fd, reader->chunk, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read artifact '%s'", reader->name);
    *ret_size = (size_t)got;
    return 0;
}

static int unseal(struct salvor_stream_reader *reader, size_t size, struct error *reterr)
{
    reader->opened.size = 0;
    if ((size > 0 ? unsealer_write(reader->unsealer, reader->chunk, size, reterr)
                  : unsealer_end(reader->unsealer, reterr)) != 0)
        return error_prefix(reterr, "artifact '%s'", reader->name);
    reader->next = reader->opened.data;
    reader->left = reader->opened.size;
    return 0;
}

/* Takes the next stored bytes; they count for digest and size as they come. */
static int fill(struct salvor_stream_reader *reader, struct error *reterr)
{
    size_t got = 0;
    if (read_chunk(reader, &got, reterr) != 0)
        return -1;
    reader->next = reader->chunk;
    reader->left = got;
    reader->at_eof = got == 0;
    reader->taken += (int64_t)got;
    digest_add(&reader->digest, reader->chunk, got);
    if (reader->artifact.size >= 0 && reader->taken > reader->artifact.size)
        return error_set(reterr, EXIT_FAILED,
                         "artifact '%s' is damaged: it is longer than %lld "
                         "bytes",
                         reader->name, (long long)reader->artifact.size);
    return reader->unsealer != NULL ? unseal(reader, got, reterr) : 0;
}

/* At the end of the stored bytes: are they what they should be, to the last? */
static int prove_end(struct salvor_stream_reader *reader, struct error *reterr)
{
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE];
    digest_end(&reader->digest, hash);
    digest_text(hash, sha256);
    if (reader->artifact.size >= 0 && reader->taken != reader->artifact.size)
        return error_set(reterr, EXIT_FAILED, "artifact '%s' is damaged: it has %lld of %lld bytes",
                         reader->name, (long long)reader->taken, (long long)reader->artifact.size);
    if (reader->artifact.sha256[0] != '\0' && !text_equal(sha256, reader->artifact.sha256))
        return error_set(reterr, EXIT_FAILED,
                         "artifact '%s' is damaged: its SHA-256 is not the recorded one",
                         reader->name);
    if (!decoder_may_end(reader->decoder))
        return error_set(reterr, EXIT_FAILED,
                         "artifact '%s' is damaged: its compressed data is cut off", reader->name);
    return 0;
}

/* 1: *ret_made bytes, 0: proven end, -1: *reterr. */
static int pull(struct salvor_stream_reader *reader, void *data, size_t size, size_t *ret_made,
                struct error *reterr)
{
    for (;;) {
        size_t used = 0;
        if (reader->left == 0 && !reader->at_eof && fill(reader, reterr) != 0)
            return -1;
        if (decoder_step(reader->decoder, reader->next, reader->left, &used, data, size, ret_made,
                         reterr) != 0)
            return error_prefix(reterr, "artifact '%s'", reader->name);
        reader->next += used;
        reader->left -= used;
        if (*ret_made > 0)
            return 1;
        if (reader->at_eof && reader->left == 0)
            return prove_end(reader, reterr);
    }
}

salvor_status stream_read(salvor_call *public_call, salvor_stream_reader *reader, void *data,
                          uint64_t size, uint64_t *ret_size)
{
    struct worker_call *call = call_of(public_call);
    size_t made = 0;
    if (!call_owns(call, reader, close_reader) || data == NULL || size == 0 || ret_size == NULL)
        return call_fail(call, SALVOR_BUG,
                         "stream.read: the reader is not open in this call, or there is no room");
    *ret_size = 0;
    if (reader->artifact.left_out)
        return call_fail(call, SALVOR_REFUSED, "artifact '%s' was left out: it is sensitive",
                         reader->name);
    if (reader->ended == SALVOR_OK) {
        int result = pull(reader, data, (size_t)size, &made, &reader->problem);
        *ret_size = made;
        if (result == 1)
            return SALVOR_OK;
        reader->ended = result == 0 ? SALVOR_END : SALVOR_FAILED;
    }
    if (reader->ended == SALVOR_FAILED)
        return call_fail(call, SALVOR_FAILED, "%s", reader->problem.message);
    return SALVOR_END;
}

/* ---- materialize ----------------------------------------------------------------------------- */

/* 1 when the file is there and is the artifact. */
static int is_copy(int folder, const char *name, const struct artifact *artifact)
{
    cleanup_close int fd = beneath_open(folder, name, O_RDONLY | O_NONBLOCK, 0);
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_free char *chunk = memory_new(CHUNK, 1);
    if (fd < 0 || artifact->sha256[0] == '\0')
        return 0;
    digest_begin(&digest);
    for (ssize_t got = 1; got > 0;) {
        got = read(fd, chunk, CHUNK);
        if (got < 0 && errno != EINTR)
            return 0;
        if (got > 0)
            digest_add(&digest, chunk, (size_t)got);
        got = got < 0 ? 1 : got;
    }
    digest_end(&digest, hash);
    digest_text(hash, sha256);
    return text_equal(sha256, artifact->sha256);
}

static salvor_status copy_to(struct worker_call *call, salvor_stream_reader *reader, int fd,
                             const char *path)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *chunk = memory_new(CHUNK, 1);
    for (;;) {
        uint64_t got = 0;
        salvor_status status = stream_read(&call->public, reader, chunk, CHUNK, &got);
        if (status == SALVOR_END && fsync(fd) == 0)
            return SALVOR_OK;
        if (status != SALVOR_OK && status != SALVOR_END)
            return status;
        if (status == SALVOR_END || file_write_all(fd, chunk, (size_t)got) != 0) {
            (void)error_errno(&err, EXIT_FAILED, errno, "cannot write '%s'", path);
            return call_fail_error(call, SALVOR_FAILED, &err);
        }
        status = call_wait(call, NULL, 0, 0);
        if (status != SALVOR_PENDING)
            return status;
    }
}

static salvor_status copy(struct worker_call *call, salvor_stream_reader *reader,
                          const char *scratch, int scratch_fd, const char *name)
{
    cleanup_error struct error err = ERROR_INIT;
    const char *last = NULL;
    cleanup_free char *parts = text_format("%s/.parts", scratch);
    cleanup_free char *temporary = text_format("%s/XXXXXX", parts);
    if (file_make_folder(parts, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    cleanup_close int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        (void)error_errno(&err, EXIT_FAILED, errno, "cannot create '%s'", temporary);
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    salvor_status status = copy_to(call, reader, fd, temporary);
    if (status == SALVOR_OK) {
        cleanup_close int parent = -1;
        if (beneath_make_parents(scratch_fd, name) == 0)
            parent = beneath_open_parent(scratch_fd, name, &last);
        if (parent < 0 || renameat(AT_FDCWD, temporary, parent, last) != 0) {
            (void)error_errno(&err, EXIT_FAILED, errno, "cannot name '%s/%s'", scratch, name);
            status = call_fail_error(call, SALVOR_FAILED, &err);
        }
    }
    if (status != SALVOR_OK)
        (void)unlink(temporary);
    return status;
}

salvor_status stream_materialize(salvor_call *public_call, const char *name, const char **ret_path)
{
    struct worker_call *call = call_of(public_call);
    struct artifact artifact = {0};
    salvor_stream_reader *reader = NULL;
    const char *scratch = run_scratch_folder(call);
    if (ret_path == NULL)
        return call_fail(call, SALVOR_BUG, "stream.materialize: an argument is missing");
    *ret_path = NULL;
    if (scratch == NULL)
        return SALVOR_FAILED;
    salvor_status status = artifact_find(call, name, &artifact);
    if (status != SALVOR_OK)
        return status;
    cleanup_free char *place = text_format(".artifacts/%s/%s", artifact.origin, name);
    cleanup_free char *path = text_format("%s/%s", scratch, place);
    cleanup_close int scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scratch_fd < 0)
        return call_fail(call, SALVOR_FAILED, "cannot open folder '%s': %s", scratch,
                         strerror(errno));
    if (!is_copy(scratch_fd, place, &artifact)) {
        status = stream_open(public_call, name, 0, &reader);
        if (status != SALVOR_OK)
            return status;
        status = copy(call, reader, scratch, scratch_fd, place);
        stream_close(public_call, reader);
        if (status != SALVOR_OK)
            return status;
    }
    *ret_path = call_keep_text(call, path, strlen(path));
    return SALVOR_OK;
}

/* ---- list ------------------------------------------------------------------------------------ */

salvor_status stream_list(salvor_call *public_call, struct salvor_span *ret_json)
{
    struct worker_call *call = call_of(public_call);
    cleanup_json json_t *list = NULL;
    if (ret_json == NULL)
        return call_fail(call, SALVOR_BUG, "stream.list: an argument is missing");
    salvor_status status = artifact_list(call, &list);
    if (status != SALVOR_OK)
        return status;
    cleanup_free char *text = json_canonical(list);
    ret_json->size = strlen(text);
    ret_json->data = call_keep_text(call, text, strlen(text));
    return SALVOR_OK;
}

const struct salvor_stream stream_table = {
    .struct_size = sizeof(struct salvor_stream),
    .version = 1,
    .create = stream_create,
    .write = stream_write,
    .commit = stream_commit,
    .abort = stream_abort,
    .adopt = stream_adopt,
    .open = stream_open,
    .read = stream_read,
    .rewind = stream_rewind,
    .close = stream_close,
    .materialize = stream_materialize,
    .list = stream_list,
};
