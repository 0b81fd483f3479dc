/* A call of a plugin that talks to a host of the test's own by ssh. */
#ifndef SALVOR_TESTS_SSH_PRACTICE_H
#define SALVOR_TESTS_SSH_PRACTICE_H

#include "../../unit/unit.h"

#include "../../unit/services/practice-call.h"
#include "services/ssh.h"
#include "sshd.h"

struct ssh_practice {
    struct practice practice; /* first */
    struct sshd *host;
};

/* Begins main(): shims, and the host that all tests share. Ends the program with 77 (skipped) where
 * no sshd can run. */
struct sshd *ssh_practice_host(int argc, char **argv, const struct sshd_settings *settings);

/* setup and teardown of cmocka; the state is a struct ssh_practice. */
int ssh_practice_setup(void **state);
int ssh_practice_teardown(void **state);

static inline salvor_call *ssh_practice_call(struct ssh_practice *at)
{
    return practice_call(&at->practice);
}

/* Opens the host with its key and `more` options (or ""). */
salvor_ssh_host *ssh_practice_open(struct ssh_practice *at, const char *more);

/* The same with all options as they are, and with the key or without. */
salvor_status ssh_practice_try(struct ssh_practice *at, const char *options, int with_key,
                               salvor_ssh_host **ret_host);

/* Runs `sh -c script` there and wants an answer. */
struct salvor_exec_result ssh_practice_shell(struct ssh_practice *at, salvor_ssh_host *host,
                                             const char *script);

/* Text of the last failure, with detail and hint; valid until the next one. */
const char *ssh_practice_error(const struct ssh_practice *at);

/* A process that cuts all connections of the host once that file is there. */
pid_t ssh_practice_cut_when_there(const struct ssh_practice *at, const char *path);
void ssh_practice_wait(pid_t pid);

/* Every rule of the host as it was at the start. */
void ssh_practice_calm(const struct ssh_practice *at);

#endif
