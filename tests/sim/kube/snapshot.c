#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit.h"
#include "json-text.h"
#include "json-tree.h"
#include "watch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

/* The parent's daemon: the child may neither use nor stop it (that would shut down the parent's
 * connections), only keep it, so that leak checkers see it as used. */
static struct MHD_Daemon *volatile parents_daemon;

enum { REPORT_FD = 3, REPORT_SIZE = 4096 };

static void become_child(struct sim_kube *sim, int report_fd, const char *audit_path)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    parents_daemon = sim->daemon;
    sim->daemon = NULL;
    while (sim->watches != NULL)
        watch_close(sim, sim->watches);
    free(sim->children);
    sim->children = NULL;
    sim->child_count = 0;
    sim->is_snapshot = 1;
    sim->port = 0;
    audit_close(sim);
    if (report_fd != REPORT_FD)
        dup2(report_fd, REPORT_FD);
    close_range(REPORT_FD + 1, ~0U, 0);
    sim->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct error error = ERROR_INIT;
    if ((audit_path != NULL && audit_open(sim, audit_path, &error) != 0) ||
        sim_kube_listen(sim, &error) != 0) {
        fprintf(stderr, "sim-kube: %s\n", error.message);
        _exit(1);
    }
}

static void report(const struct sim_kube *sim)
{
    json_t *answer =
        json_pack("{s:s, s:i, s:i, s:s}", "url", sim->url, "port", (int)sim->port, "pid",
                  (int)getpid(), "audit", sim->audit_path == NULL ? "" : sim->audit_path);
    char *text = json_dumps(answer, JSON_COMPACT);
    if (file_write_all(REPORT_FD, text, strlen(text)) != 0)
        _exit(1);
    (void)close(REPORT_FD);
    free(text);
    json_decref(answer);
}

static json_t *read_report(int fd)
{
    char text[REPORT_SIZE];
    size_t size = 0;
    for (;;) {
        ssize_t got = read(fd, text + size, sizeof text - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    return json_text_read(text, size, NULL);
}

pid_t snapshot_make(struct sim_kube *sim, json_t **ret_answer, struct error *reterr)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make a pipe");
    sim->snapshot_number++;
    cleanup_free char *audit_path =
        sim->audit_path == NULL ? NULL
                                : text_format("%s.%d", sim->audit_path, sim->snapshot_number);
    pid_t pid = fork();
    if (pid == 0) {
        become_child(sim, ends[1], audit_path);
        report(sim);
        return 0;
    }
    (void)close(ends[1]);
    json_t *answer = pid < 0 ? NULL : read_report(ends[0]);
    (void)close(ends[0]);
    if (answer == NULL)
        return error_set(reterr, EXIT_FAILED, "the snapshot did not start");
    sim->children = memory_resize(sim->children, sim->child_count + 1, sizeof pid);
    sim->children[sim->child_count++] = pid;
    *ret_answer = answer;
    return pid;
}

void snapshot_reap(struct sim_kube *sim)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->child_count; i++)
        if (waitpid(sim->children[i], NULL, WNOHANG) == 0)
            sim->children[kept++] = sim->children[i];
    sim->child_count = kept;
}
