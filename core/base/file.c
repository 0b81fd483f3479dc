#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_size,
              struct error *reterr)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s'", path);
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
    if (S_ISDIR(status.st_mode))
        return error_set(reterr, EXIT_FAILED, "cannot read '%s': it is a folder", path);
    cleanup_buffer struct buffer content = BUFFER_INIT(limit);
    for (;;) {
        char chunk[16384];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
        if (got == 0)
            break;
        if (buffer_append(&content, chunk, (size_t)got) != 0)
            return error_set(reterr, EXIT_FAILED, "'%s' is larger than %zu bytes", path, limit);
    }
    if (ret_size != NULL)
        *ret_size = content.size;
    *ret_text = buffer_take(&content);
    return 0;
}

int file_write_all(int fd, const void *data, size_t size)
{
    const char *next = data;
    while (size > 0) {
        ssize_t written = write(fd, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        next += written;
        size -= (size_t)written;
    }
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return text_copy(".");
    return slash == path ? text_copy("/") : text_copy_span(path, (size_t)(slash - path));
}

int file_sync_folder(const char *folder, struct error *reterr)
{
    cleanup_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot sync folder '%s'", folder);
    return 0;
}

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode,
                      struct error *reterr)
{
    cleanup_free char *temporary = text_format("%s.tmp-%d", path, (int)getpid());
    cleanup_free char *folder = folder_of(path);
    cleanup_close int fd =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s'", temporary);
    if (fchmod(fd, mode) != 0 || file_write_all(fd, data, size) != 0 || fsync(fd) != 0 ||
        rename(temporary, path) != 0) {
        int saved = errno;
        (void)unlink(temporary);
        return error_errno(reterr, EXIT_FAILED, saved, "cannot write '%s'", path);
    }
    return file_sync_folder(folder, reterr);
}

int file_make_folder(const char *path, struct error *reterr)
{
    cleanup_free char *partial = text_copy(path);
    for (char *slash = partial + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char saved = *slash;
        *slash = '\0';
        if (mkdir(partial, 0700) != 0 && errno != EEXIST)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot create folder '%s'", partial);
        *slash = saved;
        if (saved == '\0')
            break;
    }
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return error_set(reterr, EXIT_FAILED, "cannot create folder '%s': a file is in its place",
                         path);
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

int file_remove_tree(const char *path, struct error *reterr)
{
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot remove '%s'", path);
    return 0;
}
