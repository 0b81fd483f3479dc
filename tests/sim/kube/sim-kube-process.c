#include "sim-kube-process.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json-text.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

enum { REPORT_LIMIT = 64 << 10, ANSWER_MAX = 256 << 20, TIMEOUT_S = 60 };

static struct sim_kube *serving;

static void stop_serving(int signal)
{
    (void)signal;
    sim_kube_stop(serving);
}

/* Never returns. */
static void serve(const struct sim_kube_options *options, sim_kube_prepare *prepare, void *user,
                  int report_fd)
{
    struct error error = ERROR_INIT;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serving = sim_kube_new(options, &error);
    if (serving != NULL && sim_kube_listen(serving, &error) == 0) {
        struct sigaction action = {.sa_handler = stop_serving};
        sigaction(SIGTERM, &action, NULL);
        if (prepare != NULL)
            prepare(serving, user);
        char *kubeconfig = sim_kube_kubeconfig(serving);
        char *report = text_format("%s\n%s", sim_kube_url(serving), kubeconfig);
        int written = file_write_all(report_fd, report, strlen(report));
        (void)close(report_fd);
        free(report);
        free(kubeconfig);
        if (written == 0)
            sim_kube_run(serving, &error);
    }
    if (error_is_set(&error))
        fprintf(stderr, "sim-kube: %s\n", error.message);
    sim_kube_free(serving);
    error_clear(&error);
    /* Not exit: what the test registered with atexit is none of the child's business. */
    _exit(0);
}

static char *read_all(int fd)
{
    struct buffer text = BUFFER_INIT(REPORT_LIMIT);
    char block[4096];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0 && buffer_append(&text, block, (size_t)got) != 0)
            break;
    return buffer_take(&text);
}

int sim_kube_process_start(const struct sim_kube_options *options, sim_kube_prepare *prepare,
                           void *user, struct sim_kube_process *ret, struct error *reterr)
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
    char *report = pid < 0 ? text_copy("") : read_all(ends[0]);
    (void)close(ends[0]);
    char *newline = strchr(report, '\n');
    if (newline == NULL) {
        free(report);
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        return error_set(reterr, EXIT_FAILED, "the simulator did not start");
    }
    *ret = (struct sim_kube_process){.pid = pid,
                                     .url = text_copy_span(report, (size_t)(newline - report)),
                                     .kubeconfig = text_copy(newline + 1)};
    if (options->audit_path != NULL)
        ret->audit_path = text_copy(options->audit_path);
    free(report);
    return 0;
}

static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
    return buffer_append(user, data, size * count) == 0 ? size * count : 0;
}

/* The administrator's token or key, from the kubeconfig that the server made itself. */
static char *kubeconfig_value(const char *kubeconfig, const char *name)
{
    const char *at = kubeconfig == NULL ? NULL : strstr(kubeconfig, name);
    if (at == NULL)
        return NULL;
    at += strlen(name);
    return text_copy_span(at, strcspn(at, "\n"));
}

int sim_kube_process_request(const struct sim_kube_process *process, const char *method,
                             const char *path, const char *content_type, const json_t *body,
                             json_t **ret_body, struct error *reterr)
{
    long status = -1;
    cleanup_buffer struct buffer sent = BUFFER_INIT(ANSWER_MAX), got = BUFFER_INIT(ANSWER_MAX);
    cleanup_free char *url = text_format("%s%s", process->url, path);
    cleanup_free char *media = text_format("Content-Type: %s", content_type != NULL ? content_type
                                                               : strcmp(method, "PATCH") == 0
                                                                   ? "application/merge-patch+json"
                                                                   : "application/json");
    cleanup_free char *token = kubeconfig_value(process->kubeconfig, "token: ");
    cleanup_free char *bearer =
        token == NULL ? NULL : text_format("Authorization: Bearer %s", token);
    struct curl_slist *headers = curl_slist_append(NULL, media);
    if (bearer != NULL)
        headers = curl_slist_append(headers, bearer);
    CURL *curl = curl_easy_init();
    if (body != NULL)
        json_text_write(&sent, body);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
    /* Our own child on loopback; whoever tests verification brings a client of their own. */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)sent.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent.data);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    else
        error_set(reterr, EXIT_FAILED, "cannot ask '%s': %s", url, curl_easy_strerror(code));
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (ret_body != NULL)
        *ret_body =
            code == CURLE_OK && got.size > 0 ? json_text_read(got.data, got.size, NULL) : NULL;
    return (int)status;
}

int sim_kube_process_snapshot(const struct sim_kube_process *process, struct sim_kube_process *ret,
                              struct error *reterr)
{
    cleanup_json json_t *answer = NULL;
    cleanup_error struct error error = ERROR_INIT;
    int status =
        sim_kube_process_request(process, "POST", "/_sim/snapshot", NULL, NULL, &answer, &error);
    if (status != 200)
        return error_is_set(&error)
                   ? error_move(reterr, &error)
                   : error_set(reterr, EXIT_FAILED, "no snapshot of '%s'", process->url);
    const char *url = json_string_value(json_object_get(answer, "url"));
    const char *audit = json_string_value(json_object_get(answer, "audit"));
    *ret =
        (struct sim_kube_process){.pid = (pid_t)json_integer_value(json_object_get(answer, "pid")),
                                  .is_snapshot = 1,
                                  .url = text_copy(url),
                                  .audit_path = audit[0] == '\0' ? NULL : text_copy(audit)};
    /* Same identity and certificates, another port. */
    const char *server = strstr(process->kubeconfig, process->url);
    ret->kubeconfig = text_format("%.*s%s%s", (int)(server - process->kubeconfig),
                                  process->kubeconfig, url, server + strlen(process->url));
    return 0;
}

void sim_kube_process_stop(struct sim_kube_process *process)
{
    if (process->pid > 0 && process->is_snapshot) {
        /* Its parent collects it; what is awaited here is that its port is closed. */
        sim_kube_process_request(process, "POST", "/_sim/stop", NULL, NULL, NULL, NULL);
        while (sim_kube_process_request(process, "GET", "/_sim/state", NULL, NULL, NULL, NULL) > 0)
            ;
    } else if (process->pid > 0) {
        (void)kill(process->pid, SIGTERM);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(process->url);
    free(process->audit_path);
    free(process->kubeconfig);
    *process = (struct sim_kube_process){0};
}
