#include "services/shim-spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/shim-spec.h"
#include "worker/limits.h"

enum { OUT_OF_THE_WAY = 64 }; /* above every number that a shim is given */

int memory_file(const char *name, const void *data, size_t size)
{
    cleanup_close int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || file_write_all(fd, data, size) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return -1;
    return take_fd(&fd);
}

/* Not /proc/self/exe itself: valgrind would run itself again. */
static int own_program(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0)
        return -1;
    path[length] = '\0';
    return 0;
}

struct moved {
    posix_spawn_file_actions_t *actions;
    int *fds;
    size_t count;
};

/* Two steps, because a source may have the number of another's target. */
static int give(struct moved *moved, int from, int to)
{
    int high = fcntl(from, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    if (high < 0)
        return -1;
    moved->fds[moved->count++] = high;
    errno = posix_spawn_file_actions_adddup2(moved->actions, high, to);
    return errno != 0 ? -1 : 0;
}

static int give_all(struct moved *moved, int spec_fd, int talk_fd, const struct shim_fd *fds,
                    size_t count)
{
    int given[3] = {0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        if (fds[i].to < 3)
            given[fds[i].to] = 1;
        if (give(moved, fds[i].from, fds[i].to) != 0)
            return -1;
    }
    for (int fd = 0; fd < 3; fd++) {
        if (given[fd])
            continue;
        errno = posix_spawn_file_actions_addopen(moved->actions, fd, "/dev/null",
                                                 fd == 0 ? O_RDONLY : O_WRONLY, 0);
        if (errno != 0)
            return -1;
    }
    return give(moved, spec_fd, SHIM_SPEC_FD) != 0 || give(moved, talk_fd, SHIM_TALK_FD) != 0 ? -1
                                                                                              : 0;
}

/* The words after the program's own; the array is owned by the caller. */
static char **words_of(const struct shim_command *command, char *program)
{
    size_t count = 0;
    while (command->wrapper != NULL && command->wrapper[count] != NULL)
        count++;
    char **argv = memory_new(count + 4, sizeof *argv);
    for (size_t i = 0; i < count; i++)
        argv[i] = command->wrapper[i];
    argv[count++] = program;
    argv[count++] = (char *)command->name;
    argv[count] = (char *)command->argument;
    return argv;
}

static int spawn(const struct shim_command *command, const posix_spawn_file_actions_t *actions,
                 pid_t *ret_pid)
{
    char program[PATH_MAX];
    if (own_program(program, sizeof program) != 0)
        return -1;
    cleanup_free char **argv = words_of(command, program);
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    errno = posix_spawnattr_init(&attributes);
    if (errno != 0)
        return -1;
    /* A session of its own: no terminal to stop at, out of reach of the worker's group kill. */
    (void)posix_spawnattr_setflags(
        &attributes, (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    int result = posix_spawn(ret_pid, argv[0], actions, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    errno = result;
    return result != 0 ? -1 : 0;
}

int shim_spawn(const struct shim_command *command, const json_t *spec, const struct shim_fd *fds,
               size_t fd_count, struct shim *ret_shim, struct error *reterr)
{
    cleanup_json json_t *whole = json_copy((json_t *)spec);
    json_t *limits = limits_before();
    if (limits != NULL)
        json_put(whole, "limits", limits);
    cleanup_free char *text = json_canonical(whole);
    cleanup_close int spec_fd = memory_file("salvor-spec", text, strlen(text));
    int ends[2] = {-1, -1};
    if (spec_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot prepare a command");
    cleanup_close int ours = ends[0];
    cleanup_close int theirs = ends[1];
    posix_spawn_file_actions_t actions;
    cleanup_free int *high = memory_new(fd_count + 2, sizeof *high);
    struct moved moved = {&actions, high, 0};
    int result = -1;
    errno = posix_spawn_file_actions_init(&actions);
    if (errno == 0) {
        result = give_all(&moved, spec_fd, theirs, fds, fd_count);
        if (result == 0)
            result = spawn(command, &actions, &ret_shim->pid);
        int saved = errno;
        (void)posix_spawn_file_actions_destroy(&actions);
        errno = saved;
    }
    int saved = errno;
    for (size_t i = 0; i < moved.count; i++)
        (void)close(moved.fds[i]);
    if (result != 0)
        return error_errno(reterr, EXIT_FAILED, saved, "cannot start a command");
    ret_shim->talk = take_fd(&ours);
    return 0;
}

void shim_end(struct shim *shim, int patience_ms)
{
    if (shim->talk >= 0)
        (void)close(take_fd(&shim->talk));
    if (shim->pid <= 0)
        return;
    cleanup_close int watched = (int)syscall(SYS_pidfd_open, shim->pid, 0);
    struct pollfd fd = {watched, POLLIN, 0};
    while (watched >= 0 && poll(&fd, 1, patience_ms) < 0 && errno == EINTR)
        continue;
    if (waitpid(shim->pid, NULL, WNOHANG) == 0) {
        (void)kill(shim->pid, SIGKILL);
        while (waitpid(shim->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    shim->pid = 0;
}
