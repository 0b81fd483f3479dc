#include "config/secret-reference.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/locked.h"
#include "base/text.h"
#include "host/redact.h"

enum { EXEC_WORDS = 64, EXEC_LIMIT_MS = 30000, ERROR_TEXT = 2048 };

/* Bytes in locked memory, of which one more than the limit shows that there were too many. */
struct value {
    char *data;
    size_t size;
};

static void value_clear(struct value *value)
{
    if (value->data != NULL)
        sodium_free(value->data);
}

#define cleanup_value __attribute__((cleanup(value_clear)))

static void value_make(struct value *value)
{
    value->data = locked_new(SECRET_LIMIT + 2);
    value->size = 0;
}

/* 1: more may come, 0: end, -1: error (EFBIG: too much). */
static int value_read(struct value *value, int fd)
{
    ssize_t got = read(fd, value->data + value->size, SECRET_LIMIT + 1 - value->size);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : -1;
    value->size += (size_t)got;
    if (value->size > SECRET_LIMIT) {
        errno = EFBIG;
        return -1;
    }
    return got > 0;
}

static void drop_last_newline(struct value *value)
{
    if (value->size > 0 && value->data[value->size - 1] == '\n')
        value->size--;
    if (value->size > 0 && value->data[value->size - 1] == '\r')
        value->size--;
}

/* ---- forms ----------------------------------------------------------------------------------- */

static secret_asker ask_person;

void secret_reference_set_asker(secret_asker asker)
{
    ask_person = asker;
}

static int no_form(struct error *reterr)
{
    /* The text is not repeated: it may be the secret itself, given by mistake. */
    (void)error_set(reterr, EXIT_USAGE, "a secret is not given by reference");
    return error_hint(reterr, "write env:NAME, file:PATH, 'exec:COMMAND ARGUMENT ...' or prompt:");
}

int secret_reference_check(const char *reference, struct error *reterr)
{
    if (text_starts(reference, "env:")) {
        const char *name = reference + 4;
        if (*name != '\0' && strchr(name, '=') == NULL)
            return 0;
        return error_set(reterr, EXIT_USAGE, "secret reference '%s' names no variable", reference);
    }
    if (text_starts(reference, "file:")) {
        if (reference[5] != '\0')
            return 0;
        return error_set(reterr, EXIT_USAGE, "secret reference 'file:' names no file");
    }
    if (text_starts(reference, "exec:")) {
        if (reference[5 + strspn(reference + 5, " ")] != '\0')
            return 0;
        return error_set(reterr, EXIT_USAGE, "secret reference 'exec:' names no command");
    }
    return text_starts(reference, "prompt:") ? 0 : no_form(reterr);
}

static int too_large(const char *reference, struct error *reterr)
{
    return error_set(reterr, EXIT_USAGE, "the secret of '%s' is larger than %d bytes", reference,
                     SECRET_LIMIT);
}

static int from_env(const char *reference, struct value *value, struct error *reterr)
{
    const char *text = getenv(reference + 4);
    if (text == NULL) {
        (void)error_set(reterr, EXIT_USAGE, "the variable of secret '%s' is not set", reference);
        return error_hint(reterr, "export %s before salvor is started", reference + 4);
    }
    if (strlen(text) > SECRET_LIMIT)
        return too_large(reference, reterr);
    value->size = strlen(text);
    memcpy(value->data, text, value->size);
    return 0;
}

static int check_mode(const char *reference, const struct stat *status, struct error *reterr)
{
    const char *path = reference + 5;
    if (!S_ISREG(status->st_mode))
        return error_set(reterr, EXIT_USAGE, "cannot read secret '%s': it is not a plain file",
                         reference);
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return error_set(reterr, EXIT_USAGE,
                         "refusing secret '%s': the file belongs to another user", reference);
    if ((status->st_mode & (S_IWGRP | S_IRWXO)) != 0) {
        (void)error_set(
            reterr, EXIT_USAGE,
            "refusing secret '%s': the file has mode %04o, others may read or change it", reference,
            (unsigned)(status->st_mode & 07777));
        return error_hint(reterr, "chmod 0600 %s", path);
    }
    return 0;
}

static int from_file(const char *reference, struct value *value, struct error *reterr)
{
    cleanup_close int fd = open(reference + 5, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot read secret '%s'", reference);
    if (check_mode(reference, &status, reterr) != 0)
        return -1;
    int more = 1;
    while (more > 0)
        more = value_read(value, fd);
    if (more < 0)
        return errno == EFBIG
                   ? too_large(reference, reterr)
                   : error_errno(reterr, EXIT_USAGE, errno, "cannot read secret '%s'", reference);
    /* An editor ends a password with a newline; a key of several lines needs its last one. */
    if (value->size > 0 && memchr(value->data, '\n', value->size) == value->data + value->size - 1)
        drop_last_newline(value);
    return 0;
}

/* ---- prompt ---------------------------------------------------------------------------------- */

static int from_person(const char *reference, struct value *value, struct error *reterr)
{
    const char *question = reference[7] != '\0' ? reference + 7 : "secret";
    if (ask_person != NULL && ask_person(question, value->data, SECRET_LIMIT, &value->size) == 0)
        return 0;
    int saved = ask_person != NULL ? errno : ENXIO;
    if (saved == EFBIG)
        return too_large(reference, reterr);
    if (saved == EINTR)
        return error_set(reterr, EXIT_INTERRUPTED, "the question for secret '%s' was not answered",
                         reference);
    (void)error_set(reterr, EXIT_USAGE, "nobody can be asked for secret '%s': there is no terminal",
                    reference);
    return error_hint(reterr, "run salvor at a terminal, or give it as env:NAME, file:PATH or "
                              "exec:COMMAND");
}

/* ---- exec ------------------------------------------------------------------------------------ */

struct source {
    const char *reference;
    pid_t pid;
    int out;
    int err;
    char error[ERROR_TEXT + 1]; /* last of its stderr */
    size_t error_size;
    int64_t end; /* monotonic ms */
};

static int start_source(struct source *source, char **argv, struct error *reterr)
{
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
        int saved = errno;
        for (int i = 0; i < 2; i++)
            if (out[i] >= 0)
                (void)close(out[i]);
        return error_errno(reterr, EXIT_FAILED, saved, "cannot run secret '%s'", source->reference);
    }
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    (void)posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    (void)posix_spawnattr_setflags(
        &attributes,
        (short)(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    assert(argv[0] != NULL); /* seen by secret_reference_check */
    int result = posix_spawnp(&source->pid, argv[0], &actions, &attributes, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    (void)close(out[1]);
    (void)close(err[1]);
    source->out = out[0];
    source->err = err[0];
    (void)fcntl(source->out, F_SETFL, O_NONBLOCK);
    (void)fcntl(source->err, F_SETFL, O_NONBLOCK);
    if (result != 0)
        return error_errno(reterr, EXIT_USAGE, result, "cannot run secret '%s'", source->reference);
    return 0;
}

static void read_error_text(struct source *source)
{
    char chunk[ERROR_TEXT];
    ssize_t got = read(source->err, chunk, sizeof chunk);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        (void)close(take_fd(&source->err));
        return;
    }
    size_t size = (size_t)got;
    if (source->error_size + size > ERROR_TEXT) {
        size_t dropped = source->error_size + size - ERROR_TEXT;
        memmove(source->error, source->error + dropped, source->error_size - dropped);
        source->error_size -= dropped;
    }
    memcpy(source->error + source->error_size, chunk, size);
    source->error_size += size;
    source->error[source->error_size] = '\0';
}

/* Until stdout ends; 0, or -1 with errno (ETIMEDOUT, EFBIG). */
static int read_source(struct source *source, struct value *value)
{
    int more = 1;
    while (more > 0) {
        struct pollfd fds[2] = {{source->out, POLLIN, 0}, {source->err, POLLIN, 0}};
        int64_t left = source->end - clock_monotonic_ms();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (poll(fds, 2, (int)left) <= 0)
            continue;
        if (fds[1].revents != 0)
            read_error_text(source);
        if (fds[0].revents != 0)
            more = value_read(value, source->out);
    }
    return more;
}

static int end_source(struct source *source, int failed, struct error *reterr)
{
    int saved = errno;
    int status = 0;
    /* It may have closed its output and go on. */
    while (failed == 0 && waitpid(source->pid, &status, WNOHANG) == 0) {
        (void)poll(NULL, 0, 5);
        if (clock_monotonic_ms() >= source->end) {
            saved = ETIMEDOUT;
            failed = -1;
        }
    }
    if (failed != 0) {
        (void)kill(-source->pid, SIGKILL);
        while (waitpid(source->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (source->err >= 0)
        read_error_text(source);
    if (failed != 0 && saved == EFBIG)
        return too_large(source->reference, reterr);
    if (failed != 0)
        return error_errno(reterr, EXIT_FAILED, saved, "cannot read what secret '%s' prints",
                           source->reference);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status))
        (void)error_set(reterr, EXIT_FAILED, "the command of secret '%s' was killed by signal %d",
                        source->reference, WTERMSIG(status));
    else
        (void)error_set(reterr, EXIT_FAILED, "the command of secret '%s' ended with status %d",
                        source->reference, WEXITSTATUS(status));
    return source->error_size > 0 ? error_detail(reterr, "%s", source->error) : -1;
}

static int from_exec(const char *reference, struct value *value, struct error *reterr)
{
    cleanup_free char *words = text_copy(reference + 5);
    char *argv[EXEC_WORDS + 1] = {NULL};
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (count == EXEC_WORDS)
            return error_set(reterr, EXIT_USAGE,
                             "the command of secret '%s' has more than %d words", reference,
                             EXEC_WORDS);
        argv[count++] = word;
    }
    struct source source = {.reference = reference,
                            .pid = -1,
                            .out = -1,
                            .err = -1,
                            .end = clock_monotonic_ms() + EXEC_LIMIT_MS};
    int result = start_source(&source, argv, reterr);
    if (result == 0)
        result = end_source(&source, read_source(&source, value), reterr);
    if (source.out >= 0)
        (void)close(source.out);
    if (source.err >= 0)
        (void)close(source.err);
    if (result == 0 && value->size > 0 && value->data[value->size - 1] == '\n')
        value->size--;
    return result;
}

/* ---- together -------------------------------------------------------------------------------- */

int secret_reference_fetch(const char *reference, char **ret_value, size_t *ret_size,
                           struct error *reterr)
{
    cleanup_value struct value value = {0};
    value_make(&value);
    int result = -1;
    if (secret_reference_check(reference, reterr) != 0)
        return -1;
    if (text_starts(reference, "env:"))
        result = from_env(reference, &value, reterr);
    else if (text_starts(reference, "file:"))
        result = from_file(reference, &value, reterr);
    else if (text_starts(reference, "prompt:"))
        result = from_person(reference, &value, reterr);
    else
        result = from_exec(reference, &value, reterr);
    if (result != 0)
        return -1;
    if (value.size == 0)
        return error_set(reterr, EXIT_USAGE, "the secret of '%s' is empty", reference);
    value.data[value.size] = '\0';
    redact_add(value.data, value.size);
    *ret_value = take_pointer(value.data);
    *ret_size = value.size;
    return 0;
}
