#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "capture.h"
#include "cli/message.h"
#include "cli/progress.h"

#define ERASE "\r\x1b[K"

static struct capture capture;
static int64_t clock_ms;
static char seen[65536];

static int64_t fake_now(void)
{
    return clock_ms;
}

/* What was written, copied: assertions print to standard error. */
static const char *take(void)
{
    const char *text = capture_text(&capture);
    memcpy(seen, text, strlen(text) + 1);
    return seen;
}

static void test_on_a_terminal(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    clock_ms = 5000;
    capture_terminal(&capture, 80);
    struct progress *progress = progress_new(STDERR_FILENO, fake_now);
    progress_phase(progress, "restore");
    progress_step(progress, "restore the data", 2, 5, 1);
    cleanup_free char *first = text_copy(take());
    clock_ms += 30;
    progress_items(progress, 10, 100, "objects"); /* too early to redraw */
    progress_tick(progress);
    size_t early = strlen(take());
    clock_ms += 3000;
    progress_tick(progress);
    cleanup_free char *second = text_copy(take());
    message(MESSAGE_WARNING, "look out");
    cleanup_free char *third = text_copy(take());
    progress_step_end(progress, "done", 3030);
    progress_free(progress);
    take();
    capture_end(&capture);
    assert_string_equal(first, ERASE "0ms  restore" ERASE "[2/5] 0ms  restore: restore the data");
    assert_int_equal(early, 0);
    assert_string_equal(second, ERASE "[2/5] 3s  10/100 objects 10%  restore: restore the data");
    assert_string_equal(third, ERASE "warning: look out\n" ERASE
                                     "[2/5] 3s  10/100 objects 10%  restore: restore the data");
    /* nothing of the line is left at the end */
    assert_true(text_starts(seen, ERASE "  done     restore the data (3s)\n"));
    assert_true(text_ends(seen, ERASE));
}

static void test_narrow_terminal(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    capture_terminal(&capture, 24);
    struct progress *progress = progress_new(STDERR_FILENO, fake_now);
    progress_step(progress, "a title that is far too long\x1b[2J", 1, 1, 3);
    take();
    progress_free(progress);
    capture_end(&capture);
    assert_string_equal(seen, ERASE "[1/1] 0ms  a title t...");
}

static void test_ten_redraws_a_second_at_most(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    capture_terminal(&capture, 80);
    struct progress *progress = progress_new(STDERR_FILENO, fake_now);
    progress_step(progress, "x", 1, 1, 1);
    take();
    for (int i = 0; i < 1000; i++) {
        clock_ms += 1;
        progress_items(progress, (uint64_t)i, 1000, NULL);
    }
    take();
    progress_free(progress);
    capture_end(&capture);
    int redraws = 0;
    for (const char *at = seen; (at = strstr(at, ERASE)) != NULL; at++)
        redraws++;
    assert_true(redraws >= 9 && redraws <= 10);
}

static void test_plain_lines(void **state)
{
    (void)state;
    static const char *const terms[] = {"dumb", "xterm"};
    for (int i = 0; i < 2; i++) {
        setenv("TERM", terms[i], 1);
        if (i == 0)
            capture_terminal(&capture, 80);
        else
            capture_pipe(&capture);
        clock_ms = 0;
        struct progress *progress = progress_new(STDERR_FILENO, fake_now);
        progress_phase(progress, "restore");
        progress_step(progress, "restore the data", 2, 5, 2);
        clock_ms += 29000;
        progress_items(progress, 1, 0, "objects");
        clock_ms += 2000;
        progress_items(progress, 7, 0, "objects");
        progress_tick(progress);
        progress_step_end(progress, "failed", 31000);
        progress_free(progress);
        take();
        capture_end(&capture);
        assert_string_equal(seen, "[2/5] restore the data (attempt 2)\n"
                                  "[2/5] 31s  7 objects  restore: restore the data (attempt 2)\n"
                                  "  failed   restore the data (31s)\n");
    }
}

static void test_quiet(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    capture_terminal(&capture, 80);
    message_setup(0, -1);
    struct progress *progress = progress_new(STDERR_FILENO, fake_now);
    progress_phase(progress, "restore");
    progress_step(progress, "x", 1, 1, 1);
    progress_items(progress, 5, 2, "objects");
    progress_step_end(progress, "done", 1);
    progress_free(progress);
    progress_free(NULL);
    message_setup(0, 0);
    take();
    capture_end(&capture);
    assert_string_equal(seen, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_a_terminal),
        cmocka_unit_test(test_narrow_terminal),
        cmocka_unit_test(test_ten_redraws_a_second_at_most),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
