#include "../journal/scratch.h"

#include <sqlite3.h>
#include <stdio.h>

#include "base/json.h"
#include "report/model.h"
#include "report/render.h"
#include "report/view.h"
#include "samples.h"

static json_t *report_of_path(const char *path, int verify, const char *const *heads)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *journal = NULL;
    json_t *report = NULL;
    const struct report_request request = {
        .run = "some-run", .path = path, .verify = verify, .known_heads = heads};
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_ok(report_model(journal, &request, &report, &err), &err);
    return report;
}

static json_t *report_of(void **state, enum sample sample)
{
    cleanup_free char *path = in_scratch(state, "journal.db");
    (void)unlink(path);
    sample_write(sample, path);
    return report_of_path(path, 0, NULL);
}

static char *render(const json_t *report, void (*renderer)(const json_t *report, FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    renderer(report, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const json_t *stage_of(const json_t *report, size_t stage)
{
    return json_array_get(json_object_get(report, "stages"), stage);
}

static const json_t *step_of(const json_t *report, size_t stage, size_t step)
{
    return json_array_get(json_object_get(stage_of(report, stage), "steps"), step);
}

static int64_t time_of(const json_t *report, const char *key)
{
    return json_whole(json_object_get(report, "times"), key, -1);
}

static void an_undisturbed_run_is_told_in_full(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_UNDISTURBED);
    assert_string_equal(json_text(report, "status"), "done");
    assert_string_equal(json_text(report, "id"), sample_run_id(SAMPLE_UNDISTURBED));
    assert_true(json_flag(report, "closed"));
    assert_int_equal(json_array_size(json_object_get(report, "stages")), 2);
    assert_int_equal(json_whole(json_object_get(report, "progress"), "done", 0), 5);
    assert_int_equal(json_array_size(json_object_get(report, "damage")), 0);
    assert_int_equal(json_array_size(json_object_get(report, "interruptions")), 0);
    assert_int_equal(time_of(report, "down_ms"), 0);
    assert_int_equal(time_of(report, "people_ms"), 95000 + 48000);
    assert_int_equal(time_of(report, "steps_ms"), 2600 + 11800 + 7900 + 22400 + 1300);
    const json_t *step = step_of(report, 0, 1);
    assert_string_equal(json_text(step, "state"), "done");
    assert_int_equal(json_whole(step, "duration_ms", 0), 11800);
    assert_int_equal(json_array_size(json_object_get(step, "checks")), 2);
    const json_t *job = json_object_get(json_object_get(report, "jobs"), "restore-4f2a");
    assert_string_equal(json_text(job, "state"), "ended");
    assert_int_equal(json_whole(job, "exit_status", -1), 0);
    const json_t *approval = json_array_get(json_object_get(stage_of(report, 1), "approvals"), 0);
    assert_int_equal(json_whole(approval, "waited_ms", 0), 48000);
    assert_string_equal(json_text(approval, "who"), "root (ines)");
    assert_int_equal(report_exit_code(report), EXIT_DONE);
}

static void a_killed_and_resumed_run_shows_its_standstill(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_RESUMED);
    assert_string_equal(json_text(report, "status"), "done");
    const json_t *stop = json_array_get(json_object_get(report, "interruptions"), 0);
    assert_string_equal(json_text(stop, "kind"), "killed");
    assert_int_equal(json_whole(stop, "gap_ms", 0), 700000);
    assert_int_equal(time_of(report, "down_ms"), 700000);
    const json_t *attempts = json_object_get(step_of(report, 0, 1), "attempts");
    assert_int_equal(json_array_size(attempts), 2);
    assert_true(json_is_null(json_object_get(json_array_get(attempts, 0), "status")));
    assert_string_equal(json_text(json_array_get(attempts, 1), "status"), "done");
    /* The new boot's clock starts over; the run's own time does not. */
    int64_t before = 0;
    size_t index = 0;
    const json_t *moment = NULL;
    json_array_foreach (json_object_get(report, "timeline"), index, moment) {
        assert_true(json_whole(moment, "offset_ms", -1) >= before);
        before = json_whole(moment, "offset_ms", -1);
    }
}

static void a_clock_set_back_changes_no_order_and_no_duration(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_CLOCK_BACK);
    assert_string_equal(json_text(report, "status"), "done");
    assert_int_equal(json_array_size(json_object_get(report, "damage")), 0);
    int64_t before = 0;
    size_t index = 0;
    const json_t *moment = NULL;
    json_array_foreach (json_object_get(report, "timeline"), index, moment) {
        assert_true(json_whole(moment, "offset_ms", -1) >= before);
        before = json_whole(moment, "offset_ms", -1);
    }
    /* What passed while the machine was down cannot be told; all else is there. */
    assert_int_equal(time_of(report, "down_ms"), 0);
    assert_int_equal(time_of(report, "steps_ms"), 2600 + 58000 + 7900);
    assert_in_range(time_of(report, "total_ms"), 30000 + 2600 + 58000 + 7900, 105000);
    assert_string_equal(json_text(step_of(report, 0, 1), "state"), "done");
}

static void failed_waiting_and_killed_runs_say_what_is_next(void **state)
{
    cleanup_json json_t *failed = report_of(state, SAMPLE_FAILED);
    cleanup_json json_t *waiting = report_of(state, SAMPLE_WAITING);
    cleanup_json json_t *killed = report_of(state, SAMPLE_KILLED);
    assert_string_equal(json_text(failed, "status"), "failed");
    const json_t *step = step_of(failed, 0, 2);
    assert_string_equal(json_text(step, "state"), "failed");
    assert_int_equal(json_array_size(json_object_get(step, "attempts")), 3);
    assert_int_equal(json_whole(step, "duration_ms", 0), 3 * 119000);
    cleanup_free char *next = view_next(failed);
    assert_non_null(strstr(next, "journalctl -u etcd"));

    assert_string_equal(json_text(waiting, "status"), "waits");
    assert_string_equal(json_text(stage_of(waiting, 0), "status"), "planned");
    assert_string_equal(view_step_state(waiting, step_of(waiting, 0, 0)), "still to do");

    assert_string_equal(json_text(killed, "status"), "killed");
    assert_string_equal(json_text(step_of(killed, 0, 1), "state"), "unknown");
    assert_string_equal(view_step_state(killed, step_of(killed, 0, 2)), "not reached");
    cleanup_free char *resume = view_next(killed);
    cleanup_free char *expected =
        text_format("'salvor resume %s' goes on where it stopped", sample_run_id(SAMPLE_KILLED));
    assert_string_equal(resume, expected);
}

static void a_running_run_is_not_called_killed(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_journal struct journal *journal = NULL;
    cleanup_json json_t *report = NULL;
    const struct report_request request = {.run = "r", .path = path, .running = 1};
    sample_write(SAMPLE_KILLED, path);
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_ok(report_model(journal, &request, &report, &err), &err);
    assert_string_equal(json_text(report, "status"), "running");
    assert_string_equal(json_text(step_of(report, 0, 1), "state"), "running");
}

static int did(const json_t *report, const char *who, const char *what)
{
    size_t index = 0;
    const json_t *act = NULL;
    json_array_foreach (json_object_get(report, "people"), index, act)
        if ((who == NULL || text_equal(json_text(act, "who"), who)) &&
            strstr(json_text(act, "what"), what) != NULL)
            return 1;
    return 0;
}

static void what_people_did_is_listed(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_MANUAL);
    assert_true(did(report, "root (ines)", "approved stage 'rejoin' at the prompt"));
    assert_true(did(report, "ines", "said it was done"));
    assert_true(did(report, "ines", "did it by hand"));
    assert_true(did(report, "ines", "settled an unknown outcome as done"));
    assert_true(did(report, "ines", "by typing 'tn-4711'"));
    assert_true(did(report, "root (ines)", "resumed the run"));
    assert_string_equal(json_text(step_of(report, 0, 1), "state"), "done");
    assert_string_equal(json_text(step_of(report, 0, 1), "settled"), "done");
    /* 61 s for the approval, 14 min until it was resumed, 31 s for the step itself. */
    assert_int_equal(time_of(report, "people_ms"), 61000 + 840000 + 31000);
    assert_int_equal(time_of(report, "down_ms"), 180000);
}

static void waivers_stand_with_their_findings(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_WAIVED);
    const json_t *findings = json_object_get(report, "findings");
    assert_int_equal(json_array_size(findings), 3);
    assert_null(json_text(json_array_get(findings, 0), "waived"));
    assert_non_null(strstr(json_text(json_array_get(findings, 1), "waived"), "burned"));
    assert_true(did(report, NULL, "waived finding 'backup-old'"));
    cleanup_free char *summary = view_summary(report);
    assert_non_null(strstr(summary, "Blockers waived by the operator: 1."));
}

static void long_lists_are_cut_and_counted(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_BULK);
    const json_t *evidence = json_object_get(report, "evidence");
    assert_int_equal(json_whole(evidence, "count", 0), 3004);
    assert_int_equal(json_array_size(json_object_get(evidence, "entries")), 1000);
    int64_t counted = 0;
    size_t index = 0;
    const json_t *group = NULL;
    json_array_foreach (json_object_get(evidence, "groups"), index, group)
        counted += json_whole(group, "count", 0);
    assert_int_equal(counted, 3004);
    cleanup_free char *html = render(report, report_render_html);
    assert_true(strlen(html) < 200000);
}

static void requests_and_servers_that_were_not_checked_are_told(void **state)
{
    static void (*const renderers[])(const json_t *report, FILE *out) = {
        report_render_text, report_render_markdown, report_render_html};
    cleanup_json json_t *report = report_of(state, SAMPLE_FAILED);
    cleanup_free char *unchecked = json_canonical(json_object_get(report, "unchecked"));
    assert_string_equal(unchecked, "[\"https://berlin-1:443\"]");
    assert_int_equal(json_array_size(json_object_get(report, "warned")), 1);
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *text = render(report, renderers[i]);
        assert_non_null(strstr(text, "insecure-skip-verify"));
        assert_non_null(strstr(text, "somebody else may have answered"));
        assert_non_null(strstr(text, "candles are no longer made"));
    }
    const json_t *entries = json_object_get(json_object_get(report, "evidence"), "entries");
    int requests = 0;
    int classes = 0;
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (entries, index, entry) {
        cleanup_free char *text = view_evidence(entry);
        requests += text_equal(text, "GET health https://berlin-1:443/health → 503");
        classes +=
            text_equal(text, "class objects: 500 × create configmaps 201, 2 × create secrets");
    }
    assert_int_equal(requests, 3);
    assert_int_equal(classes, 3);
    cleanup_json json_t *other = report_of(state, SAMPLE_UNDISTURBED);
    cleanup_free char *html = render(other, report_render_html);
    assert_null(strstr(html, "insecure"));
}

/* The set of tags that the page is made of, whatever the journal says. */
static void assert_only_own_tags(const char *html)
{
    static const char *const own[] = {
        "html", "head",    "meta",  "title",   "style",   "body",   "main", "header",
        "p",    "h1",      "h2",    "div",     "span",    "b",      "i",    "br",
        "code", "section", "table", "thead",   "tbody",   "tr",     "th",   "td",
        "ol",   "li",      "time",  "details", "summary", "footer", NULL};
    for (const char *open = strchr(html, '<'); open != NULL; open = strchr(open + 1, '<')) {
        const char *name = open[1] == '/' ? open + 2 : open + 1;
        size_t size = strcspn(name, " >\n");
        int known = text_starts(open, "<!doctype html>");
        for (size_t i = 0; own[i] != NULL; i++)
            known = known || (strlen(own[i]) == size && strncmp(name, own[i], size) == 0);
        if (!known)
            fail_msg("foreign tag '%.40s'", open);
        if (memchr(open, '>', 200) == NULL)
            fail_msg("tag is not closed: '%.80s'", open);
        const char *handler = memmem(open, strcspn(open, ">"), " on", 3);
        if (handler != NULL)
            fail_msg("event handler in '%.80s'", open);
    }
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}

static void hostile_texts_stay_texts(void **state)
{
    cleanup_json json_t *report = report_of(state, SAMPLE_HOSTILE);
    cleanup_free char *html = render(report, report_render_html);
    cleanup_free char *text = render(report, report_render_text);
    cleanup_free char *markdown = render(report, report_render_markdown);
    assert_only_own_tags(html);
    assert_int_equal(count_of(html, "<style>"), 1);
    assert_int_equal(count_of(html, "</style>"), 1);
    assert_int_equal(count_of(html, "&#60;script&#62;") > 20, 1);
    assert_null(strchr(markdown, '<'));
    assert_int_equal(count_of(markdown, "](javascript"), count_of(markdown, "\\](javascript"));
    const char *const all[] = {html, text, markdown};
    for (size_t i = 0; i < 3; i++) {
        for (const char *c = all[i]; *c != '\0'; c++)
            if (((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
                fail_msg("control character 0x%02x in format %zu", (unsigned)*c, i);
        assert_null(strstr(all[i], "\xe2\x80\xae"));
        assert_null(strstr(all[i], "\xc2\x9b"));
    }
}

static void the_html_needs_nothing_from_outside(void **state)
{
    for (int sample = 0; sample < SAMPLE_COUNT; sample++) {
        cleanup_json json_t *report = report_of(state, (enum sample)sample);
        cleanup_free char *html = render(report, report_render_html);
        if (sample != SAMPLE_HOSTILE)
            assert_null(strstr(html, "<script"));
        assert_only_own_tags(html);
        assert_null(strstr(html, "url("));
        assert_null(strstr(html, "@import"));
        assert_null(strstr(html, " href="));
        assert_null(strstr(html, " src=\""));
        assert_non_null(strstr(html, "default-src 'none'"));
        assert_non_null(strstr(html, "@media print"));
    }
}

static void every_format_of_every_sample_names_run_and_status(void **state)
{
    static void (*const renderers[])(const json_t *report, FILE *out) = {
        report_render_text, report_render_markdown, report_render_html, report_render_json};
    for (int sample = 0; sample < SAMPLE_COUNT; sample++) {
        cleanup_json json_t *report = report_of(state, (enum sample)sample);
        for (size_t i = 0; i < 4; i++) {
            cleanup_free char *text = render(report, renderers[i]);
            assert_non_null(strstr(text, sample_run_id((enum sample)sample)));
            if (i < 3)
                assert_non_null(strstr(text, view_status(report)));
        }
    }
}

static void damage(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database,
                                  "DROP TRIGGER records_no_update; DROP TRIGGER records_no_delete",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void a_damaged_journal_is_shown_as_far_as_it_goes_and_marked(void **state)
{
    cleanup_free char *path = in_scratch(state, "journal.db");
    sample_write(SAMPLE_UNDISTURBED, path);
    damage(path, "UPDATE records SET body=replace(body, 'Stop the member', 'Stop another one') "
                 "WHERE sequence = 14; DELETE FROM records WHERE sequence = 20");
    cleanup_json json_t *report = report_of_path(path, 0, NULL);
    assert_int_equal(report_exit_code(report), EXIT_FAILED);
    assert_int_equal(json_whole(json_object_get(report, "journal"), "sound", 0), 13);
    assert_int_equal(json_array_size(json_object_get(report, "damage")), 2);
    assert_string_equal(json_text(report, "status"), "done");
    cleanup_free char *html = render(report, report_render_html);
    cleanup_free char *text = render(report, report_render_text);
    cleanup_free char *markdown = render(report, report_render_markdown);
    assert_non_null(strstr(html, "class=alarm"));
    assert_non_null(strstr(html, "only the first 13 are proven"));
    assert_non_null(strstr(text, "!! the journal is damaged"));
    assert_non_null(strstr(text, "record 14: its hash does not match its content"));
    assert_non_null(strstr(markdown, "Do not trust this report blindly"));
}

static void verification_stands_in_the_report(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    sample_write(SAMPLE_UNDISTURBED, path);
    cleanup_json json_t *plain = report_of_path(path, 0, NULL);
    assert_true(json_is_null(json_object_get(plain, "verification")));
    const char *head = json_text(json_object_get(plain, "journal"), "head");
    const char *const good[] = {head, NULL};
    static const char other[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const char *const bad[] = {head, other, NULL};
    cleanup_json json_t *proven = report_of_path(path, 1, good);
    assert_true(json_flag(json_object_get(proven, "verification"), "ok"));
    assert_int_equal(report_exit_code(proven), EXIT_DONE);
    cleanup_free char *trust = view_trust(proven);
    assert_non_null(strstr(trust, "holds 1 known head"));
    cleanup_json json_t *missing = report_of_path(path, 1, bad);
    assert_int_equal(report_exit_code(missing), EXIT_FAILED);
    cleanup_free char *html = render(missing, report_render_html);
    assert_non_null(strstr(html, "class=alarm"));
    assert_non_null(strstr(html, other));

    cleanup_journal struct journal *journal = NULL;
    json_t *none = NULL;
    const char *const nonsense[] = {"last", NULL};
    const struct report_request request = {
        .run = "r", .path = path, .verify = 1, .known_heads = nonsense};
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_int_equal(report_model(journal, &request, &none, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
    assert_null(none);
}

static void the_manifest_of_a_set_is_a_witness(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_free char *manifest = in_scratch(state, "manifest.json");
    struct journal *journal = NULL;
    char head[DIGEST_TEXT_SIZE];
    assert_ok(journal_create(path, &journal, &err), &err);
    assert_ok(journal_append(journal, "run", json_make("{s:s}", "command", "backup"),
                             JOURNAL_DURABLE, &err),
              &err);
    journal_head(journal, head);
    assert_ok(journal_append(journal, "set", json_make("{s:s, s:s}", "name", "s", "path", *state),
                             JOURNAL_DURABLE, &err),
              &err);
    journal_close(journal);
    cleanup_free char *text = text_format("{\"journal_head\":\"%s\"}", head);
    assert_ok(file_write_atomic(manifest, text, strlen(text), 0600, &err), &err);
    cleanup_json json_t *report = report_of_path(path, 1, NULL);
    const json_t *proof = json_object_get(report, "verification");
    assert_true(json_flag(proof, "ok"));
    assert_int_equal(json_array_size(json_object_get(proof, "known_heads")), 1);
    text[20] = text[20] == '0' ? '1' : '0';
    assert_ok(file_write_atomic(manifest, text, strlen(text), 0600, &err), &err);
    cleanup_json json_t *doubtful = report_of_path(path, 1, NULL);
    assert_int_equal(report_exit_code(doubtful), EXIT_FAILED);
}

static void an_empty_journal_has_a_report(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    struct journal *journal = NULL;
    assert_ok(journal_create(path, &journal, &err), &err);
    journal_close(journal);
    cleanup_json json_t *report = report_of_path(path, 1, NULL);
    assert_string_equal(json_text(report, "status"), "empty");
    assert_string_equal(json_text(report, "id"), "some-run");
    cleanup_free char *html = render(report, report_render_html);
    assert_non_null(strstr(html, "Nothing was recorded"));
}

static void durations_read_naturally(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{-5, "0 ms"},
                 {0, "0 ms"},
                 {999, "999 ms"},
                 {1000, "1.0 s"},
                 {59949, "59.9 s"},
                 {59999, "1 min 00 s"},
                 {3599400, "59 min 59 s"},
                 {3599600, "1 h 00 min"},
                 {90061000, "1 d 01 h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[VIEW_TEXT_SIZE];
        view_duration(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_scratch(an_undisturbed_run_is_told_in_full),
        test_in_scratch(a_killed_and_resumed_run_shows_its_standstill),
        test_in_scratch(a_clock_set_back_changes_no_order_and_no_duration),
        test_in_scratch(failed_waiting_and_killed_runs_say_what_is_next),
        test_in_scratch(a_running_run_is_not_called_killed),
        test_in_scratch(what_people_did_is_listed),
        test_in_scratch(waivers_stand_with_their_findings),
        test_in_scratch(requests_and_servers_that_were_not_checked_are_told),
        test_in_scratch(long_lists_are_cut_and_counted),
        test_in_scratch(hostile_texts_stay_texts),
        test_in_scratch(the_html_needs_nothing_from_outside),
        test_in_scratch(every_format_of_every_sample_names_run_and_status),
        test_in_scratch(a_damaged_journal_is_shown_as_far_as_it_goes_and_marked),
        test_in_scratch(verification_stands_in_the_report),
        test_in_scratch(the_manifest_of_a_set_is_a_witness),
        test_in_scratch(an_empty_journal_has_a_report),
        cmocka_unit_test(durations_read_naturally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
