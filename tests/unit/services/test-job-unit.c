#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "practice-call.h"
#include "services/exec.h"
#include "services/job-unit.h"
#include "services/shims.h"

/* ---- which unit ------------------------------------------------------------------------------ */

static void the_innermost_unit_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *cgroups;
        const char *unit; /* NULL: none */
        int user;
    } cases[] = {
        {"0::/\n", NULL, 0},
        {"", NULL, 0},
        {"0::/system.slice/salvor-backup.service\n", "salvor-backup.service", 0},
        {"0::/system.slice/salvor.service/deeper\n", "salvor.service", 0},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", 0},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/salvor.service\n",
         "salvor.service", 1},
        {"0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "init.scope", 1},
        {"0::/user.slice/user-7.slice/user@7.service/app.slice/salvor.service\n", "salvor.service",
         0}, /* another user's manager is of no use */
        {"12:cpu,cpuacct:/\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service", 0},
        {"4:memory:/process_api/2d9f\n9:name=systemd:/\n0::/\n", NULL, 0},
        {"0::/kubepods/burstable/pod1/abc\n", NULL, 0},
        {"0::/system.slice/run-r0::x.scope", "run-r0::x.scope", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int user = -1;
        cleanup_free char *unit = job_unit_of(cases[i].cgroups, 1000, &user);
        if (!text_equal(unit, cases[i].unit) || user != cases[i].user)
            fail_msg("'%s' is in '%s' (%d)", cases[i].cgroups, unit != NULL ? unit : "", user);
    }
}

/* ---- a job that gets one of its own ---------------------------------------------------------- */

/* A system with systemd in which this process is in a unit, and one folder of programs. */
struct place {
    struct practice *practice;
    char *root;
    char *programs;
    char *path_before;
};

static void write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
    cleanup_free char *path = text_format("%s/%s", folder, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), mode, NULL), 0);
}

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (practice_setup((void **)&place->practice) != 0)
        return -1;
    place->root = text_format("%s/root", place->practice->folder);
    place->programs = text_format("%s/programs", place->practice->folder);
    place->path_before = text_copy(getenv("PATH"));
    cleanup_free char *run = text_format("%s/run", place->root);
    cleanup_free char *systemd = text_format("%s/systemd", run);
    cleanup_free char *system = text_format("%s/system", systemd);
    const char *const folders[] = {place->root, run, systemd, system, place->programs};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (file_make_folder(folders[i], NULL) != 0)
            return -1;
    write_file(place->root, "cgroup", "0::/system.slice/salvor.service\n", 0600);
    (void)setenv("SALVOR_SYSTEMD_ROOT", place->root, 1);
    *state = place;
    return 0;
}

static int finish(void **state)
{
    struct place *place = *state;
    (void)unsetenv("SALVOR_SYSTEMD_ROOT");
    (void)setenv("PATH", place->path_before, 1);
    void *practice = place->practice;
    int result = practice_teardown(&practice);
    free(place->root);
    free(place->programs);
    free(place->path_before);
    free(place);
    return result;
}

/* systemd-run is found here first; `script`: its text after the first line. */
static void give_systemd_run(const struct place *place, const char *script)
{
    cleanup_free char *text = text_format("#!/bin/sh\n%s\n", script);
    cleanup_free char *path = text_format("%s:%s", place->programs, place->path_before);
    write_file(place->programs, "systemd-run", text, 0700);
    (void)setenv("PATH", path, 1);
}

static struct salvor_job_state run_job(const struct place *place, const char *script)
{
    const char *argv[] = {"/bin/sh", "-c", script};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv};
    struct salvor_job_state state = {.struct_size = sizeof state};
    salvor_call *call = practice_call(place->practice);
    if (exec_job_start(call, "job-1", &request) != SALVOR_OK)
        fail_msg("%s", place->practice->call.error.message);
    place->practice->call.deadline = clock_monotonic_ms() + 60000;
    assert_int_equal(exec_job_wait(call, "job-1", &state), SALVOR_OK);
    assert_int_equal(state.state, SALVOR_JOB_ENDED);
    assert_int_equal(state.exit_status, 0);
    return state;
}

/* What the evidence of the start says of the unit; NULL: nothing. The newest evidence is the
 * wait's. */
static const char *unit_told(const struct place *place)
{
    size_t index = 0;
    const json_t *frame = NULL;
    json_array_foreach (place->practice->frames, index, frame) {
        const json_t *body = json_object_get(frame, "body");
        if (text_equal(json_text(body, "what"), "job_start"))
            return json_text(body, "unit");
    }
    return "no evidence";
}

static void expect_warning(const struct place *place, const char *piece)
{
    const char *text = json_text(practice_frame(place->practice, FRAME_LOG), "text");
    if (text == NULL || strstr(text, piece) == NULL || strstr(text, "'salvor.service'") == NULL ||
        strstr(text, "KillMode=process") == NULL)
        fail_msg("'%s' lacks '%s'", text != NULL ? text : "", piece);
}

static void it_is_asked_for_with_systemd_run(void **state)
{
    const struct place *place = *state;
    cleanup_free char *words_path = text_format("%s/words", place->programs);
    cleanup_free char *words = NULL;
    if (geteuid() != 0)
        skip();
    give_systemd_run(place, "printf '%s\\n' \"$@\" >\"${0%/*}/words\"\n"
                            "while [ \"$1\" != -- ]; do shift; done\n"
                            "shift\nOUTSIDE=yes exec \"$@\"");
    struct salvor_job_state job = run_job(place, "echo out; echo err >&2; cat; exit 0");
    assert_memory_equal(job.out.data, "out\n", 4);
    assert_memory_equal(job.err.data, "err\n", 4);
    assert_string_equal(unit_told(place), "own");
    assert_int_equal(practice_frame_count(place->practice, FRAME_LOG), 0);
    assert_int_equal(file_read(words_path, 65536, &words, NULL, NULL), 0);
    for (const char *const *word = (const char *const[]){"--system\n--scope\n--collect\n"
                                                         "--no-ask-password\n",
                                                         "--description=salvor job job-1\n--\n/",
                                                         "\n" JOB_SHIM_COMMAND "\n", NULL};
         *word != NULL; word++)
        if (strstr(words, *word) == NULL)
            fail_msg("'%s' lacks '%s'", words, *word);
}

static void a_job_that_gets_none_is_started_and_told(void **state)
{
    const struct place *place = *state;
    give_systemd_run(place, "echo 'Failed to connect to bus: no such thing' >&2\nexit 1");
    (void)run_job(place, "echo once >>once");
    expect_warning(place, "Failed to connect to bus: no such thing");
    assert_string_equal(unit_told(place), "shared");
    cleanup_free char *path = text_format("%s/once", place->practice->scratch);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, strlen("once\n"));
}

/* The worst of all: it starts the job and then says that it could not. */
static void a_job_runs_once_whatever_systemd_run_says(void **state)
{
    const struct place *place = *state;
    give_systemd_run(place, "while [ \"$1\" != -- ]; do shift; done\nshift\n"
                            "\"$@\"\nsleep 0.2\nexit 1");
    (void)run_job(place, "echo once >>once");
    cleanup_free char *path = text_format("%s/once", place->practice->scratch);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, strlen("once\n"));
}

static void without_systemd_run_it_is_told_too(void **state)
{
    const struct place *place = *state;
    (void)setenv("PATH", place->programs, 1);
    (void)run_job(place, "exit 0");
    expect_warning(place, "systemd-run is not installed");
}

/* The real one, on a machine whose systemd cannot be asked: this process only says that it could.
 */
static void the_real_one_fails_cleanly(void **state)
{
    const struct place *place = *state;
    if (access("/usr/bin/systemd-run", X_OK) != 0 || access("/run/systemd/system", F_OK) == 0)
        skip();
    (void)setenv("PATH", "/usr/bin:/bin", 1);
    (void)run_job(place, "exit 0");
    expect_warning(place, "it could not be started outside of it (");
}

static void where_there_is_no_unit_nothing_is_asked(void **state)
{
    const struct place *place = *state;
    give_systemd_run(place, "exit 1");
    write_file(place->root, "cgroup", "0::/\n", 0600);
    (void)run_job(place, "exit 0");
    assert_null(unit_told(place));
    assert_int_equal(practice_frame_count(place->practice, FRAME_LOG), 0);
}

#define placed(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(int argc, char **argv)
{
    shims_main_if_asked(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_innermost_unit_is_found),
#ifdef SALVOR_TEST_HOOKS
        placed(it_is_asked_for_with_systemd_run),
        placed(a_job_that_gets_none_is_started_and_told),
        placed(a_job_runs_once_whatever_systemd_run_says),
        placed(without_systemd_run_it_is_told_too),
        placed(the_real_one_fails_cleanly),
        placed(where_there_is_no_unit_nothing_is_asked),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
