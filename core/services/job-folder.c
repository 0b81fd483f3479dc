#include "services/job-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { STATUS_RESERVED = 4096 };

void boot_id(char ret_text[64])
{
    cleanup_free char *text = NULL;
    ret_text[0] = '\0';
    if (file_read("/proc/sys/kernel/random/boot_id", 63, &text, NULL, NULL) != 0)
        return;
    size_t size = strcspn(text, "\n");
    memcpy(ret_text, text, size);
    ret_text[size] = '\0';
}

static char *in(const char *folder, const char *name)
{
    return text_format("%s/%s", folder, name);
}

static int exists(const char *folder, const char *name)
{
    cleanup_free char *path = in(folder, name);
    struct stat status;
    return lstat(path, &status) == 0;
}

/* 0 with *ret NULL when it is not there. One look decides: it may appear at any moment. */
static int read_json(const char *folder, const char *name, json_t **ret, struct error *reterr)
{
    cleanup_free char *path = in(folder, name);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *ret = NULL;
    if (fd < 0)
        return errno == ENOENT ? 0
                               : error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
    *ret = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*ret))
        return 0;
    json_decref(*ret);
    *ret = NULL;
    return error_set(reterr, EXIT_FAILED, "'%s' is damaged: it is not a JSON object", path);
}

/* ---- preparing ------------------------------------------------------------------------------- */

static int fill_new(const char *folder, const json_t *request, struct error *reterr)
{
    cleanup_free char *lock = in(folder, "lock");
    cleanup_free char *path = in(folder, "request.json");
    cleanup_free char *text = json_dumps(request, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text == NULL)
        out_of_memory();
    cleanup_close int fd = open(lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s'", lock);
    return file_write_atomic(path, text, strlen(text), 0600, reterr);
}

int job_folder_prepare(const char *folder, const json_t *request, struct error *reterr)
{
    struct stat status;
    if (lstat(folder, &status) == 0)
        return 0;
    const char *slash = strrchr(folder, '/');
    cleanup_free char *parent = text_copy_span(folder, (size_t)(slash - folder));
    if (file_make_folder(parent, reterr) != 0)
        return -1;
    cleanup_free char *fresh = text_format("%s/.new-%s-XXXXXX", parent, slash + 1);
    if (mkdtemp(fresh) == NULL)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create folder '%s'", fresh);
    int result = fill_new(fresh, request, reterr);
    if (result == 0 && renameat2(AT_FDCWD, fresh, AT_FDCWD, folder, RENAME_NOREPLACE) != 0) {
        int saved = errno;
        if (saved == EINVAL || saved == ENOSYS) /* a file system without it: a full folder in the
                                                   way fails a plain rename just as well */
            saved = rename(fresh, folder) == 0 ? 0 : errno;
        if (saved != 0 && saved != EEXIST && saved != ENOTEMPTY)
            result = error_errno(reterr, EXIT_FAILED, saved, "cannot create folder '%s'", folder);
    }
    (void)file_remove_tree(fresh, NULL);
    return result == 0 ? file_sync_folder(parent, reterr) : -1;
}

int job_folder_request(const char *folder, json_t **ret_request, struct error *reterr)
{
    if (read_json(folder, "request.json", ret_request, reterr) != 0)
        return -1;
    if (*ret_request == NULL)
        return error_set(reterr, EXIT_FAILED, "'%s' is damaged: it has no request.json", folder);
    return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

/* 1: held by somebody, 0: free, -1: error. */
static int lock_is_held(const char *folder, struct error *reterr)
{
    cleanup_free char *path = in(folder, "lock");
    cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot look at lock '%s'", path);
    return lock.l_type != F_UNLCK;
}

static void take_status(const json_t *status, struct job_look *ret)
{
    ret->phase = JOB_PHASE_ENDED;
    ret->started_ms = json_whole(status, "started_ms", 0);
    ret->ended_ms = json_whole(status, "ended_ms", 0);
    ret->exit_status = (int32_t)json_whole(status, "exit_status", -1);
    ret->signal_number = (int32_t)json_whole(status, "signal", 0);
    const char *error = json_text(status, "error");
    if (error != NULL)
        (void)snprintf(ret->error, sizeof ret->error, "%s", error);
}

static int look_once(const char *folder, struct job_look *ret_look, struct error *reterr)
{
    *ret_look = (struct job_look){.phase = JOB_PHASE_ABSENT, .exit_status = -1};
    struct stat there;
    if (lstat(folder, &there) != 0)
        return errno == ENOENT
                   ? 0
                   : error_errno(reterr, EXIT_FAILED, errno, "cannot look at '%s'", folder);
    /* The lock first: the shim writes claim and status while it holds it, so that what is read
     * afterwards is never older than what the lock said. */
    int held = lock_is_held(folder, reterr);
    cleanup_json json_t *claim = NULL;
    cleanup_json json_t *status = NULL;
    if (held < 0 || read_json(folder, "claim.json", &claim, reterr) != 0 ||
        read_json(folder, "status.json", &status, reterr) != 0)
        return -1;
    ret_look->started_ms = json_whole(claim, "started_ms", 0);
    if (status != NULL)
        take_status(status, ret_look);
    else if (held)
        ret_look->phase = JOB_PHASE_RUNNING;
    else if (claim == NULL)
        ret_look->phase = JOB_PHASE_PREPARED;
    else
        ret_look->phase = JOB_PHASE_LOST;
    /* A lock that seems held after a restart of the machine can only be another machine's, on a
     * shared folder: the claim says which boot the job belongs to. */
    char now[64];
    boot_id(now);
    const char *then = json_text(claim, "boot");
    if (ret_look->phase == JOB_PHASE_RUNNING && then != NULL && *now != '\0' &&
        !text_equal(then, now))
        ret_look->phase = JOB_PHASE_LOST;
    return 0;
}

int job_folder_look(const char *folder, struct job_look *ret_look, struct error *reterr)
{
    int result = look_once(folder, ret_look, reterr);
    /* Between the look at the lock and the reading of the claim a shim may have begun. The claim is
     * there now, so that a lock that is still free has lost its holder. */
    if (result == 0 && ret_look->phase == JOB_PHASE_LOST)
        result = look_once(folder, ret_look, reterr);
    return result;
}

int job_folder_tail(const char *folder, const char *name, size_t most, char **ret_text,
                    size_t *ret_size, struct error *reterr)
{
    cleanup_free char *path = in(folder, name);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    *ret_size = 0;
    if (fd < 0 && errno == ENOENT) {
        *ret_text = text_copy("");
        return 0;
    }
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
    off_t from = status.st_size > (off_t)most ? status.st_size - (off_t)most : 0;
    cleanup_free char *text = memory_new(most + 1, 1);
    while (*ret_size < most) {
        ssize_t got = pread(fd, text + *ret_size, most - *ret_size, from + (off_t)*ret_size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
        if (got == 0)
            break;
        *ret_size += (size_t)got;
    }
    *ret_text = take_pointer(text);
    return 0;
}

int job_folder_ask_kill(const char *folder, struct error *reterr)
{
    cleanup_free char *path = in(folder, "kill");
    return file_write_atomic(path, "", 0, 0600, reterr);
}

/* ---- for the shim ---------------------------------------------------------------------------- */

int job_folder_lock(const char *folder, int *ret_fd, struct error *reterr)
{
    cleanup_free char *path = in(folder, "lock");
    cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot lock '%s'", path);
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0)
        return errno == EAGAIN || errno == EACCES
                   ? 0
                   : error_errno(reterr, EXIT_FAILED, errno, "cannot lock '%s'", path);
    *ret_fd = take_fd(&fd);
    return 1;
}

int job_folder_is_claimed(const char *folder)
{
    return exists(folder, "claim.json");
}

int job_folder_kill_asked(const char *folder)
{
    return exists(folder, "kill");
}

int job_folder_claim(const char *folder, int64_t started_ms, struct error *reterr)
{
    char boot[64];
    boot_id(boot);
    cleanup_free char *path = in(folder, "claim.json");
    cleanup_json json_t *claim = json_make("{s:s,s:I,s:i}", "boot", boot, "started_ms",
                                           (json_int_t)started_ms, "shim", (int)getpid());
    cleanup_free char *text = json_canonical(claim);
    return file_write_atomic(path, text, strlen(text), 0600, reterr);
}

int job_status_reserve(const char *folder, int *ret_fd, struct error *reterr)
{
    cleanup_free char *path = in(folder, ".status.json");
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s'", path);
    errno = posix_fallocate(fd, 0, STATUS_RESERVED);
    if (errno != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot reserve room for '%s'", path);
    *ret_fd = take_fd(&fd);
    return 0;
}

int job_status_commit(const char *folder, int fd, const json_t *status, struct error *reterr)
{
    cleanup_free char *from = in(folder, ".status.json");
    cleanup_free char *to = in(folder, "status.json");
    cleanup_free char *text = json_canonical(status);
    size_t size = strlen(text);
    if (lseek(fd, 0, SEEK_SET) != 0 || file_write_all(fd, text, size) != 0 ||
        ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0 || rename(from, to) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", to);
    return file_sync_folder(folder, reterr);
}
