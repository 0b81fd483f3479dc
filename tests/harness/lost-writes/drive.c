/*
 * drive LIBRARY WRITER TRIALS [FIRST-SEED [SYNC]]: cuts the power of the writer at a random event,
 * again and again on what the cut before left, and checks after each that the journal holds every
 * acknowledged record, in order, proves its chain, and can be written to. Half of the trials lose
 * all that was not synced, half keep some of it sector by sector; half use the rollback journal.
 *
 * SYNC (off, normal, full) weakens the journal, to show that this would be seen: exit status 1 and
 * "lost" then mean that all is well.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"

extern char **environ;

enum { CUTS_A_FOLDER = 8, EVENTS = 90 };

struct trial {
    const char *library;
    const char *writer;
    const char *sync;
    char *folder;
    char *path;
    uint64_t seed;
    int64_t acknowledged;
    int64_t tried;
    int rollback;
    int keep;
};

struct tally {
    int cut;      /* trials whose writer was cut */
    int finished; /* its events ran out before */
    int64_t records;
    int losses;
};

static uint64_t state = 88172645463325252U;

static unsigned random_below(unsigned limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static int lost(const struct trial *trial, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int lost(const struct trial *trial, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    (void)printf("seed %llu (%s, keeps %d %%): lost: %s\n", (unsigned long long)trial->seed,
                 trial->rollback ? "rollback journal" : "WAL", trial->keep, text);
    return -1;
}

/* ---- the writer ------------------------------------------------------------------------------ */

static char **writer_environment(const struct trial *trial, unsigned cut_at)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **made = memory_new(count + 8, sizeof *made);
    size_t used = 0;
    made[used++] = text_format("LD_PRELOAD=%s", trial->library);
    made[used++] = text_format("LOST_WRITES_FOLDER=%s", trial->folder);
    made[used++] = text_format("LOST_WRITES_AT=%u", cut_at);
    made[used++] = text_format("LOST_WRITES_KEEP=%d", trial->keep);
    made[used++] = text_format("LOST_WRITES_SEED=%llu", (unsigned long long)trial->seed);
    made[used++] = text_format("SALVOR_TEST_JOURNAL_MODE=%s", trial->rollback ? "rollback" : "");
    made[used++] = text_format("SALVOR_TEST_JOURNAL_SYNC=%s", trial->sync);
    return made;
}

static void free_environment(char **made)
{
    for (size_t i = 0; made[i] != NULL; i++)
        free(made[i]);
    free(made);
}

static void read_reports(int fd, struct trial *trial)
{
    FILE *reports = fdopen(fd, "r");
    char line[64];
    while (fgets(line, sizeof line, reports) != NULL) {
        int64_t number = strtoll(line + 1, NULL, 10);
        if (line[0] == 'a')
            trial->acknowledged = number;
        else
            trial->tried = number;
    }
    (void)fclose(reports);
}

/* The status of waitpid; -1 when it could not be started. */
static int run_writer(struct trial *trial, unsigned cut_at)
{
    int reports[2];
    if (pipe2(reports, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, reports[1], 3);
    cleanup_free char *seed = text_format("%llu", (unsigned long long)trial->seed);
    char *arguments[] = {(char *)trial->writer, trial->path, seed, (char *)"3", NULL};
    char **made = writer_environment(trial, cut_at);
    pid_t child = 0;
    int failed = posix_spawn(&child, trial->writer, &actions, NULL, arguments, made);
    (void)posix_spawn_file_actions_destroy(&actions);
    free_environment(made);
    (void)close(reports[1]);
    read_reports(reports[0], trial);
    int status = -1;
    if (failed == 0)
        (void)waitpid(child, &status, 0);
    return status;
}

/* ---- what is left ---------------------------------------------------------------------------- */

static int in_order(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    int64_t *last = data;
    if (json_whole(body, "n", -1) != sequence || sequence != *last + 1)
        return error_set(reterr, EXIT_FAILED, "record %lld holds number %lld", (long long)sequence,
                         (long long)json_whole(body, "n", -1));
    *last = sequence;
    return 0;
}

static int check_records(struct trial *trial, struct journal *journal)
{
    cleanup_error struct error err = ERROR_INIT;
    int64_t readable = 0;
    int64_t last = 0;
    if (journal_verify(journal, NULL, &readable, &err) != 0 ||
        journal_each(journal, in_order, &last, &err) != 0)
        return lost(trial, "%s", err.message);
    if (last < trial->acknowledged)
        return lost(trial, "records up to %lld were acknowledged, %lld are there",
                    (long long)trial->acknowledged, (long long)last);
    if (last > trial->tried)
        return lost(trial, "record %lld was never written", (long long)last);
    return 0;
}

/* Opened for writing, as a resume does; not always, so that the next cut also meets what a cut left
 * untouched. */
static int check_writable(struct trial *trial)
{
    cleanup_error struct error err = ERROR_INIT;
    struct journal *journal = NULL;
    if (journal_open(trial->path, &journal, &err) != 0)
        return lost(trial, "%s", err.message);
    int result = check_records(trial, journal);
    journal_close(journal);
    return result;
}

static int check_left(struct trial *trial)
{
    cleanup_error struct error err = ERROR_INIT;
    struct journal *journal = NULL;
    if (journal_open_readonly(trial->path, &journal, &err) != 0) {
        if (trial->acknowledged > 0)
            return lost(trial, "%s", err.message);
        /* Cut while it was made: nothing was promised, the run starts over. */
        (void)file_remove_tree(trial->folder, NULL);
        (void)file_make_folder(trial->folder, NULL);
        trial->tried = 0;
        return 0;
    }
    int result = check_records(trial, journal);
    journal_close(journal);
    return result == 0 && random_below(2) == 0 ? check_writable(trial) : result;
}

static void start_over(struct trial *trial)
{
    (void)file_remove_tree(trial->folder, NULL);
    (void)file_make_folder(trial->folder, NULL);
    trial->acknowledged = 0;
    trial->tried = 0;
    trial->rollback = (int)random_below(2);
}

static int one_trial(struct trial *trial, struct tally *tally)
{
    static const int keeps[] = {0, 0, 0, 5, 50, 95};
    trial->keep = keeps[random_below(sizeof keeps / sizeof keeps[0])];
    int status = run_writer(trial, 1 + random_below(EVENTS));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        tally->finished++;
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        tally->cut++;
    else
        return lost(trial, "the writer ended with status 0x%x", (unsigned)status);
    return check_left(trial);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: drive LIBRARY WRITER TRIALS [FIRST-SEED [SYNC]]\n");
        return 2;
    }
    long trials = strtol(argv[3], NULL, 10);
    uint64_t first = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    struct trial trial = {.library = argv[1], .writer = argv[2], .sync = argc > 5 ? argv[5] : ""};
    struct tally tally = {0, 0, 0, 0};
    char pattern[] = "/dev/shm/salvor-lost-writes-XXXXXX";
    char other[] = "/tmp/salvor-lost-writes-XXXXXX";
    char *base = mkdtemp(pattern);
    if (base == NULL)
        base = mkdtemp(other);
    if (base == NULL) {
        perror("mkdtemp");
        return 2;
    }
    trial.folder = text_format("%s/run", base);
    trial.path = text_format("%s/journal.db", trial.folder);
    (void)setenv("TMPDIR", base, 1);
    state ^= first * UINT64_C(0x9e3779b97f4a7c15);
    int64_t start = clock_monotonic_ms();
    for (long i = 0; i < trials; i++) {
        trial.seed = first + (uint64_t)i;
        if (i % CUTS_A_FOLDER == 0)
            start_over(&trial);
        int64_t before = trial.acknowledged;
        if (one_trial(&trial, &tally) != 0) {
            tally.losses++;
            start_over(&trial);
        } else {
            tally.records += trial.acknowledged > before ? trial.acknowledged - before : 0;
        }
    }
    (void)file_remove_tree(base, NULL);
    (void)printf("%ld trials: %d cut, %d ran out, %lld records acknowledged, %d losses, %.1f s\n",
                 trials, tally.cut, tally.finished, (long long)tally.records, tally.losses,
                 (double)(clock_monotonic_ms() - start) / 1000);
    free(trial.folder);
    free(trial.path);
    return tally.losses == 0 ? 0 : 1;
}
