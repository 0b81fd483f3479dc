#include "store/folder-store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

enum { CHUNK = 65536, DEPTH_LIMIT = 16 };

#define REMOVED ".removed-"
#define UNNAMED ".tmp-"

struct folder_store {
    struct store store; /* first */
    char *folder;
};

static const char *folder_of(const struct store *store)
{
    return ((const struct folder_store *)store)->folder;
}

static char *path_of(const struct store *store, const char *key)
{
    return text_format("%s/%s", folder_of(store), key);
}

/* Descriptor of the folder that `key` stands in; *ret_last points at its last part. */
static int open_parent(const char *folder, const char *key, const char **ret_last)
{
    cleanup_close int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *part = key;
    for (const char *slash = strchr(part, '/'); at >= 0 && slash != NULL;
         slash = strchr(part, '/')) {
        cleanup_free char *child = text_copy_span(part, (size_t)(slash - part));
        int next = openat(at, child, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int saved = errno;
        (void)close(at);
        at = next;
        errno = saved;
        part = slash + 1;
    }
    *ret_last = part;
    return take_fd(&at);
}

int folder_open(const char *folder, const char *key)
{
    const char *last = NULL;
    cleanup_close int parent = open_parent(folder, key, &last);
    return parent < 0 ? -1 : openat(parent, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static int check_key(const struct store *store, const char *key, struct error *reterr)
{
    if (store_key_is_valid(key))
        return 0;
    return error_set(reterr, EXIT_FAILED, "'%s' cannot be in store folder '%s'", key,
                     folder_of(store));
}

/* ---- list -------------------------------------------------------------------------------------
 */

static int64_t milliseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void describe(const struct stat *status, struct store_info *ret_info)
{
    *ret_info = (struct store_info){.kind = S_ISREG(status->st_mode)   ? STORE_OBJECT
                                            : S_ISDIR(status->st_mode) ? STORE_FOLDER
                                                                       : STORE_OTHER,
                                    .size = status->st_size,
                                    .modified_ms = milliseconds(status->st_mtim)};
}

struct listing {
    struct store *store;
    int deep;
    store_visit visit;
    void *data;
};

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_own(const char *name)
{
    return text_starts(name, REMOVED) || text_starts(name, UNNAMED);
}

static int no_dots(const struct dirent *entry)
{
    return !text_equal(entry->d_name, ".") && !text_equal(entry->d_name, "..") &&
           !is_own(entry->d_name);
}

static int visit_entry(const struct listing *listing, const char *prefix, const char *name,
                       int depth, struct error *reterr);

static int list_folder(const struct listing *listing, const char *prefix, int depth,
                       struct error *reterr)
{
    cleanup_free char *path = path_of(listing->store, prefix);
    struct dirent **entries = NULL;
    int result = 0;
    int count = scandir(path, &entries, no_dots, by_name);
    if (count < 0 && errno == ENOENT)
        return 0;
    if (count < 0 || depth > DEPTH_LIMIT)
        return error_errno(reterr, EXIT_FAILED, count < 0 ? errno : ELOOP,
                           "cannot read store folder '%s'", path);
    for (int i = 0; i < count; i++) {
        if (result == 0)
            result = visit_entry(listing, prefix, entries[i]->d_name, depth, reterr);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int visit_entry(const struct listing *listing, const char *prefix, const char *name,
                       int depth, struct error *reterr)
{
    cleanup_free char *key = text_format("%s%s", prefix, name);
    cleanup_free char *path = path_of(listing->store, key);
    cleanup_free char *deeper = text_format("%s/", key);
    struct store_info info;
    struct stat status;
    if (lstat(path, &status) != 0) /* gone meanwhile */
        return errno == ENOENT
                   ? 0
                   : error_errno(reterr, EXIT_FAILED, errno, "cannot look at '%s'", path);
    describe(&status, &info);
    if (info.kind != STORE_FOLDER)
        return listing->visit(listing->data, key, &info, reterr);
    return listing->deep ? list_folder(listing, deeper, depth + 1, reterr)
                         : listing->visit(listing->data, deeper, &info, reterr);
}

static int list(struct store *store, const char *prefix, int deep, store_visit visit, void *data,
                struct error *reterr)
{
    const struct listing listing = {store, deep, visit, data};
    return list_folder(&listing, prefix, 0, reterr);
}

/* ---- read -------------------------------------------------------------------------------------
 */

static int head(struct store *store, const char *key, struct store_info *ret_info,
                struct error *reterr)
{
    cleanup_free char *path = path_of(store, key);
    struct stat status;
    if (check_key(store, key, reterr) != 0)
        return -1;
    if (lstat(path, &status) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? STORE_ABSENT
                   : error_errno(reterr, EXIT_FAILED, errno, "cannot look at '%s'", path);
    describe(&status, ret_info);
    return ret_info->kind == STORE_FOLDER ? STORE_ABSENT : 0;
}

static int read_all(struct store *store, int fd, const char *path, store_sink sink, void *data,
                    struct error *reterr)
{
    cleanup_free char *chunk = memory_new(CHUNK, 1);
    for (;;) {
        ssize_t got = read(fd, chunk, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
        if (got == 0)
            return 0;
        if (sink(data, chunk, (size_t)got, reterr) != 0 || store_moved(store, got, reterr) != 0)
            return -1;
    }
}

static int get(struct store *store, const char *key, store_sink sink, void *data,
               struct error *reterr)
{
    cleanup_free char *path = path_of(store, key);
    struct stat status;
    if (check_key(store, key, reterr) != 0)
        return -1;
    cleanup_close int fd = folder_open(folder_of(store), key);
    if (fd < 0 && errno == ENOENT)
        return STORE_ABSENT;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s'", path);
    if (S_ISDIR(status.st_mode)) /* only the beginning of other keys */
        return STORE_ABSENT;
    if (!S_ISREG(status.st_mode))
        return error_set(reterr, EXIT_FAILED, "'%s' is no ordinary file", path);
    return read_all(store, fd, path, sink, data, reterr);
}

/* ---- write ------------------------------------------------------------------------------------
 */

/* Makes the folders that `key` stands in, each of them durable. */
static int make_parents(const struct store *store, const char *key, struct error *reterr)
{
    if (file_make_folder(folder_of(store), reterr) != 0)
        return -1;
    for (const char *slash = strchr(key, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        cleanup_free char *part = text_copy_span(key, (size_t)(slash - key));
        cleanup_free char *path = path_of(store, part);
        char *last = strrchr(path, '/');
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot create folder '%s'", path);
        *last = '\0';
        if (file_sync_folder(path, reterr) != 0)
            return -1;
    }
    return 0;
}

static int copy_file(struct store *store, const struct store_body *body, int fd,
                     struct digest *digest, struct error *reterr)
{
    cleanup_free char *chunk = memory_new(CHUNK, 1);
    for (int64_t at = 0; at < body->size;) {
        size_t want = body->size - at < CHUNK ? (size_t)(body->size - at) : CHUNK;
        ssize_t got = pread(body->fd, chunk, want, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_errno(reterr, EXIT_FAILED, got < 0 ? errno : EIO, "cannot read it again");
        if (file_write_all(fd, chunk, (size_t)got) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot write it");
        digest_add(digest, chunk, (size_t)got);
        at += got;
        if (store_moved(store, got, reterr) != 0)
            return -1;
    }
    return 0;
}

static int write_body(struct store *store, const struct store_body *body, int fd,
                      struct error *reterr)
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE];
    digest_begin(&digest);
    if (body->bytes != NULL) {
        digest_add(&digest, body->bytes, (size_t)body->size);
        if (file_write_all(fd, body->bytes, (size_t)body->size) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot write it");
    } else if (copy_file(store, body, fd, &digest, reterr) != 0) {
        return -1;
    }
    digest_end(&digest, hash);
    digest_text(hash, sha256);
    if (!text_equal(sha256, body->sha256))
        return error_set(reterr, EXIT_FAILED, "its SHA-256 is not the one that was said");
    return fsync(fd) == 0 ? 0 : error_errno(reterr, EXIT_FAILED, errno, "cannot make it durable");
}

static int put(struct store *store, const char *key, const struct store_body *body,
               struct error *reterr)
{
    cleanup_free char *path = path_of(store, key);
    const char *last = NULL;
    if (check_key(store, key, reterr) != 0 || make_parents(store, key, reterr) != 0)
        return -1;
    cleanup_close int parent = open_parent(folder_of(store), key, &last);
    cleanup_free char *temporary = text_format(UNNAMED "%d-%.200s", (int)getpid(), last);
    cleanup_close int fd =
        parent < 0 ? -1
                   : openat(parent, temporary,
                            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", path);
    int result = write_body(store, body, fd, reterr);
    if (result == 0 && (renameat(parent, temporary, parent, last) != 0 || fsync(parent) != 0))
        result = error_errno(reterr, EXIT_FAILED, errno, "cannot name it");
    if (result != 0) {
        (void)unlinkat(parent, temporary, 0);
        return error_prefix(reterr, "cannot store '%s'", path);
    }
    return 0;
}

/* ---- remove -----------------------------------------------------------------------------------
 */

static int remove_one(struct store *store, const char *key, struct error *reterr)
{
    cleanup_free char *path = path_of(store, key);
    const char *last = NULL;
    if (check_key(store, key, reterr) != 0)
        return -1;
    cleanup_close int parent = open_parent(folder_of(store), key, &last);
    if (parent < 0 && errno == ENOENT)
        return 0;
    if (parent < 0 || (unlinkat(parent, last, 0) != 0 && errno != ENOENT) || fsync(parent) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot remove '%s'", path);
    return 0;
}

/* What an earlier removal that was killed has left. */
static int remove_leftovers(const char *folder, struct error *reterr)
{
    cleanup_dir DIR *dir = opendir(folder);
    int result = 0;
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL && result == 0;
         entry = readdir(dir)) {
        if (!text_starts(entry->d_name, REMOVED))
            continue;
        cleanup_free char *path = text_format("%s/%s", folder, entry->d_name);
        result = file_remove_tree(path, reterr);
    }
    return result;
}

/* Whoever makes, brings or sends a set holds a lock on its folder. -1: somebody does. */
static int lock_against_work(const char *path, int *ret_lock, struct error *reterr)
{
    *ret_lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_lock < 0 || flock(*ret_lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0; /* a file system without locks protects nothing, and forbids nothing */
    (void)error_set(reterr, EXIT_REFUSED, "another process works on '%s'", path);
    return error_hint(reterr, "wait for it, or end it");
}

/* One rename takes all of it away; `first` needs no thought then. */
static int remove_all(struct store *store, const char *prefix, const char *first,
                      struct error *reterr)
{
    (void)first;
    cleanup_free char *key = text_copy_span(prefix, strlen(prefix) - text_ends(prefix, "/"));
    cleanup_free char *path = path_of(store, key);
    cleanup_close int lock = -1;
    if (check_key(store, key, reterr) != 0 || lock_against_work(path, &lock, reterr) != 0)
        return -1;
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder = text_copy_span(path, (size_t)(slash - path));
    cleanup_free char *gone = text_format("%s/" REMOVED "%s", folder, slash + 1);
    if (remove_leftovers(folder, reterr) != 0)
        return -1;
    if (rename(path, gone) != 0)
        return errno == ENOENT
                   ? 0
                   : error_errno(reterr, EXIT_FAILED, errno, "cannot remove '%s'", path);
    if (file_sync_folder(folder, reterr) != 0)
        return -1;
    return file_remove_tree(gone, reterr);
}

/* ---- the store --------------------------------------------------------------------------------
 */

static void free_store(struct store *store)
{
    struct folder_store *own = (struct folder_store *)store;
    free(own->folder);
    free(own);
}

struct store *folder_store_new(const char *folder)
{
    static const struct store_operations operations = {
        .renames_sets = 1,
        .list = list,
        .head = head,
        .get = get,
        .put = put,
        .remove = remove_one,
        .remove_all = remove_all,
        .place = path_of,
        .free = free_store,
    };
    struct folder_store *own = memory_new(1, sizeof *own);
    own->store.operations = &operations;
    own->folder = text_copy(folder);
    return &own->store;
}
