/* What a command costs on a connection of its own and on a shared one: prints medians. */
#include "ssh-practice.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/ssh-connection.h"

enum { FRESH = 9, SHARED = 101 };

static int by_number(const void *a, const void *b)
{
    const int64_t one = *(const int64_t *)a;
    const int64_t two = *(const int64_t *)b;
    return one < two ? -1 : one > two;
}

static int64_t microseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double median_of(struct ssh_practice *at, int count, int fresh)
{
    int64_t times[SHARED];
    salvor_ssh_host *host = ssh_practice_open(at, "");
    (void)ssh_practice_shell(at, host, "exit 0");
    for (int i = 0; i < count; i++) {
        if (fresh)
            ssh_connections_close();
        const int64_t before = microseconds();
        (void)ssh_practice_shell(at, host, "exit 0");
        times[i] = microseconds() - before;
    }
    qsort(times, (size_t)count, sizeof *times, by_number);
    return (double)times[count / 2] / 1000;
}

static void measure(void **state)
{
    const double fresh = median_of(*state, FRESH, 1);
    const double shared = median_of(*state, SHARED, 0);
    printf("a command on a fresh connection: %.1f ms, on a shared one: %.1f ms\n", fresh, shared);
    assert_true(shared < fresh);
}

int main(int argc, char **argv)
{
    struct sshd *host = ssh_practice_host(argc, argv, &(struct sshd_settings){0});
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(measure, ssh_practice_setup, ssh_practice_teardown)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sshd_stop(host);
    return failed;
}
