#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/beneath.h"
#include "services/job-folder.h"
#include "services/shim-spec.h"
#include "services/shims.h"

enum {
    LOOK_EVERY_MS = 200,
    KILL_GRACE_MS = 10000,
    COMMIT_PATIENCE_MS = 3600000,
    ABOVE_ALL = SHIM_FILES_FD + SHIM_SECRETS,
    PUNCH_STEP = 65536
};

struct job {
    const char *folder;
    json_t *spec;
    int lock;
    int status_fd;
    int signal_fd;
    int out_fd; /* -1 when stdout is a file below the scratch folder */
    int err_fd;
    int64_t kept; /* bytes of each that stay on disk */
    char *secrets;
    pid_t command;
    int64_t started_ms;
    int64_t kill_at; /* monotonic ms; 0: nobody asked */
    int64_t give_up; /* monotonic ms; 0: no time limit */
    int too_long;
};

/* ---- output ---------------------------------------------------------------------------------- */

/* The numbers up to 9 may be kept for the command: our own files go above all that it is given. */
static int move_up(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_ALL);
    if (fd >= 0)
        (void)close(fd);
    return high;
}

static int open_log(const struct job *job, const char *name, int target, int *ret_fd)
{
    cleanup_free char *path = text_format("%s/%s", job->folder, name);
    *ret_fd = move_up(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    return *ret_fd < 0 || dup2(*ret_fd, target) < 0 ? -1 : 0;
}

static int open_outputs(struct job *job, struct error *reterr)
{
    const char *scratch = json_text(job->spec, "scratch");
    const char *output = json_text(job->spec, "output_path");
    if (open_log(job, "stderr", 2, &job->err_fd) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s/stderr'", job->folder);
    if (output == NULL) {
        if (open_log(job, "stdout", 1, &job->out_fd) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s/stdout'",
                               job->folder);
        return 0;
    }
    cleanup_close int folder = move_up(open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    cleanup_close int fd =
        folder < 0 ? -1 : move_up(beneath_open(folder, output, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    if (fd < 0 || dup2(fd, 1) < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s/%s'", scratch, output);
    return 0;
}

/* Gives old blocks back: a job that talks for a week fills no disk. */
static void trim(int fd, int64_t kept)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return;
    int64_t excess = status.st_size - kept;
    if (excess < PUNCH_STEP || status.st_blocks * 512 <= kept + PUNCH_STEP)
        return;
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, excess);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void drop_secrets(struct job *job)
{
    if (job->secrets != NULL)
        (void)file_remove_tree(job->secrets, NULL);
    free(job->secrets);
    job->secrets = NULL;
}

/* A status that cannot be written now may be in a minute: until then the job counts as running. Who
 * removed the folder wants no status. */
static int commit(struct job *job, json_t *status)
{
    cleanup_json json_t *own = status;
    const int64_t give_up = clock_monotonic_ms() + COMMIT_PATIENCE_MS;
    json_put(own, "started_ms", json_integer(job->started_ms));
    json_put(own, "ended_ms", json_integer(clock_realtime_ms()));
    drop_secrets(job);
    while (job_status_commit(job->folder, job->status_fd, own, NULL) != 0) {
        if (clock_monotonic_ms() > give_up || access(job->folder, F_OK) != 0)
            return 1;
        (void)poll(NULL, 0, 1000);
    }
    return 0;
}

static int commit_failure(struct job *job, int signal_number, const char *error)
{
    return commit(job, json_make("{s:i,s:i,s:s}", "exit_status", signal_number != 0 ? -1 : 127,
                                 "signal", signal_number, "error", error));
}

static int commit_end(struct job *job, int wait_status)
{
    int signal_number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    json_t *status =
        json_make("{s:i,s:i}", "exit_status", signal_number != 0 ? -1 : WEXITSTATUS(wait_status),
                  "signal", signal_number);
    if (job->too_long)
        json_put_text(status, "error", "it was killed because it passed its time limit");
    return commit(job, status);
}

/* Ten seconds, but for tests that wait for the end of them. */
static int64_t kill_grace_ms(void)
{
#ifdef SALVOR_TEST_HOOKS
    const char *other = getenv("SALVOR_KILL_GRACE_MS");
    int64_t number = 0;
    if (other != NULL && text_parse_integer(other, &number) == 0)
        return number;
#endif
    return KILL_GRACE_MS;
}

/* ---- watching -------------------------------------------------------------------------------- */

static void mind_kill(struct job *job)
{
    if (job->kill_at == 0) {
        job->too_long = job->give_up != 0 && clock_monotonic_ms() >= job->give_up;
        if (!job->too_long && !job_folder_kill_asked(job->folder))
            return;
        job->kill_at = clock_monotonic_ms() + kill_grace_ms();
        (void)kill(-job->command, SIGTERM);
    } else if (clock_monotonic_ms() >= job->kill_at) {
        (void)kill(-job->command, SIGKILL);
    }
}

/* Who was asked to end takes its group along, within the same grace. */
static void end_group(struct job *job)
{
    while (job->kill_at != 0 && kill(-job->command, 0) == 0) {
        if (clock_monotonic_ms() >= job->kill_at) {
            (void)kill(-job->command, SIGKILL);
            return;
        }
        (void)poll(NULL, 0, 20);
    }
}

static int watch(struct job *job)
{
    int status = 0;
    struct pollfd fd = {job->signal_fd, POLLIN, 0};
    while (waitpid(job->command, &status, WNOHANG) != job->command) {
        (void)poll(&fd, 1, LOOK_EVERY_MS);
        struct signalfd_siginfo info;
        while (read(job->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
            if (info.ssi_signo == SIGTERM) /* the machine goes down: let it end in order */
                (void)kill(-job->command, SIGTERM);
        mind_kill(job);
        trim(job->out_fd, job->kept);
        trim(job->err_fd, job->kept);
    }
    end_group(job);
    return commit_end(job, status);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int begin(struct job *job)
{
    cleanup_error struct error err = ERROR_INIT;
    char digest[DIGEST_TEXT_SIZE];
    digest_text_of(job->folder, strlen(job->folder), digest);
    cleanup_free char *secrets = text_format("job-%.16s", digest);
    int status_fd = -1;
    if (open_outputs(job, &err) != 0 || job_status_reserve(job->folder, &status_fd, &err) != 0 ||
        shim_secrets_write(job->spec, secrets, &job->secrets, &err) != 0) {
        shim_report(SHIM_NOT_STARTED, 0, err.message);
        drop_secrets(job);
        return 1;
    }
    job->status_fd = move_up(status_fd);
    job->started_ms = clock_realtime_ms();
    if (job_folder_claim(job->folder, job->started_ms, &err) != 0) {
        /* It may be claimed all the same, if only the folder could not be synced: then this job has
         * ended, and a second start is safe in either case because nothing ran. */
        drop_secrets(job);
        if (job_folder_is_claimed(job->folder))
            (void)commit_failure(job, 0, err.message);
        shim_report(SHIM_NOT_STARTED, 0, err.message);
        return 1;
    }
    if (job_folder_kill_asked(job->folder)) {
        shim_report(SHIM_STARTED, 0, NULL);
        return commit_failure(job, SIGTERM, "it was killed before it started");
    }
    const char *what = NULL;
    if (shim_start(job->spec, job->secrets, &job->command, &what) != 0) {
        cleanup_free char *text = text_format("%s: %s", what, strerror(errno));
        int result = commit_failure(job, 0, text);
        shim_report(SHIM_NOT_STARTED, 0, text);
        return result;
    }
    int64_t limit_ms = json_whole(job->spec, "timeout_ms", 0);
    job->give_up = limit_ms > 0 ? clock_monotonic_ms() + limit_ms : 0;
    shim_report(SHIM_STARTED, job->command, NULL);
    (void)close(SHIM_TALK_FD);
    (void)close_range(0, SHIM_SPEC_FD - 1, 0);
    return watch(job);
}

static int shim(const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *spec = NULL;
    struct job job = {.folder = folder, .lock = -1, .status_fd = -1, .out_fd = -1, .err_fd = -1};
    if (shim_prepare(&job.signal_fd, &err) != 0 || shim_spec_read(&spec, &err) != 0) {
        shim_report(SHIM_NOT_STARTED, 0, err.message);
        return 1;
    }
    job.spec = spec;
    job.kept = json_whole(spec, "kept", 1 << 20);
    int lock = -1;
    int locked = job_folder_lock(folder, &lock, &err);
    if (locked > 0 && !job_folder_is_claimed(folder)) {
        job.lock = move_up(lock); /* the same open file description: the lock stays */
        return begin(&job);
    }
    if (locked < 0)
        shim_report(SHIM_NOT_STARTED, 0, err.message);
    else
        shim_report(SHIM_TAKEN, 0, NULL);
    return locked < 0;
}

int job_shim_main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    /* Twice away from the worker: it must not wait for this process, nor be asked about it. */
    pid_t pid = fork();
    if (pid != 0)
        return pid < 0;
    return shim(argv[1]);
}
