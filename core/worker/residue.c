#include "worker/residue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "worker/call.h"

enum { THREAD_GRACE_MS = 200, THREAD_LOOK_MS = 5 };

struct numbers {
    int64_t *values;
    size_t count;
};

struct residue {
    struct numbers descriptors;
    struct numbers threads;
};

/* ---- numbered entries of a /proc folder ------------------------------------------------------ */

static void add_number(struct numbers *numbers, int64_t value)
{
    numbers->values = memory_resize(numbers->values, numbers->count + 1, sizeof *numbers->values);
    numbers->values[numbers->count++] = value;
}

static int has_number(const struct numbers *numbers, int64_t value)
{
    for (size_t i = 0; i < numbers->count; i++) {
        if (numbers->values[i] == value)
            return 1;
    }
    return 0;
}

static struct numbers list(const char *folder)
{
    struct numbers found = {NULL, 0};
    cleanup_dir DIR *dir = opendir(folder);
    if (dir == NULL)
        return found;
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        int64_t value = 0;
        if (text_parse_integer(entry->d_name, &value) == 0 && value != dirfd(dir))
            add_number(&found, value);
    }
    return found;
}

static struct numbers list_descriptors(void)
{
    return list("/proc/self/fd");
}

static struct numbers list_threads(void)
{
    return list("/proc/self/task");
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static char *describe(int fd)
{
    char target[256];
    cleanup_free char *link = text_format("/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, target, sizeof target - 1);
    if (size < 0)
        return text_format("%d", fd);
    target[size] = '\0';
    return text_format("%d ('%s')", fd, target);
}

static size_t close_new_descriptors(const struct numbers *before, struct buffer *names)
{
    struct numbers now = list_descriptors();
    size_t left = 0;
    for (size_t i = 0; i < now.count; i++) {
        const int fd = (int)now.values[i];
        if (has_number(before, fd) || worker_keeps_descriptor(fd))
            continue;
        cleanup_free char *name = describe(fd);
        (void)buffer_format(names, "%s%s", left > 0 ? ", " : "", name);
        (void)close(fd);
        left++;
    }
    free(now.values);
    return left;
}

/* ---- threads --------------------------------------------------------------------------------- */

static int is_host_thread(int64_t thread)
{
    char name[32] = "";
    cleanup_free char *path = text_format("/proc/self/task/%lld/comm", (long long)thread);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, name, sizeof name - 1) : -1;
    /* gone between the listing and now: nobody's */
    return size <= 0 || text_starts(name, "salvor-");
}

static size_t count_new_threads(const struct numbers *before)
{
    struct numbers now = list_threads();
    size_t left = 0;
    for (size_t i = 0; i < now.count; i++) {
        if (!has_number(before, now.values[i]) && !is_host_thread(now.values[i]))
            left++;
    }
    free(now.values);
    return left;
}

/* A thread that was joined can stay listed for a moment: the kernel wakes the joiner first. */
static size_t threads_left(const struct numbers *before)
{
    size_t left = count_new_threads(before);
    for (int waited = 0; left > 0 && waited < THREAD_GRACE_MS; waited += THREAD_LOOK_MS) {
        (void)poll(NULL, 0, THREAD_LOOK_MS);
        left = count_new_threads(before);
    }
    return left;
}

/* ---- processes ------------------------------------------------------------------------------- */

static int is_own_child(int64_t process)
{
    char text[512];
    cleanup_free char *path = text_format("/proc/%lld/stat", (long long)process);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (size <= 0)
        return 0;
    text[size] = '\0';
    /* "pid (name) state parent": the name may hold anything */
    const char *behind = strrchr(text, ')');
    return behind != NULL && strlen(behind) > 4 && strtol(behind + 4, NULL, 10) == (long)getpid();
}

static int has_other_children(void)
{
    struct numbers processes = list("/proc");
    int other = 0;
    for (size_t i = 0; i < processes.count && !other; i++)
        other =
            !worker_keeps_child((pid_t)processes.values[i]) && is_own_child(processes.values[i]);
    free(processes.values);
    return other;
}

/* Detached jobs are children of nobody here; what a service starts it has waited for, or named. */
static int children_left(void)
{
    siginfo_t info;
    if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD)
        return 0;
    return !worker_keeps_child(0) || has_other_children();
}

/* ---- both looks ------------------------------------------------------------------------------ */

struct residue *residue_before(void)
{
    struct residue *before = memory_new(1, sizeof *before);
    before->descriptors = list_descriptors();
    before->threads = list_threads();
    return before;
}

int residue_after(struct residue *before, const char *who, const char *hook, struct error *reterr)
{
    cleanup_buffer struct buffer names = BUFFER_INIT(4096);
    cleanup_buffer struct buffer left = BUFFER_INIT(256);
    const size_t threads = threads_left(&before->threads);
    const int children = children_left();
    const size_t descriptors = close_new_descriptors(&before->descriptors, &names);
    free(before->descriptors.values);
    free(before->threads.values);
    free(before);
    if (descriptors > 0)
        (void)buffer_format(&left, "%zu descriptor%s open", descriptors,
                            descriptors > 1 ? "s" : "");
    if (threads > 0)
        (void)buffer_format(&left, "%s%zu thread%s running", left.size > 0 ? " and " : "", threads,
                            threads > 1 ? "s" : "");
    if (children)
        (void)buffer_format(&left, "%sa child process", left.size > 0 ? " and " : "");
    if (left.size == 0)
        return 0;
    (void)error_set(reterr, EXIT_FAILED, "%s left %s in '%s'", who, left.data, hook);
    if (names.size > 0)
        (void)error_detail(reterr, "open descriptors: %s", names.data);
    return -1;
}
