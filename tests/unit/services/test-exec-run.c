#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "practice-call.h"
#include "services/exec.h"
#include "services/secret.h"
#include "services/shims.h"

/* A request for `/bin/sh -c SCRIPT`. */
struct shell {
    const char *argv[3];
    struct salvor_exec_request request;
};

static struct salvor_exec_request *shell(struct shell *shell, const char *script)
{
    shell->argv[0] = "sh";
    shell->argv[1] = "-c";
    shell->argv[2] = script;
    shell->request = (struct salvor_exec_request){
        .struct_size = sizeof shell->request, .argc = 3, .argv = shell->argv};
    return &shell->request;
}

static struct salvor_exec_result result_init(void)
{
    return (struct salvor_exec_result){.struct_size = sizeof(struct salvor_exec_result)};
}

static salvor_status run(struct practice *practice, const char *script,
                         struct salvor_exec_result *ret)
{
    struct shell sh;
    *ret = result_init();
    return exec_run(practice_call(practice), shell(&sh, script), ret);
}

static const char *message(const struct practice *practice)
{
    return practice->call.error.message != NULL ? practice->call.error.message : "";
}

static void output_status_and_evidence(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result;
    assert_int_equal(run(practice, "printf 'out\\0put'; echo oops >&2; exit 7", &result),
                     SALVOR_OK);
    assert_int_equal(result.exit_status, 7);
    assert_int_equal(result.signal_number, 0);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_ANSWERED);
    assert_int_equal(result.out.size, 7);
    assert_memory_equal(result.out.data, "out\0put\0", 8);
    assert_string_equal(result.err.data, "oops\n");
    const json_t *evidence = practice_frame(practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "service"), "exec");
    assert_string_equal(json_text(evidence, "what"), "run");
    assert_string_equal(json_string_value(json_array_get(json_object_get(evidence, "argv"), 0)),
                        "sh");
    assert_int_equal(json_whole(evidence, "exit_status", -5), 7);
    assert_int_equal(json_whole(evidence, "out_bytes", -5), 7);
    assert_string_equal(json_text(evidence, "certainty"), "answered");
    assert_true(json_whole(evidence, "duration_ms", -1) >= 0);
}

static void a_signal_is_no_exit_status(void **state)
{
    struct salvor_exec_result result;
    assert_int_equal(run(*state, "kill -9 $$", &result), SALVOR_OK);
    assert_int_equal(result.exit_status, -1);
    assert_int_equal(result.signal_number, SIGKILL);
    assert_int_equal(json_whole(practice_frame(*state, FRAME_EVIDENCE), "signal", 0), SIGKILL);
}

static void environment_is_what_was_allowed(void **state)
{
    struct practice *practice = *state;
    static const char *const env[] = {"GIVEN=a b", "PASSED_ON", "NOT_THERE", "HOME=/elsewhere"};
    assert_int_equal(setenv("PASSED_ON", "from host", 1), 0);
    assert_int_equal(setenv("HELD_BACK", "x", 1), 0);
    assert_int_equal(unsetenv("NOT_THERE"), 0);
    const char *const argv[] = {"/usr/bin/env"};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 1, .argv = argv, .env = env, .env_count = 4};
    struct salvor_exec_result result = result_init();
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_OK);
    cleanup_free char *path = text_format("PATH=%s\n", getenv("PATH"));
    assert_non_null(strstr(result.out.data, path));
    assert_non_null(strstr(result.out.data, "GIVEN=a b\n"));
    assert_non_null(strstr(result.out.data, "PASSED_ON=from host\n"));
    assert_non_null(strstr(result.out.data, "HOME=/elsewhere\n"));
    assert_non_null(strstr(result.out.data, "LANG=C.UTF-8\n"));
    assert_null(strstr(result.out.data, "HELD_BACK"));
    assert_null(strstr(result.out.data, "NOT_THERE"));
    int lines = 0;
    for (const char *at = result.out.data; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 5);
}

static void process_is_clean(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result;
    int left_open = open("/dev/null", O_RDONLY); /* without close-on-exec, as a plugin might */
    assert_true(left_open >= 0);
    assert_int_equal(run(practice,
                         "pwd; ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0;"
                         "grep -E 'Sig(Blk|Ign)' /proc/self/status",
                         &result),
                     SALVOR_OK);
    (void)close(left_open);
    cleanup_free char *start = text_format("%s\n0 1 2 3 /dev/null\n", practice->scratch);
    assert_true(text_starts(result.out.data, start));
    assert_non_null(strstr(result.out.data, "SigBlk:\t0000000000000000"));
    /* 32 and 33 belong to the C library, which leaves them ignored in what it spawns. */
    const char *ignored = strstr(result.out.data, "SigIgn:\t");
    assert_non_null(ignored);
    assert_int_equal(strtoull(ignored + 8, NULL, 16) & ~0x180000000ULL, 0);
}

static void input_and_folder(void **state)
{
    struct practice *practice = *state;
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "pwd; cat");
    cleanup_free char *input = memory_new(300000, 1);
    memset(input, 'x', 300000);
    request->input = (struct salvor_span){input, 300000};
    request->folder = "/";
    struct salvor_exec_result result = result_init();
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 300002);
    assert_memory_equal(result.out.data, "/\nxxx", 5);
    request->folder = "/nonexistent";
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "working directory: No such file"));
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    request->folder = "relative";
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_BUG);
}

static void too_much_output_is_an_error(void **state)
{
    struct practice *practice = *state;
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "head -c 1000 /dev/zero");
    struct salvor_exec_result result = result_init();
    request->output_limit = 1000;
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 1000);
    request->output_limit = 999;
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "more than 999 bytes"));
    request = shell(&sh, "exec cat /dev/zero");
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "more than 1048576 bytes"));
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
}

static void stderr_keeps_its_end(void **state)
{
    struct salvor_exec_result result;
    assert_int_equal(
        run(*state, "head -c 500000 /dev/zero | tr '\\0' e >&2; printf END >&2", &result),
        SALVOR_OK);
    assert_int_equal(result.err.size, 65536);
    assert_string_equal(result.err.data + 65533, "END");
    assert_int_equal(result.err.data[0], 'e');
}

static void output_file_stays_below_scratch(void **state)
{
    struct practice *practice = *state;
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "head -c 3000000 /dev/zero");
    struct salvor_exec_result result = result_init();
    cleanup_free char *path = text_format("%s/sub/out", practice->scratch);
    struct stat status;
    request->output_path = "sub/out";
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 3000000);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(json_whole(practice_frame(practice, FRAME_EVIDENCE), "out_bytes", 0), 3000000);
    request->output_limit = 2000000;
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_FAILED);
    request->output_limit = 0;
    request->output_path = path;
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_OK);
    static const char *const outside[] = {"../out", "/tmp/out", "a/../../out", "", "/"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        request->output_path = outside[i];
        assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_BUG);
        assert_non_null(strstr(message(practice), "not below the scratch folder"));
    }
    cleanup_free char *link_path = text_format("%s/link", practice->scratch);
    assert_int_equal(symlink("/tmp", link_path), 0);
    request->output_path = "link/salvor-must-not-appear";
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_FAILED);
    assert_int_equal(access("/tmp/salvor-must-not-appear", F_OK), -1);
}

static void programs_that_are_not_there(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result = result_init();
    const char *argv[] = {"salvor-no-such-program"};
    struct salvor_exec_request request = {.struct_size = sizeof request, .argc = 1, .argv = argv};
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "no program 'salvor-no-such-program'"));
    assert_non_null(practice->call.error.hint);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    cleanup_free char *bad = text_format("%s/bad", practice->folder);
    assert_int_equal(file_write_atomic(bad, "\177ELF", 4, 0700, NULL), 0);
    argv[0] = bad;
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "start it: Exec format error"));
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_string_equal(json_text(practice_frame(practice, FRAME_EVIDENCE), "certainty"),
                        "not-sent");
    argv[0] = "sub/program";
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_BUG);
    argv[0] = "";
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_BUG);
    argv[0] = "\xff";
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_BUG);
    request.argc = 0;
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_BUG);
    result.struct_size = 0;
    request.argc = 1;
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_BUG);
}

/* ---- being stopped --------------------------------------------------------------------------- */

/* Waits until the process is gone (or a zombie that is not ours to reap). */
static void assert_gone(pid_t pid)
{
    cleanup_free char *path = text_format("/proc/%d/stat", (int)pid);
    for (int64_t end = clock_monotonic_ms() + 10000; clock_monotonic_ms() < end;) {
        cleanup_free char *text = NULL;
        if (file_read(path, 4096, &text, NULL, NULL) != 0 || strstr(text, ") Z ") != NULL)
            return;
        (void)poll(NULL, 0, 5);
    }
    fail_msg("process %d still runs", (int)pid);
}

static pid_t pid_in(const char *folder, const char *name)
{
    cleanup_free char *path = text_format("%s/%s", folder, name);
    for (int64_t end = clock_monotonic_ms() + 10000; clock_monotonic_ms() < end;) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        if (file_read(path, 64, &text, &size, NULL) == 0 && size > 0 && text[size - 1] == '\n')
            return (pid_t)strtol(text, NULL, 10);
        (void)poll(NULL, 0, 5);
    }
    fail_msg("'%s' did not appear", path);
    return 0;
}

/* A command with a child, both deaf to TERM. */
static const char stubborn[] = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >child; "
                               "while :; do sleep 100; done' & echo $$ >parent; "
                               "while :; do sleep 100; done";

static void timeout_kills_the_group(void **state)
{
    struct practice *practice = *state;
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, stubborn);
    struct salvor_exec_result result = result_init();
    request->timeout_ms = 2000;
    assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_TIMEOUT);
    assert_non_null(strstr(message(practice), "did not end within 2000 ms"));
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
    assert_gone(pid_in(practice->scratch, "parent"));
    assert_gone(pid_in(practice->scratch, "child"));
}

static void cancel_kills_the_group(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result;
    practice->interrupt = SALVOR_CANCELLED;
    practice->interrupt_after = 2;
    int64_t before = clock_monotonic_ms();
    assert_int_equal(run(practice, "echo $$ >parent; exec sleep 100", &result), SALVOR_CANCELLED);
    assert_true(clock_monotonic_ms() - before < 2000);
    practice->interrupt_after = 0;
    assert_int_equal(run(practice, "echo x >never", &result), SALVOR_CANCELLED);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    cleanup_free char *never = text_format("%s/never", practice->scratch);
    assert_int_equal(access(never, F_OK), -1);
}

static void it_dies_with_the_worker(void **state)
{
    struct practice *practice = *state;
    pid_t worker = fork();
    if (worker == 0) {
        struct salvor_exec_result result;
        (void)run(practice, stubborn, &result);
        _exit(0);
    }
    pid_t parent = pid_in(practice->scratch, "parent");
    pid_t child = pid_in(practice->scratch, "child");
    assert_int_equal(kill(child, 0), 0);
    assert_int_equal(kill(worker, SIGKILL), 0);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    assert_gone(parent);
    assert_gone(child);
}

static void what_it_leaves_running_does_not_hold_it_up(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result;
    assert_int_equal(run(practice, "sleep 100 & echo $! >child; echo done", &result), SALVOR_OK);
    assert_string_equal(result.out.data, "done\n");
    pid_t child = pid_in(practice->scratch, "child");
    assert_int_equal(kill(child, SIGKILL), 0);
}

/* ---- the gate -------------------------------------------------------------------------------- */

static void declare(struct practice *practice, const char *pattern, const char *sha256)
{
    json_decref(practice->session.descriptor);
    practice->session.descriptor = json_make("{s:[{s:s,s:s,s:s?}]}", "declared_reads", "id", "look",
                                             "pattern", pattern, "script_sha256", sha256);
}

static void only_declared_reads_run_in_a_read(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result = result_init();
    const char *argv[] = {"/bin/echo", "status", "a", "b"};
    struct salvor_exec_request request = {.struct_size = sizeof request, .argc = 4, .argv = argv};
    practice_next_call(practice, SALVOR_EFFECT_DECLARED_READ);
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_REFUSED);
    assert_non_null(strstr(message(practice), "/bin/echo status a b"));
    assert_non_null(strstr(practice->call.error.hint, "declared_reads"));
    assert_int_equal(practice_frame_count(practice, FRAME_EVIDENCE), 0);
    declare(practice, "echo status **", NULL);
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_OK);
    assert_string_equal(json_text(practice_frame(practice, FRAME_EVIDENCE), "declared_read"),
                        "look");
    argv[1] = "remove";
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_REFUSED);
    practice_next_call(practice, SALVOR_EFFECT_CHANGE);
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_OK);
    practice->call.pre_image_needed = 1;
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_REFUSED);
    argv[1] = "status"; /* looking is how the pre-image is made */
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_OK);
    /* salvor cannot enforce that a command reads: a row that says 'read' runs none */
    practice_next_call(practice, SALVOR_EFFECT_READ);
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_REFUSED);
    assert_non_null(strstr(practice->call.error.hint, "'declared-read'"));
}

static void a_declared_script_is_the_one_that_runs(void **state)
{
    struct practice *practice = *state;
    struct salvor_exec_result result = result_init();
    static const char good[] = "echo good: $0\n";
    char sha256[DIGEST_TEXT_SIZE];
    digest_text_of(good, strlen(good), sha256);
    cleanup_free char *script = text_format("%s/look.sh", practice->folder);
    assert_int_equal(file_write_atomic(script, good, strlen(good), 0600, NULL), 0);
    declare(practice, "sh {script} *", sha256);
    practice_next_call(practice, SALVOR_EFFECT_DECLARED_READ);
    const char *argv[] = {"sh", "{script}", "x"};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv, .script = script};
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_OK);
    assert_true(text_starts(result.out.data, "good: "));
    assert_non_null(strstr(result.out.data, "/look.sh"));
    assert_null(strstr(result.out.data, script));
    assert_int_equal(file_write_atomic(script, "echo bad\n", 9, 0600, NULL), 0);
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_REFUSED);
    assert_non_null(strstr(message(practice), "is not the one"));
    request.script = NULL;
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_REFUSED);
    request.script = "/nonexistent";
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_FAILED);
}

/* ---- secrets --------------------------------------------------------------------------------- */

static json_t *accept_all(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_make("{}");
}

static void secrets_by_descriptor_and_file(void **state)
{
    struct practice *practice = *state;
    salvor_secret *secret = NULL;
    practice->answer = accept_all;
    assert_int_equal(secrets_table.adopt(practice_call(practice), "canary-1\n2", 10, &secret),
                     SALVOR_OK);
    const struct salvor_exec_secret secrets[] = {
        {secret, NULL, SALVOR_EXEC_SECRET_FD, 5},
        {secret, "token", SALVOR_EXEC_SECRET_FILE, 0},
        {secret, "other", SALVOR_EXEC_SECRET_FILE, 0},
    };
    static const char *const env[] = {"WHERE=x:{secret:other}"};
    static const char script[] =
        "cat <&5; echo; cat \"$1\"; stat -c ' %a' \"$1\"; stat -fc %T \"$1\"; echo \"$1\" >where; "
        "echo $WHERE >>where; ls /proc/self/fd | tr '\\n' ' '";
    const char *argv[] = {"sh", "-c", script, "sh", "{secret:token}"};
    struct salvor_exec_request request = {.struct_size = sizeof request,
                                          .argc = 5,
                                          .argv = argv,
                                          .env = env,
                                          .env_count = 1,
                                          .secrets = secrets,
                                          .secret_count = 3};
    struct salvor_exec_result result = result_init();
    assert_int_equal(exec_run(practice_call(practice), &request, &result), SALVOR_OK);
    assert_string_equal(result.out.data, "canary-1\n2\ncanary-1\n2 600\ntmpfs\n0 1 2 3 5 ");
    cleanup_free char *where_path = text_format("%s/where", practice->scratch);
    cleanup_free char *where = NULL;
    assert_int_equal(file_read(where_path, 4096, &where, NULL, NULL), 0);
    char *newline = strchr(where, '\n');
    *newline = '\0';
    assert_int_equal(access(where, F_OK), -1);
    assert_true(text_starts(newline + 1, "x:/"));
    assert_true(text_ends(newline + 1, "/other\n"));
    cleanup_free char *sent = json_canonical(practice->frames);
    assert_null(strstr(sent, "canary"));
    assert_non_null(strstr(sent, "{secret:token}"));
}

static void bad_secrets_are_bugs(void **state)
{
    struct practice *practice = *state;
    salvor_secret *secret = NULL;
    practice->answer = accept_all;
    assert_int_equal(secrets_table.adopt(practice_call(practice), "canary", 6, &secret), SALVOR_OK);
    const struct salvor_exec_secret bad[] = {
        {secret, NULL, SALVOR_EXEC_SECRET_FD, 2},
        {secret, NULL, SALVOR_EXEC_SECRET_FD, 10},
        {secret, NULL, SALVOR_EXEC_SECRET_FILE, 0},
        {secret, "a/b", SALVOR_EXEC_SECRET_FILE, 0},
        {secret, "..", SALVOR_EXEC_SECRET_FILE, 0},
        {secret, "x", 77, 3},
        {(salvor_secret *)(void *)practice, NULL, SALVOR_EXEC_SECRET_FD, 3},
    };
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "true");
    struct salvor_exec_result result = result_init();
    request->secret_count = 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        request->secrets = &bad[i];
        assert_int_equal(exec_run(practice_call(practice), request, &result), SALVOR_BUG);
    }
}

static void a_secret_file_goes_with_a_killed_worker(void **state)
{
    struct practice *practice = *state;
    pid_t worker = fork();
    if (worker == 0) {
        salvor_secret *secret = NULL;
        practice->answer = accept_all;
        (void)secrets_table.adopt(practice_call(practice), "canary", 6, &secret);
        const struct salvor_exec_secret given = {secret, "token", SALVOR_EXEC_SECRET_FILE, 0};
        const char *argv[] = {"sh", "-c", "echo $$ >parent; echo \"$1\" >where; exec sleep 100",
                              "sh", "{secret:token}"};
        struct salvor_exec_request request = {.struct_size = sizeof request,
                                              .argc = 5,
                                              .argv = argv,
                                              .secrets = &given,
                                              .secret_count = 1};
        struct salvor_exec_result result = result_init();
        (void)exec_run(practice_call(practice), &request, &result);
        _exit(0);
    }
    (void)pid_in(practice->scratch, "parent");
    cleanup_free char *where_path = text_format("%s/where", practice->scratch);
    cleanup_free char *where = NULL;
    size_t size = 0;
    while (size == 0 || where[size - 1] != '\n') {
        free(take_pointer(where));
        (void)file_read(where_path, 4096, &where, &size, NULL);
    }
    where[size - 1] = '\0';
    assert_int_equal(access(where, F_OK), 0);
    assert_int_equal(kill(worker, SIGKILL), 0);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    for (int64_t end = clock_monotonic_ms() + 10000;
         access(where, F_OK) == 0 && clock_monotonic_ms() < end;)
        (void)poll(NULL, 0, 5);
    assert_int_equal(access(where, F_OK), -1);
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(int argc, char **argv)
{
    shims_main_if_asked(argc, argv);
    const struct CMUnitTest tests[] = {
        practised(output_status_and_evidence),
        practised(a_signal_is_no_exit_status),
        practised(environment_is_what_was_allowed),
        practised(process_is_clean),
        practised(input_and_folder),
        practised(too_much_output_is_an_error),
        practised(stderr_keeps_its_end),
        practised(output_file_stays_below_scratch),
        practised(programs_that_are_not_there),
        practised(timeout_kills_the_group),
        practised(cancel_kills_the_group),
        practised(it_dies_with_the_worker),
        practised(what_it_leaves_running_does_not_hold_it_up),
        practised(only_declared_reads_run_in_a_read),
        practised(a_declared_script_is_the_one_that_runs),
        practised(secrets_by_descriptor_and_file),
        practised(bad_secrets_are_bugs),
        practised(a_secret_file_goes_with_a_killed_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
