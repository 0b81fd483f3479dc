#include "config/config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "config/config.h"
#include "config/path.h"

#define SYSTEM_CONFIG "/etc/salvor/salvor.yaml"

/* Whoever can write the file can name commands (exec: references) that salvor runs. */
static int check_trust(const char *path, const struct stat *status, struct error *reterr)
{
    if (!S_ISREG(status->st_mode))
        return 0;
    if (status->st_uid != 0 && status->st_uid != geteuid()) {
        error_set(reterr, EXIT_USAGE, "'%s' belongs to another user (uid %u)", path,
                  (unsigned)status->st_uid);
        return error_hint(reterr, "it can name commands to run: make it yours with `chown %u`",
                          (unsigned)geteuid());
    }
    int by_group = (status->st_mode & S_IWGRP) != 0 && status->st_gid != getegid();
    if (by_group || (status->st_mode & S_IWOTH) != 0) {
        error_set(reterr, EXIT_USAGE, "'%s' can be written by others (mode %04o)", path,
                  (unsigned)(status->st_mode & 07777));
        return error_hint(reterr, "it can name commands to run: `chmod go-w '%s'`", path);
    }
    return 0;
}

static int read_all(const char *path, int fd, struct buffer *content, struct error *reterr)
{
    for (;;) {
        char chunk[16384];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_USAGE, errno, "cannot read '%s'", path);
        if (got == 0)
            return 0;
        if (buffer_append(content, chunk, (size_t)got) != 0)
            return error_set(reterr, EXIT_USAGE, "'%s' is larger than 1 MiB", path);
    }
}

/* 1 read, 0 not there, -1. */
static int read_one(const char *path, char **ret_text, size_t *ret_size, struct error *reterr)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot open '%s'", path);
    if (S_ISDIR(status.st_mode))
        return error_set(reterr, EXIT_USAGE, "cannot read '%s': it is a folder", path);
    cleanup_buffer struct buffer content = BUFFER_INIT(CONFIG_SIZE_LIMIT);
    if (check_trust(path, &status, reterr) != 0 || read_all(path, fd, &content, reterr) != 0)
        return -1;
    *ret_size = content.size;
    *ret_text = buffer_take(&content);
    return 1;
}

int config_file_read(const char *path, char **ret_path, char **ret_text, size_t *ret_size,
                     struct error *reterr)
{
    if (path != NULL) {
        int found = read_one(path, ret_text, ret_size, reterr);
        if (found == 0) {
            error_set(reterr, EXIT_USAGE, "there is no configuration file '%s'", path);
            return error_hint(reterr, "leave --config out to look in the usual places");
        }
        if (found == 1)
            *ret_path = text_copy(path);
        return found == 1 ? 0 : -1;
    }
    cleanup_free char *user = path_user_config();
    const char *const places[] = {user, SYSTEM_CONFIG};
    *ret_path = NULL;
    *ret_text = NULL;
    *ret_size = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int found = places[i] != NULL ? read_one(places[i], ret_text, ret_size, reterr) : 0;
        if (found < 0)
            return -1;
        if (found == 1) {
            *ret_path = text_copy(places[i]);
            return 0;
        }
    }
    return 0;
}
