#include "../unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/process-start.h"

static void processes_that_live_have_a_start(void **state)
{
    (void)state;
    const int64_t own = process_started(getpid());
    assert_true(own > 0);
    assert_int_equal(process_started(getpid()), own);
    assert_true(process_started(getppid()) <= own);
}

static void ended_ones_have_none(void **state)
{
    (void)state;
    siginfo_t info;
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_true(child > 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(process_started(child), 0); /* nobody has awaited it yet */
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(process_started(child), 0);
    assert_int_equal(process_started(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_that_live_have_a_start),
        cmocka_unit_test(ended_ones_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
