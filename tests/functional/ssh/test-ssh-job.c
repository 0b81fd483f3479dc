#include "ssh-practice.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/secret.h"
#include "services/ssh-connection.h"

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

static salvor_status start(struct ssh_practice *at, salvor_ssh_host *host, const char *id,
                           const char *script)
{
    struct shell sh;
    return ssh_table.job_start(ssh_practice_call(at), host, id, shell(&sh, script));
}

static void must_start(struct ssh_practice *at, salvor_ssh_host *host, const char *id,
                       const char *script)
{
    if (start(at, host, id, script) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
}

static struct salvor_job_state waited(struct ssh_practice *at, salvor_ssh_host *host,
                                      const char *id)
{
    struct salvor_job_state state = {.struct_size = sizeof state};
    at->practice.call.deadline = clock_monotonic_ms() + 60000;
    if (ssh_table.job_wait(ssh_practice_call(at), host, id, &state) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    return state;
}

static struct salvor_job_state polled(struct ssh_practice *at, salvor_ssh_host *host,
                                      const char *id)
{
    struct salvor_job_state state = {.struct_size = sizeof state};
    if (ssh_table.job_poll(ssh_practice_call(at), host, id, &state) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    return state;
}

/* The folder of the jobs on the host; it has one folder, named after the machine. */
static char *jobs_folder(const struct ssh_practice *at)
{
    cleanup_free char *jobs = text_format("%s/.local/state/salvor/jobs", at->host->home);
    cleanup_dir DIR *folder = opendir(jobs);
    assert_non_null(folder);
    for (const struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            return text_format("%s/%s", jobs, entry->d_name);
    fail_msg("no jobs below '%s'", jobs);
    return NULL;
}

static char *job_file(const struct ssh_practice *at, const char *id, const char *name)
{
    cleanup_free char *jobs = jobs_folder(at);
    return text_format("%s/%s/%s", jobs, id, name);
}

static char *home_file(const struct ssh_practice *at, const char *name)
{
    return text_format("%s/%s", at->host->home, name);
}

/* How often a script that writes to that file has run. */

static int runs(const struct ssh_practice *at, const char *name)
{
    cleanup_free char *path = home_file(at, name);
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (access(path, F_OK) != 0)
        return 0;
    assert_int_equal(file_read(path, 65536, &text, &size, NULL), 0);
    return (int)size / 2;
}

static void await_file(const char *path)
{
    for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++)
        (void)usleep(10000);
    assert_int_equal(access(path, F_OK), 0);
}

/* ---- the life of a job ----------------------------------------------------------------------- */

static void a_job_and_its_end(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(polled(at, host, "job-1").state, SALVOR_JOB_ABSENT);
    const int64_t before = clock_realtime_ms();
    must_start(at, host, "job-1",
               "echo out; echo err >&2; while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; exit 9");
    struct salvor_job_state job = polled(at, host, "job-1");
    assert_int_equal(job.state, SALVOR_JOB_RUNNING);
    assert_true(job.started_ms >= before - 1000);
    assert_int_equal(job.ended_ms, 0);
    at->practice.call.deadline = clock_monotonic_ms() + 700;
    job.struct_size = sizeof job;
    assert_int_equal(ssh_table.job_wait(ssh_practice_call(at), host, "job-1", &job),
                     SALVOR_PENDING);
    assert_int_equal(job.state, SALVOR_JOB_RUNNING);
    cleanup_free char *go = home_file(at, "go");
    assert_int_equal(file_write_atomic(go, "", 0, 0600, NULL), 0);
    job = waited(at, host, "job-1");
    assert_int_equal(job.state, SALVOR_JOB_ENDED);
    assert_int_equal(job.exit_status, 9);
    assert_string_equal(job.out.data, "out\n");
    assert_string_equal(job.err.data, "err\n");
    assert_true(job.ended_ms >= job.started_ms && job.started_ms > 0);
    assert_string_equal(json_text(practice_frame(&at->practice, FRAME_EVIDENCE), "state"), "ended");
    assert_int_equal(unlink(go), 0);
}

static void it_outlives_connection_and_worker(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    must_start(at, host, "job-1-live",
               "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo done");
    practice_next_call(&at->practice, SALVOR_EFFECT_CHANGE);
    ssh_connections_close();
    at->host->rules->cut_all = 1;
    cleanup_free char *go = home_file(at, "go");
    assert_int_equal(file_write_atomic(go, "", 0, 0600, NULL), 0);
    host = ssh_practice_open(at, "");
    struct salvor_job_state job = waited(at, host, "job-1-live");
    assert_int_equal(job.exit_status, 0);
    assert_string_equal(job.out.data, "done\n");
    assert_int_equal(unlink(go), 0);
}

static void the_same_id_starts_once(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    static const char script[] = "echo x >>\"$HOME/count-once\"; sleep 0.3; exit 2";
    for (int i = 0; i < 3; i++)
        must_start(at, host, "job-1-once", script);
    assert_int_equal(waited(at, host, "job-1-once").exit_status, 2);
    must_start(at, host, "job-1-once", script);
    assert_int_equal(polled(at, host, "job-1-once").state, SALVOR_JOB_ENDED);
    assert_int_equal(runs(at, "count-once"), 1);
    assert_int_equal(start(at, host, "job-1-once", "exit 3"), SALVOR_REFUSED);
    assert_non_null(strstr(ssh_practice_error(at), "another command"));
    /* Of another step, and no id at all. */
    assert_int_equal(start(at, host, "job-2", script), SALVOR_BUG);
    assert_int_equal(start(at, host, "job-1/x", script), SALVOR_BUG);
}

static void many_at_once_start_once(void **state)
{
    struct ssh_practice *at = *state;
    enum { STARTERS = 6 };
    pid_t pids[STARTERS];
    for (int i = 0; i < STARTERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            salvor_ssh_host *host = ssh_practice_open(at, "");
            salvor_status status =
                start(at, host, "job-1-many", "echo x >>\"$HOME/count-many\"; sleep 0.2");
            ssh_connections_close();
            _exit(status == SALVOR_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < STARTERS; i++) {
        int status = -1;
        (void)waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(waited(at, host, "job-1-many").exit_status, 0);
    assert_int_equal(runs(at, "count-many"), 1);
}

/* Whatever byte is the last one that passes: it runs once, and its answer is found. */
static void cut_anywhere_it_starts_once(void **state)
{
    struct ssh_practice *at = *state;
    struct sshd_rules *rules = at->host->rules;
    /* How much passes without a cut. */
    salvor_ssh_host *host = ssh_practice_open(at, "");
    must_start(at, host, "job-1-all", "echo x >>\"$HOME/count-all\"");
    (void)waited(at, host, "job-1-all");
    const int64_t all[2] = {rules->up, rules->down};
    /* The suite against real hosts asks for many more. */
    const char *asked = getenv("SALVOR_SSH_CUTS");
    const int places = asked != NULL ? (int)strtol(asked, NULL, 10) : 4;
    for (int way = 0; way < 2; way++) {
        for (int i = 0; i < places; i++) {
            cleanup_free char *id = text_format("job-1-cut-%d-%d", way, i);
            cleanup_free char *count = text_format("count-cut-%d-%d", way, i);
            cleanup_free char *script = text_format("echo x >>\"$HOME/%s\"; exit 6", count);
            practice_next_call(&at->practice, SALVOR_EFFECT_CHANGE);
            ssh_connections_close();
            ssh_practice_calm(at);
            *(way == 0 ? &rules->cut_up : &rules->cut_down) = all[way] * (i + 1) / (places + 1);
            rules->cut_connection = rules->connections + 1;
            rules->cut = i % 2 == 0 ? SSHD_CUT_CLOSE : SSHD_CUT_RESET;
            host = ssh_practice_open(at, "");
            salvor_status status = start(at, host, id, script);
            rules->cut = SSHD_CUT_NONE;
            if (status != SALVOR_OK && status != SALVOR_RETRY)
                fail_msg("way %d place %d: %u %s", way, i, status, ssh_practice_error(at));
            if (status != SALVOR_OK) /* the row is tried again */
                must_start(at, host, id, script);
            assert_int_equal(waited(at, host, id).exit_status, 6);
            assert_int_equal(runs(at, count), 1);
        }
    }
}

/* ---- what it is given ------------------------------------------------------------------------ */

static void input_secrets_folder_and_environment(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    salvor_secret *secret = NULL;
    struct shell sh;
    static const char canary[] = "canary'%\\ secret";
    static const char *const env[] = {"GIVEN=it's"};
    assert_int_equal(secrets_table.adopt(ssh_practice_call(at), canary, sizeof canary - 1, &secret),
                     SALVOR_OK);
    const struct salvor_exec_secret secrets[] = {{.secret = secret}};
    struct salvor_exec_request *request =
        shell(&sh, "pwd; echo \"$GIVEN\"; wc -c; echo; ps axww -o args | grep -c '[c]anary'");
    request->secrets = secrets;
    request->secret_count = 1;
    request->input = (struct salvor_span){"a\0b", 3};
    request->env = env;
    request->env_count = 1;
    request->folder = "/usr";
    assert_int_equal(ssh_table.job_start(ssh_practice_call(at), host, "job-1-in", request),
                     SALVOR_OK);
    struct salvor_job_state job = waited(at, host, "job-1-in");
    cleanup_free char *wanted = text_format("/usr\nit's\n%zu\n\n0\n", sizeof canary - 1 + 1 + 3);
    assert_string_equal(job.out.data, wanted);
    /* Nothing of it is on the host's disk. */
    struct salvor_exec_result result =
        ssh_practice_shell(at, host, "grep -rl canary \"$HOME\" | wc -l");
    assert_string_equal(result.out.data, "0\n");
}

static void a_folder_that_is_not_there(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "exit 0");
    request->folder = "/nonexistent";
    assert_int_equal(ssh_table.job_start(ssh_practice_call(at), host, "job-1-nofolder", request),
                     SALVOR_OK);
    struct salvor_job_state job = waited(at, host, "job-1-nofolder");
    assert_int_equal(job.exit_status, 127);
    assert_non_null(strstr(job.err.data, "its folder cannot be entered"));
    request->folder = NULL;
    request->output_path = "out";
    assert_int_equal(ssh_table.job_start(ssh_practice_call(at), host, "job-1-out", request),
                     SALVOR_UNSUPPORTED);
}

static void only_the_newest_output_stays(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    struct shell sh;
    struct salvor_exec_request *request =
        shell(&sh, "head -c 3000000 /dev/zero | tr '\\0' a; sleep 2.5; echo END; echo last >&2");
    request->output_limit = 1;
    assert_int_equal(ssh_table.job_start(ssh_practice_call(at), host, "job-1-big", request),
                     SALVOR_OK);
    struct salvor_job_state job = waited(at, host, "job-1-big");
    assert_int_equal(job.out.size, 65536);
    assert_string_equal(job.out.data + 65532, "END\n");
    assert_string_equal(job.err.data, "last\n");
    cleanup_free char *path = job_file(at, "job-1-big", "stdout");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_blocks * 512 < 1000000);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* A process that has ended may wait for ever for somebody to take notice. */
static int is_alive(pid_t pid)
{
    cleanup_free char *path = text_format("/proc/%d/stat", (int)pid);
    cleanup_free char *text = NULL;
    if (file_read(path, 4096, &text, NULL, NULL) != 0)
        return 0;
    const char *behind = strrchr(text, ')');
    return behind != NULL && behind[2] != 'Z';
}

static void killed_with_all_that_it_started(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    must_start(at, host, "job-1-kill",
               "sh -c 'echo $$ >\"$HOME/grandchild\"; while :; do sleep 0.1; done' & "
               "echo up; while :; do sleep 0.1; done");
    cleanup_free char *path = home_file(at, "grandchild");
    await_file(path);
    cleanup_free char *text = NULL;
    while (text == NULL || *text == '\0') {
        free(text);
        assert_int_equal(file_read(path, 100, &text, NULL, NULL), 0);
    }
    const pid_t grandchild = (pid_t)strtol(text, NULL, 10);
    assert_true(is_alive(grandchild));
    if (ssh_table.job_kill(ssh_practice_call(at), host, "job-1-kill") != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    struct salvor_job_state job = polled(at, host, "job-1-kill");
    assert_int_equal(job.state, SALVOR_JOB_ENDED);
    assert_int_equal(job.exit_status, 128 + SIGTERM);
    for (int i = 0; i < 300 && is_alive(grandchild); i++)
        (void)usleep(10000);
    assert_false(is_alive(grandchild));
    /* Again, and where there is none. */
    assert_int_equal(ssh_table.job_kill(ssh_practice_call(at), host, "job-1-kill"), SALVOR_OK);
    assert_int_equal(ssh_table.job_kill(ssh_practice_call(at), host, "job-1-none"),
                     SALVOR_NOT_FOUND);
}

static void a_time_limit_for_its_whole_life(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    struct shell sh;
    struct salvor_exec_request *request = shell(&sh, "while :; do sleep 0.1; done");
    request->timeout_ms = 1000;
    assert_int_equal(ssh_table.job_start(ssh_practice_call(at), host, "job-1-late", request),
                     SALVOR_OK);
    struct salvor_job_state job = waited(at, host, "job-1-late");
    assert_int_equal(job.exit_status, 128 + SIGTERM);
    assert_non_null(strstr(job.err.data, "passed its time limit"));
}

static void lost_when_nobody_takes_care(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    must_start(at, host, "job-1-lost", "echo $$ >\"$HOME/lost\"; exec sleep 100");
    cleanup_free char *path = home_file(at, "lost");
    await_file(path);
    cleanup_free char *claim = job_file(at, "job-1-lost", "claim");
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(claim, 1000, &text, NULL, NULL), 0);
    const char *pid = strchr(text, ' ');
    assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
    for (int i = 0; i < 200 && polled(at, host, "job-1-lost").state == SALVOR_JOB_RUNNING; i++)
        continue;
    assert_int_equal(polled(at, host, "job-1-lost").state, SALVOR_JOB_LOST);
    /* It is not started again, and killing it is done. */
    must_start(at, host, "job-1-lost", "echo $$ >\"$HOME/lost\"; exec sleep 100");
    assert_int_equal(polled(at, host, "job-1-lost").state, SALVOR_JOB_LOST);
    assert_int_equal(ssh_table.job_kill(ssh_practice_call(at), host, "job-1-lost"), SALVOR_OK);
    (void)ssh_practice_shell(at, host, "kill \"$(cat \"$HOME/lost\")\"");
}

static void lost_with_a_restart_of_the_machine(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    must_start(at, host, "job-1-boot", "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done");
    assert_int_equal(polled(at, host, "job-1-boot").state, SALVOR_JOB_RUNNING);
    /* As the claim would look if it were of the boot before. */
    cleanup_free char *claim = job_file(at, "job-1-boot", "claim");
    cleanup_free char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read(claim, 1000, &text, &size, NULL), 0);
    cleanup_free char *as_it_was = text_copy(text);
    text[0] = text[0] == '0' ? '1' : '0';
    assert_int_equal(file_write_atomic(claim, text, size, 0600, NULL), 0);
    assert_int_equal(polled(at, host, "job-1-boot").state, SALVOR_JOB_LOST);
    assert_int_equal(file_write_atomic(claim, as_it_was, size, 0600, NULL), 0);
    cleanup_free char *go = home_file(at, "go");
    assert_int_equal(file_write_atomic(go, "", 0, 0600, NULL), 0);
    assert_int_equal(waited(at, host, "job-1-boot").exit_status, 0);
    assert_int_equal(unlink(go), 0);
}

/* A container whose disk was made anew: what this run knows keeps the job from a second start. */
static void lost_when_the_host_forgot_it(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    static const char script[] = "echo x >>\"$HOME/count-forgotten\"";
    must_start(at, host, "job-1-forgotten", script);
    assert_int_equal(waited(at, host, "job-1-forgotten").exit_status, 0);
    cleanup_free char *request = job_file(at, "job-1-forgotten", "request");
    *strrchr(request, '/') = '\0';
    assert_int_equal(file_remove_tree(request, NULL), 0);
    assert_int_equal(polled(at, host, "job-1-forgotten").state, SALVOR_JOB_LOST);
    must_start(at, host, "job-1-forgotten", script);
    assert_int_equal(polled(at, host, "job-1-forgotten").state, SALVOR_JOB_LOST);
    assert_int_equal(runs(at, "count-forgotten"), 1);
}

static void prepared_is_absent_and_can_be_killed(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    static const char script[] = "echo x >>\"$HOME/count-prepared\"; exit 7";
    /* As a machine leaves it that goes down between preparing and claiming. */
    must_start(at, host, "job-1-before", script);
    (void)waited(at, host, "job-1-before");
    cleanup_free char *jobs = jobs_folder(at);
    cleanup_free char *command = text_format(
        "cd '%s' && mkdir job-1-prepared job-1-killed && cp job-1-before/request job-1-prepared && "
        "cp job-1-before/request job-1-killed",
        jobs);
    assert_int_equal(ssh_practice_shell(at, host, command).exit_status, 0);
    assert_int_equal(polled(at, host, "job-1-prepared").state, SALVOR_JOB_ABSENT);
    must_start(at, host, "job-1-prepared", script);
    assert_int_equal(waited(at, host, "job-1-prepared").exit_status, 7);
    assert_int_equal(ssh_table.job_kill(ssh_practice_call(at), host, "job-1-killed"), SALVOR_OK);
    must_start(at, host, "job-1-killed", script);
    struct salvor_job_state job = waited(at, host, "job-1-killed");
    assert_int_equal(job.exit_status, 128 + SIGTERM);
    assert_non_null(strstr(job.err.data, "before it started"));
    assert_int_equal(runs(at, "count-prepared"), 2);
}

/* ---- gates and recordings -------------------------------------------------------------------- */

static void a_read_row_only_looks(void **state)
{
    struct ssh_practice *at = *state;
    practice_next_call(&at->practice, SALVOR_EFFECT_DECLARED_READ);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(start(at, host, "job-1-read", "exit 0"), SALVOR_REFUSED);
    assert_int_equal(ssh_table.job_kill(ssh_practice_call(at), host, "job-1-read"), SALVOR_REFUSED);
    assert_int_equal(polled(at, host, "job-1-read").state, SALVOR_JOB_ABSENT);
}

static void an_unreachable_host_is_no_state(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, "");
    struct salvor_job_state job = {.struct_size = sizeof job};
    at->host->rules->refuse = 1;
    assert_int_equal(ssh_table.job_poll(ssh_practice_call(at), host, "job-1", &job), SALVOR_RETRY);
    at->practice.call.deadline = clock_monotonic_ms() + 2500;
    assert_int_equal(start(at, host, "job-1-away", "exit 0"), SALVOR_RETRY);
}

int main(int argc, char **argv)
{
    struct sshd *host = ssh_practice_host(argc, argv, &(struct sshd_settings){0});
#define TEST(name) cmocka_unit_test_setup_teardown(name, ssh_practice_setup, ssh_practice_teardown)
    if (getenv("SALVOR_SSH_CUTS") != NULL)
        cmocka_set_test_filter("cut_anywhere*");
    const struct CMUnitTest tests[] = {
        TEST(a_job_and_its_end),
        TEST(it_outlives_connection_and_worker),
        TEST(the_same_id_starts_once),
        TEST(many_at_once_start_once),
        TEST(cut_anywhere_it_starts_once),
        TEST(input_secrets_folder_and_environment),
        TEST(a_folder_that_is_not_there),
        TEST(only_the_newest_output_stays),
        TEST(killed_with_all_that_it_started),
        TEST(a_time_limit_for_its_whole_life),
        TEST(lost_when_nobody_takes_care),
        TEST(lost_with_a_restart_of_the_machine),
        TEST(lost_when_the_host_forgot_it),
        TEST(prepared_is_absent_and_can_be_killed),
        TEST(a_read_row_only_looks),
        TEST(an_unreachable_host_is_no_state),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sshd_stop(host);
    return failed;
}
