#include "sim-nsx-process.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { REPORT_LIMIT = 64 << 10, ANSWER_MAX = 256 << 20, TIMEOUT_S = 60 };

static struct sim_nsx *serving;

static void stop_serving(int signal)
{
    (void)signal;
    sim_nsx_stop(serving);
}

/* Never returns. */
static void serve(const struct sim_nsx_options *options, sim_nsx_prepare *prepare, void *user,
                  int report_fd)
{
    struct error error = ERROR_INIT;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serving = sim_nsx_new(options, &error);
    if (serving != NULL && prepare != NULL)
        prepare(serving, user);
    if (serving != NULL && sim_nsx_listen(serving, &error) == 0) {
        struct sigaction action = {.sa_handler = stop_serving};
        sigaction(SIGTERM, &action, NULL);
        json_t *addresses = sim_nsx_addresses(serving);
        char *report = json_dumps(addresses, JSON_COMPACT);
        int written = file_write_all(report_fd, report, strlen(report));
        (void)close(report_fd);
        free(report);
        json_decref(addresses);
        if (written == 0)
            sim_nsx_run(serving, &error);
    }
    if (error_is_set(&error))
        fprintf(stderr, "sim-nsx: %s\n", error.message);
    sim_nsx_free(serving);
    error_clear(&error);
    /* Not exit: what the test registered with atexit is none of the child's business. */
    _exit(0);
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

/* `addresses` is stolen. */
static struct sim_nsx_process described(json_t *addresses, int is_snapshot)
{
    const json_t *first = json_array_get(json_object_get(addresses, "managers"), 0);
    const char *audit = json_text(addresses, "audit");
    return (struct sim_nsx_process){.pid = (pid_t)json_whole(addresses, "pid", 0),
                                    .is_snapshot = is_snapshot,
                                    .control_url = text_copy(json_text(addresses, "control")),
                                    .url = text_copy(json_text(first, "url")),
                                    .sha256 = text_copy(json_text(first, "sha256")),
                                    .certificate = text_copy(json_text(first, "certificate")),
                                    .audit_path =
                                        audit == NULL || audit[0] == '\0' ? NULL : text_copy(audit),
                                    .addresses = addresses};
}

int sim_nsx_process_start(const struct sim_nsx_options *options, sim_nsx_prepare *prepare,
                          void *user, struct sim_nsx_process *ret, struct error *reterr)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        serve(options, prepare, user, ends[1]);
    }
    (void)close(ends[1]);
    json_t *addresses = pid < 0 ? NULL : read_report(ends[0]);
    (void)close(ends[0]);
    if (addresses == NULL) {
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        return error_set(reterr, EXIT_FAILED, "the simulator did not start");
    }
    *ret = described(addresses, 0);
    if (options->audit_path != NULL)
        ret->audit_path = text_copy(options->audit_path);
    return 0;
}

static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
    return buffer_append(user, data, size * count) == 0 ? size * count : 0;
}

static int send_request(const char *url, const char *credentials, const char *method,
                        const json_t *body, json_t **ret_body, struct error *reterr)
{
    long status = -1;
    cleanup_buffer struct buffer got = BUFFER_INIT(ANSWER_MAX);
    cleanup_free char *sent = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
    if (credentials != NULL)
        curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
    /* Our own child on loopback; whoever tests verification brings a client of their own. */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    if (sent != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    else
        error_set(reterr, EXIT_FAILED, "cannot ask '%s': %s", url, curl_easy_strerror(code));
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (ret_body != NULL)
        *ret_body =
            code == CURLE_OK && got.size > 0 ? json_loadb(got.data, got.size, 0, NULL) : NULL;
    return (int)status;
}

int sim_nsx_process_steer(const struct sim_nsx_process *process, const char *method,
                          const char *what, const json_t *body, json_t **ret_body,
                          struct error *reterr)
{
    cleanup_free char *url = text_format("%s/_sim/%s", process->control_url, what);
    return send_request(url, NULL, method, body, ret_body, reterr);
}

int sim_nsx_process_request(const struct sim_nsx_process *process, const char *credentials,
                            const char *method, const char *path, const json_t *body,
                            json_t **ret_body, struct error *reterr)
{
    cleanup_free char *url = text_format("%s%s", process->url, path);
    return send_request(url, credentials == NULL ? "admin:Sim-Nsx-Passw0rd" : credentials, method,
                        body, ret_body, reterr);
}

int sim_nsx_process_snapshot(const struct sim_nsx_process *process, struct sim_nsx_process *ret,
                             struct error *reterr)
{
    json_t *answer = NULL;
    cleanup_error struct error error = ERROR_INIT;
    int status = sim_nsx_process_steer(process, "POST", "snapshot", NULL, &answer, &error);
    if (status != 200 || answer == NULL) {
        json_decref(answer);
        return error_is_set(&error)
                   ? error_move(reterr, &error)
                   : error_set(reterr, EXIT_FAILED, "no snapshot of '%s'", process->control_url);
    }
    *ret = described(answer, 1);
    return 0;
}

void sim_nsx_process_stop(struct sim_nsx_process *process)
{
    if (process->pid > 0 && process->is_snapshot) {
        /* Its parent collects it; what is awaited here is that its port is closed. */
        sim_nsx_process_steer(process, "POST", "stop", NULL, NULL, NULL);
        while (sim_nsx_process_steer(process, "GET", "clock", NULL, NULL, NULL) > 0)
            ;
    } else if (process->pid > 0) {
        (void)kill(process->pid, SIGTERM);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(process->control_url);
    free(process->url);
    free(process->sha256);
    free(process->certificate);
    free(process->audit_path);
    json_decref(process->addresses);
    *process = (struct sim_nsx_process){0};
}
