#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "practice-call.h"
#include "services/exec.h"
#include "services/job-folder.h"
#include "services/secret.h"
#include "services/shims.h"

struct shell {
    const char *argv[3];
    struct salvor_exec_request request;
};

static struct salvor_exec_request *shell(struct shell *shell, const char *script)
{
    shell->argv[0] = "sh";
    shell->argv[1] = "-c";
    shell->argv[2] = script;
    shell->request = (struct salvor_exec_request){
        .struct_size = sizeof shell->request, .argc = 3, .argv = shell->argv};
    return &shell->request;
}

static salvor_status start(struct practice *practice, const char *id, const char *script)
{
    struct shell sh;
    return exec_job_start(practice_call(practice), id, shell(&sh, script));
}

static struct salvor_job_state waited(struct practice *practice, const char *id)
{
    struct salvor_job_state state = {.struct_size = sizeof state};
    practice->call.deadline = clock_monotonic_ms() + 60000;
    if (exec_job_wait(practice_call(practice), id, &state) != SALVOR_OK)
        fail_msg("%s", practice->call.error.message);
    return state;
}

static struct salvor_job_state polled(struct practice *practice, const char *id)
{
    struct salvor_job_state state = {.struct_size = sizeof state};
    assert_int_equal(exec_job_poll(practice_call(practice), id, &state), SALVOR_OK);
    return state;
}

/* As waited, for the hundreds of short jobs below: looks again at once. */
static struct salvor_job_state waited_closely(struct practice *practice, const char *id)
{
    const struct timespec pause = {0, 1000000};
    const int64_t give_up = clock_monotonic_ms() + 60000;
    practice->call.deadline = give_up; /* one a job, not one for all of them */
    struct salvor_job_state state = polled(practice, id);
    for (; state.state == SALVOR_JOB_RUNNING; state = polled(practice, id)) {
        if (clock_monotonic_ms() > give_up)
            fail_msg("job '%s' does not end", id);
        (void)nanosleep(&pause, NULL);
    }
    return state;
}

static const char *message(const struct practice *practice)
{
    return practice->call.error.message != NULL ? practice->call.error.message : "";
}

static char *in_scratch(const struct practice *practice, const char *name)
{
    return text_format("%s/%s", practice->scratch, name);
}

/* Bytes of a file in the scratch folder: how often a job has run. */
static size_t size_of(const struct practice *practice, const char *name)
{
    cleanup_free char *path = in_scratch(practice, name);
    struct stat status;
    return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

/* A job waits until this is made. */
static void open_gate(const struct practice *practice)
{
    cleanup_free char *path = in_scratch(practice, "gate");
    assert_int_equal(file_write_atomic(path, "", 0, 0600, NULL), 0);
}

#define WAIT_FOR_GATE "while ! [ -e gate ]; do sleep 0.01; done; "

static void start_poll_and_wait(void **state)
{
    struct practice *practice = *state;
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_ABSENT);
    assert_int_equal(start(practice, "job-1", "echo out; echo err >&2; " WAIT_FOR_GATE "exit 3"),
                     SALVOR_OK);
    const json_t *evidence = practice_frame(practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "what"), "job_start");
    assert_string_equal(json_text(evidence, "job"), "job-1");
    struct salvor_job_state job = polled(practice, "job-1");
    assert_int_equal(job.state, SALVOR_JOB_RUNNING);
    assert_true(job.started_ms > 0);
    assert_int_equal(job.ended_ms, 0);
    practice->call.deadline = clock_monotonic_ms() + 300;
    assert_int_equal(exec_job_wait(practice_call(practice), "job-1", &job), SALVOR_PENDING);
    assert_int_equal(job.state, SALVOR_JOB_RUNNING);
    practice->call.deadline = clock_monotonic_ms() + 60000;
    open_gate(practice);
    job = waited(practice, "job-1");
    assert_int_equal(job.state, SALVOR_JOB_ENDED);
    assert_int_equal(job.exit_status, 3);
    assert_int_equal(job.signal_number, 0);
    assert_string_equal(job.out.data, "out\n");
    assert_string_equal(job.err.data, "err\n");
    assert_true(job.ended_ms >= job.started_ms);
    evidence = practice_frame(practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "state"), "ended");
    assert_int_equal(json_whole(evidence, "exit_status", -1), 3);
}

static void starting_again_changes_nothing(void **state)
{
    struct practice *practice = *state;
    static const char once[] = "printf x >>times; " WAIT_FOR_GATE;
    for (int i = 0; i < 3; i++)
        assert_int_equal(start(practice, "job-1", once), SALVOR_OK);
    open_gate(practice);
    assert_int_equal(waited(practice, "job-1").exit_status, 0);
    assert_int_equal(start(practice, "job-1", once), SALVOR_OK);
    assert_int_equal(size_of(practice, "times"), 1);
    assert_int_equal(start(practice, "job-1", "printf y >>times"), SALVOR_REFUSED);
    assert_non_null(strstr(message(practice), "begun as another command"));
    assert_int_equal(start(practice, "job-1-b", once), SALVOR_OK);
    assert_int_equal(waited(practice, "job-1-b").exit_status, 0);
    assert_int_equal(size_of(practice, "times"), 2);
}

static void ids_belong_to_the_step(void **state)
{
    struct practice *practice = *state;
    static const char *const bad[] = {"job-2", "job-10", "", "../x", "job-1/x", ".job-1", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(start(practice, bad[i], "true"), SALVOR_BUG);
    struct salvor_job_state job = {.struct_size = sizeof job};
    assert_int_equal(exec_job_poll(practice_call(practice), "../x", &job), SALVOR_BUG);
    job.struct_size = 0;
    assert_int_equal(exec_job_poll(practice_call(practice), "job-1", &job), SALVOR_BUG);
    assert_int_equal(exec_job_wait(practice_call(practice), "job-1", &job), SALVOR_BUG);
}

static void no_job_in_a_read(void **state)
{
    struct practice *practice = *state;
    json_put(practice->session.descriptor, "declared_reads",
             json_make("[{s:s,s:s}]", "id", "x", "pattern", "true"));
    practice_next_call(practice, SALVOR_EFFECT_DECLARED_READ);
    const char *argv[] = {"true"};
    struct salvor_exec_request request = {.struct_size = sizeof request, .argc = 1, .argv = argv};
    assert_int_equal(exec_job_start(practice_call(practice), "job-1", &request), SALVOR_REFUSED);
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_REFUSED);
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_ABSENT);
}

static void a_job_that_cannot_start(void **state)
{
    struct practice *practice = *state;
    const char *argv[] = {"salvor-no-such-program"};
    struct salvor_exec_request request = {.struct_size = sizeof request, .argc = 1, .argv = argv};
    assert_int_equal(exec_job_start(practice_call(practice), "job-1", &request), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "no program"));
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_ABSENT);
    cleanup_free char *bad = text_format("%s/bad", practice->folder);
    assert_int_equal(file_write_atomic(bad, "\177ELF", 4, 0700, NULL), 0);
    argv[0] = bad;
    assert_int_equal(exec_job_start(practice_call(practice), "job-1-b", &request), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "Exec format error"));
    struct salvor_job_state job = polled(practice, "job-1-b");
    assert_int_equal(job.state, SALVOR_JOB_ENDED);
    assert_int_equal(job.exit_status, 127);
    assert_non_null(strstr(job.err.data, "start it: Exec format error"));
    request.folder = "/nonexistent";
    argv[0] = "true";
    assert_int_equal(exec_job_start(practice_call(practice), "job-1-c", &request), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "working directory"));
}

static void newest_output_is_kept(void **state)
{
    struct practice *practice = *state;
    /* The pause lets the shim look once while there is much to punch out. */
    assert_int_equal(start(practice, "job-1",
                           "head -c 20000000 /dev/zero | tr '\\0' o; " WAIT_FOR_GATE "printf END"),
                     SALVOR_OK);
    cleanup_free char *path = text_format("%s/jobs/job-1/stdout", practice->folder);
    struct stat status = {0};
    for (int64_t end = clock_monotonic_ms() + 20000; clock_monotonic_ms() < end;) {
        assert_int_equal(stat(path, &status), 0);
        if (status.st_size == 20000000 && status.st_blocks * 512 <= 2 << 20)
            break;
        (void)poll(NULL, 0, 10);
    }
    assert_true(status.st_blocks * 512 <= 2 << 20);
    open_gate(practice);
    struct salvor_job_state job = waited(practice, "job-1");
    assert_int_equal(job.out.size, 65536);
    assert_string_equal(job.out.data + 65530, "oooEND");
}

static void output_path_and_input(void **state)
{
    struct practice *practice = *state;
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "cat; pwd");
    request->input = (struct salvor_span){"data\n", 5};
    request->output_path = "sub/out";
    request->folder = "/";
    assert_int_equal(exec_job_start(practice_call(practice), "job-1", request), SALVOR_OK);
    assert_int_equal(waited(practice, "job-1").out.size, 0);
    cleanup_free char *path = in_scratch(practice, "sub/out");
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "data\n/\n");
    request->output_path = "../out";
    assert_int_equal(exec_job_start(practice_call(practice), "job-1-b", request), SALVOR_BUG);
}

/* ---- killing --------------------------------------------------------------------------------- */

static int is_alive(pid_t pid)
{
    cleanup_free char *path = text_format("/proc/%d/stat", (int)pid);
    cleanup_free char *text = NULL;
    return file_read(path, 4096, &text, NULL, NULL) == 0 && strstr(text, ") Z ") == NULL;
}

static void assert_gone(pid_t pid)
{
    for (int64_t end = clock_monotonic_ms() + 20000; clock_monotonic_ms() < end;) {
        if (!is_alive(pid))
            return;
        (void)poll(NULL, 0, 5);
    }
    fail_msg("process %d still runs", (int)pid);
}

static pid_t pid_in(const struct practice *practice, const char *name)
{
    cleanup_free char *path = in_scratch(practice, name);
    for (int64_t end = clock_monotonic_ms() + 10000; clock_monotonic_ms() < end;) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        if (file_read(path, 64, &text, &size, NULL) == 0 && size > 0 && text[size - 1] == '\n')
            return (pid_t)strtol(text, NULL, 10);
        (void)poll(NULL, 0, 5);
    }
    fail_msg("'%s' did not appear", path);
    return 0;
}

static void kill_ends_the_group(void **state)
{
    struct practice *practice = *state;
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_NOT_FOUND);
    assert_int_equal(start(practice, "job-1",
                           "sh -c 'echo $$ >child; while :; do sleep 100; done' & "
                           "echo $$ >parent; wait"),
                     SALVOR_OK);
    pid_t parent = pid_in(practice, "parent");
    pid_t child = pid_in(practice, "child");
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_OK);
    assert_gone(parent);
    assert_gone(child);
    struct salvor_job_state job = polled(practice, "job-1");
    assert_int_equal(job.state, SALVOR_JOB_ENDED);
    assert_int_equal(job.signal_number, SIGTERM);
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_OK);
}

static void who_is_deaf_is_killed_after_a_grace(void **state)
{
    struct practice *practice = *state;
    (void)setenv("SALVOR_KILL_GRACE_MS", "700", 1);
    assert_int_equal(
        start(practice, "job-1", "trap '' TERM; echo $$ >parent; while :; do sleep 100; done"),
        SALVOR_OK);
    pid_t parent = pid_in(practice, "parent");
    int64_t before = clock_monotonic_ms();
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_OK);
    int64_t took = clock_monotonic_ms() - before;
    (void)unsetenv("SALVOR_KILL_GRACE_MS");
    assert_true(took >= 700 && took < 20000);
    assert_gone(parent);
    assert_int_equal(polled(practice, "job-1").signal_number, SIGKILL);
}

static void time_limit_ends_the_job(void **state)
{
    struct practice *practice = *state;
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "exec sleep 100");
    request->timeout_ms = 300;
    assert_int_equal(exec_job_start(practice_call(practice), "job-1", request), SALVOR_OK);
    struct salvor_job_state job = waited(practice, "job-1");
    assert_int_equal(job.signal_number, SIGTERM);
    assert_non_null(strstr(job.err.data, "passed its time limit"));
}

static void killed_before_it_began(void **state)
{
    struct practice *practice = *state;
    cleanup_free char *folder = text_format("%s/jobs/job-1", practice->folder);
    /* Prepared by a starter that died; asked to end; then started after all. */
    assert_int_equal(start(practice, "job-1-x", "true"), SALVOR_OK);
    cleanup_free char *model = text_format("%s/jobs/job-1-x", practice->folder);
    cleanup_json json_t *request = NULL;
    assert_int_equal(job_folder_request(model, &request, NULL), 0);
    assert_int_equal(job_folder_prepare(folder, request, NULL), 0);
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_ABSENT);
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_OK);
    assert_int_equal(start(practice, "job-1", "true"), SALVOR_OK);
    struct salvor_job_state job = waited(practice, "job-1");
    assert_int_equal(job.signal_number, SIGTERM);
    assert_non_null(strstr(job.err.data, "killed before it started"));
}

/* ---- outliving ------------------------------------------------------------------------------- */

static void it_outlives_worker_and_group(void **state)
{
    struct practice *practice = *state;
    pid_t worker = fork();
    if (worker == 0) {
        (void)setpgid(0, 0);
        _exit(start(practice, "job-1", "echo $$ >parent; " WAIT_FOR_GATE "echo done") == SALVOR_OK
                  ? 0
                  : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)kill(-worker, SIGKILL);
    (void)kill(-worker, SIGHUP);
    pid_t parent = pid_in(practice, "parent");
    assert_int_not_equal(getsid(parent), getsid(0));
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_RUNNING);
    open_gate(practice);
    assert_string_equal(waited(practice, "job-1").out.data, "done\n");
    /* Nothing of it is a child of this process: the double fork let go of it. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static pid_t shim_of(const struct practice *practice, const char *id)
{
    cleanup_free char *path = text_format("%s/jobs/%s/claim.json", practice->folder, id);
    cleanup_json json_t *claim = json_load_file(path, 0, NULL);
    return (pid_t)json_whole(claim, "shim", 0);
}

static void a_killed_shim_is_a_lost_job(void **state)
{
    struct practice *practice = *state;
    static const char script[] = "printf x >>times; echo $$ >parent; exec sleep 100";
    assert_int_equal(start(practice, "job-1", script), SALVOR_OK);
    pid_t parent = pid_in(practice, "parent");
    assert_int_equal(kill(shim_of(practice, "job-1"), SIGKILL), 0);
    assert_gone(parent);
    struct salvor_job_state job = waited(practice, "job-1");
    assert_int_equal(job.state, SALVOR_JOB_LOST);
    assert_int_equal(start(practice, "job-1", script), SALVOR_OK);
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_LOST);
    assert_int_equal(size_of(practice, "times"), 1);
    assert_int_equal(exec_job_kill(practice_call(practice), "job-1"), SALVOR_OK);
}

static void another_boot_is_a_lost_job(void **state)
{
    struct practice *practice = *state;
    assert_int_equal(start(practice, "job-1", WAIT_FOR_GATE), SALVOR_OK);
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_RUNNING);
    cleanup_free char *path = text_format("%s/jobs/job-1/claim.json", practice->folder);
    static const char other[] = "{\"boot\":\"of another time\",\"started_ms\":5}";
    assert_int_equal(file_write_atomic(path, other, strlen(other), 0600, NULL), 0);
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_LOST);
    open_gate(practice);
    cleanup_free char *ended = text_format("%s/jobs/job-1/status.json", practice->folder);
    while (access(ended, F_OK) != 0)
        (void)poll(NULL, 0, 5);
    assert_int_equal(polled(practice, "job-1").state, SALVOR_JOB_ENDED);
}

static void damaged_folders_are_named(void **state)
{
    struct practice *practice = *state;
    struct salvor_job_state job = {.struct_size = sizeof job};
    assert_int_equal(start(practice, "job-1", "true"), SALVOR_OK);
    assert_int_equal(waited(practice, "job-1").exit_status, 0);
    cleanup_free char *status = text_format("%s/jobs/job-1/status.json", practice->folder);
    assert_int_equal(file_write_atomic(status, "{", 1, 0600, NULL), 0);
    assert_int_equal(exec_job_poll(practice_call(practice), "job-1", &job), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "status.json' is damaged"));
    assert_int_equal(unlink(status), 0);
    cleanup_free char *lock = text_format("%s/jobs/job-1/lock", practice->folder);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(exec_job_poll(practice_call(practice), "job-1", &job), SALVOR_FAILED);
    assert_int_equal(exec_job_wait(practice_call(practice), "job-1", &job), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "lock"));
    cleanup_free char *request = text_format("%s/jobs/job-1/request.json", practice->folder);
    assert_int_equal(unlink(request), 0);
    assert_int_equal(start(practice, "job-1", "true"), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "no request.json"));
}

/* ---- at most once ---------------------------------------------------------------------------- */

static void racing_starters_start_once(void **state)
{
    struct practice *practice = *state;
    enum { STARTERS = 8 };
    pid_t starters[STARTERS];
    for (int i = 0; i < STARTERS; i++) {
        starters[i] = fork();
        if (starters[i] == 0)
            _exit(start(practice, "job-1", "printf x >>times") == SALVOR_OK ? 0 : 1);
    }
    for (int i = 0; i < STARTERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(starters[i], &status, 0), starters[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(waited(practice, "job-1").exit_status, 0);
    assert_int_equal(size_of(practice, "times"), 1);
}

/* Runs a starter that is killed at its n-th entry to or exit from the kernel. 1: it came that far.
 */
static int start_killed_at(struct practice *practice, const char *id, int n)
{
    pid_t starter = fork();
    if (starter == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(2);
        (void)raise(SIGSTOP);
        _exit(start(practice, id, "printf x >>times-$0; " WAIT_FOR_GATE) == SALVOR_OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(starter, &status, 0), starter);
    assert_true(WIFSTOPPED(status));
    for (int i = 0; i < n; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, starter, NULL, NULL), 0);
        assert_int_equal(waitpid(starter, &status, 0), starter);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return 0;
        }
    }
    assert_int_equal(kill(starter, SIGKILL), 0);
    assert_int_equal(waitpid(starter, &status, 0), starter);
    return 1;
}

static void a_starter_killed_anywhere_starts_once(void **state)
{
    struct practice *practice = *state;
    cleanup_free char *times = in_scratch(practice, "times-sh");
    int points = 0;
    /* each starter is a copy of this process, which sanitizers make large: there, every third */
#ifdef __SANITIZE_ADDRESS__
    enum { STEP = 3 };
#else
    enum { STEP = 1 };
#endif
    open_gate(practice);
    for (int n = 0;; n += STEP) {
        cleanup_free char *id = text_format("job-1-%d", n);
        int killed = start_killed_at(practice, id, n);
        /* The resume: starts again, whatever the first one had reached. */
        if (start(practice, id, "printf x >>times-$0; " WAIT_FOR_GATE) != SALVOR_OK)
            fail_msg("point %d: %s", n, message(practice));
        struct salvor_job_state job = waited_closely(practice, id);
        assert_int_equal(job.state, SALVOR_JOB_ENDED);
        assert_int_equal(job.exit_status, 0);
        assert_int_equal(size_of(practice, "times-sh"), 1);
        assert_int_equal(unlink(times), 0);
        if (!killed)
            break;
        points++;
    }
    print_message("covers: %d points of the starter\n", points);
    assert_true(points > 60);
}

/* The same for the shim: what began never begins again, what did not begin can still. */
static void a_shim_killed_anywhere_starts_at_most_once(void **state)
{
    struct practice *practice = *state;
    int lost = 0;
    int ran = 0;
    open_gate(practice);
    for (int delay_us = 0; delay_us < 12000; delay_us += 150) {
        cleanup_free char *id = text_format("job-1-%d", delay_us);
        cleanup_free char *script = text_format("printf x >>times-%d; sleep 0.01", delay_us);
        cleanup_free char *times = text_format("times-%d", delay_us);
        pid_t starter = fork();
        if (starter == 0)
            _exit(start(practice, id, script) == SALVOR_OK ? 0 : 1);
        /* The shim is whatever holds the job's lock; it is not known before it claims. */
        struct timespec pause = {0, delay_us * 1000L};
        (void)nanosleep(&pause, NULL);
        pid_t shim = shim_of(practice, id);
        if (shim > 0)
            (void)kill(shim, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(starter, &status, 0), starter);
        (void)start(practice, id, script);
        struct salvor_job_state job = waited_closely(practice, id);
        assert_true(job.state == SALVOR_JOB_LOST || job.state == SALVOR_JOB_ENDED);
        assert_true(size_of(practice, times) <= 1);
        lost += job.state == SALVOR_JOB_LOST;
        ran += (int)size_of(practice, times);
    }
    print_message("%d lost, %d ran\n", lost, ran);
}

/* ---- secrets --------------------------------------------------------------------------------- */

static json_t *accept_all(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_make("{}");
}

static void secrets_live_as_long_as_the_job(void **state)
{
    struct practice *practice = *state;
    salvor_secret *secret = NULL;
    practice->answer = accept_all;
    assert_int_equal(secrets_table.adopt(practice_call(practice), "canary-value", 12, &secret),
                     SALVOR_OK);
    const struct salvor_exec_secret secrets[] = {{secret, "token", SALVOR_EXEC_SECRET_FILE, 0},
                                                 {secret, NULL, SALVOR_EXEC_SECRET_FD, 4}};
    static const char script[] = "echo \"$1\" >where; stat -fc %T \"$1\"; " WAIT_FOR_GATE
                                 "cmp \"$1\" /dev/fd/4 && wc -c <\"$1\"";
    const char *argv[] = {"sh", "-c", script, "sh", "{secret:token}"};
    struct salvor_exec_request request = {.struct_size = sizeof request,
                                          .argc = 5,
                                          .argv = argv,
                                          .secrets = secrets,
                                          .secret_count = 2};
    assert_int_equal(exec_job_start(practice_call(practice), "job-1", &request), SALVOR_OK);
    practice_next_call(practice, SALVOR_EFFECT_CHANGE);
    cleanup_free char *where_path = in_scratch(practice, "where");
    cleanup_free char *where = NULL;
    size_t size = 0;
    while (size == 0 || where[size - 1] != '\n') {
        free(take_pointer(where));
        (void)file_read(where_path, 4096, &where, &size, NULL);
    }
    where[size - 1] = '\0';
    assert_int_equal(access(where, F_OK), 0);
    cleanup_free char *grep = text_format("grep -rl canary-value '%s'", practice->folder);
    const char *search[] = {"sh", "-c", grep};
    struct salvor_exec_request look = {.struct_size = sizeof look, .argc = 3, .argv = search};
    struct salvor_exec_result found = {.struct_size = sizeof found};
    assert_int_equal(exec_run(practice_call(practice), &look, &found), SALVOR_OK);
    assert_int_equal(found.exit_status, 1);
    open_gate(practice);
    struct salvor_job_state job = waited(practice, "job-1");
    assert_string_equal(job.out.data, "tmpfs\n12\n");
    assert_int_equal(access(where, F_OK), -1);
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(int argc, char **argv)
{
    shims_main_if_asked(argc, argv);
    const struct CMUnitTest tests[] = {
        practised(start_poll_and_wait),
        practised(starting_again_changes_nothing),
        practised(ids_belong_to_the_step),
        practised(no_job_in_a_read),
        practised(a_job_that_cannot_start),
        practised(newest_output_is_kept),
        practised(output_path_and_input),
        practised(kill_ends_the_group),
        practised(who_is_deaf_is_killed_after_a_grace),
        practised(time_limit_ends_the_job),
        practised(killed_before_it_began),
        practised(it_outlives_worker_and_group),
        practised(a_killed_shim_is_a_lost_job),
        practised(another_boot_is_a_lost_job),
        practised(damaged_folders_are_named),
        practised(racing_starters_start_once),
        practised(a_starter_killed_anywhere_starts_once),
        practised(a_shim_killed_anywhere_starts_at_most_once),
        practised(secrets_live_as_long_as_the_job),
    };
    /* it would be killed at the hundreds of system calls that valgrind makes on its own */
    if (getenv("SALVOR_UNDER_VALGRIND") != NULL)
        cmocka_set_skip_filter("a_s*_killed_anywhere_*");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
