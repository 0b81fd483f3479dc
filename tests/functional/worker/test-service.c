/* What the parent and its service workers promise to each other, in both modes. The calls that are
 * made here are registered by this program, which is its own worker. */
#include "parent.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <salvor/services.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "host/redact.h"
#include "host/service.h"
#include "services/secret.h"
#include "worker/service-calls.h"

enum { SOON = 10000 };

static int per_call;

/* ---- the worker's side ----------------------------------------------------------------------- */

static salvor_status run_echo(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    call->public.host->log(&call->public, SALVOR_LOG_INFO, "echoing");
    call->public.host->progress(&call->public, 1, 2, "words");
    call_evidence(
        call, json_make("{s:s, s:s, s:i}", "service", "echo", "what", "said", "duration_ms", 0));
    *ret_result = json_make("{s:O, s:i}", "said", request, "pid", (int)getpid());
    return SALVOR_OK;
}

static salvor_status run_nothing(struct worker_call *call, const json_t *request,
                                 json_t **ret_result)
{
    (void)call, (void)request, (void)ret_result;
    return SALVOR_OK;
}

static salvor_status run_secret(struct worker_call *call, const json_t *request,
                                json_t **ret_result)
{
    salvor_secret *secret = NULL;
    struct salvor_span value = {0};
    salvor_status status = secrets_table.open(&call->public, json_text(request, "of"), &secret);
    if (status == SALVOR_OK)
        status = secret_view(call, secret, &value);
    if (status != SALVOR_OK)
        return status;
    cleanup_free char *text = text_copy_span(value.data, (size_t)value.size);
    call->public.host->log(&call->public, SALVOR_LOG_INFO, text);
    *ret_result = json_make("{s:i, s:s}", "size", (int)value.size, "value", text);
    return SALVOR_OK;
}

static salvor_status run_change(struct worker_call *call, const json_t *request,
                                json_t **ret_result)
{
    (void)request, (void)ret_result;
    return call_may_change(call, "paint it");
}

static salvor_status run_crash(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    (void)request, (void)ret_result;
    call->public.host->log(&call->public, SALVOR_LOG_INFO, "about to fall");
    (void)raise(SIGKILL);
    return SALVOR_OK;
}

static salvor_status run_wait(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    (void)request, (void)ret_result;
    const salvor_status status = call_wait(call, NULL, 0, json_whole(request, "for_ms", SOON * 2));
    return status == SALVOR_PENDING ? SALVOR_OK : status;
}

static salvor_status run_hang(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    (void)call, (void)request, (void)ret_result;
    (void)signal(SIGTERM, SIG_IGN);
    while (getppid() != 1)
        (void)poll(NULL, 0, 1000);
    return SALVOR_OK;
}

static salvor_status run_large(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    (void)call;
    const size_t size = (size_t)json_whole(request, "size", 0);
    cleanup_free char *text = memory_new(size + 1, 1);
    memset(text, 'x', size);
    *ret_result = json_make("{s:s}", "t", text);
    return SALVOR_OK;
}

static salvor_status run_list(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    (void)call, (void)request;
    *ret_result = json_array();
    return SALVOR_OK;
}

static salvor_status run_leak(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    (void)call, (void)request, (void)ret_result;
    return dup(STDOUT_FILENO) >= 0 ? SALVOR_OK : SALVOR_FAILED;
}

static salvor_status run_refuse(struct worker_call *call, const json_t *request,
                                json_t **ret_result)
{
    (void)ret_result;
    const salvor_status status = (salvor_status)json_whole(request, "status", SALVOR_REFUSED);
    (void)call_fail(call, status, "the set is in use");
    return call_hint(call, status, "wait for it");
}

static salvor_status run_foreign(struct worker_call *call, const json_t *request,
                                 json_t **ret_result)
{
    (void)request, (void)ret_result;
    call_send(call, FRAME_FACT,
              json_make("{s:s, s:s, s:i}", "name", "n", "class", "info", "value", 1));
    return SALVOR_OK;
}

/* Goes on until it is told to stop; counts what it was told. */
static salvor_status run_keep(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    enum { FLOOD = 5000 };
    int told = 0;
    (void)request;
    for (;;) {
        cleanup_json json_t *body = NULL;
        cleanup_json json_t *reply = NULL;
        salvor_status status = call_hear(call, 20, &body);
        if (status == SALVOR_PENDING) {
            call_state(call, 0, json_make("{s:i}", "told", told));
            continue;
        }
        if (status != SALVOR_OK)
            return status;
        told++;
        if (text_equal(json_text(body, "do"), "stop"))
            break;
        for (int i = 0; text_equal(json_text(body, "do"), "flood") && i < FLOOD; i++)
            call_state(call, 0, json_make("{s:i}", "told", told));
        if (text_equal(json_text(body, "do"), "ask"))
            (void)call_ask(call, json_make("{s:s, s:s}", "ask", "secret", "option", "none"),
                           &reply);
        call_state(call, json_whole(body, "serial", 0), json_make("{s:i}", "told", told));
    }
    *ret_result = json_make("{s:i}", "told", told);
    return SALVOR_OK;
}

static const struct service_command commands[] = {
    {"echo", run_echo},       {"nothing", run_nothing}, {"secret", run_secret},
    {"change", run_change},   {"crash", run_crash},     {"wait", run_wait},
    {"hang", run_hang},       {"large", run_large},     {"list", run_list},
    {"leak", run_leak},       {"refuse", run_refuse},   {"foreign", run_foreign},
    {"replaced", run_change}, {"keep", run_keep},       {NULL, NULL},
};

static const struct service_command of_the_library[] = {
    {"net.echo", run_echo}, {"replaced", run_nothing}, {NULL, NULL}};

static int open_library(struct error *reterr)
{
    if (getenv("NO_LIBRARY") != NULL) {
        (void)error_set(reterr, EXIT_FAILED, "the library is not there");
        return error_hint(reterr, "install it");
    }
    service_commands_register(of_the_library);
    return 0;
}

/* ---- the parent's side ----------------------------------------------------------------------- */

/* What a test heard, and how it wants to end. */
struct ears {
    json_t *frames;
    int ticks;
    int stop_at; /* tick from which the call shall stop; 0: never */
    int wish;    /* 1 cancel, 2 kill */
    int refuse;
};

static int hear(void *data, enum frame_type type, const json_t *body, struct error *reterr)
{
    struct ears *ears = data;
    if (ears->refuse)
        return error_set(reterr, EXIT_FAILED, "the test takes no '%s'", frame_type_name(type));
    json_add(ears->frames, json_make("{s:s, s:O}", "frame", frame_type_name(type), "body", body));
    return 0;
}

static int tick(void *data)
{
    struct ears *ears = data;
    ears->ticks++;
    return ears->stop_at != 0 && ears->ticks >= ears->stop_at ? ears->wish : 0;
}

static struct service *services[4]; /* of the running test */

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        service_free(services[i]);
        services[i] = NULL;
    }
    redact_clear();
    return 0;
}

static struct service *start(size_t slot)
{
    cleanup_json json_t *secrets = json_make("{s:s}", "key", "env:SALVOR_TEST_SERVICE_SECRET");
    const struct service_settings settings = {.secrets = secrets, .per_call = per_call};
    services[slot] = service_new(&settings);
    return services[slot];
}

static struct service_listener listener_of(struct ears *ears)
{
    ears->frames = json_array();
    return (struct service_listener){ears, hear, tick};
}

/* Makes the call and checks how it ended; the result, else NULL with the error in *err. */
static json_t *call(struct service *service, const char *name, json_t *stolen_request,
                    struct ears *ears, int expected, struct error *err)
{
    cleanup_json json_t *request = stolen_request;
    const struct service_request what = {name, SALVOR_EFFECT_READ, SOON, request};
    const struct service_listener listener = listener_of(ears);
    json_t *result = NULL;
    const int got = service_call(service, &what, &listener, &result, NULL, err);
    if (got != expected)
        fail_msg("'%s' ended as %d: %s", name, got, err->message != NULL ? err->message : "");
    return result;
}

static void done(json_t *before, struct ears *ears)
{
    json_decref(ears->frames);
    (void)clean(NULL);
    parent_check(NULL, before);
}

static void call_brings_its_result(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    cleanup_json json_t *result =
        call(service, "echo", json_make("{s:s}", "word", "hello"), &ears, 0, &err);
    assert_string_equal(json_text(json_object_get(result, "said"), "word"), "hello");
    cleanup_free char *all = json_canonical(ears.frames);
    assert_non_null(strstr(all, "\"log\""));
    assert_non_null(strstr(all, "\"progress\""));
    assert_non_null(strstr(all, "\"evidence\""));
    json_decref(take_pointer(ears.frames));
    cleanup_json json_t *again = call(service, "echo", NULL, &ears, 0, &err);
    const int same = json_whole(result, "pid", 0) == json_whole(again, "pid", 0);
    assert_int_equal(same, !per_call);
    json_decref(take_pointer(ears.frames));
    assert_null(call(service, "nothing", NULL, &ears, 0, &err));
    done(before, &ears);
}

static void secrets_are_answered_and_redacted(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    assert_int_equal(setenv("SALVOR_TEST_SERVICE_SECRET", "open sesame", 1), 0);
    cleanup_json json_t *result =
        call(service, "secret", json_make("{s:s}", "of", "key"), &ears, 0, &err);
    assert_int_equal(json_whole(result, "size", 0), strlen("open sesame"));
    assert_string_equal(json_text(result, "value"), "[redacted]");
    cleanup_free char *all = json_canonical(ears.frames);
    assert_null(strstr(all, "sesame"));
    json_decref(take_pointer(ears.frames));
    assert_null(call(service, "secret", json_make("{s:s}", "of", "lock"), &ears, -1, &err));
    expect_text(err.message, "secret 'lock' is not given", "secret");
    done(before, &ears);
}

static void effect_is_what_the_parent_says(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    assert_null(call(service, "change", NULL, &ears, -1, &err));
    expect_text(err.message, "refusing to paint it: this call of 'change' may only look", "effect");
    assert_int_equal(err.code, EXIT_REFUSED);
    const struct service_request what = {"change", SALVOR_EFFECT_CHANGE, SOON, NULL};
    salvor_status status = SALVOR_BUG;
    assert_int_equal(service_call(service, &what, NULL, NULL, &status, &err), 0);
    assert_int_equal(status, SALVOR_OK);
    const struct service_request wild = {"change", 77, SOON, NULL};
    assert_int_equal(service_call(service, &wild, NULL, NULL, &status, &err), -1);
    assert_int_equal(status, SALVOR_BUG);
    done(before, &ears);
}

static void crash_is_contained_and_named(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    assert_null(call(service, "crash", NULL, &ears, -1, &err));
    expect_text(err.message,
                "the service worker was ended from outside in 'crash': signal 9 (SIGKILL", "crash");
    expect_text(err.detail, "about to fall", "last words");
    assert_int_equal(err.code, EXIT_FAILED);
    json_decref(take_pointer(ears.frames));
    cleanup_json json_t *result = call(service, "echo", NULL, &ears, 0, &err);
    assert_non_null(result);
    done(before, &ears);
}

static void deadline_and_cancel_stop_it(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    const struct service_request what = {"wait", SALVOR_EFFECT_READ, 200, NULL};
    salvor_status status = SALVOR_OK;
    assert_int_equal(service_call(service, &what, NULL, NULL, &status, &err), -1);
    expect_text(err.message, "passed the deadline of 'wait'", "deadline");
    assert_int_equal(err.code, EXIT_FAILED);
    ears.stop_at = 1;
    ears.wish = 1;
    assert_null(call(service, "wait", NULL, &ears, -1, &err));
    assert_int_equal(err.code, EXIT_INTERRUPTED);
    json_decref(take_pointer(ears.frames));
    ears.wish = 2;
    assert_null(call(service, "hang", NULL, &ears, -1, &err));
    assert_int_equal(err.code, EXIT_INTERRUPTED);
    done(before, &ears);
}

static void answers_keep_to_the_rules(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *message;
    } bad[] = {
        {"list", "the result of service 'list' is no object"},
        {"leak", "the service worker left 1 descriptor open in 'leak'"},
        {"foreign", "a 'fact' frame, which no service sends"},
        {"missing", "this salvor has no service 'missing'"},
    };
    json_t *before = parent_descriptors();
    struct ears ears = {0};
    struct service *service = start(0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cleanup_error struct error err = ERROR_INIT;
        assert_null(call(service, bad[i].name, NULL, &ears, -1, &err));
        expect_text(err.message, bad[i].message, bad[i].name);
        json_decref(take_pointer(ears.frames));
    }
    cleanup_error struct error err = ERROR_INIT;
    assert_null(call(service, "large", json_make("{s:i}", "size", 1 << 20), &ears, -1, &err));
    expect_text(err.message, "too large for one answer", "large");
    json_decref(take_pointer(ears.frames));
    /* {"t":"…"} just fits */
    cleanup_json json_t *result =
        call(service, "large", json_make("{s:i}", "size", (1 << 20) - 8), &ears, 0, &err);
    assert_int_equal(json_string_length(json_object_get(result, "t")), (1 << 20) - 8);
    json_decref(take_pointer(ears.frames));
    ears.refuse = 1;
    assert_null(call(service, "echo", NULL, &ears, -1, &err));
    expect_text(err.message, "the test takes no 'log'", "refused");
    done(before, &ears);
}

static void failures_keep_their_meaning(void **state)
{
    (void)state;
    static const struct {
        salvor_status status;
        enum exit_code code;
    } expected[] = {{SALVOR_REFUSED, EXIT_REFUSED},
                    {SALVOR_NEEDS_OPERATOR, EXIT_WAITS},
                    {SALVOR_NOT_FOUND, EXIT_FAILED},
                    {SALVOR_FAILED, EXIT_FAILED}};
    json_t *before = parent_descriptors();
    struct ears ears = {0};
    struct service *service = start(0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *request = json_make("{s:i}", "status", (int)expected[i].status);
        const struct service_request what = {"refuse", SALVOR_EFFECT_READ, SOON, request};
        salvor_status status = SALVOR_OK;
        assert_int_equal(service_call(service, &what, NULL, NULL, &status, &err), -1);
        assert_int_equal(status, expected[i].status);
        assert_int_equal(err.code, expected[i].code);
        assert_string_equal(err.message, "the set is in use");
        assert_string_equal(err.hint, "wait for it");
    }
    done(before, &ears);
}

static void more_is_opened_at_first_need(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    assert_null(call(service, "replaced", NULL, &ears, -1, &err)); /* the core's own so far */
    json_decref(take_pointer(ears.frames));
    cleanup_json json_t *result = call(service, "net.echo", NULL, &ears, 0, &err);
    assert_non_null(result);
    json_decref(take_pointer(ears.frames));
    if (!per_call)
        assert_null(call(service, "replaced", NULL, &ears, 0, &err));
    (void)clean(NULL);
    service = start(0);
    assert_int_equal(setenv("NO_LIBRARY", "1", 1), 0);
    for (int i = 0; i < 2; i++) {
        json_decref(take_pointer(ears.frames));
        assert_null(call(service, "net.echo", NULL, &ears, -1, &err));
        expect_text(err.message, "service 'net.echo' cannot be had: the library is not there",
                    "library");
        assert_string_equal(err.hint, "install it");
    }
    assert_int_equal(unsetenv("NO_LIBRARY"), 0);
    done(before, &ears);
}

/* Two services and nobody waits: the time of both is the time of one. */
static void calls_go_on_beside_other_work(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    cleanup_json json_t *request = json_make("{s:i}", "for_ms", 300);
    const struct service_request what = {"wait", SALVOR_EFFECT_READ, SOON, request};
    struct service *one = start(0);
    struct service *other = start(1);
    assert_int_equal(service_begin(one, &what, NULL, &err), 0);
    assert_int_equal(service_begin(one, &what, NULL, &err), -1);
    expect_text(err.message, "the service worker is in a call already", "busy");
    assert_true(service_is_calling(one));
    assert_int_equal(service_pump(one, 0), 0);
    cleanup_json json_t *result = call(other, "echo", NULL, &ears, 0, &err);
    assert_non_null(result);
    assert_true(service_is_calling(one));
    const int64_t began = clock_monotonic_ms();
    while (!service_pump(one, 20))
        assert_true(clock_monotonic_ms() - began < SOON);
    assert_true(service_is_calling(one));
    assert_int_equal(service_finish(one, NULL, NULL, &err), 0);
    assert_false(service_is_calling(one));
    /* one that is under way when the parent has enough of it is killed */
    const struct service_request hang = {"hang", SALVOR_EFFECT_READ, SOON, NULL};
    assert_int_equal(service_begin(one, &hang, NULL, &err), 0);
    done(before, &ears);
}

static void tell(struct service *service, int serial, const char *what)
{
    cleanup_json json_t *body = json_make("{s:i, s:s}", "serial", serial, "do", what);
    cleanup_error struct error err = ERROR_INIT;
    if (service_tell(service, body, &err) != 0)
        fail_msg("cannot tell '%s': %s", what, err.message);
}

/* Pumps until the answer to `serial` is heard; how often it had been told something by then. */
static int64_t told_at(struct service *service, struct ears *ears, int serial)
{
    const int64_t began = clock_monotonic_ms();
    for (;;) {
        size_t index = 0;
        const json_t *entry = NULL;
        json_array_foreach (ears->frames, index, entry) {
            const json_t *body = json_object_get(entry, "body");
            if (text_equal(json_text(entry, "frame"), "state") &&
                json_whole(body, "serial", 0) == serial)
                return json_whole(json_object_get(body, "state"), "told", -1);
        }
        assert_int_equal(service_pump(service, 20), 0);
        assert_true(clock_monotonic_ms() - began < SOON);
    }
}

static void call_that_goes_on_hears_and_tells(void **state)
{
    (void)state;
    json_t *before = parent_descriptors();
    cleanup_error struct error err = ERROR_INIT;
    struct ears ears = {0};
    struct service *service = start(0);
    const struct service_request what = {"keep", SALVOR_EFFECT_READ, 3 * SOON, NULL};
    const struct service_listener listener = listener_of(&ears);
    cleanup_json json_t *result = NULL;
    cleanup_json json_t *nothing = json_object();
    assert_int_equal(service_tell(service, nothing, &err), -1);
    expect_text(err.message, "is not in a call", "tell");
    assert_int_equal(service_begin(service, &what, &listener, &err), 0);
    assert_int_equal(told_at(service, &ears, 0), 0);
    tell(service, 1, "count");
    assert_int_equal(told_at(service, &ears, 1), 1);
    /* asked while it waits for an answer itself: nothing is lost, the order stays */
    tell(service, 2, "ask");
    tell(service, 3, "count");
    tell(service, 4, "ask");
    tell(service, 5, "count");
    assert_int_equal(told_at(service, &ears, 5), 5);
    assert_int_equal(told_at(service, &ears, 3), 3);
    /* it says more than anybody reads, and goes on all the same */
    tell(service, 6, "flood");
    assert_int_equal(service_pump(service, 0), 0);
    (void)poll(NULL, 0, 100);
    assert_int_equal(told_at(service, &ears, 6), 6);
    tell(service, 7, "stop");
    tell(service, 8, "too late");
    while (!service_pump(service, 20))
        continue;
    assert_int_equal(service_finish(service, &result, NULL, &err), 0);
    assert_int_equal(json_whole(result, "told", 0), 7);
    json_decref(take_pointer(ears.frames));
    cleanup_json json_t *echo = call(service, "echo", NULL, &ears, 0, &err);
    assert_non_null(echo);
    done(before, &ears);
}

int main(int argc, char **argv)
{
    service_commands_register(commands);
    service_commands_open_later(open_library);
    parent_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(call_brings_its_result, clean),
        cmocka_unit_test_teardown(secrets_are_answered_and_redacted, clean),
        cmocka_unit_test_teardown(effect_is_what_the_parent_says, clean),
        cmocka_unit_test_teardown(crash_is_contained_and_named, clean),
        cmocka_unit_test_teardown(deadline_and_cancel_stop_it, clean),
        cmocka_unit_test_teardown(answers_keep_to_the_rules, clean),
        cmocka_unit_test_teardown(failures_keep_their_meaning, clean),
        cmocka_unit_test_teardown(more_is_opened_at_first_need, clean),
        cmocka_unit_test_teardown(calls_go_on_beside_other_work, clean),
        cmocka_unit_test_teardown(call_that_goes_on_hears_and_tells, clean),
    };
    int failed = 0;
    for (per_call = 0; per_call < 2; per_call++)
        failed += cmocka_run_group_tests_name(per_call ? "a worker a call" : "one worker", tests,
                                              NULL, NULL);
    return failed;
}
