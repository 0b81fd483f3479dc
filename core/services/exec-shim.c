#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/shim-spec.h"
#include "services/shims.h"

enum { STOP_GRACE_MS = 500 };

struct watch {
    pid_t command;
    int64_t kill_at; /* monotonic ms; 0: nobody asked to stop */
    int orphaned;    /* the worker is gone */
};

static void hear_worker(struct watch *watch)
{
    char order = 0;
    ssize_t got = recv(SHIM_TALK_FD, &order, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        watch->orphaned = 1;
        (void)kill(-watch->command, SIGKILL);
    } else if (watch->kill_at == 0) {
        watch->kill_at = clock_monotonic_ms() + STOP_GRACE_MS;
        (void)kill(-watch->command, SIGTERM);
    }
}

static int reap(const struct watch *watch, int *ret_status)
{
    pid_t got = waitpid(watch->command, ret_status, WNOHANG);
    return got == watch->command;
}

static int watch_command(struct watch *watch, int signal_fd)
{
    int status = 0;
    struct pollfd fds[2] = {{signal_fd, POLLIN, 0}, {SHIM_TALK_FD, POLLIN, 0}};
    while (!reap(watch, &status)) {
        int wait = -1;
        if (watch->kill_at != 0) {
            int64_t left = watch->kill_at - clock_monotonic_ms();
            if (left <= 0) {
                (void)kill(-watch->command, SIGKILL);
                left = STOP_GRACE_MS;
            }
            wait = (int)left;
        }
        if (poll(fds, watch->orphaned ? 1 : 2, wait) < 0)
            continue;
        struct signalfd_siginfo info;
        while (read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
            if (info.ssi_signo == SIGTERM)
                (void)kill(-watch->command, SIGTERM);
        if (!watch->orphaned && fds[1].revents != 0)
            hear_worker(watch);
    }
    /* Who was told to stop leaves nothing of its group behind. */
    if (watch->kill_at != 0 || watch->orphaned)
        (void)kill(-watch->command, SIGKILL);
    return status;
}

int exec_shim_main(int argc, char **argv)
{
    (void)argv;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *spec = NULL;
    cleanup_close int signal_fd = -1;
    cleanup_free char *secrets = NULL;
    cleanup_free char *secrets_name = text_format("call-%d", (int)getpid());
    if (argc != 1 || shim_prepare(&signal_fd, &err) != 0 || shim_spec_read(&spec, &err) != 0 ||
        shim_secrets_write(spec, secrets_name, &secrets, &err) != 0) {
        shim_report(SHIM_NOT_STARTED, 0, err.message);
        return 1;
    }
    struct watch watch = {0};
    const char *what = NULL;
    if (shim_start(spec, secrets, &watch.command, &what) != 0) {
        shim_report(SHIM_NOT_STARTED, errno, what);
        (void)file_remove_tree(secrets != NULL ? secrets : "", NULL);
        return 1;
    }
    /* The ends of the pipes must close with the command's, not with this process. */
    (void)close_range(0, SHIM_SPEC_FD - 1, 0);
    shim_report(SHIM_STARTED, watch.command, NULL);
    int status = watch_command(&watch, signal_fd);
    if (secrets != NULL)
        (void)file_remove_tree(secrets, NULL);
    if (json_text(spec, "remove") != NULL)
        (void)file_remove_tree(json_text(spec, "remove"), NULL);
    if (WIFSIGNALED(status))
        shim_report(SHIM_SIGNALLED, WTERMSIG(status), NULL);
    else
        shim_report(SHIM_EXITED, WEXITSTATUS(status), NULL);
    return 0;
}
