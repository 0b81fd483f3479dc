/*
 * Every allocation made while an archive is read fails in turn, those of libarchive, zlib and the
 * C library included: malloc itself is replaced, since libarchive takes no other. Each trial is a
 * process of its own, because libarchive ends the process when one of its strings cannot grow;
 * that is the one end beside a failing status that is accepted, and the worker contains it.
 */
#include "../unit.h"

#include <errno.h>
#include <salvor/archive.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archives.h"
#include "fake-host.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static int counting; /* only while the reader works */
static size_t allocations;
static size_t failing;

static int fails(void)
{
    if (!counting || ++allocations != failing)
        return 0;
    errno = ENOMEM;
    return 1;
}

/* Visible, so that the libraries find them, too. */
__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

/* OK: every member was read as it is, to the proven end. */
static salvor_status read_whole(salvor_call *call, const char *expected)
{
    salvor_archive *archive = NULL;
    struct salvor_archive_member member;
    struct salvor_span data;
    unsigned seen = 0;
    salvor_status status = salvor_archive_open(call, "a", NULL, &archive);
    while (status == SALVOR_OK && (status = salvor_archive_next(archive, &member)) == SALVOR_OK) {
        status = salvor_archive_load(archive, &data);
        if (status == SALVOR_OK &&
            (data.size != strlen(expected) || strcmp(data.data, expected) != 0))
            status = SALVOR_BUG;
        seen++;
    }
    salvor_archive_close(archive);
    if (status == SALVOR_END)
        return seen == 3 ? SALVOR_OK : SALVOR_BUG;
    return status;
}

enum trial { TRIAL_FAILED, TRIAL_SURVIVED, TRIAL_LIBARCHIVE_ENDED, TRIAL_WRONG };

static enum trial trial(salvor_call *call, struct fake_host *host, const char *text, size_t at)
{
    char said[256] = "";
    int pipe_ends[2];
    int status = 0;
    assert_int_equal(pipe(pipe_ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(pipe_ends[1], STDERR_FILENO);
        fake_reset(host);
        allocations = 0;
        failing = at;
        counting = 1;
        const salvor_status ended = read_whole(call, text);
        counting = 0;
        const int good = host->open_streams == 0;
        _exit(!good ? 99 : ended == SALVOR_OK ? 10 : ended == SALVOR_FAILED ? 11 : 98);
    }
    (void)close(pipe_ends[1]);
    const ssize_t size = read(pipe_ends[0], said, sizeof said - 1);
    (void)close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        return TRIAL_WRONG;
    if (WEXITSTATUS(status) == 10)
        return TRIAL_SURVIVED;
    if (WEXITSTATUS(status) == 11)
        return TRIAL_FAILED;
    return size > 0 && WEXITSTATUS(status) == 1 &&
                   strstr(said, "Fatal Internal Error in libarchive: ") != NULL
               ? TRIAL_LIBARCHIVE_ENDED
               : TRIAL_WRONG;
}

static void every_allocation_fails_once(void **state)
{
    static char text[9000];
    memset(text, 'a', sizeof text - 1);
    const struct made_member members[] = {
        {"one", text, sizeof text - 1, NULL},
        {"a/very/long/path/that/needs/an/extended/header/because/it/is/longer/than/a/hundred/bytes/"
         "and/then/some/\xc3\xa9",
         text, sizeof text - 1, NULL},
        {"three", text, sizeof text - 1, NULL},
        {NULL, NULL, 0, NULL},
    };
    (void)state;
    const struct made tar = make_tar(members);
    const struct made gzip = make_gzip(tar.data, tar.size);
    const struct fake_artifact artifacts[] = {{"a", gzip.data, gzip.size}, {NULL, NULL, 0}};
    struct fake_host host = {.artifacts = artifacts};
    salvor_call *call = fake_call(&host);

    counting = 1;
    salvor_status status = read_whole(call, text);
    counting = 0;
    assert_int_equal(status, SALVOR_OK);
    const size_t total = allocations;
    assert_true(total > 20);
    size_t survived = 0;
    size_t ended = 0;
    for (size_t at = 1; at <= total; at++) {
        switch (trial(call, &host, text, at)) {
        case TRIAL_FAILED:
            break;
        case TRIAL_SURVIVED:
            survived++;
            break;
        case TRIAL_LIBARCHIVE_ENDED:
            ended++;
            break;
        default:
            fail_msg("allocation %zu of %zu: crash or wrong answer", at, total);
        }
    }
    print_message("%zu allocations failed in turn: %zu without harm, at %zu libarchive gave up\n",
                  total, survived, ended);
    assert_true(ended < total / 2);
    free(tar.data);
    free(gzip.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
