#include "archive-writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include <salvor/helpers.h>

#include "gzip-thread.h"
#include "names.h"

enum { BLOCK = 65536 };

struct archive_writer {
    salvor_call *call;
    salvor_stream_writer *stream;
    struct gzip_thread *gzip;
    struct archive *tar;
    struct archive_entry *entry;
    struct names folders;
    int64_t mtime;
    uint64_t size;
    salvor_status failed; /* what a callback met */
};

/* ---- sinks ----------------------------------------------------------------------------------- */

/* Passes on what the thread has ready. */
static salvor_status drain(archive_writer *writer, int wait)
{
    for (;;) {
        const void *data = NULL;
        size_t size = 0;
        const salvor_status status = gzip_thread_take(writer->gzip, wait, &data, &size);
        if (status == SALVOR_PENDING || status == SALVOR_END)
            return SALVOR_OK;
        if (status != SALVOR_OK)
            return salvor_fail(writer->call, SALVOR_FAILED, NULL,
                               "the archive cannot be compressed");
        SALVOR_TRY(salvor_stream_of(writer->call)->write(writer->call, writer->stream, data, size));
    }
}

static la_ssize_t take_block(struct archive *tar, void *data, const void *block, size_t size)
{
    archive_writer *writer = data;
    (void)tar;
    writer->size += size;
    while (writer->failed == SALVOR_OK && !gzip_thread_give(writer->gzip, block, size))
        writer->failed = drain(writer, 1);
    if (writer->failed == SALVOR_OK)
        writer->failed = drain(writer, 0);
    return writer->failed == SALVOR_OK ? (la_ssize_t)size : -1;
}

static salvor_status tar_failed(archive_writer *writer)
{
    if (writer->failed != SALVOR_OK)
        return writer->failed;
    const char *text = archive_error_string(writer->tar);
    return salvor_fail(writer->call, SALVOR_FAILED, NULL, "the archive cannot be written: %s",
                       text != NULL ? text : "no memory");
}

/* ---- life ------------------------------------------------------------------------------------ */

static salvor_status start(archive_writer *writer)
{
    writer->gzip = gzip_thread_start();
    writer->entry = archive_entry_new();
    writer->tar = archive_write_new();
    if (writer->gzip == NULL || writer->entry == NULL || writer->tar == NULL)
        return salvor_fail_memory(writer->call, "the archive");
    if (archive_write_set_format_pax_restricted(writer->tar) != ARCHIVE_OK ||
        archive_write_set_options(writer->tar, "hdrcharset=BINARY") != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(writer->tar, BLOCK) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(writer->tar, 1) != ARCHIVE_OK ||
        archive_write_open(writer->tar, writer, NULL, take_block, NULL) != ARCHIVE_OK)
        return tar_failed(writer);
    return SALVOR_OK;
}

static void release(archive_writer *writer)
{
    /* whatever it still holds goes nowhere */
    if (writer->failed == SALVOR_OK)
        writer->failed = SALVOR_CANCELLED;
    if (writer->tar != NULL)
        (void)archive_write_free(writer->tar);
    archive_entry_free(writer->entry);
    gzip_thread_stop(writer->gzip);
    names_clear(&writer->folders);
    if (writer->stream != NULL)
        salvor_stream_of(writer->call)->abort(writer->call, writer->stream);
    salvor_release(writer);
}

salvor_status archive_writer_open(salvor_call *call, const char *artifact, uint32_t flags,
                                  int64_t mtime, archive_writer **ret_writer)
{
    archive_writer *writer = salvor_allocate_zeroed(sizeof *writer);
    if (writer == NULL)
        return salvor_fail_memory(call, "the archive");
    writer->call = call;
    writer->mtime = mtime;
    salvor_status status =
        salvor_stream_of(call)->create(call, artifact, ARCHIVE_MEDIA_TYPE, flags, &writer->stream);
    if (status == SALVOR_OK)
        status = start(writer);
    if (status != SALVOR_OK) {
        release(writer);
        return status;
    }
    *ret_writer = writer;
    return SALVOR_OK;
}

void archive_writer_abort(archive_writer *writer)
{
    if (writer != NULL)
        release(writer);
}

/* ---- members --------------------------------------------------------------------------------- */

static salvor_status put_header(archive_writer *writer, const char *path, unsigned type,
                                unsigned mode, uint64_t size)
{
    struct archive_entry *entry = archive_entry_clear(writer->entry);
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, mode);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_mtime(entry, (time_t)writer->mtime, 0);
    archive_entry_set_uid(entry, 1000);
    archive_entry_set_gid(entry, 1000);
    const int result = archive_write_header(writer->tar, entry);
    return result == ARCHIVE_OK || result == ARCHIVE_WARN ? SALVOR_OK : tar_failed(writer);
}

static salvor_status put_folders(archive_writer *writer, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const struct salvor_span folder = {path, (uint64_t)(slash - path)};
        if (names_find(&writer->folders, folder) != NAME_NONE)
            continue;
        const uint32_t number = names_add(&writer->folders, folder);
        if (number == NAME_NONE)
            return salvor_fail_memory(writer->call, "the archive");
        SALVOR_TRY(put_header(writer, names_text(&writer->folders, number), AE_IFDIR, 0755, 0));
    }
    return SALVOR_OK;
}

salvor_status archive_writer_add(archive_writer *writer, const char *path, struct salvor_span data)
{
    SALVOR_TRY(put_folders(writer, path));
    SALVOR_TRY(put_header(writer, path, AE_IFREG, 0644, data.size));
    if (data.size > 0 &&
        archive_write_data(writer->tar, data.data, (size_t)data.size) != (la_ssize_t)data.size)
        return tar_failed(writer);
    return SALVOR_OK;
}

uint64_t archive_writer_size(const archive_writer *writer)
{
    return writer->size;
}

static salvor_status finish(archive_writer *writer)
{
    if (archive_write_close(writer->tar) != ARCHIVE_OK)
        return tar_failed(writer);
    gzip_thread_end(writer->gzip);
    return drain(writer, 1);
}

salvor_status archive_writer_commit(archive_writer *writer, struct salvor_artifact *ret_artifact)
{
    salvor_status status = finish(writer);
    if (status == SALVOR_OK) {
        status = salvor_stream_of(writer->call)->commit(writer->call, writer->stream, ret_artifact);
        writer->stream = NULL; /* it is gone either way */
    }
    release(writer);
    return status;
}
