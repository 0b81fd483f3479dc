/*
 * The scripts that sh evaluates on the far side of a session: the files in services/remote/, their
 * parameters as assignments before them, the command put in the place of @COMMAND@. They use what
 * POSIX gives, and coreutils or busybox. Whoever builds one with a secret in it wipes it.
 */
#ifndef SALVOR_SERVICES_SSH_SCRIPT_H
#define SALVOR_SERVICES_SSH_SCRIPT_H

#include <jansson.h>
#include <salvor/types.h>
#include <stddef.h>
#include <stdint.h>

enum { SSH_INPUT_MOST = 8 << 20 };

/* A command as it runs there: env -i with PATH, HOME, LANG=C.UTF-8 and `env`, then the words. */
struct ssh_script_command {
    const json_t *argv; /* "{script}" stands for the script */
    const char *const *env;
    uint32_t env_count;
    const char *folder; /* NULL: the home folder */
    /* Standard input: these in a row, at most SSH_INPUT_MOST bytes; none: /dev/null. */
    const struct salvor_span *input;
    size_t input_count;
    const char *script_name; /* file name of the script, or NULL */
    const char *script_text;
    size_t script_size;
};

/* The scripts; each owned by the caller, to be freed with ssh_script_free. */
char *ssh_script_run(const struct ssh_script_command *command);

/* Those without a command. `parameters`: name and value in turn, ending with NULL. */
enum ssh_script {
    SSH_SCRIPT_HAVE,
    SSH_SCRIPT_PUT,
    SSH_SCRIPT_COMMIT,
    SSH_SCRIPT_GET,
    SSH_SCRIPT_JOB_LOOK,
    SSH_SCRIPT_JOB_KILL
};
char *ssh_script_make(enum ssh_script which, const char *const *parameters);

/* Starts a job. `parameters`: of the script that starts it, `shim_parameters`: of the one that then
 * takes care of it. */
char *ssh_script_job(const struct ssh_script_command *command, const char *const *parameters,
                     const char *const *shim_parameters);

/* Zeroed first: it may hold secrets. */
void ssh_script_free(char *script);

static inline void cleanup_ssh_script_at(char **script)
{
    ssh_script_free(*script);
}

#define cleanup_ssh_script __attribute__((cleanup(cleanup_ssh_script_at)))

#endif
