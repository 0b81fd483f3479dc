#include "services/shim-spec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "worker/limits.h"

enum { SPEC_LIMIT = 8 << 20 };

void shim_report(int32_t event, int32_t value, const char *text)
{
    struct shim_report report = {event, value, {0}};
    if (text != NULL)
        memcpy(report.text, text, strnlen(text, sizeof report.text - 1));
    /* A starter that is gone is no reason to stop: a job outlives it. */
    (void)send(SHIM_TALK_FD, &report, sizeof report, MSG_NOSIGNAL);
}

int shim_spec_read(json_t **ret_spec, struct error *reterr)
{
    cleanup_buffer struct buffer text = BUFFER_INIT(SPEC_LIMIT);
    for (off_t offset = 0;;) {
        char chunk[8192];
        ssize_t got = pread(SHIM_SPEC_FD, chunk, sizeof chunk, offset);
        if (got < 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read the command to start");
        if (got == 0)
            break;
        offset += got;
        if (buffer_append(&text, chunk, (size_t)got) != 0)
            return error_set(reterr, EXIT_FAILED, "the command to start is too long");
    }
    *ret_spec = json_loadb(text.data, text.size, 0, NULL);
    if (!json_is_object(*ret_spec)) {
        json_decref(*ret_spec);
        return error_set(reterr, EXIT_FAILED, "the command to start cannot be read");
    }
    /* before anything runs for long: a job outlives its worker, and all of that one's limits */
    limits_restore(json_object_get(*ret_spec, "limits"));
    return 0;
}

/* ---- secrets as files ------------------------------------------------------------------------ */

static int is_memory_backed(const char *path)
{
    struct statfs kind;
    return statfs(path, &kind) == 0 && (kind.f_type == TMPFS_MAGIC || kind.f_type == RAMFS_MAGIC);
}

int memory_folder_base(char **ret_path, struct error *reterr)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    cleanup_free char *path = runtime != NULL && *runtime == '/' && is_memory_backed(runtime)
                                  ? text_format("%s/salvor", runtime)
                                  : text_format("/dev/shm/salvor-%u", (unsigned)geteuid());
    struct stat status;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create folder '%s' for secrets",
                           path);
    if (lstat(path, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot use folder '%s' for secrets", path);
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        (void)error_set(reterr, EXIT_FAILED,
                        "folder '%s' for secrets is not a private folder of this user", path);
        return error_hint(reterr, "find out who made it, then remove it");
    }
    if (!is_memory_backed(path)) {
        (void)error_set(reterr, EXIT_FAILED, "folder '%s' for secrets is on a disk", path);
        return error_hint(reterr, "set XDG_RUNTIME_DIR to a folder on a tmpfs");
    }
    *ret_path = take_pointer(path);
    return 0;
}

static int copy_secret(int from, const char *path)
{
    cleanup_close int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat status;
    if (to < 0 || fstat(from, &status) != 0)
        return -1;
    /* From memory file to memory file within the kernel: no copy is left in this process. */
    for (off_t offset = 0; offset < status.st_size;) {
        if (sendfile(to, from, &offset, (size_t)(status.st_size - offset)) <= 0)
            return -1;
    }
    return 0;
}

int shim_secrets_write(const json_t *spec, const char *name, char **ret_folder,
                       struct error *reterr)
{
    const json_t *files = json_object_get(spec, "files");
    *ret_folder = NULL;
    if (json_array_size(files) == 0)
        return 0;
    cleanup_free char *base = NULL;
    if (memory_folder_base(&base, reterr) != 0)
        return -1;
    cleanup_free char *folder = text_format("%s/%s", base, name);
    if (file_remove_tree(folder, reterr) != 0)
        return -1;
    if (mkdir(folder, 0700) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create folder '%s' for secrets",
                           folder);
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (files, index, entry) {
        cleanup_free char *path = text_format("%s/%s", folder, json_text(entry, "name"));
        if (copy_secret((int)json_whole(entry, "fd", -1), path) != 0) {
            (void)error_errno(reterr, EXIT_FAILED, errno, "cannot write secret file '%s'", path);
            (void)file_remove_tree(folder, NULL);
            return -1;
        }
    }
    *ret_folder = take_pointer(folder);
    return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

static char *substitute(const char *text, const json_t *files, const char *folder)
{
    struct buffer out = BUFFER_INIT(SPEC_LIMIT);
    while (*text != '\0') {
        size_t index = 0;
        json_t *entry = NULL;
        size_t taken = 0;
        json_array_foreach (files, index, entry) {
            cleanup_free char *mark = text_format("{secret:%s}", json_text(entry, "name"));
            if (text_starts(text, mark)) {
                (void)buffer_format(&out, "%s/%s", folder, json_text(entry, "name"));
                taken = strlen(mark);
                break;
            }
        }
        if (taken == 0) {
            (void)buffer_append(&out, text, 1);
            taken = 1;
        }
        text += taken;
    }
    return buffer_take(&out);
}

static char **words(const json_t *array, const json_t *files, const char *folder)
{
    char **list = memory_new(json_array_size(array) + 1, sizeof *list);
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (array, index, entry)
        list[index] = substitute(json_string_value(entry), files, folder);
    return list;
}

static void words_free(char **list)
{
    for (char **word = list; *word != NULL; word++)
        free(*word);
    free(list);
}

static int is_kept(const json_t *keep, int fd)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (keep, index, entry)
        if (json_integer_value(entry) == fd)
            return 1;
    return 0;
}

struct failure {
    int error;
    int what; /* index into failure_texts */
};

static const char *const failure_texts[] = {"start it", "enter its working directory",
                                            "prepare its process"};

static _Noreturn void become(const json_t *spec, char **argv, char **env, int failure_fd,
                             pid_t shim)
{
    struct failure failure = {0, 2};
    sigset_t none;
    (void)sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)setpgid(0, 0);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        goto failed;
    if (getppid() != shim) /* it died before the line above took hold */
        _exit(127);
    failure.what = 1;
    if (chdir(json_text(spec, "folder")) != 0)
        goto failed;
    failure.what = 0;
    for (int fd = 3; fd < SHIM_SPEC_FD; fd++)
        if (!is_kept(json_object_get(spec, "keep"), fd) && fd != failure_fd)
            (void)close(fd);
    (void)execve(json_text(spec, "path"), argv, env);
failed:
    failure.error = errno;
    (void)!write(failure_fd, &failure, sizeof failure);
    _exit(127);
}

int shim_start(const json_t *spec, const char *secret_folder, pid_t *ret_pid, const char **ret_what)
{
    const json_t *files = json_object_get(spec, "files");
    char **argv = words(json_object_get(spec, "argv"), files, secret_folder);
    char **env = words(json_object_get(spec, "env"), files, secret_folder);
    const pid_t shim = getpid();
    int ends[2] = {-1, -1};
    struct failure failure = {0, 2};
    pid_t pid = -1;
    *ret_what = failure_texts[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
        /* Out of the way of the numbers that the command may keep. */
        cleanup_close int failure_fd = fcntl(ends[1], F_DUPFD_CLOEXEC, SHIM_FILES_FD);
        (void)close(ends[1]);
        cleanup_close int read_fd = ends[0];
        pid = failure_fd < 0 ? -1 : fork(); /* small, with one thread: a plain fork is safe here */
        if (pid == 0)
            become(spec, argv, env, failure_fd, shim);
        failure.error = pid < 0 ? errno : 0;
        if (pid > 0) {
            (void)setpgid(pid, pid);
            (void)close(take_fd(&failure_fd));
            ssize_t got = read(read_fd, &failure, sizeof failure);
            if (got != (ssize_t)sizeof failure)
                failure = (struct failure){0, 0};
        }
    } else {
        failure.error = errno;
    }
    words_free(argv);
    words_free(env);
    if (failure.error == 0) {
        *ret_pid = pid;
        return 0;
    }
    *ret_what = failure_texts[failure.what];
    errno = failure.error;
    return -1;
}

int shim_prepare(int *ret_signal_fd, struct error *reterr)
{
    sigset_t taken;
    (void)sigemptyset(&taken);
    (void)sigaddset(&taken, SIGCHLD);
    (void)sigaddset(&taken, SIGTERM);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)fcntl(SHIM_SPEC_FD, F_SETFD, FD_CLOEXEC);
    (void)fcntl(SHIM_TALK_FD, F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < SHIM_SECRETS; i++)
        (void)fcntl(SHIM_FILES_FD + i, F_SETFD, FD_CLOEXEC);
    (void)close_range(SHIM_FILES_FD + SHIM_SECRETS, ~0u, 0);
    int fd = -1;
    if (sigprocmask(SIG_BLOCK, &taken, NULL) == 0)
        fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    /* The lowest numbers may be kept for the command. */
    *ret_signal_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SHIM_FILES_FD + SHIM_SECRETS);
    if (fd >= 0)
        (void)close(fd);
    if (*ret_signal_fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot watch the command");
    return 0;
}
