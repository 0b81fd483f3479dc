#include "journal/lock-file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include "base/banned.h"

enum { HOLDER_LIMIT = 4096 };

static void copy_field(char *target, size_t size, const char *text)
{
    (void)snprintf(target, size, "%s", text != NULL ? text : "");
}

static void read_holder(int fd, struct lock_holder *ret_holder)
{
    char text[HOLDER_LIMIT];
    memset(ret_holder, 0, sizeof *ret_holder);
    ssize_t size = pread(fd, text, sizeof text, 0);
    /* Empty while the holder, who has the lock already, is about to write it. */
    cleanup_json json_t *holder = size > 0 ? json_loadb(text, (size_t)size, 0, NULL) : NULL;
    if (holder == NULL)
        return;
    ret_holder->pid = json_whole(holder, "pid", 0);
    copy_field(ret_holder->run, sizeof ret_holder->run, json_text(holder, "run"));
    copy_field(ret_holder->host, sizeof ret_holder->host, json_text(holder, "host"));
    copy_field(ret_holder->since, sizeof ret_holder->since, json_text(holder, "since"));
}

static int write_holder(int fd, const char *run)
{
    char host[256] = "";
    char since[CLOCK_TEXT_SIZE];
    (void)gethostname(host, sizeof host - 1);
    clock_format(clock_realtime_ms(), since);
    cleanup_json json_t *holder = json_make("{s:I, s:s, s:s, s:s}", "pid", (json_int_t)getpid(),
                                            "run", run, "host", host, "since", since);
    cleanup_free char *text = json_canonical(holder);
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text) ? 0
                                                                                               : -1;
}

int lock_file_take(const char *path, const char *run, int *ret_fd, struct lock_holder *ret_holder,
                   struct error *reterr)
{
    cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int errnum = errno;
        (void)error_errno(reterr, EXIT_FAILED, errnum, "cannot open lock '%s'", path);
        if (errnum == EROFS || errnum == EACCES)
            (void)error_hint(reterr, "make its folder writable, or choose another state folder "
                                     "with --state-dir");
        return -1;
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot lock '%s'", path);
        read_holder(fd, ret_holder);
        return LOCK_HELD_BY_OTHER;
    }
    /* Only for the text of a refusal: on a full disk the lock itself still holds. */
    (void)write_holder(fd, run);
    *ret_fd = take_fd(&fd);
    return LOCK_TAKEN;
}

int lock_file_is_held(const char *path, struct lock_holder *ret_holder)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return 0;
    if (ret_holder != NULL)
        read_holder(fd, ret_holder);
    return 1;
}

char *lock_holder_text(const struct lock_holder *holder)
{
    if (holder->pid <= 0)
        return text_copy("another process");
    return text_format("process %lld on '%s' since %s", (long long)holder->pid, holder->host,
                       holder->since);
}
