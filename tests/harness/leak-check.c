/*
 * leak-check: runs a command and fails when it leaves something behind: a process (whoever its
 * parent was), a listening port, a file below its private TMPDIR, a detached job, or a Lease.
 *
 * It is the subreaper of everything the command starts, so that no fork, however double, escapes.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

extern char **environ;

enum { LEAKED = 99, FILE_LIMIT = 8 << 20, LEASES_LIMIT = 8 << 20 };

static const char usage[] =
    "usage: leak-check [--grace MS] [--kubeconfig FILE --leases PROGRAM] [--] COMMAND...\n"
    "Runs the command with a TMPDIR of its own; ends with its status, or with 99 when it left a\n"
    "process, port, file, detached job or Lease behind. What is left is named, ended and removed.\n"
    "\n"
    "  --grace MS         how long processes may take to end after the command (default: 1000)\n"
    "  --kubeconfig FILE  Leases of this cluster are compared with those before\n"
    "  --leases PROGRAM   lists them: PROGRAM FILE prints one a line\n";

struct left {
    int count;
};

static void complain(struct left *left, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct left *left, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    fprintf(stderr, "leak-check: left behind: %s\n", text);
    left->count++;
}

/* Whole small file of /proc, NUL bytes turned into spaces; new, empty on failure. */
static char *read_proc(pid_t pid, const char *name)
{
    cleanup_free char *path = text_format("/proc/%d/%s", (int)pid, name);
    char *text = NULL;
    size_t size = 0;
    if (file_read(path, FILE_LIMIT, &text, &size, NULL) != 0)
        return text_copy("");
    for (size_t i = 0; i + 1 < size; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return text;
}

/* Parent and session from /proc/PID/stat, and whether it is only waiting to be collected. */
static int read_stat(pid_t pid, pid_t *ret_parent, pid_t *ret_session, int *ret_zombie)
{
    cleanup_free char *text = read_proc(pid, "stat");
    const char *end = strrchr(text, ')');
    char state;
    int parent, group, session;
    if (end == NULL || sscanf(end + 2, "%c %d %d %d", &state, &parent, &group, &session) != 4)
        return -1;
    *ret_parent = parent;
    *ret_session = session;
    *ret_zombie = state == 'Z';
    return 0;
}

/* 1 when this process is among the ancestors. */
static int is_descendant(pid_t pid)
{
    pid_t session;
    int zombie;
    for (int depth = 0; depth < 64 && pid > 1; depth++) {
        if (read_stat(pid, &pid, &session, &zombie) != 0)
            return 0;
        if (pid == getpid())
            return 1;
    }
    return 0;
}

/* Processes below this one that run; the number of them, new array in *ret. */
static size_t list_descendants(pid_t **ret)
{
    size_t count = 0;
    *ret = NULL;
    cleanup_dir DIR *proc = opendir("/proc");
    const struct dirent *entry;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), parent, session;
        int zombie;
        if (pid == getpid() || read_stat(pid, &parent, &session, &zombie) != 0 || zombie ||
            !is_descendant(pid))
            continue;
        *ret = memory_resize(*ret, count + 1, sizeof **ret);
        (*ret)[count++] = pid;
    }
    return count;
}

static void collect_dead(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* The port when the socket with this inode listens, else 0. */
static unsigned listening_port(const char *inode)
{
    static const char *const tables[] = {"net/tcp", "net/tcp6"};
    for (size_t i = 0; i < 2; i++) {
        cleanup_free char *text = read_proc(getpid(), tables[i]);
        char *state;
        for (char *line = strtok_r(text, "\n", &state); line != NULL;
             line = strtok_r(NULL, "\n", &state)) {
            unsigned port, status;
            char number[32];
            if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %31s",
                       &port, &status, number) == 3 &&
                status == 0x0a && strcmp(number, inode) == 0)
                return port;
        }
    }
    return 0;
}

/* " port 1234 port 5678" of the process; new. */
static char *ports_of(pid_t pid)
{
    struct buffer ports = BUFFER_INIT(4096);
    cleanup_free char *folder = text_format("/proc/%d/fd", (int)pid);
    cleanup_dir DIR *fds = opendir(folder);
    const struct dirent *entry;
    while (fds != NULL && (entry = readdir(fds)) != NULL) {
        char target[64], inode[32];
        cleanup_free char *path = text_format("%s/%s", folder, entry->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size <= 0)
            continue;
        target[size] = '\0';
        if (sscanf(target, "socket:[%31[0-9]]", inode) != 1)
            continue;
        unsigned port = listening_port(inode);
        if (port != 0)
            buffer_format(&ports, ", listening on port %u", port);
    }
    return buffer_take(&ports);
}

/* Names and ends what still runs when the time is over. */
static void check_processes(struct left *left, int64_t grace_ms)
{
    int64_t deadline = clock_monotonic_ms() + grace_ms;
    pid_t *pids = NULL;
    size_t count;
    for (;;) {
        collect_dead();
        count = list_descendants(&pids);
        if (count == 0 || clock_monotonic_ms() >= deadline)
            break;
        free(pids);
        const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
        (void)nanosleep(&pause, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        pid_t parent, session = 0;
        int zombie;
        (void)read_stat(pids[i], &parent, &session, &zombie);
        cleanup_free char *command = read_proc(pids[i], "cmdline");
        cleanup_free char *ports = ports_of(pids[i]);
        complain(left, "%s %d%s: %.200s", session == getsid(0) ? "process" : "detached job",
                 (int)pids[i], ports, command);
    }
    /* Killing one may show its children as ours a moment later. */
    while (count > 0) {
        for (size_t i = 0; i < count; i++)
            (void)kill(pids[i], SIGKILL);
        free(pids);
        collect_dead();
        count = list_descendants(&pids);
    }
    free(pids);
    collect_dead();
}

static void check_files(struct left *left, const char *folder, const char *below)
{
    cleanup_free char *path =
        below[0] == '\0' ? text_copy(folder) : text_format("%s/%s", folder, below);
    cleanup_dir DIR *files = opendir(path);
    const struct dirent *entry;
    while (files != NULL && (entry = readdir(files)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            complain(left, "file '$TMPDIR/%s'", entry->d_name);
}

/* What PROGRAM KUBECONFIG prints, new; NULL on failure. */
static char *list_leases(const char *program, const char *kubeconfig)
{
    int ends[2], status;
    if (pipe(ends) != 0)
        return NULL;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)kubeconfig, NULL};
    pid_t pid;
    int failed = posix_spawnp(&pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    struct buffer text = BUFFER_INIT(LEASES_LIMIT);
    char block[4096];
    ssize_t got;
    while (failed == 0 && (got = read(ends[0], block, sizeof block)) > 0)
        buffer_append(&text, block, (size_t)got);
    (void)close(ends[0]);
    if (failed != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        buffer_clear(&text);
        return NULL;
    }
    return buffer_take(&text);
}

static int has_line(const char *text, const char *line)
{
    size_t size = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at += size)
        if ((at == text || at[-1] == '\n') && (at[size] == '\n' || at[size] == '\0'))
            return 1;
    return 0;
}

static void check_leases(struct left *left, const char *before, char *after)
{
    char *state;
    for (char *line = strtok_r(after, "\n", &state); line != NULL;
         line = strtok_r(NULL, "\n", &state))
        if (!has_line(before, line))
            complain(left, "Lease '%s'", line);
}

/* Runs the command to its end; its exit status as a shell tells it. */
static int run(char **command)
{
    pid_t pid;
    int status, failed = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
    if (failed != 0) {
        fprintf(stderr, "leak-check: cannot start '%s': %s\n", command[0], strerror(failed));
        return 127;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct settings {
    int64_t grace_ms;
    const char *kubeconfig, *leases;
};

static int check(const struct settings *settings, char **command, const char *folder)
{
    struct left left = {0};
    cleanup_free char *before = NULL;
    if (settings->kubeconfig != NULL &&
        (before = list_leases(settings->leases, settings->kubeconfig)) == NULL) {
        fprintf(stderr, "leak-check: cannot list the Leases of '%s'\n", settings->kubeconfig);
        return 2;
    }
    int status = run(command);
    check_processes(&left, settings->grace_ms);
    check_files(&left, folder, "");
    if (before != NULL) {
        cleanup_free char *after = list_leases(settings->leases, settings->kubeconfig);
        if (after == NULL)
            complain(&left, "nothing to list Leases from: '%s' does not answer",
                     settings->kubeconfig);
        else
            check_leases(&left, before, after);
    }
    return status == 0 && left.count > 0 ? LEAKED : status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"grace", required_argument, NULL, 'g'},
                                            {"kubeconfig", required_argument, NULL, 'k'},
                                            {"leases", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct settings settings = {.grace_ms = 1000};
    int option, bad = 0;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == 'g')
            bad |= text_parse_integer(optarg, &settings.grace_ms) != 0;
        else if (option == 'k')
            settings.kubeconfig = optarg;
        else if (option == 'l')
            settings.leases = optarg;
        else
            bad = 1;
    }
    if (bad || optind == argc || (settings.kubeconfig != NULL && settings.leases == NULL)) {
        fputs(usage, stderr);
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    cleanup_free char *folder =
        text_format("%s/leak-check-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(folder) == NULL || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        perror("leak-check");
        return 2;
    }
    setenv("TMPDIR", folder, 1);
    int status = check(&settings, argv + optind, folder);
    (void)file_remove_tree(folder, NULL);
    return status;
}
