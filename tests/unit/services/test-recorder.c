#include "../unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "host/redact.h"
#include "practice-call.h"
#include "services/exec.h"
#include "services/recorder.h"
#include "services/secret.h"
#include "services/shims.h"

static char recordings[] = "/tmp/salvor-test-recordings-XXXXXX";

static int make_recordings(void **state)
{
    (void)state;
    memcpy(recordings + sizeof recordings - 7, "XXXXXX", 6);
    return mkdtemp(recordings) != NULL ? 0 : -1;
}

static int drop_recordings(void **state)
{
    (void)state;
    redact_clear();
    return file_remove_tree(recordings, NULL);
}

/* A run (with its own folders) that records or replays. */
static void begin_run(struct practice *practice, const char *how)
{
    cleanup_error struct error err = ERROR_INIT;
    practice_begin(practice);
    json_put_text(practice->session.open, how, recordings);
    if (recorder_open(practice->session.open, &practice->session.recorder, &err) != 0)
        fail_msg("%s", err.message);
}

static void end_run(struct practice *practice)
{
    recorder_close(practice->session.recorder);
    practice_end(practice);
}

/* The worker of the run is replaced: nothing of the recorder is left in memory. */
static void replace_worker(struct practice *practice)
{
    cleanup_error struct error err = ERROR_INIT;
    recorder_close(practice->session.recorder);
    assert_int_equal(recorder_open(practice->session.open, &practice->session.recorder, &err), 0);
}

static salvor_status run(struct practice *practice, const char *script, const char *output,
                         struct salvor_exec_result *ret)
{
    const char *argv[] = {"sh", "-c", script, practice->scratch};
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 4, .argv = argv, .output_path = output};
    *ret = (struct salvor_exec_result){.struct_size = sizeof *ret};
    return exec_run(practice_call(practice), &request, ret);
}

static size_t count_recordings(void)
{
    size_t count = 0;
    cleanup_dir DIR *folder = opendir(recordings);
    assert_non_null(folder);
    for (const struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;)
        count += text_ends(entry->d_name, ".json");
    return count;
}

/* Everything in the folder of recordings, as one text. */
static char *all_recordings(void)
{
    struct buffer all = BUFFER_INIT(1 << 20);
    cleanup_dir DIR *folder = opendir(recordings);
    for (const struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;) {
        cleanup_free char *path = text_format("%s/%s", recordings, entry->d_name);
        cleanup_free char *text = NULL;
        if (file_read(path, 1 << 20, &text, NULL, NULL) == 0)
            (void)buffer_append_text(&all, text);
    }
    return buffer_take(&all);
}

static void answers_come_back_in_order(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    (void)state;
    static const char counting[] = "echo x >>times; wc -l <times; echo at $0; echo no >&2; exit 4";
    begin_run(&practice, "record");
    for (int i = 1; i <= 2; i++)
        assert_int_equal(run(&practice, counting, NULL, &result), SALVOR_OK);
    assert_int_equal(run(&practice, "printf '\\0\\377'", NULL, &result), SALVOR_OK);
    assert_int_equal(run(&practice, "kill -9 $$", NULL, &result), SALVOR_OK);
    assert_int_equal(run(&practice, "echo '{scratch}'", NULL, &result), SALVOR_OK);
    end_run(&practice);
    assert_int_equal(count_recordings(), 5);
    begin_run(&practice, "replay");
    for (int i = 1; i <= 2; i++) {
        cleanup_free char *expected = text_format("%d\nat %s\n", i, practice.scratch);
        assert_int_equal(run(&practice, counting, NULL, &result), SALVOR_OK);
        assert_string_equal(result.out.data, expected);
        assert_string_equal(result.err.data, "no\n");
        assert_int_equal(result.exit_status, 4);
        assert_int_equal(result.certainty, SALVOR_CERTAINTY_ANSWERED);
        assert_true(json_flag(practice_frame(&practice, FRAME_EVIDENCE), "replayed"));
        replace_worker(&practice);
    }
    cleanup_free char *times = text_format("%s/times", practice.scratch);
    assert_int_equal(access(times, F_OK), -1);
    assert_int_equal(run(&practice, "printf '\\0\\377'", NULL, &result), SALVOR_OK);
    assert_int_equal(result.out.size, 2);
    assert_memory_equal(result.out.data, "\0\377\0", 3);
    assert_int_equal(run(&practice, "kill -9 $$", NULL, &result), SALVOR_OK);
    assert_int_equal(result.signal_number, 9);
    assert_int_equal(run(&practice, "echo '{scratch}'", NULL, &result), SALVOR_OK);
    assert_string_equal(result.out.data, "{scratch}\n");
    end_run(&practice);
}

static void requests_without_a_recording_are_named(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    (void)state;
    begin_run(&practice, "record");
    assert_int_equal(run(&practice, "echo status of member 1", NULL, &result), SALVOR_OK);
    assert_int_equal(run(&practice, "true", NULL, &result), SALVOR_OK);
    end_run(&practice);
    begin_run(&practice, "replay");
    assert_int_equal(run(&practice, "echo status of member 2", NULL, &result), SALVOR_FAILED);
    assert_non_null(strstr(practice.call.error.message, "no recording of exec.run"));
    assert_non_null(strstr(practice.call.error.message, "member 2"));
    assert_non_null(strstr(practice.call.error.hint, "member 1"));
    assert_int_equal(run(&practice, "true", NULL, &result), SALVOR_OK);
    assert_int_equal(run(&practice, "true", NULL, &result), SALVOR_FAILED);
    assert_non_null(strstr(practice.call.error.message, "fewer than 2 recordings"));
    struct salvor_job_state job = {.struct_size = sizeof job};
    assert_int_equal(exec_job_poll(practice_call(&practice), "job-1", &job), SALVOR_FAILED);
    assert_string_equal(practice.call.error.hint, "nothing of exec.job_poll is recorded there");
    end_run(&practice);
}

static void the_gate_holds_in_a_replay(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    (void)state;
    begin_run(&practice, "record");
    assert_int_equal(run(&practice, "true", NULL, &result), SALVOR_OK);
    end_run(&practice);
    begin_run(&practice, "replay");
    practice_next_call(&practice, SALVOR_EFFECT_READ);
    assert_int_equal(run(&practice, "true", NULL, &result), SALVOR_REFUSED);
    practice_next_call(&practice, SALVOR_EFFECT_CHANGE);
    assert_int_equal(run(&practice, "true", NULL, &result), SALVOR_OK);
    end_run(&practice);
}

static void failures_and_files_come_back(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    (void)state;
    begin_run(&practice, "record");
    assert_int_equal(run(&practice, "head -c 2000000 /dev/zero", NULL, &result), SALVOR_FAILED);
    assert_int_equal(run(&practice, "echo written", "sub/dump", &result), SALVOR_OK);
    end_run(&practice);
    begin_run(&practice, "replay");
    assert_int_equal(run(&practice, "head -c 2000000 /dev/zero", NULL, &result), SALVOR_FAILED);
    assert_non_null(strstr(practice.call.error.message, "more than 1048576 bytes"));
    assert_non_null(strstr(practice.call.error.hint, "output_limit"));
    assert_int_equal(run(&practice, "echo written", "sub/dump", &result), SALVOR_OK);
    cleanup_free char *path = text_format("%s/sub/dump", practice.scratch);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "written\n");
    end_run(&practice);
    begin_run(&practice, "replay");
    cleanup_free char *damage = text_format("for f in %s/*.out; do echo x >$f; done", recordings);
    assert_int_equal(system(damage), 0);
    assert_int_equal(run(&practice, "echo written", "sub/dump", &result), SALVOR_FAILED);
    assert_non_null(strstr(practice.call.error.message, "is not what was recorded"));
    end_run(&practice);
}

static salvor_status start(struct practice *practice, const char *id, const char *script)
{
    const char *argv[] = {"sh", "-c", script};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv};
    return exec_job_start(practice_call(practice), id, &request);
}

static void jobs_have_other_ids_in_each_run(void **state)
{
    struct practice practice;
    struct salvor_job_state job = {.struct_size = sizeof job};
    (void)state;
    begin_run(&practice, "record");
    assert_int_equal(exec_job_poll(practice_call(&practice), "job-1-x", &job), SALVOR_OK);
    assert_int_equal(start(&practice, "job-1-x", "echo done"), SALVOR_OK);
    assert_int_equal(exec_job_wait(practice_call(&practice), "job-1-x", &job), SALVOR_OK);
    assert_int_equal(exec_job_kill(practice_call(&practice), "job-1-x"), SALVOR_OK);
    end_run(&practice);
    begin_run(&practice, "replay");
    json_put_text(json_object_get(practice.call.body, "step"), "job_id", "other-7");
    assert_int_equal(exec_job_poll(practice_call(&practice), "other-7-x", &job), SALVOR_OK);
    assert_int_equal(job.state, SALVOR_JOB_ABSENT);
    assert_int_equal(start(&practice, "other-7-x", "echo done"), SALVOR_OK);
    assert_int_equal(start(&practice, "other-7-x", "echo other"), SALVOR_FAILED);
    assert_int_equal(exec_job_wait(practice_call(&practice), "other-7-x", &job), SALVOR_OK);
    assert_int_equal(job.state, SALVOR_JOB_ENDED);
    assert_string_equal(job.out.data, "done\n");
    assert_true(job.ended_ms > 0);
    assert_int_equal(exec_job_kill(practice_call(&practice), "other-7-x"), SALVOR_OK);
    cleanup_free char *folder = text_format("%s/jobs/other-7-x", practice.folder);
    assert_int_equal(access(folder, F_OK), -1);
    end_run(&practice);
}

static json_t *accept_all(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_make("{}");
}

static void recordings_hold_no_secret_and_no_path(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    salvor_secret *secret = NULL;
    (void)state;
    begin_run(&practice, "record");
    practice.answer = accept_all;
    assert_int_equal(secrets_table.adopt(practice_call(&practice), "canary-value", 12, &secret),
                     SALVOR_OK);
    assert_int_equal(
        run(&practice, "pwd; echo canary-value; printf canary-value | base64", NULL, &result),
        SALVOR_OK);
    assert_non_null(strstr(result.out.data, "canary-value"));
    cleanup_free char *all = all_recordings();
    assert_null(strstr(all, "canary-value"));
    assert_null(strstr(all, "Y2FuYXJ5"));
    assert_null(strstr(all, practice.folder));
    assert_non_null(strstr(all, "{scratch}"));
    end_run(&practice);
}

static void recordings_are_the_same_each_time(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    cleanup_free char *first = NULL;
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin_run(&practice, "record");
        assert_int_equal(run(&practice, "pwd; echo $0", NULL, &result), SALVOR_OK);
        end_run(&practice);
        cleanup_free char *all = all_recordings();
        if (first != NULL)
            assert_string_equal(first, all);
        free(first);
        first = take_pointer(all);
    }
}

static void folders_that_cannot_be_used(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    struct recorder *recorder = NULL;
    (void)state;
    cleanup_json json_t *neither = json_make("{}");
    assert_int_equal(recorder_open(neither, &recorder, &err), 0);
    assert_null(recorder);
    assert_int_equal(recorder_records(recorder) + recorder_replays(recorder), 0);
    recorder_close(NULL);
    cleanup_json json_t *both = json_make("{s:s,s:s}", "record", "/a", "replay", "/b");
    assert_int_equal(recorder_open(both, &recorder, &err), -1);
    cleanup_json json_t *absent = json_make("{s:s}", "replay", "/nonexistent");
    assert_int_equal(recorder_open(absent, &recorder, &err), -1);
    assert_non_null(strstr(err.hint, "--record"));
    cleanup_json json_t *file = json_make("{s:s}", "record", "/dev/null");
    assert_int_equal(recorder_open(file, &recorder, &err), -1);
}

#define recorded(test) cmocka_unit_test_setup_teardown(test, make_recordings, drop_recordings)

/* It came in an answer that was recorded before anybody knew what it is. */
static void a_secret_that_was_told_late_is_hidden(void **state)
{
    struct practice practice;
    struct salvor_exec_result result;
    (void)state;
    begin_run(&practice, "record");
    assert_int_equal(run(&practice, "echo late-canary", NULL, &result), SALVOR_OK);
    assert_int_equal(run(&practice, "echo other words", NULL, &result), SALVOR_OK);
    redact_add("late-canary", 11);
    cleanup_free char *before = all_recordings();
    assert_non_null(strstr(before, "late-canary"));
    assert_int_equal(recorder_hide_again(practice.session.recorder, NULL), 0);
    cleanup_free char *after = all_recordings();
    assert_null(strstr(after, "late-canary"));
    assert_non_null(strstr(after, "other words"));
    assert_int_equal(count_recordings(), 2);
    /* Where nothing is recorded there is nothing to do. */
    assert_int_equal(recorder_hide_again(NULL, NULL), 0);
    end_run(&practice);
}

int main(int argc, char **argv)
{
    shims_main_if_asked(argc, argv);
    const struct CMUnitTest tests[] = {
        recorded(a_secret_that_was_told_late_is_hidden),
        recorded(answers_come_back_in_order),
        recorded(requests_without_a_recording_are_named),
        recorded(the_gate_holds_in_a_replay),
        recorded(failures_and_files_come_back),
        recorded(jobs_have_other_ids_in_each_run),
        recorded(recordings_hold_no_secret_and_no_path),
        recorded(recordings_are_the_same_each_time),
        recorded(folders_that_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
