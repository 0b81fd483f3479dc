#include "ssh-practice.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "services/secret.h"
#include "services/shims.h"
#include "services/ssh-connection.h"

static struct sshd *shared_host;

struct sshd *ssh_practice_host(int argc, char **argv, const struct sshd_settings *settings)
{
    shims_main_if_asked(argc, argv);
    (void)signal(SIGPIPE, SIG_IGN);
    shared_host = sshd_start(settings);
    if (shared_host == NULL) {
        fprintf(stderr, "skipped: no sshd can run here\n");
        exit(77);
    }
    return shared_host;
}

/* The parent, as far as secrets go. */
static json_t *answer(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_pack("{}");
}

int ssh_practice_setup(void **state)
{
    struct ssh_practice *at = memory_new(1, sizeof *at);
    practice_begin(&at->practice);
    at->practice.answer = answer;
    at->host = shared_host;
    ssh_practice_calm(at);
    *state = at;
    return 0;
}

int ssh_practice_teardown(void **state)
{
    struct ssh_practice *at = *state;
    practice_end(&at->practice);
    ssh_connections_close();
    free(at);
    return 0;
}

void ssh_practice_calm(const struct ssh_practice *at)
{
    struct sshd_rules *rules = at->host->rules;
    rules->cut = SSHD_CUT_NONE;
    rules->cut_up = rules->cut_down = -1;
    rules->cut_connection = 0;
    rules->refuse = 0;
}

salvor_status ssh_practice_try(struct ssh_practice *at, const char *options, int with_key,
                               salvor_ssh_host **ret_host)
{
    salvor_secret *key = NULL;
    salvor_call *call = ssh_practice_call(at);
    if (with_key)
        assert_int_equal(secrets_table.adopt(call, at->host->key, strlen(at->host->key), &key),
                         SALVOR_OK);
    salvor_status status = ssh_table.host_open(call, options, key, ret_host);
    /* A host keeps its own hold on the key. */
    if (with_key)
        secrets_table.close(call, key);
    return status;
}

salvor_ssh_host *ssh_practice_open(struct ssh_practice *at, const char *more)
{
    cleanup_free char *options = sshd_options(at->host, more);
    salvor_ssh_host *host = NULL;
    if (ssh_practice_try(at, options, 1, &host) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    return host;
}

struct salvor_exec_result ssh_practice_shell(struct ssh_practice *at, salvor_ssh_host *host,
                                             const char *script)
{
    const char *const argv[] = {"sh", "-c", script};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv};
    struct salvor_exec_result result = {.struct_size = sizeof result};
    if (ssh_table.run(ssh_practice_call(at), host, &request, &result) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    return result;
}

const char *ssh_practice_error(const struct ssh_practice *at)
{
    static char text[8192];
    const struct error *err = &at->practice.call.error;
    (void)snprintf(text, sizeof text, "%s\n%s\n%s", err->message != NULL ? err->message : "",
                   err->detail != NULL ? err->detail : "", err->hint != NULL ? err->hint : "");
    return text;
}

pid_t ssh_practice_cut_when_there(const struct ssh_practice *at, const char *path)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++)
        (void)usleep(10000);
    at->host->rules->cut_all = 1;
    _exit(0);
}

void ssh_practice_wait(pid_t pid)
{
    (void)waitpid(pid, NULL, 0);
}
