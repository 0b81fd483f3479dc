#include "../unit.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/prompt.h"

enum { ANSWER_BASE = 50 };

struct asker {
    pid_t pid;
    int master;
    char seen[8192];
    size_t size;
};

static int interrupted_flag;

static void on_signal(int number)
{
    (void)number;
    interrupted_flag = 1;
}

static int was_interrupted(void)
{
    return interrupted_flag;
}

/* A child with a terminal of its own asks; its exit status is ANSWER_BASE + answer. */
static void start(struct asker *asker, const char *expected)
{
    memset(asker, 0, sizeof *asker);
    asker->pid = forkpty(&asker->master, NULL, NULL, NULL);
    assert_true(asker->pid >= 0);
    if (asker->pid == 0) {
        signal(SIGUSR1, on_signal);
        prompt_set_interrupted(was_interrupted);
        enum prompt_answer answer = expected == NULL ? prompt_yes_no("go\x1b[2J on?")
                                                     : prompt_text("type the name", expected);
        _exit(ANSWER_BASE + (int)answer);
    }
}

static void wait_for(struct asker *asker, const char *text)
{
    while (strstr(asker->seen, text) == NULL) {
        struct pollfd fd = {asker->master, POLLIN, 0};
        assert_int_equal(poll(&fd, 1, 10000), 1);
        ssize_t got =
            read(asker->master, asker->seen + asker->size, sizeof asker->seen - 1 - asker->size);
        if (got <= 0)
            fail_msg("the question ended before '%s': '%s'", text, asker->seen);
        asker->size += (size_t)got;
    }
}

static void type(struct asker *asker, const char *text)
{
    assert_int_equal(write(asker->master, text, strlen(text)), (ssize_t)strlen(text));
}

static int finish(struct asker *asker)
{
    /* what is still shown must be read, or the child could not end */
    char rest[1024];
    while (read(asker->master, rest, sizeof rest) > 0)
        ;
    int status = 0;
    assert_int_equal(waitpid(asker->pid, &status, 0), asker->pid);
    close(asker->master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) - ANSWER_BASE;
}

static void expect(const char *expected, const char *typed, enum prompt_answer answer)
{
    struct asker asker;
    start(&asker, expected);
    wait_for(&asker, expected == NULL ? "go?[2J on? [y/N] " : "type the name: ");
    type(&asker, typed);
    assert_int_equal(finish(&asker), answer);
}

static void test_yes_and_no(void **state)
{
    (void)state;
    expect(NULL, "y\n", PROMPT_YES);
    expect(NULL, "YES\n", PROMPT_YES);
    expect(NULL, "n\n", PROMPT_NO);
    expect(NULL, "\n", PROMPT_NO);
    expect(NULL, "yess\n", PROMPT_NO);
    expect(NULL, "\x04", PROMPT_NO); /* end of input */
}

static void test_typed_text(void **state)
{
    (void)state;
    expect("prod-1", "prod-1\n", PROMPT_YES);
    expect("prod-1", "prod-2\n", PROMPT_NO);
    expect("prod-1", "prod-1 \n", PROMPT_NO);
    expect("prod-1", "PROD-1\n", PROMPT_NO);
    expect("prod-1", "y\n", PROMPT_NO);
}

static void test_endless_line(void **state)
{
    (void)state;
    char line[2000];
    memset(line, 'y', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    expect(NULL, line, PROMPT_NO);
}

static void test_signal(void **state)
{
    (void)state;
    struct asker asker;
    start(&asker, NULL);
    wait_for(&asker, "[y/N] ");
    assert_int_equal(kill(asker.pid, SIGUSR1), 0);
    assert_int_equal(finish(&asker), PROMPT_NO);
}

/* Ctrl-C between the question and the waiting for its answer. */
static void test_signal_before_the_waiting(void **state)
{
    (void)state;
    struct asker asker;
    interrupted_flag = 1;
    start(&asker, NULL);
    interrupted_flag = 0;
    wait_for(&asker, "[y/N] ");
    assert_int_equal(finish(&asker), PROMPT_NO);
}

static void test_nobody_to_ask(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setsid(); /* no controlling terminal */
        close(STDIN_FILENO);
        _exit(ANSWER_BASE + (int)prompt_yes_no("x") + (prompt_has_person() ? 100 : 0));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status) - ANSWER_BASE, PROMPT_NOBODY);
}

/* What is typed is not seen, arrives whole, and the terminal is as before. */
static void a_secret_is_not_shown(void **state)
{
    struct asker asker = {0};
    (void)state;
    asker.pid = forkpty(&asker.master, NULL, NULL, NULL);
    assert_true(asker.pid >= 0);
    if (asker.pid == 0) {
        char line[32];
        size_t size = 0;
        int good = prompt_secret("the \x1b[2Jword", line, sizeof line, &size) == 0 && size == 13 &&
                   memcmp(line, "canary secret", 13) == 0;
        int too_long = prompt_secret("again", line, 4, &size) == -1 && errno == EFBIG;
        _exit(good && too_long && prompt_yes_no("seen?") == PROMPT_YES ? ANSWER_BASE : 1);
    }
    wait_for(&asker, "word: ");
    type(&asker, "canary secret\n");
    wait_for(&asker, "again: ");
    type(&asker, "canary\n");
    wait_for(&asker, "[y/N] ");
    type(&asker, "y\n");
    wait_for(&asker, "y\r\n"); /* shown again */
    assert_null(strstr(asker.seen, "canary"));
    assert_null(strstr(asker.seen, "\x1b"));
    assert_int_equal(finish(&asker), 0);
}

static void a_secret_that_is_left(void **state)
{
    struct asker asker = {0};
    (void)state;
    asker.pid = forkpty(&asker.master, NULL, NULL, NULL);
    assert_true(asker.pid >= 0);
    if (asker.pid == 0) {
        char line[32];
        size_t size = 0;
        _exit(prompt_secret("word", line, sizeof line, &size) == -1 && errno == EINTR ? ANSWER_BASE
                                                                                      : 1);
    }
    wait_for(&asker, "word: ");
    type(&asker, "\x04"); /* end of input */
    assert_int_equal(finish(&asker), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_not_shown),
        cmocka_unit_test(a_secret_that_is_left),
        cmocka_unit_test(test_yes_and_no),
        cmocka_unit_test(test_typed_text),
        cmocka_unit_test(test_endless_line),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_signal_before_the_waiting),
        cmocka_unit_test(test_nobody_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
