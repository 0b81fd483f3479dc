/* What a plugin may use, and who ended it when it passed that or was killed from outside. */
#include "parent.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { SPIN = 1, SPIN_A_WHILE, EAT, SIGNAL_ITSELF = 100, LONG_MS = 60000 };

static char folder[] = "/tmp/salvor-test-XXXXXX";

static struct client *greedy(const struct client_limits *limits, int what, const char *vmstat)
{
    cleanup_free char *path = mock_path("greedy");
    cleanup_json json_t *open =
        json_make("{s:{s:s, s:i, s:s?}, s:s, s:s, s:s}", "options", "when",
                  what == 0 ? "validate" : "discover", "mock-number", what, "mock-path", vmstat,
                  "run_folder", folder, "scratch_folder", folder, "jobs_folder", folder);
    const struct client_settings settings = {
        .plugin_path = path, .plugin_name = "greedy", .open = open, .limits = *limits};
    return client_new(&settings);
}

/* One call of that hook; its outcome must be cleared. */
static struct client_outcome call(struct client *client, const char *hook, struct heard *heard)
{
    struct client_listener listener = heard_listener(heard);
    struct client_outcome outcome = {0};
    cleanup_json json_t *body = mock_call(hook, LONG_MS);
    cleanup_error struct error err = ERROR_INIT;
    if (client_call(client, body, &listener, &outcome, &err) != 0)
        fail_msg("%s", err.message);
    return outcome;
}

/* `expected` and what must not be there: text of message and hint. */
static void expect_end(const struct client_limits *limits, int what, const char *vmstat,
                       const char *const *expected, const char *unexpected)
{
    json_t *before = parent_descriptors();
    struct client *client = greedy(limits, what, vmstat);
    struct heard heard = {0};
    struct client_outcome outcome = call(client, "discover", &heard);
    cleanup_free char *said = text_format("%s\n%s\n%s", outcome.error.message,
                                          outcome.error.detail != NULL ? outcome.error.detail : "",
                                          outcome.error.hint != NULL ? outcome.error.hint : "");
    assert_int_equal(outcome.end, CLIENT_CRASHED);
    for (; *expected != NULL; expected++)
        expect_text(said, *expected, "end");
    if (unexpected != NULL && strstr(said, unexpected) != NULL)
        fail_msg("'%s' says '%s'", said, unexpected);
    error_clear(&outcome.error);
    heard_clear(&heard);
    parent_check(client, before);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct client_limits none = {0, 0};

static void processor_time_of_a_call_is_bounded(void **state)
{
    (void)state;
    const struct client_limits limits = {0, 1000};
    expect_end(&limits, SPIN, NULL,
               TEXTS("plugin 'greedy' used more processor time in 'discover' than 'worker-cpu' "
                     "allows (1 s)",
                     "raise the limit"),
               "fault of the plugin");
}

static void each_call_has_it_anew(void **state)
{
    (void)state;
    const struct client_limits limits = {0, 1000};
    json_t *before = parent_descriptors();
    struct client *client = greedy(&limits, SPIN_A_WHILE, NULL);
    struct heard heard = {0};
    for (int i = 0; i < 3; i++) {
        struct client_outcome outcome = call(client, "discover", &heard);
        if (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK)
            fail_msg("call %d: %s", i + 1, outcome.error.message);
    }
    heard_clear(&heard);
    parent_check(client, before);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    const struct client_limits limits = {INT64_C(256) << 20, 0};
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* its shadow takes more addresses than any limit */
#endif
    expect_end(&limits, EAT, NULL,
               TEXTS("crashed in 'discover': signal 6 (SIGABRT", "bounded by 'worker-memory'",
                     "256 MiB", "this is a fault of the plugin"),
               NULL);
}

static void commands_have_the_limits_of_before(void **state)
{
    (void)state;
    const struct client_limits limits = {INT64_C(512) << 20, 5000};
    struct rlimit memory;
    json_t *before = parent_descriptors();
    struct client *client = greedy(&limits, 0, NULL);
    struct heard heard = {0};
    assert_int_equal(getrlimit(RLIMIT_AS, &memory), 0);
    assert_int_equal(memory.rlim_cur, RLIM_INFINITY);
    struct client_outcome outcome = call(client, "validate", &heard);
    if (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK)
        fail_msg("%s", outcome.error.message);
    assert_string_equal(json_text(heard_frame(&heard, "item"), "name"), "unlimited\nunlimited\n");
    heard_clear(&heard);
    parent_check(client, before);
}

static void a_kill_from_outside_is_no_fault_of_the_plugin(void **state)
{
    (void)state;
    static const int numbers[] = {SIGKILL, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        cleanup_free char *words =
            text_format("was ended from outside in 'discover': signal %d (SIG", numbers[i]);
        expect_end(&none, SIGNAL_ITSELF + numbers[i], NULL, TEXTS(words, "find out who"),
                   "fault of the plugin");
    }
    expect_end(&none, SIGNAL_ITSELF + SIGSEGV, NULL,
               TEXTS("crashed in 'discover': signal 11 (SIGSEGV", "this is a fault of the plugin"),
               "outside");
}

static void the_kernel_that_lacked_memory_is_named(void **state)
{
    (void)state;
    static const char text[] = "nr_free_pages 2\noom_kill 7\nunevictable 3\n";
    cleanup_free char *path = text_format("%s/vmstat", folder);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
    (void)setenv("SALVOR_VMSTAT", path, 1);
    expect_end(&none, SIGNAL_ITSELF + SIGKILL, path,
               TEXTS("because memory had run out: signal 9 (SIGKILL",
                     "ended 1 process for want of memory", "'worker-memory'"),
               "fault of the plugin");
    expect_end(&none, SIGNAL_ITSELF + SIGKILL, NULL, TEXTS("was ended from outside"), "memory had");
    (void)unsetenv("SALVOR_VMSTAT");
    assert_int_equal(unlink(path), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(int argc, char **argv)
{
    parent_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(processor_time_of_a_call_is_bounded, parent_clean),
        cmocka_unit_test_teardown(each_call_has_it_anew, parent_clean),
        cmocka_unit_test_teardown(memory_is_bounded, parent_clean),
        cmocka_unit_test_teardown(commands_have_the_limits_of_before, parent_clean),
        cmocka_unit_test_teardown(a_kill_from_outside_is_no_fault_of_the_plugin, parent_clean),
#ifdef SALVOR_TEST_HOOKS
        cmocka_unit_test_teardown(the_kernel_that_lacked_memory_is_named, parent_clean),
#endif
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
