/* Network services in a real worker: the library is opened there, connections stay between calls,
 * and whatever happens the plugin is not blamed for what the host keeps. */
#include "../worker/parent.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "practice-server.h"

static int per_call;
static struct practice_server *server;

static void answer(struct served *served, void *data)
{
    (void)data;
    (void)buffer_append_text(&served->out, "ok");
    if (text_equal(served->path, "/never"))
        served->wait_ms = 1500;
}

static struct client *client_of(const char *when)
{
    return mock_client("network", per_call,
                       json_make("{s:s, s:s}", "when", when, "url", practice_server_url(server)));
}

static struct client_outcome call(struct client *client, const char *hook, int64_t deadline_ms,
                                  struct heard *heard, enum client_end end)
{
    struct client_listener listener = heard_listener(heard);
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = mock_call(hook, deadline_ms);
    if (client_call(client, body, &listener, &outcome, &err) != 0)
        fail_msg("cannot call: %s", err.message);
    if (outcome.end != end)
        fail_msg("ended as %d, not %d: %s", outcome.end, end, outcome.error.message);
    return outcome;
}

static void expect_ok(struct client *client, const char *hook, struct heard *heard)
{
    const struct client_outcome outcome = call(client, hook, 10000, heard, CLIENT_DONE);
    if (outcome.status != SALVOR_OK)
        fail_msg("status %u: %s", outcome.status, outcome.error.message);
}

/* The worker ends well; descriptors of this process come and go with the server's connections. */
static void finish(struct client *client, struct heard *heard)
{
    cleanup_error struct error err = ERROR_INIT;
    if (client_close(client, &err) != 0)
        fail_msg("%s: %s", err.message, err.detail != NULL ? err.detail : "");
    parent_free(client);
    heard_clear(heard);
}

static void connections_stay_between_calls(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct client *client = client_of("discover");
    const int before = practice_server_connections(server);
    for (int i = 0; i < 3; i++)
        expect_ok(client, "discover", &heard);
    assert_int_equal(practice_server_connections(server) - before, per_call ? 3 : 1);
    const json_t *record = heard_frame(&heard, "evidence");
    assert_string_equal(json_text(record, "what"), "GET mock.get");
    assert_int_equal(json_whole(record, "status", 0), 200);
    assert_int_equal(heard_count(&heard, "evidence"), 3);
    finish(client, &heard);
}

static void what_is_open_at_the_end_is_closed(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct client *client = client_of("restore");
    for (int i = 0; i < 3; i++) {
        const struct client_outcome outcome = call(client, "restore", 10000, &heard, CLIENT_DONE);
        if (outcome.status != SALVOR_OK)
            fail_msg("status %u: %s", outcome.status, outcome.error.message);
    }
    finish(client, &heard);
}

static void a_deadline_ends_the_wait(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct client *client = client_of("validate");
    const json_t *descriptor = NULL;
    assert_int_equal(client_descriptor(client, &descriptor, NULL), 0);
    const int64_t began = clock_monotonic_ms();
    struct client_outcome outcome = call(client, "validate", 300, &heard, CLIENT_TIMED_OUT);
    assert_in_range(clock_monotonic_ms() - began, 290, 1400);
    assert_null(strstr(outcome.error.message, "killed"));
    const json_t *record = heard_frame(&heard, "evidence");
    /* there the deadline may pass before anything was asked */
    if (getenv("SALVOR_UNDER_VALGRIND") == NULL)
        assert_string_equal(json_text(record, "certainty"), "sent");
    error_clear(&outcome.error);
    finish(client, &heard);
}

static void a_cancel_ends_the_wait(void **state)
{
    (void)state;
    struct heard heard = {.cancel_at_tick = 1};
    struct client *client = client_of("validate");
    const json_t *descriptor = NULL;
    assert_int_equal(client_descriptor(client, &descriptor, NULL), 0);
    const int64_t began = clock_monotonic_ms();
    struct client_outcome outcome = call(client, "validate", 10000, &heard, CLIENT_CANCELLED);
    assert_in_range(clock_monotonic_ms() - began, 0, 1400);
    expect_text(outcome.error.detail, "asked to stop", "cancel");
    error_clear(&outcome.error);
    finish(client, &heard);
}

int main(int argc, char **argv)
{
    parent_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(connections_stay_between_calls, parent_clean),
        cmocka_unit_test_teardown(what_is_open_at_the_end_is_closed, parent_clean),
        cmocka_unit_test_teardown(a_deadline_ends_the_wait, parent_clean),
        cmocka_unit_test_teardown(a_cancel_ends_the_wait, parent_clean),
    };
    int failed = 0;
    server = practice_server_start(&(struct practice_server_options){.answer = answer});
    for (per_call = 0; per_call < 2; per_call++)
        failed += cmocka_run_group_tests_name(per_call ? "a worker a call" : "one worker", tests,
                                              NULL, NULL);
    practice_server_stop(server);
    return failed;
}
