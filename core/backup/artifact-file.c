#include "backup/artifact-file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "store/folder-store.h"

enum { NAME_LIMIT = 1024, DEPTH_LIMIT = 16 };

static int is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

int artifact_name_is_valid(const char *name)
{
    int at_start = 1;
    if (strlen(name) > NAME_LIMIT || text_equal(name, SET_MANIFEST) || text_equal(name, SET_SUMS))
        return 0;
    for (const char *at = name; *at != '\0'; at++) {
        if (at_start ? !is_name_character(*at) || *at == '.'
                     : *at != '/' && !is_name_character(*at))
            return 0;
        at_start = *at == '/';
    }
    return !at_start;
}

int artifact_file_digest(const char *folder, const char *name, int64_t *ret_size,
                         char ret_sha256[DIGEST_TEXT_SIZE], struct error *reterr)
{
    cleanup_close int fd = folder_open(folder, name);
    struct stat status;
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    unsigned char chunk[65536];
    int64_t size = 0;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s/%s'", folder, name);
    if (!S_ISREG(status.st_mode))
        return error_set(reterr, EXIT_FAILED, "'%s/%s' is no ordinary file", folder, name);
    digest_begin(&digest);
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s/%s'", folder, name);
        if (got == 0)
            break;
        digest_add(&digest, chunk, (size_t)got);
        size += got;
    }
    digest_end(&digest, hash);
    digest_text(hash, ret_sha256);
    *ret_size = size;
    return 0;
}

int artifact_file_check(const char *folder, const char *name, int64_t size, const char *sha256,
                        struct error *reterr)
{
    int64_t found = 0;
    char digest[DIGEST_TEXT_SIZE];
    if (artifact_file_digest(folder, name, &found, digest, reterr) != 0)
        return -1;
    if (found != size)
        return error_set(reterr, EXIT_FAILED, "artifact '%s' has %lld bytes instead of %lld", name,
                         (long long)found, (long long)size);
    if (!text_equal(digest, sha256))
        return error_set(reterr, EXIT_FAILED,
                         "artifact '%s' is damaged: its SHA-256 is not the recorded one", name);
    return 0;
}

struct walk {
    int (*visit)(void *data, const char *name, struct error *reterr);
    int (*leave)(const char *path, struct error *reterr); /* of each folder, innermost first */
    void *data;
};

static int is_dots(const char *name)
{
    return text_equal(name, ".") || text_equal(name, "..");
}

static int walk_folder(const struct walk *walk, const char *folder, const char *prefix, int depth,
                       struct error *reterr)
{
    cleanup_dir DIR *dir = opendir(folder);
    if (dir == NULL)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read folder '%s'", folder);
    if (depth > DEPTH_LIMIT)
        return error_set(reterr, EXIT_FAILED, "folder '%s' is nested too deeply", folder);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_dots(entry->d_name))
            continue;
        cleanup_free char *path = text_format("%s/%s", folder, entry->d_name);
        cleanup_free char *name = text_format("%s%s", prefix, entry->d_name);
        struct stat status;
        int result = 0;
        if (lstat(path, &status) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot look at '%s'", path);
        if (S_ISDIR(status.st_mode)) {
            cleanup_free char *deeper = text_format("%s/", name);
            result = walk_folder(walk, path, deeper, depth + 1, reterr);
        } else if (walk->visit != NULL) {
            result = walk->visit(walk->data, name, reterr);
        }
        if (result != 0)
            return result;
    }
    return walk->leave != NULL ? walk->leave(folder, reterr) : 0;
}

int artifact_files_each(const char *folder,
                        int (*visit)(void *data, const char *name, struct error *reterr),
                        void *data, struct error *reterr)
{
    const struct walk walk = {visit, NULL, data};
    return walk_folder(&walk, folder, "", 0, reterr);
}

int artifact_folders_sync(const char *folder, struct error *reterr)
{
    const struct walk walk = {NULL, file_sync_folder, NULL};
    return walk_folder(&walk, folder, "", 0, reterr);
}
