#include "host/worker-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

extern char **environ;

enum {
    CHILD_SOCKET = 3,
    CHILD_CANCEL = 4,
    FIRST_SAFE_FD = 10, /* above every number that the child's descriptors get */
    GROUP_END_MS = 2000
};

/* ---- start ----------------------------------------------------------------------------------- */

/*
 * The file of the running program. /proc/self/exe itself would do, but valgrind cannot execute it;
 * it is the way out when an upgrade replaced the file meanwhile (the link then names none).
 */
static char *own_program(void)
{
    static const char link[] = "/proc/self/exe";
    char path[4096];
#ifdef SALVOR_TEST_HOOKS
    const char *other = getenv("SALVOR_PROGRAM");
    if (other != NULL)
        return text_copy(other);
#endif
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0)
        return text_copy(link);
    path[size] = '\0';
    return text_copy(access(path, X_OK) == 0 ? path : link);
}

static int move_up(int *fd)
{
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
    if (moved < 0)
        return -1;
    (void)close(*fd);
    *fd = moved;
    return 0;
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* The workers of this process: their ends are awaited by worker_process_end and nobody else. */
static pid_t live[8];

static int replace_live(pid_t old, pid_t fresh)
{
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++) {
        if (live[i] == old) {
            live[i] = fresh;
            return 0;
        }
    }
    return -1;
}

static int is_live(pid_t pid)
{
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++) {
        if (live[i] == pid)
            return 1;
    }
    return 0;
}

struct plumbing {
    int sockets[2];
    int pipe[2];
    int cancel;
};

static void close_all(struct plumbing *plumbing)
{
    int *const fds[] = {&plumbing->sockets[0], &plumbing->sockets[1], &plumbing->pipe[0],
                        &plumbing->pipe[1], &plumbing->cancel};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0)
            (void)close(*fds[i]);
        *fds[i] = -1;
    }
}

static int lay(struct plumbing *plumbing)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plumbing->sockets) != 0 ||
        pipe2(plumbing->pipe, O_CLOEXEC) != 0)
        return -1;
    plumbing->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (plumbing->cancel < 0)
        return -1;
    return move_up(&plumbing->sockets[0]) || move_up(&plumbing->sockets[1]) ||
           move_up(&plumbing->pipe[0]) || move_up(&plumbing->pipe[1]) ||
           move_up(&plumbing->cancel) || set_nonblocking(plumbing->sockets[0]) ||
           set_nonblocking(plumbing->pipe[0]);
}

static int add_descriptors(posix_spawn_file_actions_t *actions, const struct plumbing *plumbing)
{
    int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, plumbing->pipe[1], STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, plumbing->pipe[1], STDERR_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, plumbing->sockets[1], CHILD_SOCKET);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, plumbing->cancel, CHILD_CANCEL);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, CHILD_CANCEL + 1);
    return failed;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGKILL);
    (void)sigdelset(&all, SIGSTOP);
    int failed = posix_spawnattr_setpgroup(attributes, 0);
    if (failed == 0)
        failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (failed == 0)
        failed = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return failed;
}

static int spawn(const char *program, const struct plumbing *plumbing, int debug, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[] = "salvor";
    char command[] = "--worker";
    char own_socket[12];
    char own_cancel[12];
    char debugging[] = "debug";
    (void)snprintf(own_socket, sizeof own_socket, "%d", CHILD_SOCKET);
    (void)snprintf(own_cancel, sizeof own_cancel, "%d", CHILD_CANCEL);
    char *argv[] = {name, command, own_socket, own_cancel, debug ? debugging : NULL, NULL};
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = add_descriptors(&actions, plumbing);
        if (failed == 0)
            failed = set_attributes(&attributes);
        if (failed == 0)
            failed = posix_spawn(ret_pid, program, &actions, &attributes, argv, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int worker_process_start(struct worker_process *process, int debug, struct error *reterr)
{
    struct plumbing plumbing = {{-1, -1}, {-1, -1}, -1};
    cleanup_free char *program = own_program();
    pid_t pid = 0;
    if (!is_live(0))
        return error_set(reterr, EXIT_FAILED, "cannot start a worker process: %zu run already",
                         sizeof live / sizeof live[0]);
    /* what a dying worker leaves comes to us, to be reaped with its group */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    int failed = lay(&plumbing) == 0 ? 0 : errno;
    if (failed == 0)
        failed = spawn(program, &plumbing, debug, &pid);
    if (failed != 0) {
        close_all(&plumbing);
        return error_errno(reterr, EXIT_FAILED, failed, "cannot start a worker process '%s'",
                           program);
    }
    (void)replace_live(0, pid);
    *process = (struct worker_process){pid, take_fd(&plumbing.sockets[0]),
                                       take_fd(&plumbing.cancel), take_fd(&plumbing.pipe[0])};
    close_all(&plumbing);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

void worker_process_cancel(const struct worker_process *process)
{
    const uint64_t one = 1;
    /* full only after 2^64 of these: it is readable then anyway */
    if (write(process->cancel_fd, &one, sizeof one) < 0)
        return;
}

void worker_process_signal(const struct worker_process *process, int signal_number)
{
    if (process->pid > 1)
        (void)kill(-process->pid, signal_number);
}

int worker_process_has_ended(const struct worker_process *process)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == process->pid;
}

/* ---- end ------------------------------------------------------------------------------------- */

int worker_process_end(struct worker_process *process)
{
    int worker_status = 0;
    const int64_t give_up = clock_monotonic_ms() + GROUP_END_MS;
    if (process->pid <= 1)
        return 0;
    for (;;) {
        int status = 0;
        pid_t reaped = 0;
        /* again each time: a member may have been forking when the first signal came */
        (void)kill(-process->pid, SIGKILL);
        while ((reaped = waitpid(-process->pid, &status, WNOHANG)) > 0) {
            if (reaped == process->pid)
                worker_status = status;
        }
        const int group_is_gone = kill(-process->pid, 0) != 0 && errno == ESRCH;
        if (group_is_gone || clock_monotonic_ms() > give_up)
            break;
        (void)poll(NULL, 0, 1);
    }
    (void)replace_live(process->pid, 0);
    (void)close(process->socket);
    (void)close(process->cancel_fd);
    (void)close(process->output_fd);
    *process = (struct worker_process)WORKER_PROCESS_INIT;
    return worker_status;
}

/* ---- orphans --------------------------------------------------------------------------------- */

static int is_ended(pid_t pid)
{
    char text[1024];
    cleanup_free char *path = text_format("/proc/%d/stat", (int)pid);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (size <= 0)
        return 0;
    text[size] = '\0';
    /* the command name in parentheses may hold anything, parentheses too */
    const char *rest = strrchr(text, ')');
    return rest != NULL && strncmp(rest, ") Z", 3) == 0;
}

void worker_process_reap_orphans(void)
{
    cleanup_free char *children = NULL;
    cleanup_free char *path = text_format("/proc/self/task/%d/children", (int)getpid());
    if (file_read(path, 65536, &children, NULL, NULL) != 0)
        return;
    for (char *next = children; *next != '\0';) {
        char *end = NULL;
        long pid = strtol(next, &end, 10);
        if (end == next)
            return;
        next = end + strspn(end, " \n");
        if (pid > 1 && !is_live((pid_t)pid) && is_ended((pid_t)pid))
            (void)waitpid((pid_t)pid, NULL, WNOHANG);
    }
}
