#include "archives.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void must(int good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "cannot make a test archive: %s\n", what);
    abort();
}

struct made make_tar(const struct made_member *members)
{
    const size_t room = (size_t)16 << 20;
    struct made made = {malloc(room), 0};
    struct archive *tar = archive_write_new();
    must(made.data != NULL && tar != NULL, "memory");
    must(archive_write_set_format_pax_restricted(tar) == ARCHIVE_OK, "format");
    must(archive_write_set_options(tar, "hdrcharset=BINARY") == ARCHIVE_OK, "names");
    must(archive_write_set_bytes_per_block(tar, 512) == ARCHIVE_OK, "blocks");
    must(archive_write_set_bytes_in_last_block(tar, 1) == ARCHIVE_OK, "padding");
    must(archive_write_open_memory(tar, made.data, room, &made.size) == ARCHIVE_OK, "open");
    for (; members->path != NULL; members++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members->path);
        archive_entry_set_perm(entry, 0640);
        archive_entry_set_mtime(entry, 1700000000, 0);
        if (members->link != NULL) {
            archive_entry_set_filetype(entry, AE_IFLNK);
            archive_entry_set_symlink(entry, members->link);
        } else if (members->data == NULL) {
            archive_entry_set_filetype(entry, AE_IFDIR);
        } else {
            archive_entry_set_filetype(entry, AE_IFREG);
            archive_entry_set_size(entry, (la_int64_t)members->size);
        }
        must(archive_write_header(tar, entry) == ARCHIVE_OK, archive_error_string(tar));
        if (members->data != NULL)
            must(archive_write_data(tar, members->data, members->size) == (la_ssize_t)members->size,
                 "data");
        archive_entry_free(entry);
    }
    must(archive_write_close(tar) == ARCHIVE_OK, "close");
    must(archive_write_free(tar) == ARCHIVE_OK, "free");
    return made;
}

struct made make_gzip(const void *data, size_t size)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    must(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
    const size_t room = deflateBound(&z, size);
    struct made made = {malloc(room), 0};
    Bytef *in = malloc(size > 0 ? size : 1);
    must(made.data != NULL && in != NULL, "memory");
    memcpy(in, data, size);
    z.next_in = in;
    z.avail_in = (uInt)size;
    z.next_out = (Bytef *)made.data;
    z.avail_out = (uInt)room;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate");
    made.size = z.total_out;
    (void)deflateEnd(&z);
    free(in);
    return made;
}

struct made make_joined(struct made first, struct made second)
{
    struct made made = {malloc(first.size + second.size), first.size + second.size};
    must(made.data != NULL, "memory");
    memcpy(made.data, first.data, first.size);
    memcpy(made.data + first.size, second.data, second.size);
    return made;
}
