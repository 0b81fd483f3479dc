#include "report/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include "base/banned.h"

enum { TEXT_LIMIT = 1 << 20 };

/* Length of the harmful character at `c`, or 0: C1 controls, line separators, direction marks and
 * overrides. Others that control are caught by utf8_clean. */
static size_t harmful(const unsigned char *c)
{
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
        return 2;
    if (c[0] == 0xd8 && c[1] == 0x9c)
        return 2;
    if (c[0] != 0xe2)
        return 0;
    if (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae)))
        return 3;
    return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9 ? 3 : 0;
}

char *view_clean(const char *text)
{
    if (text == NULL)
        return text_copy("");
    cleanup_free char *valid = utf8_clean(text, strlen(text));
    struct buffer clean = BUFFER_INIT(SIZE_MAX / 2);
    const char *start = valid;
    for (const char *c = valid; *c != '\0';) {
        size_t skip = (*c & 0x80) != 0 ? harmful((const unsigned char *)c) : 0;
        if (skip > 0) {
            (void)buffer_append(&clean, start, (size_t)(c - start));
            (void)buffer_append_text(&clean, "\xef\xbf\xbd");
            start = c + skip;
        }
        c += skip > 0 ? skip : 1;
    }
    (void)buffer_append_text(&clean, start);
    return buffer_take(&clean);
}

char *view_value(const json_t *value, size_t limit)
{
    if (value == NULL || json_is_null(value))
        return text_copy("");
    cleanup_free char *dumped = json_is_string(value)
                                    ? text_copy(json_string_value(value))
                                    : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (dumped == NULL)
        out_of_memory();
    size_t size = strlen(dumped);
    if (limit == 0 || limit > TEXT_LIMIT)
        limit = TEXT_LIMIT;
    int cut = size > limit;
    if (cut)
        dumped[utf8_cut(dumped, limit)] = '\0';
    cleanup_free char *clean = view_clean(dumped);
    for (char *c = clean; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    return cut ? text_format("%s…", clean) : take_pointer(clean);
}

/* ---- times ----------------------------------------------------------------------------------- */

void view_duration(int64_t ms, char ret_text[VIEW_TEXT_SIZE])
{
    int64_t seconds = (ms + 500) / 1000;
    if (ms < 0)
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "0 ms");
    else if (ms < 1000)
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%d ms", (int)ms);
    else if (ms < 59950)
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%.1f s", (double)ms / 1000);
    else if (seconds < 3600)
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%d min %02d s", (int)(seconds / 60),
                       (int)(seconds % 60));
    else if (seconds < 86400)
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%d h %02d min", (int)(seconds / 3600),
                       (int)(seconds % 3600 / 60));
    else
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%lld d %02d h", (long long)(seconds / 86400),
                       (int)(seconds % 86400 / 3600));
}

void view_offset(int64_t ms, char ret_text[VIEW_TEXT_SIZE])
{
    int64_t seconds = ms > 0 ? ms / 1000 : 0;
    (void)snprintf(ret_text, VIEW_TEXT_SIZE, "+%lld:%02d:%02d", (long long)(seconds / 3600),
                   (int)(seconds % 3600 / 60), (int)(seconds % 60));
}

void view_time(const char *at, char ret_text[VIEW_TEXT_SIZE])
{
    cleanup_free char *clean = view_clean(at);
    if (strlen(clean) >= 19 && clean[10] == 'T' && text_ends(clean, "Z"))
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%.10s %.8s UTC", clean, clean + 11);
    else
        (void)snprintf(ret_text, VIEW_TEXT_SIZE, "%.*s",
                       (int)utf8_cut(clean, strlen(clean) < 40 ? strlen(clean) : 40), clean);
}

/* ---- words ----------------------------------------------------------------------------------- */

struct status_word {
    const char *status;
    const char *words;
    const char *tone;
};

static const struct status_word statuses[] = {
    {"done", "Done", "good"},
    {"running", "Running", "plain"},
    {"failed", "Failed", "bad"},
    {"waits", "Waiting for a person", "person"},
    {"refused", "Refused by a guard or lock", "bad"},
    {"unknown", "The outcome of a step is unknown", "bad"},
    {"interrupted", "Interrupted", "warn"},
    {"blocked", "Blocked by findings", "bad"},
    {"killed", "Ended without a word", "warn"},
    {"empty", "Nothing was recorded", "warn"},
    {NULL, "Unknown status", "warn"},
};

static const struct status_word *status_word(const json_t *report)
{
    const struct status_word *word = statuses;
    while (word->status != NULL && !text_equal(word->status, json_text(report, "status")))
        word++;
    return word;
}

const char *view_status(const json_t *report)
{
    return status_word(report)->words;
}

const char *view_status_tone(const json_t *report)
{
    return status_word(report)->tone;
}

const char *view_step_tone(const char *state)
{
    if (text_equal(state, "done") || text_equal(state, "skipped"))
        return "good";
    if (text_equal(state, "failed") || text_equal(state, "unknown"))
        return "bad";
    if (text_equal(state, "waiting"))
        return "person";
    if (text_equal(state, "interrupted") || text_equal(state, "retrying"))
        return "warn";
    return "plain";
}

const char *view_step_state(const json_t *report, const json_t *step)
{
    const char *state = json_text(step, "state");
    if (text_equal(state, "skipped"))
        return "was done already";
    if (text_equal(state, "unknown"))
        return "outcome unknown";
    if (text_equal(state, "waiting"))
        return "waits for a person";
    if (text_equal(state, "not-started")) {
        const char *status = json_text(report, "status");
        return text_equal(status, "running") || text_equal(status, "waits") ? "still to do"
                                                                            : "not reached";
    }
    return state != NULL ? state : "?";
}

const char *view_severity_tone(const char *severity)
{
    if (text_equal(severity, "blocker"))
        return "bad";
    return text_equal(severity, "warning") ? "warn" : "plain";
}

const char *view_interruption(const char *kind)
{
    if (text_equal(kind, "killed"))
        return "killed, crashed or cut off from power";
    if (text_equal(kind, "interrupted"))
        return "stopped by the operator";
    if (text_equal(kind, "waits"))
        return "waited for a person";
    if (text_equal(kind, "failed"))
        return "failed";
    if (text_equal(kind, "blocked"))
        return "blocked by findings";
    if (text_equal(kind, "refused"))
        return "refused by a guard or lock";
    return text_equal(kind, "unknown") ? "the outcome of a step was unknown" : "stopped";
}

int view_is_superseded(const json_t *stage)
{
    return text_equal(json_text(stage, "status"), "superseded");
}

int64_t view_objects(const json_t *step)
{
    return json_whole(json_object_get(step, "objects"), "count", -1);
}

/* ---- sentences ------------------------------------------------------------------------------- */

static int count_findings(const json_t *report, const char *severity, int waived)
{
    size_t index = 0;
    const json_t *finding = NULL;
    int count = 0;
    json_array_foreach (json_object_get(report, "findings"), index, finding)
        count += text_equal(json_text(finding, "severity"), severity) &&
                 waived == (json_text(finding, "waived") != NULL);
    return count;
}

static void add_findings(const json_t *report, struct buffer *text)
{
    int blockers = count_findings(report, "blocker", 0);
    int warnings = count_findings(report, "warning", 0);
    int waived = count_findings(report, "blocker", 1);
    if (blockers > 0)
        (void)buffer_format(text, " Findings that block: %d.", blockers);
    if (warnings > 0)
        (void)buffer_format(text, " Warnings: %d.", warnings);
    if (waived > 0)
        (void)buffer_format(text, " Blockers waived by the operator: %d.", waived);
}

/* How often the run stood still and was taken up again, without the waits for people. */
static int count_standstills(const json_t *report)
{
    size_t index = 0;
    const json_t *stop = NULL;
    int count = 0;
    json_array_foreach (json_object_get(report, "interruptions"), index, stop)
        count +=
            json_text(stop, "resumed_at") != NULL && !text_equal(json_text(stop, "kind"), "waits");
    return count;
}

char *view_summary(const json_t *report)
{
    const json_t *times = json_object_get(report, "times");
    const json_t *progress = json_object_get(report, "progress");
    long long done = (long long)json_whole(progress, "done", 0);
    long long steps = (long long)json_whole(progress, "steps", 0);
    int standstills = count_standstills(report);
    char total[VIEW_TEXT_SIZE];
    struct buffer text = BUFFER_INIT(4096);
    view_duration(json_whole(times, "total_ms", 0), total);
    (void)buffer_format(&text,
                        text_equal(json_text(report, "status"), "done")
                            ? "It took %s from the first to the last record."
                            : "Its last record came %s after its first.",
                        total);
    if (steps > 0 && done == steps)
        (void)buffer_format(
            &text, steps == 1 ? " The one step is done." : " All %lld steps are done.", steps);
    else if (steps > 0)
        (void)buffer_format(&text, " %lld of %lld planned steps %s done.", done, steps,
                            done == 1 ? "is" : "are");
    if (standstills > 0) {
        char down[VIEW_TEXT_SIZE];
        view_duration(json_whole(times, "down_ms", 0), down);
        (void)buffer_format(&text, " It stood still %s, for %s, and was resumed.",
                            standstills == 1   ? "once"
                            : standstills == 2 ? "twice"
                                               : "several times",
                            down);
    }
    add_findings(report, &text);
    return buffer_take(&text);
}

char *view_drill(const json_t *report)
{
    const json_t *drill = json_object_get(report, "drill");
    const char *of = json_text(drill, "of");
    const char *site = json_text(drill, "site");
    if (!json_is_object(drill))
        return NULL;
    cleanup_free char *where = text_equal(of, site)
                                   ? text_copy("")
                                   : text_format(", on site '%s'", site != NULL ? site : "");
    return text_format(
        "of site '%s'%s: %s", of != NULL ? of : "", where,
        json_flag(json_object_get(report, "run"), "dry_run") ? "looking only, nothing was changed"
        : text_equal(json_text(drill, "mode"), "ran")        ? "the whole restore ran"
                                                      : "the restore has not come to its end");
}

json_t *view_drill_gaps(const json_t *report)
{
    const json_t *drill = json_object_get(report, "drill");
    const char *later = json_text(drill, "later_stage");
    json_t *gaps = json_array();
    size_t index = 0;
    const json_t *step = NULL;
    json_array_foreach (json_object_get(drill, "not_run"), index, step) {
        const char *title = json_text(step, "title");
        const char *effect = json_text(step, "effect");
        cleanup_free char *text =
            text_format("%s (%s%s)", title != NULL ? title : "?", effect != NULL ? effect : "?",
                        json_flag(step, "manual") ? ", by hand" : "");
        json_add(gaps, json_string(text));
    }
    if (later != NULL) {
        cleanup_free char *text =
            text_format("stage '%s' and what follows it: planned from what is found before", later);
        json_add(gaps, json_string(text));
    }
    if (json_flag(drill, "post_resync"))
        json_add(gaps, json_string("post-resync, which a restore goes on to"));
    return gaps;
}

char *view_next(const json_t *report)
{
    const char *status = json_text(report, "status");
    const char *hint = json_text(json_object_get(json_object_get(report, "end"), "error"), "hint");
    cleanup_free char *id = view_clean(json_text(report, "id"));
    if (text_equal(status, "done") || text_equal(status, "running") ||
        text_equal(status, "empty") || json_flag(report, "closed"))
        return NULL;
    if (hint != NULL)
        return view_clean(hint);
    const json_t *run = json_object_get(report, "run");
    const char *command = json_text(run, "command");
    if (text_equal(command, "discover") || text_equal(command, "validate") ||
        text_equal(command, "plan") || json_flag(run, "dry_run"))
        return text_format("run 'salvor %s' again", command);
    return text_format("'salvor resume %s' goes on where it stopped", id);
}

int view_is_trusted(const json_t *report)
{
    const json_t *proof = json_object_get(report, "verification");
    return json_array_size(json_object_get(report, "damage")) == 0 &&
           (!json_is_object(proof) || json_flag(proof, "ok"));
}

char *view_trust(const json_t *report)
{
    const json_t *journal = json_object_get(report, "journal");
    const json_t *proof = json_object_get(report, "verification");
    long long records = (long long)json_whole(journal, "records", 0);
    long long sound = (long long)json_whole(journal, "sound", 0);
    size_t heads = json_array_size(json_object_get(proof, "known_heads"));
    if (json_array_size(json_object_get(report, "damage")) > 0)
        return text_format("the journal is damaged: %lld records could be read, only the first "
                           "%lld are proven; what follows may be incomplete or changed",
                           records, sound);
    if (json_is_object(proof) && !json_flag(proof, "ok"))
        return view_clean(json_text(json_object_get(proof, "error"), "message"));
    if (heads > 0)
        return text_format("verified: the chain of all %lld records is whole and holds %zu known "
                           "head%s",
                           records, heads, heads == 1 ? "" : "s");
    if (json_is_object(proof))
        return text_format("verified: the chain of all %lld records is whole; no head from outside "
                           "was given, so that records cut off at the end would not show",
                           records);
    return text_format("the chain of all %lld records is whole", records);
}

char *view_approval(const json_t *approval)
{
    const char *by = json_text(approval, "by");
    const char *policy = json_text(approval, "policy_sha256");
    if (text_equal(by, "prompt"))
        return text_copy("at the prompt");
    if (text_equal(by, "typed"))
        return text_copy("by typed text");
    if (text_equal(by, "hash"))
        return text_copy("by its hash");
    if (text_equal(by, "yes"))
        return text_copy("with --yes");
    if (text_equal(by, "not-needed"))
        return text_copy("not needed: it only reads");
    if (text_equal(by, "policy")) {
        cleanup_free char *clean = view_clean(policy);
        return text_format("by policy %.12s", clean);
    }
    return view_clean(by);
}

/* Adds " WORD", or " …" when it is too much; 1: it was added. */
static int add_word(struct buffer *text, const json_t *value, size_t most)
{
    cleanup_free char *word = view_value(value, most);
    if (buffer_format(text, " %s", word) == 0)
        return 1;
    (void)buffer_append_text(text, " …");
    return 0;
}

static void add_answer(struct buffer *text, const json_t *entry)
{
    const json_t *status = json_object_get(entry, "status");
    if (json_text(entry, "url") == NULL || !add_word(text, json_object_get(entry, "url"), 200))
        return;
    if (json_is_integer(status))
        (void)buffer_format(text, " → %lld", (long long)json_integer_value(status));
    else if (json_text(entry, "fault") != NULL)
        (void)buffer_format(text, " → no answer (%s)", json_text(entry, "fault"));
}

static void add_counts(struct buffer *text, const json_t *entry)
{
    size_t index = 0;
    const json_t *count = NULL;
    json_array_foreach (json_object_get(entry, "counts"), index, count) {
        const json_t *status = json_object_get(count, "status");
        if (buffer_format(text, "%s %lld ×", index > 0 ? "," : ":",
                          (long long)json_whole(count, "count", 0)) != 0 ||
            !add_word(text, json_object_get(count, "verb"), 30) ||
            !add_word(text, json_object_get(count, "type"), 100) ||
            (json_is_integer(status) && !add_word(text, status, 10)))
            return;
    }
}

char *view_evidence(const json_t *entry)
{
    enum { SHOWN = 300 };
    struct buffer text = BUFFER_INIT(SHOWN);
    size_t index = 0;
    const json_t *argument = NULL;
    cleanup_free char *what = view_value(json_object_get(entry, "what"), SHOWN - 8);
    (void)buffer_append_text(&text, what);
    json_array_foreach (json_object_get(entry, "argv"), index, argument)
        if (!add_word(&text, argument, SHOWN))
            break;
    add_answer(&text, entry);
    add_counts(&text, entry);
    return buffer_take(&text);
}

char *view_unchecked(const json_t *report)
{
    struct buffer text = BUFFER_INIT(4000);
    const json_t *unchecked = json_object_get(report, "unchecked");
    size_t index = 0;
    const json_t *url = NULL;
    json_array_foreach (unchecked, index, url) {
        cleanup_free char *shown = view_value(url, 300);
        (void)buffer_format(&text, "%s'%s'", index > 0 ? ", " : "", shown);
    }
    if (text.size == 0)
        return NULL;
    cleanup_free char *urls = buffer_take(&text);
    return text_format("no certificate was checked of %s (insecure-skip-verify): somebody else may "
                       "have answered",
                       urls);
}

char *view_warned(const json_t *report)
{
    struct buffer text = BUFFER_INIT(4000);
    size_t index = 0;
    const json_t *said = NULL;
    json_array_foreach (json_object_get(report, "warned"), index, said) {
        cleanup_free char *shown = view_value(said, 300);
        (void)buffer_format(&text, "%s%s", index > 0 ? "; " : "", shown);
    }
    return text.size > 0 ? buffer_take(&text) : NULL;
}

char *view_statements(const json_t *object)
{
    struct buffer text = BUFFER_INIT(65536);
    size_t index = 0;
    const json_t *id = NULL;
    json_array_foreach (json_object_get(object, "statements"), index, id) {
        if (json_is_string(id))
            (void)buffer_format(&text, "%s%s", text.size > 0 ? ", " : "", json_string_value(id));
    }
    return buffer_take(&text);
}
