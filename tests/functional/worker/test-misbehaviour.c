/*
 * A plugin may do what it likes: the call ends, the error names plugin, hook and cause, the next
 * call works, and nothing is left behind. Each mock in each mode, in every hook where that makes a
 * difference.
 */
#include "parent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "worker/call.h"
#include "worker/interfaces.h"

enum { ONE_HOOK, EVERY_HOOK, SOON = 10000, AT_ONCE = 300 };

struct misbehaviour {
    const char *mock;
    enum client_end end;
    salvor_status status; /* with CLIENT_DONE */
    int hooks;            /* ONE_HOOK (discover) or EVERY_HOOK */
    int64_t deadline_ms;
    const char *message; /* part of the error; NULL: the call succeeds */
    const char *detail;  /* part of the error's detail, or NULL */
};

static const struct misbehaviour misbehaviours[] = {
    {"abort", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "signal 6 (SIGABRT", "something cannot be"},
    {"exit-zero", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "before it was done: exit status 0", NULL},
    {"silent-exit", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "before it was done: exit status 0", NULL},
    {"hang", CLIENT_TIMED_OUT, 0, ONE_HOOK, AT_ONCE, "after 300 ms", NULL},
    {"hang-hard", CLIENT_TIMED_OUT, 0, ONE_HOOK, AT_ONCE, "was killed", NULL},
    {"leaked-descriptor", CLIENT_DONE, SALVOR_BUG, EVERY_HOOK, SOON, "left 2 descriptors open",
     "/dev/zero"},
    {"thread-left", CLIENT_DONE, SALVOR_BUG, EVERY_HOOK, SOON, "left 1 thread running", NULL},
    {"child-left", CLIENT_DONE, SALVOR_BUG, EVERY_HOOK, SOON, "left a child process", NULL},
#ifdef WITH_CXX
    {"exception", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "signal 6 (SIGABRT", "nobody catches this"},
#endif
    {"oversized-frame", CLIENT_PROTOCOL, 0, EVERY_HOOK, SOON, "passes the limit", NULL},
    {"foreign-frame", CLIENT_PROTOCOL, 0, EVERY_HOOK, SOON, "call 4711, which is not running",
     NULL},
    {"garbage", CLIENT_PROTOCOL, 0, EVERY_HOOK, SOON, "not a frame", NULL},
    {"double-free", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "signal 6 (SIGABRT", "free"},
    {"stack-overflow", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "signal 11 (SIGSEGV", NULL},
    {"wild-call", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "signal 11 (SIGSEGV", NULL},
    {"closed-connection", CLIENT_CRASHED, 0, EVERY_HOOK, SOON, "closed the worker's connection",
     NULL},
    {"closed-hang", CLIENT_CRASHED, 0, ONE_HOOK, SOON, "closed its connection", NULL},
    {"wild-status", CLIENT_DONE, SALVOR_BUG, EVERY_HOOK, SOON, "answered status 12345", NULL},
    {"pending-status", CLIENT_DONE, SALVOR_BUG, EVERY_HOOK, SOON, "answered status 300", NULL},
    {"silent-failure", CLIENT_DONE, SALVOR_FAILED, EVERY_HOOK, SOON, "without a reason", NULL},
};

/* Refused when it is opened, whatever the hook. */
static const struct {
    const char *mock;
    const char *message;
} refusals[] = {
    {"wrong-magic", "wrong-magic"},
    {"wrong-major", "needs plugin ABI 7"},
    {"short-struct", "damaged descriptor"},
    {"long-struct", "features this salvor does not know"},
    {"missing-hook", "discover"},
    {"null-name", "name"},
    {"entry-crash", "crashed in its entry function: signal 11 (SIGSEGV"},
};

static const char *const hooks[] = {"discover", "validate",   "restore",
                                    "run_step", "check_step", "observe"};
enum { HOOK_COUNT = sizeof hooks / sizeof hooks[0] };

/* What a test is run with: cmocka's state. */
struct subject {
    const struct misbehaviour *misbehaviour;
    const char *refused;
    const char *message;
    int per_call;
};

static void expect_good_call(struct client *client, const char *hook)
{
    struct heard heard = {0};
    struct client_listener listener = heard_listener(&heard);
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = mock_call(hook, SOON);
    if (client_call(client, body, &listener, &outcome, &err) != 0)
        fail_msg("afterwards '%s' cannot be called: %s", hook, err.message);
    if (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK)
        fail_msg("afterwards '%s' fails: %s", hook, outcome.error.message);
    error_clear(&outcome.error);
    heard_clear(&heard);
}

static void expect_bad_call(struct client *client, const struct misbehaviour *expected,
                            const char *hook)
{
    struct heard heard = {0};
    struct client_listener listener = heard_listener(&heard);
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = mock_call(hook, expected->deadline_ms);
    if (client_call(client, body, &listener, &outcome, &err) != 0)
        fail_msg("'%s' cannot be called: %s", hook, err.message);
    if (outcome.end != expected->end)
        fail_msg("'%s' ended as %d: %s (%s)", hook, outcome.end, outcome.error.message,
                 outcome.error.detail);
    if (outcome.end == CLIENT_DONE)
        assert_int_equal(outcome.status, expected->status);
    cleanup_free char *quoted_hook = text_format("'%s'", hook);
    expect_text(outcome.error.message, expected->message, hook);
    expect_text(outcome.error.message, expected->mock, hook);
    expect_text(outcome.error.message, quoted_hook, hook);
    if (expected->detail != NULL)
        expect_text(outcome.error.detail, expected->detail, hook);
    if (text_equal(hook, "check_step") && outcome.end == CLIENT_DONE)
        assert_int_equal(outcome.answer, SALVOR_CHECK_UNKNOWN);
    error_clear(&outcome.error);
    heard_clear(&heard);
}

static void is_contained(void **state)
{
    const struct subject *subject = *state;
    const struct misbehaviour *expected = subject->misbehaviour;
    const size_t count = expected->hooks == EVERY_HOOK ? HOOK_COUNT : 1;
    for (size_t i = 0; i < count; i++) {
        json_t *before = parent_descriptors();
        struct client *client =
            mock_client(expected->mock, subject->per_call, json_make("{s:s}", "when", hooks[i]));
        expect_good_call(client, hooks[(i + 1) % HOOK_COUNT]);
        expect_bad_call(client, expected, hooks[i]);
        expect_good_call(client, hooks[(i + 1) % HOOK_COUNT]);
        if (expected->hooks == EVERY_HOOK)
            expect_bad_call(client, expected, hooks[i]);
        parent_check(client, before);
    }
}

static void is_refused(void **state)
{
    const struct subject *subject = *state;
    json_t *before = parent_descriptors();
    struct client *client = mock_client(subject->refused, subject->per_call, NULL);
    for (int i = 0; i < 2; i++) {
        struct client_outcome outcome = {0};
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *body = mock_call("discover", SOON);
        assert_int_equal(client_call(client, body, NULL, &outcome, &err), -1);
        expect_text(err.message, subject->message, subject->refused);
        expect_text(err.message, "plugin", subject->refused);
        assert_int_equal(client_pid(client), 0);
    }
    parent_check(client, before);
}

/* ---- what needs a closer look ---------------------------------------------------------------- */

static int mode_of(void **state)
{
    const struct subject *subject = *state;
    return subject->per_call;
}

static void flooded_log_is_cut_and_named(void **state)
{
    json_t *before = parent_descriptors();
    struct client *client =
        mock_client("log-flood", mode_of(state), json_make("{s:s}", "when", "discover"));
    struct heard heard = {0};
    struct client_listener listener = heard_listener(&heard);
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call("discover", 60000);
    assert_int_equal(client_call(client, body, &listener, &outcome, NULL), 0);
    assert_int_equal(outcome.end, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_in_range(heard_count(&heard, "log"), 100, 200);
    const json_t *last = json_array_get(heard.frames, json_array_size(heard.frames) - 1);
    const json_t *said = json_object_get(last, "body");
    assert_int_equal(json_whole(said, "level", 0), SALVOR_LOG_WARNING);
    expect_text(json_text(said, "text"), "plugin 'log-flood' logged more than 1024 KiB", "warning");
    heard_clear(&heard);
    expect_good_call(client, "validate");
    parent_check(client, before);
}

static void flooded_output_costs_nothing(void **state)
{
    json_t *before = parent_descriptors();
    struct client *client =
        mock_client("output-flood", mode_of(state), json_make("{s:s}", "when", "discover"));
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call("discover", 60000);
    assert_int_equal(client_call(client, body, NULL, &outcome, NULL), 0);
    assert_int_equal(outcome.end, CLIENT_DONE);
    assert_int_equal(outcome.status, SALVOR_OK);
    expect_good_call(client, "validate");
    parent_check(client, before);
}

static void replaced_connection_gets_no_byte(void **state)
{
    json_t *before = parent_descriptors();
    char path[] = "/tmp/salvor-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    struct client *client =
        mock_client("replaced-connection", mode_of(state),
                    json_make("{s:s, s:s}", "when", "discover", "mock-path", path));
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call("discover", SOON);
    assert_int_equal(client_call(client, body, NULL, &outcome, NULL), 0);
    assert_int_equal(outcome.end, CLIENT_CRASHED);
    expect_text(outcome.error.message, "replaced the worker's connection", "replaced");
    error_clear(&outcome.error);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(unlink(path), 0);
    expect_good_call(client, "validate");
    parent_check(client, before);
}

static void opening_that_hangs_can_be_stopped(void **state)
{
    json_t *before = parent_descriptors();
    struct client *client = mock_client("entry-hang", mode_of(state), NULL);
    struct heard heard = {.cancel_at_tick = 1};
    struct client_listener listener = heard_listener(&heard);
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call("discover", SOON);
    assert_int_equal(client_call(client, body, &listener, &outcome, NULL), 0);
    assert_int_equal(outcome.end, CLIENT_CANCELLED);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

static void effect_stops_at_the_row(void **state)
{
    static const struct {
        const char *hook, *row, *expected;
    } cases[] = {
        {"discover", NULL, "'discover' may only look"},
        {"restore", NULL, "'restore' may only look"},
        {"check_step", "wipe", "'check_step' may only look"},
        {"run_step", "look", "row 'look' declares effect 'read'"},
        {"run_step", "wipe", "row 'wipe' has saved no pre-image yet"},
    };
    json_t *before = parent_descriptors();
    struct client *client = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        parent_free(client);
        client =
            mock_client("beyond-effect", mode_of(state), json_make("{s:s}", "when", cases[i].hook));
        struct client_outcome outcome = {0};
        cleanup_json json_t *body = mock_call(cases[i].hook, SOON);
        if (cases[i].row != NULL)
            json_put_text(json_object_get(body, "step"), "row", cases[i].row);
        /* the parent cannot widen it either */
        json_put(body, "effect", json_integer(SALVOR_EFFECT_IRREVERSIBLE));
        assert_int_equal(client_call(client, body, NULL, &outcome, NULL), 0);
        assert_int_equal(outcome.end, CLIENT_DONE);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        expect_text(outcome.error.message, "refusing to change the test", cases[i].hook);
        expect_text(outcome.error.message, cases[i].expected, cases[i].hook);
        error_clear(&outcome.error);
    }
    /* with a pre-image from an earlier attempt the row may do what it declares */
    struct heard heard = {0};
    struct client_listener listener = heard_listener(&heard);
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call("run_step", SOON);
    json_put(body, "checkpoints", json_pack("{s:{}}", "pre_image"));
    assert_int_equal(client_call(client, body, &listener, &outcome, NULL), 0);
    assert_int_equal(outcome.status, SALVOR_OK);
    heard_clear(&heard);
    parent_check(client, before);
}

static void planning_belongs_into_plan_hooks(void **state)
{
    json_t *before = parent_descriptors();
    static const char *const others[] = {"discover", "validate", "run_step", "check_step"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct misbehaviour expected = {
            "plan-outside", CLIENT_DONE, SALVOR_BUG, ONE_HOOK, SOON, "plan.decide cannot", NULL};
        struct client *client =
            mock_client("plan-outside", mode_of(state), json_make("{s:s}", "when", others[i]));
        struct client_outcome outcome = {0};
        cleanup_json json_t *body = mock_call(others[i], SOON);
        assert_int_equal(client_call(client, body, NULL, &outcome, NULL), 0);
        assert_int_equal(outcome.status, expected.status);
        expect_text(outcome.error.message, expected.message, others[i]);
        error_clear(&outcome.error);
        parent_free(client);
    }
    parent_check(NULL, before);
}

/* ---- the list -------------------------------------------------------------------------------- */

/* A service as the mocks of effects want it: what it would change is nothing. */
static salvor_status test_change(salvor_call *call)
{
    return call_may_change(call_of(call), "change the test");
}

static const struct {
    salvor_status (*change)(salvor_call *call);
} test_change_table = {test_change};

enum {
    BAD_COUNT = sizeof misbehaviours / sizeof misbehaviours[0],
    REFUSAL_COUNT = sizeof refusals / sizeof refusals[0],
    SPECIAL_COUNT = 6,
    TEST_COUNT = 2 * (BAD_COUNT + REFUSAL_COUNT + SPECIAL_COUNT)
};

static struct subject subjects[TEST_COUNT];
static struct CMUnitTest tests[TEST_COUNT];
static size_t test_count;

static void add(const char *name, CMUnitTestFunction run, const struct subject *subject)
{
    subjects[test_count] = *subject;
    tests[test_count] = (struct CMUnitTest){
        text_format("%s, %s", name, subject->per_call ? "a worker a call" : "one worker"), run,
        NULL, parent_clean, &subjects[test_count]};
    test_count++;
}

static void add_all(int per_call)
{
    for (size_t i = 0; i < BAD_COUNT; i++)
        add(misbehaviours[i].mock, is_contained,
            &(struct subject){.misbehaviour = &misbehaviours[i], .per_call = per_call});
    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        add(refusals[i].mock, is_refused,
            &(struct subject){
                .refused = refusals[i].mock, .message = refusals[i].message, .per_call = per_call});
    const struct subject plain = {.per_call = per_call};
    add("log-flood", flooded_log_is_cut_and_named, &plain);
    add("output-flood", flooded_output_costs_nothing, &plain);
    add("replaced-connection", replaced_connection_gets_no_byte, &plain);
    add("entry-hang", opening_that_hangs_can_be_stopped, &plain);
    add("beyond-effect", effect_stops_at_the_row, &plain);
    add("plan-outside", planning_belongs_into_plan_hooks, &plain);
}

int main(int argc, char **argv)
{
    interface_register("test.change", 1, &test_change_table);
    parent_begin(argc, argv);
    add_all(0);
    add_all(1);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < test_count; i++)
        free((void *)(uintptr_t)tests[i].name);
    return failed;
}
