/*
 * Preloaded: a power cut on demand. What a process writes below LOST_WRITES_FOLDER counts as
 * durable only once the file was synced, and an entry of a folder only once the folder was. At
 * event number LOST_WRITES_AT (each write, truncation, removal and sync is one) all that is not
 * durable is taken back and the process is killed.
 *
 * LOST_WRITES_KEEP=N: of what was not synced, each 512-byte sector survives with N percent
 * (torn writes, reordered), so does a change of size, and of the folder's changes a beginning.
 * LOST_WRITES_SEED makes that repeatable. LOST_WRITES_COUNT=FILE: the number of events is left
 * there at exit. Memory-mapped files (-shm) are no storage: they come back as noise.
 *
 * Calls that change files and that this does not know end the process loudly, so that nothing slips
 * through unseen. For one thread.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { SECTOR = 512, FILES = 64, ENTRIES = 4096, DESCRIPTORS = 1024 };

/* What is on the disk of a file where it differs from what the process sees. */
struct file {
    int used;
    int mapped_memory; /* -shm */
    ino_t inode;
    char path[512];
    off_t durable_size;
    unsigned char **old; /* durable content of each dirty sector, NULL for clean ones */
    size_t sectors;
};

enum change { CREATED, REMOVED };

/* A change of the folder that is not durable yet. A removed file waits under another name. */
struct entry {
    enum change change;
    char path[512];
    char kept[560];
};

static struct file files[FILES];
static struct file *of_descriptor[DESCRIPTORS];
static char is_folder[DESCRIPTORS];
static struct entry entries[ENTRIES];
static int entry_count;
static const char *folder;
static size_t folder_size;
static long cut_at = -1;
static long events;
static int keep_percent;
static uint64_t random_state;
static int removed_count;
static int ready;

static int (*real_open)(const char *path, int flags, ...);
static int (*real_close)(int fd);
static ssize_t (*real_write)(int fd, const void *data, size_t size);
static ssize_t (*real_pwrite)(int fd, const void *data, size_t size, off_t offset);
static ssize_t (*real_pread)(int fd, void *data, size_t size, off_t offset);
static int (*real_ftruncate)(int fd, off_t size);
static int (*real_unlink)(const char *path);
static int (*real_rename)(const char *from, const char *to);

static void die(const char *why)
{
    (void)dprintf(STDERR_FILENO, "lost-writes: %s\n", why);
    abort();
}

static void *find(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL)
        die(name);
    return symbol;
}

static void set_up(void)
{
    if (ready)
        return;
    ready = 1;
    void *symbols[] = {find("open64"),  find("close"),       find("write"),  find("pwrite64"),
                       find("pread64"), find("ftruncate64"), find("unlink"), find("rename")};
    memcpy(&real_open, &symbols[0], sizeof(void *));
    memcpy(&real_close, &symbols[1], sizeof(void *));
    memcpy(&real_write, &symbols[2], sizeof(void *));
    memcpy(&real_pwrite, &symbols[3], sizeof(void *));
    memcpy(&real_pread, &symbols[4], sizeof(void *));
    memcpy(&real_ftruncate, &symbols[5], sizeof(void *));
    memcpy(&real_unlink, &symbols[6], sizeof(void *));
    memcpy(&real_rename, &symbols[7], sizeof(void *));
    folder = getenv("LOST_WRITES_FOLDER");
    folder_size = folder != NULL ? strlen(folder) : 0;
    const char *at = getenv("LOST_WRITES_AT");
    const char *keep = getenv("LOST_WRITES_KEEP");
    const char *seed = getenv("LOST_WRITES_SEED");
    cut_at = at != NULL ? strtol(at, NULL, 10) : -1;
    keep_percent = keep != NULL ? (int)strtol(keep, NULL, 10) : 0;
    random_state = (seed != NULL ? strtoull(seed, NULL, 10) : 0) * 2 + 1;
}

/* xorshift64*: repeatable on every machine */
static unsigned random_below(unsigned limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static int survives(void)
{
    return keep_percent > 0 && (int)random_below(100) < keep_percent;
}

static int below_folder(const char *path)
{
    return folder != NULL && strncmp(path, folder, folder_size) == 0;
}

/* ---- what is durable ------------------------------------------------------------------------- */

static struct file *file_of(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? of_descriptor[fd] : NULL;
}

static void forget_dirty(struct file *file)
{
    for (size_t i = 0; i < file->sectors; i++) {
        free(file->old[i]);
        file->old[i] = NULL;
    }
}

static off_t size_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        die("fstat");
    return status.st_size;
}

/* Keeps the durable content of the sectors that are about to change. */
static void before_change(int fd, struct file *file, off_t from, off_t to)
{
    if (file->mapped_memory || to <= from)
        return;
    size_t first = (size_t)from / SECTOR;
    size_t last = (size_t)(to - 1) / SECTOR;
    if (last >= file->sectors) {
        file->old = realloc(file->old, (last + 64) * sizeof *file->old);
        if (file->old == NULL)
            die("no memory");
        memset(file->old + file->sectors, 0, (last + 64 - file->sectors) * sizeof *file->old);
        file->sectors = last + 64;
    }
    for (size_t i = first; i <= last; i++) {
        if (file->old[i] != NULL)
            continue;
        file->old[i] = calloc(1, SECTOR);
        if (file->old[i] == NULL)
            die("no memory");
        (void)real_pread(fd, file->old[i], SECTOR, (off_t)i * SECTOR);
    }
}

static struct file *track(int fd, const char *path, int is_new)
{
    struct stat status;
    struct file *unused = NULL;
    if (fstat(fd, &status) != 0)
        die("fstat");
    for (int i = 0; i < FILES; i++) {
        if (files[i].used && files[i].inode == status.st_ino)
            return &files[i];
        if (!files[i].used && unused == NULL)
            unused = &files[i];
    }
    if (unused == NULL)
        die("too many files");
    size_t length = strlen(path);
    unused->used = 1;
    unused->inode = status.st_ino;
    unused->durable_size = is_new ? 0 : status.st_size;
    unused->mapped_memory = length > 4 && strcmp(path + length - 4, "-shm") == 0;
    (void)snprintf(unused->path, sizeof unused->path, "%s", path);
    return unused;
}

static void add_entry(enum change change, const char *path, const char *kept)
{
    if (entry_count == ENTRIES)
        die("too many changes of the folder");
    struct entry *entry = &entries[entry_count++];
    entry->change = change;
    (void)snprintf(entry->path, sizeof entry->path, "%s", path);
    (void)snprintf(entry->kept, sizeof entry->kept, "%s", kept != NULL ? kept : "");
}

static void sync_folder(void)
{
    for (int i = 0; i < entry_count; i++)
        if (entries[i].change == REMOVED)
            (void)real_unlink(entries[i].kept);
    entry_count = 0;
}

/* ---- the cut --------------------------------------------------------------------------------- */

static void revert_file(struct file *file, const char *path)
{
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return; /* removed for good */
    if (file->mapped_memory) {
        unsigned char noise[SECTOR];
        off_t size = size_of(fd);
        for (off_t at = 0; at < size; at += SECTOR) {
            for (int i = 0; i < SECTOR; i++)
                noise[i] = (unsigned char)random_below(256);
            (void)real_pwrite(fd, noise, SECTOR, at);
        }
        (void)real_close(fd);
        return;
    }
    off_t size = size_of(fd);
    off_t final = size == file->durable_size || survives() ? size : file->durable_size;
    for (size_t i = 0; i < file->sectors; i++)
        if (file->old[i] != NULL && !survives())
            (void)real_pwrite(fd, file->old[i], SECTOR, (off_t)i * SECTOR);
    (void)real_ftruncate(fd, final);
    (void)real_close(fd);
}

static const char *present_path(const struct file *file)
{
    /* A removed file that comes back is found under the name it waits at. */
    for (int i = entry_count - 1; i >= 0; i--) {
        struct stat status;
        if (entries[i].change == REMOVED && stat(entries[i].kept, &status) == 0 &&
            status.st_ino == file->inode)
            return entries[i].kept;
    }
    struct stat status;
    return stat(file->path, &status) == 0 && status.st_ino == file->inode ? file->path : NULL;
}

static void cut(void)
{
    for (int i = 0; i < FILES; i++) {
        const char *path = files[i].used ? present_path(&files[i]) : NULL;
        if (path != NULL)
            revert_file(&files[i], path);
    }
    int kept =
        keep_percent > 0 && entry_count > 0 ? (int)random_below((unsigned)entry_count + 1) : 0;
    for (int i = entry_count - 1; i >= 0; i--) {
        if (i < kept) {
            if (entries[i].change == REMOVED)
                (void)real_unlink(entries[i].kept);
        } else if (entries[i].change == CREATED) {
            (void)real_unlink(entries[i].path);
        } else {
            (void)real_rename(entries[i].kept, entries[i].path);
        }
    }
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

static void event(void)
{
    if (++events == cut_at)
        cut();
}

__attribute__((destructor)) static void leave(void)
{
    const char *path = getenv("LOST_WRITES_COUNT");
    if (!ready || path == NULL)
        return;
    int fd = real_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)dprintf(fd, "%ld\n", events);
        (void)real_close(fd);
    }
    sync_folder();
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int open_tracked(const char *path, int flags, mode_t mode)
{
    set_up();
    int inside = below_folder(path);
    struct stat status;
    int is_new = inside && (flags & O_CREAT) != 0 && lstat(path, &status) != 0;
    int fd = real_open(path, flags, mode);
    if (fd < 0 || !inside)
        return fd;
    if (fd >= DESCRIPTORS || fstat(fd, &status) != 0)
        die("descriptor");
    is_folder[fd] = S_ISDIR(status.st_mode);
    if (is_folder[fd])
        return fd;
    if (is_new)
        add_entry(CREATED, path, NULL);
    if ((flags & O_TRUNC) != 0)
        die("O_TRUNC is not modelled");
    of_descriptor[fd] = track(fd, path, is_new);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & O_CREAT) != 0 ? (mode_t)va_arg(args, int) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_tracked(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_tracked(path, flags, mode);
}

EXPORT int close(int fd)
{
    set_up();
    if (fd >= 0 && fd < DESCRIPTORS) {
        of_descriptor[fd] = NULL;
        is_folder[fd] = 0;
    }
    return real_close(fd);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    set_up();
    if (file_of(fd) != NULL) {
        off_t offset = lseek(fd, 0, SEEK_CUR);
        event();
        before_change(fd, file_of(fd), offset, offset + (off_t)size);
    }
    return real_write(fd, data, size);
}

static ssize_t pwrite_tracked(int fd, const void *data, size_t size, off_t offset)
{
    set_up();
    if (file_of(fd) != NULL) {
        event();
        before_change(fd, file_of(fd), offset, offset + (off_t)size);
    }
    return real_pwrite(fd, data, size, offset);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite_tracked(fd, data, size, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite_tracked(fd, data, size, offset);
}

static int truncate_tracked(int fd, off_t size)
{
    set_up();
    if (file_of(fd) != NULL) {
        event();
        before_change(fd, file_of(fd), size, size_of(fd));
    }
    return real_ftruncate(fd, size);
}

EXPORT int ftruncate(int fd, off_t size)
{
    return truncate_tracked(fd, size);
}

EXPORT int ftruncate64(int fd, off_t size)
{
    return truncate_tracked(fd, size);
}

/* The real call would only cost time: the kernel does not lose anything here. */
static int sync_tracked(int fd)
{
    set_up();
    if (fd >= 0 && fd < DESCRIPTORS && is_folder[fd]) {
        event();
        sync_folder();
    } else if (file_of(fd) != NULL) {
        event();
        forget_dirty(file_of(fd));
        file_of(fd)->durable_size = size_of(fd);
    }
    return 0;
}

EXPORT int fsync(int fd)
{
    return sync_tracked(fd);
}

EXPORT int fdatasync(int fd)
{
    return sync_tracked(fd);
}

EXPORT int unlink(const char *path)
{
    set_up();
    if (!below_folder(path))
        return real_unlink(path);
    char kept[560];
    event();
    (void)snprintf(kept, sizeof kept, "%s/.removed-%d-%d", folder, (int)getpid(), ++removed_count);
    if (real_rename(path, kept) != 0)
        return -1;
    add_entry(REMOVED, path, kept);
    return 0;
}

static void unknown(const char *path, const char *call)
{
    set_up();
    if (below_folder(path))
        die(call);
}

EXPORT int rename(const char *from, const char *to)
{
    unknown(from, "rename is not modelled");
    return real_rename(from, to);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    set_up();
    if (file_of(fd) != NULL)
        die("writev is not modelled");
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t size = real_write(fd, parts[i].iov_base, parts[i].iov_len);
        if (size < 0)
            return all > 0 ? all : -1;
        all += size;
        if ((size_t)size < parts[i].iov_len)
            break;
    }
    return all;
}

static int refuse_allocate(int fd)
{
    set_up();
    if (file_of(fd) != NULL)
        die("fallocate is not modelled");
    return EOPNOTSUPP;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t size)
{
    (void)offset;
    (void)size;
    return refuse_allocate(fd);
}

EXPORT int posix_fallocate64(int fd, off_t offset, off_t size)
{
    (void)offset;
    (void)size;
    return refuse_allocate(fd);
}
