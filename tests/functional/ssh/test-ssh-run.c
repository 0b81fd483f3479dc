#include "ssh-practice.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/secret.h"
#include "services/ssh-connection.h"

static struct salvor_exec_result result_init(void)
{
    return (struct salvor_exec_result){.struct_size = sizeof(struct salvor_exec_result)};
}

static salvor_status run_argv(struct ssh_practice *at, salvor_ssh_host *host,
                              const char *const *argv, uint32_t argc,
                              struct salvor_exec_result *ret)
{
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = argc, .argv = argv};
    *ret = result_init();
    return ssh_table.run(ssh_practice_call(at), host, &request, ret);
}

static void output_status_and_evidence(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    struct salvor_exec_result result =
        ssh_practice_shell(at, host, "printf 'out\\0put'; echo oops >&2; exit 7");
    assert_int_equal(result.exit_status, 7);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_ANSWERED);
    assert_int_equal(result.out.size, 7);
    assert_memory_equal(result.out.data, "out\0put\0", 8);
    assert_string_equal(result.err.data, "oops\n");
    const json_t *evidence = practice_frame(&at->practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "service"), "ssh");
    assert_string_equal(json_text(evidence, "what"), "run");
    assert_int_equal(json_whole(evidence, "exit_status", -5), 7);
    assert_int_equal(json_whole(evidence, "out_bytes", -5), 7);
    assert_string_equal(json_text(evidence, "certainty"), "answered");
    assert_non_null(strstr(json_text(evidence, "host"), "@127.0.0.1:"));
}

static void status_255_is_the_commands(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    struct salvor_exec_result result = ssh_practice_shell(at, host, "exit 255");
    assert_int_equal(result.exit_status, 255);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_ANSWERED);
    result = ssh_practice_shell(at, host, "kill -9 $$");
    assert_int_equal(result.exit_status, 128 + 9); /* as shells say it */
    assert_int_equal(result.err.size, 0);
}

static void words_arrive_as_they_are(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    char controls[128];
    for (int i = 1; i < 128; i++)
        controls[i - 1] = (char)i;
    controls[127] = '\0';
    const char *const argv[] = {"printf",           "%s|",  controls, "",        "it's",
                                "$HOME `id` $(id)", "\n\n", "-n",     "\\n\\0'", "* ? [a]",
                                "\xc3\xa4\n",       "!!\\", "a\tb",   "~",       "%s%%"};
    const uint32_t argc = sizeof argv / sizeof *argv;
    struct salvor_exec_result result;
    struct buffer wanted = BUFFER_INIT(4096);
    for (uint32_t i = 2; i < argc; i++)
        (void)buffer_format(&wanted, "%s|", argv[i]);
    assert_int_equal(run_argv(at, host, argv, argc, &result), SALVOR_OK);
    assert_int_equal(result.out.size, wanted.size);
    assert_memory_equal(result.out.data, wanted.data, wanted.size);
    buffer_clear(&wanted);
}

static void environment_is_what_was_allowed(void **state)
{
    struct ssh_practice *at = *state;
    static const char *const env[] = {"GIVEN=a 'b", "SSH_CONNECTION", "NOT_THERE", "LANG=C"};
    const char *const argv[] = {"env"};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 1, .argv = argv, .env = env, .env_count = 4};
    struct salvor_exec_result result = result_init();
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(ssh_table.run(ssh_practice_call(at), host, &request, &result), SALVOR_OK);
    cleanup_free char *home = text_format("HOME=%s\n", at->host->home);
    assert_non_null(strstr(result.out.data, home));
    assert_non_null(strstr(result.out.data, "GIVEN=a 'b\n"));
    assert_non_null(strstr(result.out.data, "SSH_CONNECTION=")); /* the host's own */
    assert_non_null(strstr(result.out.data, "PATH=/"));
    assert_non_null(strstr(result.out.data, "LANG=C\n"));
    assert_null(strstr(result.out.data, "NOT_THERE"));
    int lines = 0;
    for (const char *c = result.out.data; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
    static const char *const bad[] = {"A B=c"};
    request.env = bad;
    request.env_count = 1;
    assert_int_equal(ssh_table.run(ssh_practice_call(at), host, &request, &result), SALVOR_BUG);
}

static void input_folder_and_secrets(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    salvor_call *call = ssh_practice_call(at);
    const char *const argv[] = {"sh", "-c", "pwd; cat"};
    struct salvor_exec_request request = {.struct_size = sizeof request, .argc = 3, .argv = argv};
    struct salvor_exec_result result = result_init();
    cleanup_free char *home = text_format("%s\n", at->host->home);
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_OK);
    assert_string_equal(result.out.data, home);
    enum { SIZE = 300000 };
    cleanup_free char *input = memory_new(SIZE, 1);
    for (int i = 0; i < SIZE; i++)
        input[i] = (char)(i * 7 + i / 256);
    request.input = (struct salvor_span){input, SIZE};
    request.folder = "/usr";
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, SIZE + 5);
    assert_memory_equal(result.out.data, "/usr\n", 5);
    assert_memory_equal(result.out.data + 5, input, SIZE);
    salvor_secret *secret = NULL;
    assert_int_equal(secrets_table.adopt(call, "open\0sesame", 11, &secret), SALVOR_OK);
    const struct salvor_exec_secret secrets[] = {{.secret = secret}, {.secret = secret}};
    request.secrets = secrets;
    request.secret_count = 2;
    request.input = (struct salvor_span){"-- and input", 12};
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 5 + 11 + 1 + 11 + 1 + 12);
    assert_memory_equal(result.out.data + 5, "open\0sesame\nopen\0sesame\n-- and input", 36);
    request.folder = "/nonexistent";
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_FAILED);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "/nonexistent"));
}

static void too_much_output_is_an_error(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const argv[] = {"sh", "-c", "head -c 1000 /dev/zero"};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv, .output_limit = 1000};
    struct salvor_exec_result result = result_init();
    salvor_call *call = ssh_practice_call(at);
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 1000);
    request.output_limit = 999;
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_FAILED);
    assert_non_null(strstr(ssh_practice_error(at), "more than 999 bytes"));
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
    const char *const forever[] = {"cat", "/dev/zero"};
    const int64_t before = clock_monotonic_ms();
    assert_int_equal(run_argv(at, host, forever, 2, &result), SALVOR_FAILED);
    assert_non_null(strstr(ssh_practice_error(at), "more than 1048576 bytes"));
    assert_true(clock_monotonic_ms() - before < 10000);
    result =
        ssh_practice_shell(at, host, "head -c 500000 /dev/zero | tr '\\0' e >&2; printf END >&2");
    assert_int_equal(result.err.size, 65536);
    assert_string_equal(result.err.data + 65533, "END");
}

static void output_file_stays_below_scratch(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const argv[] = {"head", "-c", "3000000", "/dev/zero"};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 4, .argv = argv, .output_path = "sub/out"};
    struct salvor_exec_result result = result_init();
    cleanup_free char *path = text_format("%s/sub/out", at->practice.scratch);
    struct stat status;
    assert_int_equal(ssh_table.run(ssh_practice_call(at), host, &request, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 3000000);
    assert_int_equal(status.st_mode & 0777, 0600);
    request.output_path = "../out";
    assert_int_equal(ssh_table.run(ssh_practice_call(at), host, &request, &result), SALVOR_BUG);
}

/* ---- effects --------------------------------------------------------------------------------- */

static void a_read_row_runs_declared_reads_only(void **state)
{
    struct ssh_practice *at = *state;
    json_object_set_new(at->practice.session.descriptor, "declared_reads",
                        json_pack("[{s:s,s:s,s:s,s:n}]", "id", "list", "pattern", "ls -A **",
                                  "reason", "lists", "script_sha256"));
    practice_next_call(&at->practice, SALVOR_EFFECT_DECLARED_READ);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const read[] = {"ls", "-A", "/"};
    const char *const change[] = {"touch", "/nonexistent/file"};
    struct salvor_exec_result result;
    assert_int_equal(run_argv(at, host, read, 3, &result), SALVOR_OK);
    assert_string_equal(json_text(practice_frame(&at->practice, FRAME_EVIDENCE), "declared_read"),
                        "list");
    assert_int_equal(run_argv(at, host, change, 2, &result), SALVOR_REFUSED);
    practice_next_call(&at->practice, SALVOR_EFFECT_READ);
    host = ssh_practice_open(at, "");
    assert_int_equal(run_argv(at, host, read, 3, &result), SALVOR_REFUSED);
    practice_next_call(&at->practice, SALVOR_EFFECT_CHANGE);
    at->practice.call.pre_image_needed = 1;
    host = ssh_practice_open(at, "");
    assert_int_equal(run_argv(at, host, change, 2, &result), SALVOR_REFUSED);
}

static void a_declared_script_is_the_one_that_was_declared(void **state)
{
    struct ssh_practice *at = *state;
    static const char text[] = "echo \"script $0: $1\"; cat\n";
    char digest[DIGEST_TEXT_SIZE];
    digest_text_of(text, sizeof text - 1, digest);
    json_object_set_new(at->practice.session.descriptor, "declared_reads",
                        json_pack("[{s:s,s:s,s:s,s:s}]", "id", "look", "pattern", "sh {script} *",
                                  "reason", "-", "script_sha256", digest));
    cleanup_free char *path = text_format("%s/look it up.sh", at->practice.scratch);
    assert_int_equal(file_write_atomic(path, text, sizeof text - 1, 0600, NULL), 0);
    practice_next_call(&at->practice, SALVOR_EFFECT_DECLARED_READ);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const argv[] = {"sh", "{script}", "word"};
    struct salvor_exec_request request = {.struct_size = sizeof request,
                                          .argc = 3,
                                          .argv = argv,
                                          .script = path,
                                          .input = {"data", 4}};
    struct salvor_exec_result result = result_init();
    if (ssh_table.run(ssh_practice_call(at), host, &request, &result) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    assert_true(text_starts(result.out.data, "script /"));
    assert_true(text_ends(result.out.data, "/look it up.sh: word\ndata"));
    assert_int_equal(file_write_atomic(path, "rm -rf /\n", 9, 0600, NULL), 0);
    assert_int_equal(ssh_table.run(ssh_practice_call(at), host, &request, &result), SALVOR_REFUSED);
}

/* ---- ending early ---------------------------------------------------------------------------- */

static void await_gone(const char *path)
{
    for (int i = 0; i < 500 && access(path, F_OK) == 0; i++)
        (void)usleep(10000);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* The command says with a file that it runs, and removes it when it is told to end. (A dash that is
 * just starting a command in the foreground would not hear it.) */
static const char lives[] =
    "trap 'rm \"$HOME/alive\"; exit 3' TERM; : >\"$HOME/alive\"; sleep 100 & wait";

static void a_time_limit_ends_it_there_too(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const argv[] = {"sh", "-c", lives};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv, .timeout_ms = 700};
    struct salvor_exec_result result = result_init();
    cleanup_free char *alive = text_format("%s/alive", at->host->home);
    assert_int_equal(ssh_table.run(ssh_practice_call(at), host, &request, &result), SALVOR_TIMEOUT);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "did not end on"));
    await_gone(alive);
    /* The connection is as good as before. */
    assert_int_equal(ssh_practice_shell(at, host, "exit 0").exit_status, 0);
    assert_int_equal(at->host->rules->connections > 0, 1);
}

static void a_cancelled_call_ends_it_there_too(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    (void)ssh_practice_shell(at, host, "exit 0");
    const char *const argv[] = {"sh", "-c", lives};
    struct salvor_exec_result result;
    cleanup_free char *alive = text_format("%s/alive", at->host->home);
    at->practice.call.deadline = clock_monotonic_ms() + 600;
    assert_int_equal(run_argv(at, host, argv, 3, &result), SALVOR_TIMEOUT);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
    await_gone(alive);
}

static void a_lost_connection_ends_it_there_too(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const argv[] = {"sh", "-c", lives};
    struct salvor_exec_result result;
    cleanup_free char *alive = text_format("%s/alive", at->host->home);
    pid_t cutter = ssh_practice_cut_when_there(at, alive);
    salvor_status status = run_argv(at, host, argv, 3, &result);
    ssh_practice_wait(cutter);
    assert_int_equal(status, SALVOR_RETRY);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
    assert_int_equal(result.exit_status, -1);
    assert_non_null(strstr(ssh_practice_error(at), "may have taken effect"));
    await_gone(alive);
}

/* ---- where nothing can be sent --------------------------------------------------------------- */

static void refused_connections_were_never_sent(void **state)
{
    struct ssh_practice *at = *state;
    at->host->rules->refuse = 1;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const char *const argv[] = {"true"};
    struct salvor_exec_result result;
    assert_int_equal(run_argv(at, host, argv, 1, &result), SALVOR_RETRY);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "cannot connect to"));
    at->host->rules->refuse = 0;
    assert_int_equal(ssh_practice_shell(at, host, "exit 0").exit_status, 0);
}

static void a_silent_host_is_given_up(void **state)
{
    struct ssh_practice *at = *state;
    at->host->rules->cut = SSHD_CUT_STALL;
    at->host->rules->cut_down = 0;
    salvor_ssh_host *host = ssh_practice_open(at, ",\"alive_ms\":1000");
    const char *const argv[] = {"true"};
    struct salvor_exec_result result;
    at->practice.call.deadline = clock_monotonic_ms() + 1500;
    assert_int_equal(run_argv(at, host, argv, 1, &result), SALVOR_TIMEOUT);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
}

static void a_connection_that_died_unnoticed_is_made_again(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    (void)ssh_practice_shell(at, host, "exit 0");
    const int64_t before = at->host->rules->connections;
    /* The next byte ends it: it is still there when the command comes. */
    at->host->rules->cut_up = 0;
    at->host->rules->cut_connection = before;
    at->host->rules->cut = SSHD_CUT_CLOSE;
    assert_int_equal(ssh_practice_shell(at, host, "exit 5").exit_status, 5);
    assert_int_equal(at->host->rules->connections, before + 1);
}

static void one_connection_serves_calls_and_hosts(void **state)
{
    struct ssh_practice *at = *state;
    const int64_t before = at->host->rules->connections;
    for (int i = 0; i < 3; i++) {
        salvor_ssh_host *host = ssh_practice_open(at, "");
        assert_int_equal(ssh_practice_shell(at, host, "exit 4").exit_status, 4);
        ssh_table.host_close(ssh_practice_call(at), host);
        practice_next_call(&at->practice, SALVOR_EFFECT_CHANGE);
    }
    assert_int_equal(at->host->rules->connections, before + 1);
    assert_int_equal(ssh_connections_count(), 1);
    ssh_connections_close();
    assert_int_equal(ssh_connections_count(), 0);
}

static void start_up_files_may_print(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    cleanup_free char *rc = text_format("%s/.bashrc", at->host->home);
    static const char noise[] = "echo welcome to 'salvor-'; echo careful >&2\n";
    assert_int_equal(file_write_atomic(rc, noise, sizeof noise - 1, 0600, NULL), 0);
    struct salvor_exec_result result = ssh_practice_shell(at, host, "echo out; echo err >&2");
    assert_int_equal(unlink(rc), 0);
    assert_string_equal(result.out.data, "out\n");
    assert_string_equal(result.err.data, "err\n");
}

/* What stays behind in the background holds the session's streams, but nobody waits for it. */
static void a_background_process_holds_nobody_up(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    const int64_t before = clock_monotonic_ms();
    struct salvor_exec_result result =
        ssh_practice_shell(at, host, "sleep 3 & echo started; exit 0");
    assert_string_equal(result.out.data, "started\n");
    assert_true(clock_monotonic_ms() - before < 2500);
    (void)ssh_practice_shell(at, host, "pkill -f '^sleep 3$'; exit 0");
}

static void bad_arguments_are_bugs(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    salvor_ssh_host *other = NULL;
    struct salvor_exec_result result;
    static const char *const wrong[][2] = {{"A=b", "c"}, {"-x", "c"}, {"a/b", "c"}, {"", "c"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(run_argv(at, host, wrong[i], 2, &result), SALVOR_BUG);
    assert_int_equal(
        ssh_table.run(ssh_practice_call(at), (salvor_ssh_host *)(void *)at, NULL, &result),
        SALVOR_BUG);
    static const char *const options[] = {"", "[]", "{}", "{\"host\":3}",
                                          "{\"host\":\"h\",\"x\":1}"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        assert_int_equal(ssh_practice_try(at, options[i], 1, &other), SALVOR_BUG);
}

int main(int argc, char **argv)
{
    struct sshd *host = ssh_practice_host(argc, argv, &(struct sshd_settings){0});
#define TEST(name) cmocka_unit_test_setup_teardown(name, ssh_practice_setup, ssh_practice_teardown)
    const struct CMUnitTest tests[] = {
        TEST(output_status_and_evidence),
        TEST(status_255_is_the_commands),
        TEST(words_arrive_as_they_are),
        TEST(environment_is_what_was_allowed),
        TEST(input_folder_and_secrets),
        TEST(too_much_output_is_an_error),
        TEST(output_file_stays_below_scratch),
        TEST(a_read_row_runs_declared_reads_only),
        TEST(a_declared_script_is_the_one_that_was_declared),
        TEST(a_time_limit_ends_it_there_too),
        TEST(a_cancelled_call_ends_it_there_too),
        TEST(a_lost_connection_ends_it_there_too),
        TEST(refused_connections_were_never_sent),
        TEST(a_silent_host_is_given_up),
        TEST(a_connection_that_died_unnoticed_is_made_again),
        TEST(one_connection_serves_calls_and_hosts),
        TEST(start_up_files_may_print),
        TEST(a_background_process_holds_nobody_up),
        TEST(bad_arguments_are_bugs),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sshd_stop(host);
    return failed;
}
