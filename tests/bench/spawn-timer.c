/*
 * spawn-timer ROUNDS -- COMMAND… [-- COMMAND…]…: starts the commands in turn, so that all see the
 * same machine, and prints for each the median and the 90th percentile of its wall time in
 * microseconds. Output goes to /dev/null; a command that fails ends the measurement.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MOST_COMMANDS = 16, WARM_UP = 5 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double run_once(char **argv, const posix_spawn_file_actions_t *actions)
{
    double begin = now_us();
    pid_t pid = 0;
    int status = 0;
    if (posix_spawnp(&pid, argv[0], actions, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        (void)fprintf(stderr, "spawn-timer: '%s' failed\n", argv[0]);
        exit(1);
    }
    return now_us() - begin;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    char **commands[MOST_COMMANDS];
    int count = 0;
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        argv[i] = NULL;
        if (count < MOST_COMMANDS && i + 1 < argc)
            commands[count++] = &argv[i + 1];
    }
    if (rounds < 1 || count == 0)
        return 2;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    double *times = calloc((size_t)count * (size_t)rounds, sizeof *times);
    if (times == NULL)
        return 1;
    for (int round = -WARM_UP; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            double time = run_once(commands[i], &actions);
            if (round >= 0)
                times[i * rounds + round] = time;
        }
    for (int i = 0; i < count; i++) {
        qsort(times + i * rounds, (size_t)rounds, sizeof *times, compare);
        (void)printf("%.0f %.0f\n", times[i * rounds + rounds / 2],
                     times[i * rounds + rounds * 9 / 10]);
    }
    free(times);
    return 0;
}
