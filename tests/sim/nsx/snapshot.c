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

#include "adapter.h"
#include "audit.h"
#include "endpoint.h"
#include "server.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { REPORT_FD = 3, REPORT_LIMIT = 64 << 10 };

static void become_child(struct sim_nsx *sim, int report_fd, const char *audit_path)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    nsx_endpoints_forget(sim);
    nsx_server_forget(sim);
    /* Adapters are connected to the parent; those inside the simulator stay. */
    for (size_t i = 0; i < sim->adapter_count; i++)
        if (sim->adapters[i].stream != NULL)
            nsx_adapter_disconnect(sim, &sim->adapters[i]);
    free(sim->children);
    sim->children = NULL;
    sim->child_count = 0;
    sim->is_snapshot = 1;
    nsx_audit_close(sim);
    if (report_fd != REPORT_FD)
        dup2(report_fd, REPORT_FD);
    close_range(REPORT_FD + 1, ~0U, 0);
    sim->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct error error = ERROR_INIT;
    if ((audit_path != NULL && nsx_audit_open(sim, audit_path, &error) != 0) ||
        nsx_endpoints_open(sim, &error) != 0) {
        fprintf(stderr, "sim-nsx: %s\n", error.message);
        _exit(1);
    }
}

static void report(const struct sim_nsx *sim)
{
    json_t *answer = sim_nsx_addresses(sim);
    json_put_text(answer, "audit", sim->audit_path == NULL ? "" : sim->audit_path);
    char *text = json_dumps(answer, JSON_COMPACT);
    if (file_write_all(REPORT_FD, text, strlen(text)) != 0)
        _exit(1);
    (void)close(REPORT_FD);
    free(text);
    json_decref(answer);
}

static json_t *read_report(int fd)
{
    cleanup_buffer struct buffer text = BUFFER_INIT(REPORT_LIMIT);
    char block[4096];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0 && buffer_append(&text, block, (size_t)got) != 0)
            break;
    return text.size == 0 ? NULL : json_loadb(text.data, text.size, 0, NULL);
}

pid_t nsx_snapshot_make(struct sim_nsx *sim, json_t **ret_answer, struct error *reterr)
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

void nsx_snapshot_reap(struct sim_nsx *sim)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->child_count; i++)
        if (waitpid(sim->children[i], NULL, WNOHANG) == 0)
            sim->children[kept++] = sim->children[i];
    sim->child_count = kept;
}

void nsx_snapshot_stop_all(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->child_count; i++) {
        (void)kill(sim->children[i], SIGTERM);
        while (waitpid(sim->children[i], NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(sim->children);
    sim->children = NULL;
    sim->child_count = 0;
}
