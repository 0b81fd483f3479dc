/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/archive.h>
#include <salvor/interfaces.h>
#include <salvor/memory.h>
#include <salvor/report.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>

#include "inflate.h"

#define END_MARK 1024u /* two blocks of zeros */

struct salvor_archive {
    struct inflate_source source;
    struct archive *tar;
    struct archive_entry *entry; /* ours: libarchive crashes when it cannot allocate its own */
    char *name;
    struct salvor_archive_limits limits;
    uint64_t ordinal;     /* of the next member */
    uint64_t member_size; /* of the present one */
    char *path;           /* of the present member */
    char *loaded;
    size_t loaded_capacity;
    salvor_status state;       /* OK, END or the failure, which stays */
    salvor_status read_status; /* what the source said to libarchive */
    int started;               /* the first bytes were read, or tried */
    char problem[256];
};

static salvor_status fail_with(salvor_archive *archive, const char *problem)
{
    (void)snprintf(archive->problem, sizeof archive->problem, "%s", problem);
    archive->state =
        salvor_fail(archive->source.call, SALVOR_FAILED, "use another copy of it, if there is one",
                    "archive '%s': %s", archive->name, archive->problem);
    return archive->state;
}

/* The failure of the source: its own words, or the host's status and text passed on. */
static salvor_status fail_source(salvor_archive *archive, salvor_status status)
{
    if (archive->source.problem != NULL)
        return fail_with(archive, archive->source.problem);
    (void)snprintf(archive->problem, sizeof archive->problem, "%s",
                   archive->source.call->host->last_error(archive->source.call));
    archive->state = status;
    return status;
}

static la_ssize_t give_block(struct archive *tar, void *data, const void **ret_block)
{
    salvor_archive *archive = data;
    size_t size = 0;
    (void)tar;
    const salvor_status status = inflate_next(&archive->source, ret_block, &size);
    if (status == SALVOR_OK)
        return (la_ssize_t)size;
    if (status == SALVOR_END)
        return 0;
    archive->read_status = status;
    return -1;
}

static salvor_status tar_failure(salvor_archive *archive)
{
    if (archive->read_status != SALVOR_OK)
        return fail_source(archive, archive->read_status);
    const char *text = archive_error_string(archive->tar);
    return fail_with(archive, text != NULL ? text : "no memory");
}

/* At the first member, so that damage at the very beginning is told like any other. */
static salvor_status start(salvor_archive *archive)
{
    archive->started = 1;
    archive->ordinal = 0;
    archive->member_size = 0;
    archive->state = archive->read_status = SALVOR_OK;
    archive->problem[0] = '\0';
    const salvor_status status = inflate_begin(&archive->source);
    if (status != SALVOR_OK)
        return fail_source(archive, status);
    if (archive->entry == NULL)
        archive->entry = archive_entry_new();
    archive->tar = archive_read_new();
    /* Behind the end mark nothing but zeros and, unless one_end forbids them, further archives may
     * stand, so that no byte goes unlooked at. */
    if (archive->entry == NULL || archive->tar == NULL ||
        archive_read_support_format_tar(archive->tar) != ARCHIVE_OK ||
        (archive->limits.one_end == 0 &&
         archive_read_set_options(archive->tar, "read_concatenated_archives") != ARCHIVE_OK))
        return fail_with(archive, "no memory");
    /* Step by step: archive_read_open() does not look whether the second one found memory. */
    if (archive_read_set_read_callback(archive->tar, give_block) != ARCHIVE_OK ||
        archive_read_set_callback_data(archive->tar, archive) != ARCHIVE_OK ||
        archive_read_open1(archive->tar) != ARCHIVE_OK)
        return tar_failure(archive);
    return SALVOR_OK;
}

static void drop_tar(salvor_archive *archive)
{
    if (archive->tar != NULL)
        (void)archive_read_free(archive->tar);
    archive->tar = NULL;
}

salvor_status salvor_archive_open(salvor_call *call, const char *name,
                                  const struct salvor_archive_limits *limits,
                                  salvor_archive **ret_archive)
{
    salvor_archive *archive = salvor_allocate_zeroed(sizeof *archive);
    if (archive == NULL)
        return salvor_fail_memory(call, "an archive");
    archive->source.call = call;
    archive->source.stream = salvor_stream_of(call);
    if (limits != NULL)
        archive->limits = *limits;
    if (archive->limits.members == 0)
        archive->limits.members = 10000000;
    if (archive->limits.member_size == 0)
        archive->limits.member_size = UINT64_C(64) << 20;
    if (archive->limits.total_size == 0)
        archive->limits.total_size = UINT64_C(64) << 30;
    archive->source.total_limit = archive->limits.total_size;
    archive->name = salvor_copy_text(name);
    salvor_status status;
    if (archive->name == NULL)
        status = salvor_fail_memory(call, "an archive");
    else if (archive->source.stream == NULL)
        status = salvor_fail(call, SALVOR_UNSUPPORTED, NULL, "this host has no artifacts");
    else
        status = archive->source.stream->open(call, name, 0, &archive->source.reader);
    if (status != SALVOR_OK) {
        salvor_archive_close(archive);
        return status;
    }
    *ret_archive = archive;
    return SALVOR_OK;
}

/* The path as the plugin gets it; NULL when it points out of the archive's own tree. */
static const char *safe_path(salvor_archive *archive, const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    size_t size = strlen(path);
    while (size > 0 && path[size - 1] == '/')
        size--;
    if (size == 1 && path[0] == '.')
        size = 0;
    if (path[0] == '/')
        return NULL;
    salvor_release(archive->path);
    archive->path = salvor_copy_bytes(path, size);
    if (archive->path == NULL)
        return NULL;
    for (const char *word = archive->path; word != NULL;) {
        if (strncmp(word, "..", 2) == 0 && (word[2] == '/' || word[2] == '\0'))
            return NULL;
        word = strchr(word, '/');
        if (word != NULL)
            word++;
    }
    return archive->path;
}

static salvor_status finish(salvor_archive *archive)
{
    const void *data = NULL;
    size_t size = 0;
    salvor_status status;
    do {
        status = inflate_next(&archive->source, &data, &size);
    } while (status == SALVOR_OK);
    if (status != SALVOR_END)
        return fail_source(archive, status);
    if (archive->source.zero_tail < END_MARK)
        return fail_with(archive, "it has no end mark: cut off");
    /* The tar reader stopped within the zeros of the end mark. */
    if (archive->limits.one_end != 0 && archive->source.total - archive->source.zero_tail >
                                            (uint64_t)archive_filter_bytes(archive->tar, -1))
        return fail_with(archive, "something follows its end mark");
    archive->state = SALVOR_END;
    return SALVOR_END;
}

salvor_status salvor_archive_next(salvor_archive *archive, struct salvor_archive_member *ret_member)
{
    const char *path = NULL;
    if (archive->state == SALVOR_OK && !archive->started)
        (void)start(archive);
    if (archive->state != SALVOR_OK)
        return archive->state;
    struct archive_entry *entry = archive->entry;
    do {
        const int result = archive_read_next_header2(archive->tar, entry);
        if (result == ARCHIVE_EOF)
            return finish(archive);
        /* A warning: the name is not of this locale's character set. Its bytes are given as they
         * are. */
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return tar_failure(archive);
        if (archive_entry_pathname(entry) == NULL)
            return fail_with(archive, "a member has no readable name");
        path = safe_path(archive, archive_entry_pathname(entry));
        if (path == NULL)
            return fail_with(archive,
                             "a member lies outside of the archive, or there is no memory");
    } while (path[0] == '\0'); /* the root folder itself */
    if (archive->ordinal == archive->limits.members)
        return fail_with(archive, "it holds more members than the limit");
    const unsigned type = archive_entry_filetype(entry);
    ret_member->path = path;
    ret_member->size = type == AE_IFREG ? (uint64_t)archive_entry_size(entry) : 0;
    ret_member->ordinal = archive->ordinal++;
    ret_member->mtime = (int64_t)archive_entry_mtime(entry);
    ret_member->mode = archive_entry_perm(entry);
    ret_member->dotted = strncmp(archive_entry_pathname(entry), "./", 2) == 0;
    ret_member->reserved = 0;
    ret_member->kind = type == AE_IFREG && archive_entry_hardlink(entry) == NULL
                           ? SALVOR_MEMBER_FILE
                       : type == AE_IFDIR ? SALVOR_MEMBER_FOLDER
                                          : SALVOR_MEMBER_OTHER;
    archive->member_size = ret_member->size;
    return SALVOR_OK;
}

salvor_status salvor_archive_read(salvor_archive *archive, void *data, uint64_t size,
                                  uint64_t *ret_size)
{
    if (archive->state != SALVOR_OK)
        return archive->state;
    const la_ssize_t got = archive_read_data(archive->tar, data, (size_t)size);
    if (got < 0)
        return tar_failure(archive);
    *ret_size = (uint64_t)got;
    return SALVOR_OK;
}

salvor_status salvor_archive_load(salvor_archive *archive, struct salvor_span *ret_data)
{
    uint64_t got = 0;
    size_t used = 0;
    if (archive->state != SALVOR_OK)
        return archive->state;
    if (archive->member_size > archive->limits.member_size)
        return fail_with(archive, "a member is larger than the limit");
    if (archive->loaded_capacity < archive->member_size + 1) {
        const size_t capacity = (size_t)archive->member_size + 4096;
        char *loaded = salvor_resize(archive->loaded, capacity);
        if (loaded == NULL)
            return fail_with(archive, "no memory");
        archive->loaded = loaded;
        archive->loaded_capacity = capacity;
    }
    do {
        const salvor_status status =
            salvor_archive_read(archive, archive->loaded + used, archive->member_size - used, &got);
        if (status != SALVOR_OK)
            return status;
        used += (size_t)got;
    } while (got > 0 && used < archive->member_size);
    archive->loaded[used] = '\0';
    ret_data->data = archive->loaded;
    ret_data->size = used;
    return SALVOR_OK;
}

const char *salvor_archive_problem(const salvor_archive *archive)
{
    return archive->problem;
}

salvor_status salvor_archive_rewind(salvor_archive *archive)
{
    drop_tar(archive);
    const salvor_status status =
        archive->source.stream->rewind(archive->source.call, archive->source.reader);
    if (status != SALVOR_OK)
        return fail_source(archive, status);
    archive->started = 0;
    archive->state = SALVOR_OK;
    return SALVOR_OK;
}

void salvor_archive_close(salvor_archive *archive)
{
    if (archive == NULL)
        return;
    drop_tar(archive);
    if (archive->entry != NULL)
        archive_entry_free(archive->entry);
    inflate_end(&archive->source);
    if (archive->source.reader != NULL)
        archive->source.stream->close(archive->source.call, archive->source.reader);
    salvor_release(archive->name);
    salvor_release(archive->path);
    salvor_release(archive->loaded);
    salvor_release(archive);
}
