#include "journal/private-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include "base/banned.h"

enum { COPY_ATTEMPTS = 5 };

static const char *const suffixes[] = {"", "-wal", "-journal"};
enum { SUFFIXES = sizeof suffixes / sizeof suffixes[0] };

struct signature {
    struct {
        ino_t inode;
        off_t size;
        struct timespec changed;
    } files[SUFFIXES];
};

static void take_signature(const char *path, struct signature *ret_signature)
{
    memset(ret_signature, 0, sizeof *ret_signature);
    for (size_t i = 0; i < SUFFIXES; i++) {
        cleanup_free char *name = text_format("%s%s", path, suffixes[i]);
        struct stat status;
        if (stat(name, &status) != 0)
            continue;
        ret_signature->files[i].inode = status.st_ino;
        ret_signature->files[i].size = status.st_size;
        ret_signature->files[i].changed.tv_sec = status.st_mtim.tv_sec;
        ret_signature->files[i].changed.tv_nsec = status.st_mtim.tv_nsec;
    }
}

static int same_signature(const struct signature *a, const struct signature *b)
{
    for (size_t i = 0; i < SUFFIXES; i++)
        if (a->files[i].inode != b->files[i].inode || a->files[i].size != b->files[i].size ||
            a->files[i].changed.tv_sec != b->files[i].changed.tv_sec ||
            a->files[i].changed.tv_nsec != b->files[i].changed.tv_nsec)
            return 0;
    return 1;
}

static int copy_file(const char *from, const char *to, int may_be_absent, struct error *reterr)
{
    cleanup_close int input = open(from, O_RDONLY | O_CLOEXEC);
    if (input < 0 && errno == ENOENT && may_be_absent)
        return unlink(to) == 0 || errno == ENOENT
                   ? 0
                   : error_errno(reterr, EXIT_FAILED, errno, "cannot remove '%s'", to);
    if (input < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s'", from);
    cleanup_close int output = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (output < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s'", to);
    cleanup_free char *block = memory_new(1, 1 << 16);
    for (;;) {
        ssize_t size = read(input, block, 1 << 16);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", from);
        if (size == 0)
            return 0;
        if (file_write_all(output, block, (size_t)size) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", to);
    }
}

/* Bytes that are the same in every journal: magic, page size 4096, rollback mode, no reserved
 * space, payload fractions; schema format 4, UTF-8. */
static int renew_header(const char *path, struct error *reterr)
{
    static const unsigned char start[24] = {'S', 'Q', 'L', 'i', 't', 'e', ' ', 'f',
                                            'o', 'r', 'm', 'a', 't', ' ', '3', '\0',
                                            16,  0,   1,   1,   0,   64,  32,  32};
    static const unsigned char schema_format[4] = {0, 0, 0, 4};
    static const unsigned char encoding[4] = {0, 0, 0, 1};
    cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, start, sizeof start, 0) != (ssize_t)sizeof start ||
        pwrite(fd, schema_format, sizeof schema_format, 44) != (ssize_t)sizeof schema_format ||
        pwrite(fd, encoding, sizeof encoding, 56) != (ssize_t)sizeof encoding)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", path);
    return 0;
}

static int copy_all(const char *path, const struct private_copy *copy, struct error *reterr)
{
    for (int attempt = 1;; attempt++) {
        struct signature before;
        struct signature after;
        take_signature(path, &before);
        for (size_t i = 0; i < SUFFIXES; i++) {
            cleanup_free char *from = text_format("%s%s", path, suffixes[i]);
            cleanup_free char *to = text_format("%s%s", copy->path, suffixes[i]);
            if (copy_file(from, to, i > 0, reterr) != 0)
                return -1;
        }
        take_signature(path, &after);
        if (same_signature(&before, &after))
            return 0;
        if (attempt == COPY_ATTEMPTS) {
            (void)error_set(reterr, EXIT_FAILED, "cannot read '%s': it keeps changing", path);
            return error_hint(reterr, "another process is writing it; try again in a moment");
        }
    }
}

int private_copy_make(const char *path, int repair, struct private_copy *ret_copy,
                      struct error *reterr)
{
    const char *parent = secure_getenv("TMPDIR");
    struct private_copy copy;
    copy.folder =
        text_format("%s/salvor-read-XXXXXX", parent != NULL && parent[0] == '/' ? parent : "/tmp");
    if (mkdtemp(copy.folder) == NULL) {
        int errnum = errno;
        free(copy.folder);
        (void)error_errno(reterr, EXIT_FAILED, errnum,
                          "cannot make a temporary folder to read '%s' from", path);
        return error_hint(reterr, "set TMPDIR to a folder that can be written");
    }
    copy.path = text_format("%s/journal.db", copy.folder);
    if (copy_all(path, &copy, reterr) != 0 || (repair && renew_header(copy.path, reterr) != 0)) {
        private_copy_remove(&copy);
        return -1;
    }
    *ret_copy = copy;
    return 0;
}

void private_copy_remove(struct private_copy *copy)
{
    (void)file_remove_tree(copy->folder, NULL);
    free(copy->folder);
    free(copy->path);
    memset(copy, 0, sizeof *copy);
}
