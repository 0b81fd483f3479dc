/* What client and worker promise to each other and to plugins that mean well, in both modes. */
#include "parent.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "host/worker-process.h"

enum { SOON = 10000 };

static int per_call;

static struct client *client_of(const char *mock, const char *when)
{
    return mock_client(mock, per_call,
                       json_make("{s:s, s:s, s:i, s:[s,s], s:s}", "when", when, "mock-path",
                                 "/tmp/some file", "mock-number", -7, "mock-names", "a", "b",
                                 "mock-password", "must not be seen"));
}

/* Calls and expects an end; the error is the caller's to look at and clear. */
static struct client_outcome call(struct client *client, json_t *stolen_body, struct heard *heard,
                                  enum client_end end)
{
    struct client_listener listener = heard_listener(heard);
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = stolen_body;
    if (client_call(client, body, &listener, &outcome, &err) != 0)
        fail_msg("cannot call: %s", err.message);
    if (outcome.end != end)
        fail_msg("ended as %d, not %d: %s", outcome.end, end, outcome.error.message);
    return outcome;
}

/* Starts the worker now, so that what follows is timed without it. */
static void open_before(struct client *client)
{
    const json_t *descriptor = NULL;
    assert_int_equal(client_descriptor(client, &descriptor, NULL), 0);
}

static void expect_ok(struct client *client, json_t *stolen_body, struct heard *heard)
{
    struct client_outcome outcome = call(client, stolen_body, heard, CLIENT_DONE);
    if (outcome.status != SALVOR_OK)
        fail_msg("status %u: %s", outcome.status, outcome.error.message);
}

static void base_table_keeps_its_contract(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("contract", "discover");
    struct heard heard = {0};
    expect_ok(client, mock_call("discover", SOON), &heard);
    assert_int_equal(heard_count(&heard, "log"), 500);
    assert_in_range(heard_count(&heard, "progress"), 1, 20);
    size_t index = 0;
    const json_t *entry = NULL;
    const json_t *last = NULL;
    json_array_foreach (heard.frames, index, entry) {
        if (text_equal(json_text(entry, "frame"), "progress"))
            last = json_object_get(entry, "body");
    }
    assert_int_equal(json_whole(last, "total", 0), 100);
    cleanup_free char *all = json_canonical(heard.frames);
    assert_non_null(strstr(all, "from the hook \xef\xbf\xbd\xef\xbf\xbd"));
    assert_null(strstr(all, "must not be seen"));
    heard_clear(&heard);
    parent_check(client, before);
}

static void findings_stay_below_their_severity(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("contract", "validate");
    struct heard heard = {0};
    expect_ok(client, mock_call("validate", SOON), &heard);
    assert_int_equal(heard_count(&heard, "finding"), 2);
    assert_string_equal(json_text(heard_frame(&heard, "finding"), "severity"), "info");
    heard_clear(&heard);
    parent_check(client, before);
}

static void plans_keep_to_the_descriptor(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("contract", "restore");
    struct heard heard = {0};
    json_t *body = mock_call("restore", SOON);
    json_put(body, "facts", json_pack("{s:{s:s, s:i}}", "uid", "class", "identity", "value", 1));
    struct client_outcome outcome = call(client, body, &heard, CLIENT_DONE);
    if (outcome.status != SALVOR_NEEDS_OPERATOR)
        fail_msg("status %u: %s", outcome.status, outcome.error.message);
    error_clear(&outcome.error);
    /* rule_out, decide, two steps, three batches of 1,300 objects (the last one belongs to a plan
     * that succeeds), next_stage */
    size_t objects = 0;
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (heard.frames, index, entry) {
        const json_t *names = json_object_get(json_object_get(entry, "body"), "names");
        assert_true(json_array_size(names) <= 512);
        objects += json_array_size(names);
    }
    assert_int_equal(objects, 1024);
    heard_clear(&heard);
    parent_check(client, before);
}

static void path_asked_for_is_kept(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {0};
    json_t *body = mock_call("restore", SOON);
    json_put_text(json_object_get(body, "request"), "procedure", "replace");
    struct client_outcome outcome = call(client, body, &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    expect_text(outcome.error.message, "procedure 'replace' was asked for", "decide");
    error_clear(&outcome.error);
    body = mock_call("restore", SOON);
    json_put_text(json_object_get(body, "request"), "procedure", "mend");
    json_put_text(json_object_get(body, "request"), "stage", "second");
    expect_ok(client, body, &heard);
    heard_clear(&heard);
    parent_check(client, before);
}

static void destruction_names_its_objects(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("no-objects", "restore");
    struct heard heard = {0};
    json_t *body = mock_call("restore", SOON);
    /* a later stage: the mock's own steps, which are sound, are not planned */
    struct client_outcome outcome = call(client, body, &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_BUG);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static json_t *run_call(void)
{
    json_t *body = mock_call("run_step", SOON);
    json_put(body, "effect", json_integer(SALVOR_EFFECT_DESTRUCTIVE));
    json_put(body, "facts", json_pack("{s:{s:s, s:s}}", "uid", "class", "identity", "value", "1"));
    json_put(body, "checkpoints", json_pack("{s:n, s:{s:i}}", "pre_image", "cursor", "at", 41));
    return body;
}

static void checkpoints_are_asked_for_and_kept(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("contract", "run_step");
    struct heard heard = {0};
    expect_ok(client, run_call(), &heard);
    assert_int_equal(heard_count(&heard, "request"), 2);
    const json_t *first = heard_frame(&heard, "request");
    assert_string_equal(json_text(first, "kind"), "cursor");
    assert_int_equal(json_whole(json_object_get(first, "value"), "at", 0), 42);
    assert_int_equal(json_whole(heard_frame(&heard, "result"), "after", 0), 2);
    heard_clear(&heard);
    parent_check(client, before);
}

static void checkpoint_that_is_not_durable_fails_the_step(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {.refuse_checkpoints = 1};
    struct client_outcome outcome = call(client, run_call(), &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_FAILED);
    assert_string_equal(outcome.error.message, "the disk is full");
    assert_string_equal(outcome.error.hint, "make room");
    assert_null(heard_frame(&heard, "result"));
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

/* A plugin may shrug at a checkpoint that failed; where nothing can be recorded it gets no chance.
 */
static void worker_is_gone_before_it_hears_that_nothing_is_recorded(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {.refuse_checkpoints = 1, .refusal_is_final = 1};
    struct client_outcome outcome = call(client, run_call(), &heard, CLIENT_CANCELLED);
    assert_int_equal(heard_count(&heard, "request"), 1);
    assert_int_equal(client_pid(client), 0);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void deadline_stops_a_plugin_that_obeys(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("obedient", "discover");
    open_before(client);
    struct heard heard = {0};
    struct client_outcome outcome =
        call(client, mock_call("discover", 200), &heard, CLIENT_TIMED_OUT);
    assert_null(strstr(outcome.error.message, "killed"));
    expect_text(outcome.error.message,
                "plugin 'obedient' passed the deadline of 'discover' after 200 ms", "deadline");
    error_clear(&outcome.error);
    expect_ok(client, mock_call("validate", SOON), &heard);
    heard_clear(&heard);
    parent_check(client, before);
}

static void cancelled_step_saves_how_far_it_came(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("obedient", "run_step");
    open_before(client);
    struct heard heard = {.cancel_at_tick = 2};
    struct client_outcome outcome = call(client, run_call(), &heard, CLIENT_CANCELLED);
    const json_t *request = heard_frame(&heard, "request");
    assert_string_equal(json_text(request, "kind"), "cursor");
    expect_text(outcome.error.message, "was stopped in 'run_step' of row 'wipe'", "cancel");
    expect_text(outcome.error.detail, "asked to stop", "cancel");
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static void second_interrupt_kills_at_once(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("hang", "discover");
    open_before(client);
    struct heard heard = {.cancel_at_tick = 1, .kill_at_tick = 3};
    const int64_t began = clock_monotonic_ms();
    struct client_outcome outcome =
        call(client, mock_call("discover", SOON), &heard, CLIENT_CANCELLED);
    assert_in_range(clock_monotonic_ms() - began, 200, 1900);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static void ticks_come_while_a_hook_works(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("obedient", "discover");
    open_before(client);
    struct heard heard = {0};
    struct client_outcome outcome =
        call(client, mock_call("discover", 1000), &heard, CLIENT_TIMED_OUT);
    assert_in_range(heard.ticks, 4, 30);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static void listener_can_end_the_worker(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {.refuse_frames = 1};
    struct client_outcome outcome =
        call(client, mock_call("discover", SOON), &heard, CLIENT_PROTOCOL);
    expect_text(outcome.error.message, "the test takes no 'item'", "listener");
    error_clear(&outcome.error);
    assert_int_equal(client_pid(client), 0);
    heard_clear(&heard);
    parent_check(client, before);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void worker_is_kept_or_not(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {0};
    const json_t *descriptor = NULL;
    assert_int_equal(client_pid(client), 0);
    assert_int_equal(client_descriptor(client, &descriptor, NULL), 0);
    assert_string_equal(json_text(descriptor, "name"), "good");
    const int first = client_pid(client);
    assert_true(first > 0);
    expect_ok(client, mock_call("discover", SOON), &heard);
    if (per_call)
        assert_int_equal(client_pid(client), 0);
    else
        assert_int_equal(client_pid(client), first);
    expect_ok(client, mock_call("discover", SOON), &heard);
    cleanup_error struct error err = ERROR_INIT;
    if (client_close(client, &err) != 0)
        fail_msg("%s: %s", err.message, err.detail);
    heard_clear(&heard);
    parent_check(client, before);
}

static void worker_that_died_between_calls_is_replaced(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {0};
    const json_t *descriptor = NULL;
    assert_int_equal(client_descriptor(client, &descriptor, NULL), 0);
    const int first = client_pid(client);
    assert_int_equal(kill(first, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
    expect_ok(client, mock_call("discover", SOON), &heard);
    heard_clear(&heard);
    parent_check(client, before);
}

/* Commands run in sessions of their own and end when they see that their worker has: then they are
 * this process's to reap. */
static void await_orphans(void)
{
    siginfo_t info;
    const int64_t give_up = clock_monotonic_ms() + SOON;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        if (clock_monotonic_ms() > give_up)
            fail_msg("a command outlives its worker");
        (void)poll(NULL, 0, 5);
        worker_process_reap_orphans();
    }
}

static struct client *command_client(const char *folder, const char *when)
{
    cleanup_free char *path = mock_path("command");
    cleanup_json json_t *open =
        json_make("{s:{s:s}, s:s, s:s, s:s}", "options", "when", when, "run_folder", folder,
                  "scratch_folder", folder, "jobs_folder", folder);
    const struct client_settings settings = {
        .plugin_path = path, .plugin_name = "command", .open = open, .per_call = per_call};
    return client_new(&settings);
}

static void read_row_starts_no_job(void **state)
{
    (void)state;
    char folder[] = "/tmp/salvor-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    json_t *before = parent_descriptors();
    struct client *client = command_client(folder, "run_step");
    struct heard heard = {0};
    json_t *body = mock_call("run_step", SOON);
    json_put_text(json_object_get(body, "step"), "row", "look");
    struct client_outcome outcome = call(client, body, &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    expect_text(outcome.error.message, "row 'look' declares effect 'read'", "job");
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
    assert_int_equal(rmdir(folder), 0);
}

static void commands_end_with_their_worker(void **state)
{
    (void)state;
    char folder[] = "/tmp/salvor-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    json_t *before = parent_descriptors();
    static const struct {
        const char *hook;
        int64_t deadline_ms;
        enum client_end end;
        const char *expected;
    } cases[] = {
        {"discover", 300, CLIENT_TIMED_OUT, "discover"},
        {"validate", SOON, CLIENT_CRASHED, "signal 14 (SIGALRM"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *client = command_client(folder, cases[i].hook);
        struct heard heard = {0};
        struct client_outcome outcome =
            call(client, mock_call(cases[i].hook, cases[i].deadline_ms), &heard, cases[i].end);
        expect_text(outcome.error.message, cases[i].expected, cases[i].hook);
        error_clear(&outcome.error);
        heard_clear(&heard);
        client_free(client);
        await_orphans();
    }
    parent_check(NULL, before);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

/* `test-worker --hold`: a parent whose plugin hangs; prints the worker's process id. */
static int tell_worker(void *data)
{
    static int told;
    const struct client *const *client = data;
    if (!told && client_pid(*client) > 0) {
        (void)printf("%d\n", client_pid(*client));
        (void)fflush(stdout);
        told = 1;
    }
    return 0;
}

static int hold(void)
{
    struct client *client = client_of("hang-hard", "discover");
    const struct client_listener listener = {&client, NULL, NULL, tell_worker};
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call("discover", 60000);
    return client_call(client, body, &listener, &outcome, NULL);
}

static void worker_dies_with_its_parent(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    char program[4096] = "";
    char hold_option[] = "--hold";
    char *const argv[] = {program, hold_option, NULL};
    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    /* the worker comes to us when its parent is gone */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t parent = fork();
    if (parent == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execv(program, argv);
        _exit(127);
    }
    assert_int_equal(close(ends[1]), 0);
    char line[32] = "";
    assert_true(read(ends[0], line, sizeof line - 1) > 1);
    assert_int_equal(close(ends[0]), 0);
    line[strcspn(line, "\n")] = '\0';
    int64_t worker = 0;
    assert_int_equal(text_parse_integer(line, &worker), 0);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(waitpid((pid_t)worker, NULL, 0), worker);
    parent_check(NULL, before);
}

static void large_runs_still_fit(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "discover");
    struct heard heard = {0};
    json_t *body = mock_call("discover", 6L * SOON);
    json_t *facts = json_object();
    for (int i = 0; i < 40000; i++) {
        cleanup_free char *name = text_format("fact-%d", i);
        json_put(facts, name,
                 json_make("{s:s, s:s}", "class", "info", "value",
                           "a value of a hundred bytes, with \"quotes\" and more \xe2\x82\xac"));
    }
    cleanup_free char *text = json_canonical(facts);
    cleanup_free char *expected = text_format("%zu bytes of facts", strlen(text));
    assert_true(strlen(text) > 3 << 20);
    json_put(body, "facts", facts);
    expect_ok(client, body, &heard);
    assert_string_equal(json_text(heard_frame(&heard, "log"), "text"), expected);
    heard_clear(&heard);
    parent_check(client, before);
}

static void missing_hook_is_unsupported(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("good", "never");
    struct heard heard = {0};
    struct client_outcome outcome = call(client, mock_call("backup", SOON), &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_UNSUPPORTED);
    expect_text(outcome.error.message, "plugin 'good' does not offer 'backup'", "backup");
    error_clear(&outcome.error);
    outcome = call(client, mock_call("dance", SOON), &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_UNSUPPORTED);
    error_clear(&outcome.error);
    json_t *body = mock_call("run_step", SOON);
    json_put_text(json_object_get(body, "step"), "row", "nothing");
    outcome = call(client, body, &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    expect_text(outcome.error.message, "declares no row 'nothing'", "row");
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static void service_worker_has_no_hooks(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    const struct client_settings settings = {.per_call = per_call};
    struct client *client = client_new(&settings);
    struct heard heard = {0};
    const json_t *descriptor = before;
    assert_int_equal(client_descriptor(client, &descriptor, NULL), 0);
    assert_null(descriptor);
    struct client_outcome outcome = call(client, mock_call("discover", SOON), &heard, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_UNSUPPORTED);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static void absent_plugin_is_refused(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    struct client *client = client_of("nowhere", "never");
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = mock_call("discover", SOON);
    assert_int_equal(client_call(client, body, NULL, &outcome, &err), -1);
    expect_text(err.message, "nowhere", "absent");
    parent_check(client, before);
}

static void copy(const char *from, const char *to)
{
    cleanup_free char *content = NULL;
    size_t size = 0;
    assert_int_equal(file_read(from, 16 << 20, &content, &size, NULL), 0);
    assert_int_equal(file_write_atomic(to, content, size, 0700, NULL), 0);
}

static void plugin_changed_on_disk_is_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/salvor-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    cleanup_free char *path = text_format("%s/salvor_good.so", folder);
    cleanup_free char *good = mock_path("good");
    cleanup_free char *other = text_format("%s/again/salvor_good.so", MOCK_FOLDER);
    json_t *before = parent_descriptors();
    copy(good, path);
    const struct client_settings settings = {
        .plugin_path = path, .plugin_name = "good", .per_call = per_call};
    struct client *client = client_new(&settings);
    struct heard heard = {0};
    expect_ok(client, mock_call("discover", SOON), &heard);
    assert_int_equal(client_close(client, NULL), 0);
    copy(other, path);
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = mock_call("discover", SOON);
    assert_int_equal(client_call(client, body, NULL, &outcome, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    expect_text(err.message, "changed on disk", "changed");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    heard_clear(&heard);
    client_free(client);
    parent_check(NULL, before);
}

int main(int argc, char **argv)
{
    parent_begin(argc, argv);
    if (argc == 2 && text_equal(argv[1], "--hold"))
        return hold();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(base_table_keeps_its_contract, parent_clean),
        cmocka_unit_test_teardown(findings_stay_below_their_severity, parent_clean),
        cmocka_unit_test_teardown(plans_keep_to_the_descriptor, parent_clean),
        cmocka_unit_test_teardown(path_asked_for_is_kept, parent_clean),
        cmocka_unit_test_teardown(destruction_names_its_objects, parent_clean),
        cmocka_unit_test_teardown(checkpoints_are_asked_for_and_kept, parent_clean),
        cmocka_unit_test_teardown(checkpoint_that_is_not_durable_fails_the_step, parent_clean),
        cmocka_unit_test_teardown(worker_is_gone_before_it_hears_that_nothing_is_recorded,
                                  parent_clean),
        cmocka_unit_test_teardown(deadline_stops_a_plugin_that_obeys, parent_clean),
        cmocka_unit_test_teardown(cancelled_step_saves_how_far_it_came, parent_clean),
        cmocka_unit_test_teardown(second_interrupt_kills_at_once, parent_clean),
        cmocka_unit_test_teardown(ticks_come_while_a_hook_works, parent_clean),
        cmocka_unit_test_teardown(listener_can_end_the_worker, parent_clean),
        cmocka_unit_test_teardown(worker_is_kept_or_not, parent_clean),
        cmocka_unit_test_teardown(worker_that_died_between_calls_is_replaced, parent_clean),
        cmocka_unit_test_teardown(read_row_starts_no_job, parent_clean),
        cmocka_unit_test_teardown(commands_end_with_their_worker, parent_clean),
        cmocka_unit_test_teardown(worker_dies_with_its_parent, parent_clean),
        cmocka_unit_test_teardown(large_runs_still_fit, parent_clean),
        cmocka_unit_test_teardown(missing_hook_is_unsupported, parent_clean),
        cmocka_unit_test_teardown(service_worker_has_no_hooks, parent_clean),
        cmocka_unit_test_teardown(absent_plugin_is_refused, parent_clean),
        cmocka_unit_test_teardown(plugin_changed_on_disk_is_refused, parent_clean),
    };
    int failed = 0;
    for (per_call = 0; per_call < 2; per_call++)
        failed += cmocka_run_group_tests_name(per_call ? "a worker a call" : "one worker", tests,
                                              NULL, NULL);
    return failed;
}
