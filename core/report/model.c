#include "report/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "report/fold.h"
#include "report/lock.h"

#include "base/banned.h"

enum { REPORT_FORMAT = 1, MANIFEST_LIMIT = 16 << 20, DAMAGE_SHOWN = 100 };

static const int64_t CENTURY_MS = INT64_C(100) * 366 * 86400 * 1000;

/* ---- lists of the report --------------------------------------------------------------------- */

static json_t *list_of(json_t *object, const char *name)
{
    json_t *list = json_object_get(object, name);
    if (list == NULL) {
        list = json_array();
        json_put(object, name, list);
    }
    return list;
}

void fold_list(struct fold *fold, const char *name, json_t *value, size_t limit)
{
    json_t *list = list_of(fold->report, name);
    if (json_array_size(list) < limit) {
        json_add(list, value);
        return;
    }
    json_decref(value);
    json_t *left_out = json_object_get(fold->report, "left_out");
    json_put(left_out, name, json_integer(json_whole(left_out, name, 0) + 1));
}

void fold_moment(struct fold *fold, const char *kind, const char *tone, const char *step,
                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    fold_list(fold, "timeline",
              json_make("{s:s?, s:I, s:s, s:s, s:s?, s:s}", "at", fold->at, "offset_ms",
                        (json_int_t)fold->elapsed_ms, "kind", kind, "tone", tone, "step", step,
                        "text", text),
              LISTED);
}

void fold_person(struct fold *fold, const char *who, const char *what, const char *step,
                 const char *text)
{
    fold_list(fold, "people",
              json_make("{s:s?, s:I, s:s?, s:s, s:s?, s:s?}", "at", fold->at, "offset_ms",
                        (json_int_t)fold->elapsed_ms, "who", who, "what", what, "step", step,
                        "text", text),
              LISTED);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Within one boot the monotonic clock counts, whatever was done to the time of day; between two
 * boots there is only the latter, and time never runs backward. */
static void advance(struct fold *fold, const json_t *record)
{
    const char *boot = json_text(record, "boot");
    int64_t clock = json_whole(record, "clock", 0);
    int64_t realtime = clock_parse(json_text(record, "at"));
    int64_t step = 0;
    fold->last_elapsed_ms = fold->elapsed_ms;
    if (fold->seen_any && text_equal(boot, fold->boot))
        (void)__builtin_sub_overflow(clock, fold->clock, &step);
    else if (fold->seen_any && realtime >= 0 && fold->realtime_ms >= 0)
        (void)__builtin_sub_overflow(realtime, fold->realtime_ms, &step);
    /* A forged clock must not make the sums overflow. */
    if (step > 0 && step < CENTURY_MS && fold->elapsed_ms < CENTURY_MS)
        fold->elapsed_ms += step;
    fold->seen_any = 1;
    fold->clock = clock;
    fold->realtime_ms = realtime;
    (void)snprintf(fold->boot, sizeof fold->boot, "%s", boot != NULL ? boot : "");
    fold->at = json_text(record, "at");
}

/* ---- the run as a whole ---------------------------------------------------------------------- */

static const char *const header_keys[] = {"type", "at", "clock", "boot", NULL};

static json_t *without_header(const json_t *record)
{
    json_t *copy = json_clone(record);
    for (size_t i = 0; header_keys[i] != NULL; i++)
        (void)json_object_del(copy, header_keys[i]);
    return copy;
}

static json_t *with_time(const struct fold *fold, const json_t *record)
{
    json_t *copy = without_header(record);
    json_put_text(copy, "at", fold->at);
    json_put(copy, "offset_ms", json_integer(fold->elapsed_ms));
    return copy;
}

static void fold_run(struct fold *fold, const json_t *record)
{
    json_put(fold->report, "run", without_header(record));
    json_put_text(fold->report, "started", fold->at);
    const json_t *drill = json_object_get(record, "drill");
    if (json_is_object(drill))
        json_put(fold->report, "drill",
                 json_make("{s:s?, s:s?, s:b, s:n}", "of", json_text(drill, "of"), "site",
                           json_text(record, "site"), "practice", json_flag(drill, "practice"),
                           "mode"));
    fold_moment(fold, "run", "plain", NULL, "'%s' of provider '%s', site '%s', began",
                json_text(record, "command") != NULL ? json_text(record, "command") : "?",
                json_text(record, "provider") != NULL ? json_text(record, "provider") : "?",
                json_text(record, "site") != NULL ? json_text(record, "site") : "");
    size_t index = 0;
    const json_t *waiver = NULL;
    json_array_foreach (json_object_get(record, "waivers"), index, waiver) {
        cleanup_free char *what =
            text_format("waived finding '%s'",
                        json_text(waiver, "finding") != NULL ? json_text(waiver, "finding") : "?");
        fold_person(fold, json_text(waiver, "who"), what, NULL, json_text(waiver, "reason"));
    }
    if (json_text(record, "path_reason") != NULL)
        fold_person(fold, NULL, "chose the path", NULL, json_text(record, "path_reason"));
}

/* The moment after which nothing more came, at the time of the last record. */
static void fold_silence(struct fold *fold)
{
    const char *at = fold->at;
    int64_t now = fold->elapsed_ms;
    fold->at = json_text(fold->report, "last_record_at");
    fold->elapsed_ms = fold->last_elapsed_ms;
    fold_moment(fold, "killed", "warn", NULL,
                "nothing more was recorded: killed, crashed or cut off from power");
    fold->at = at;
    fold->elapsed_ms = now;
}

static void fold_resume(struct fold *fold, const json_t *record)
{
    int64_t gap = fold->elapsed_ms - fold->last_elapsed_ms;
    json_t *stops = list_of(fold->report, "interruptions");
    size_t count = json_array_size(stops);
    json_t *stop = count > 0 ? json_array_get(stops, count - 1) : NULL;
    if (!fold->ended) {
        /* No word of farewell: killed, crashed or cut off from power. */
        stop = json_make("{s:s, s:I}", "kind", "killed", "offset_ms",
                         (json_int_t)fold->last_elapsed_ms);
        json_add(stops, stop);
        fold_silence(fold);
    }
    if (stop != NULL && json_object_get(stop, "resumed_at") == NULL) {
        json_put_text(stop, "resumed_at", fold->at);
        json_put(stop, "resumed_offset_ms", json_integer(fold->elapsed_ms));
        json_put(stop, "gap_ms", json_integer(gap));
        json_put_text(stop, "who", json_text(record, "who"));
    }
    if (stop != NULL && text_equal(json_text(stop, "kind"), "waits"))
        fold->people_ms += gap;
    else
        fold->down_ms += gap;
    fold->resumed_ms = fold->elapsed_ms;
    fold->ended = 0;
    json_put(fold->report, "end", json_null());
    fold_moment(fold, "resume", "person", NULL, "resumed");
    fold_person(fold, json_text(record, "who"), "resumed the run", NULL,
                json_text(record, "reason"));
}

static void fold_end(struct fold *fold, const json_t *record)
{
    const char *status = json_text(record, "status");
    const char *message = json_text(json_object_get(record, "error"), "message");
    json_put(fold->report, "end", with_time(fold, record));
    fold->ended = 1;
    if (text_equal(status, "done")) {
        fold_moment(fold, "end", "good", NULL, "done");
        return;
    }
    json_add(list_of(fold->report, "interruptions"),
             json_make("{s:s?, s:s?, s:I}", "kind", status, "at", fold->at, "offset_ms",
                       (json_int_t)fold->elapsed_ms));
    int waits = text_equal(status, "waits");
    fold_moment(fold, "end", waits ? "person" : "bad", NULL, "%s%s%s",
                waits            ? "stopped to wait for a person"
                : status != NULL ? status
                                 : "ended",
                message != NULL ? ": " : "", message != NULL ? message : "");
}

static void fold_phase(struct fold *fold, const json_t *record)
{
    const char *phase = json_text(record, "phase");
    if (phase == NULL)
        return;
    if (text_ends(phase, "ing")) {
        json_t *span = json_make("{s:s, s:I, s:n}", "phase", phase, "offset_ms",
                                 (json_int_t)fold->elapsed_ms, "duration_ms");
        json_add(list_of(fold->report, "phases"), span);
        fold->phase = span;
    } else if (fold->phase != NULL) {
        json_put(fold->phase, "duration_ms",
                 json_integer(fold->elapsed_ms - json_whole(fold->phase, "offset_ms", 0)));
        fold->phase = NULL;
    }
}

/* A resumed run looks again: the newer sight of the same thing takes the place of the older. */
static void fold_newest(struct fold *fold, const char *name, json_t *value, const char *key,
                        const char *second_key)
{
    size_t index = 0;
    const json_t *earlier = NULL;
    json_array_foreach (json_object_get(fold->report, name), index, earlier) {
        if (text_equal(json_text(earlier, key), json_text(value, key)) &&
            text_equal(json_text(earlier, second_key), json_text(value, second_key))) {
            (void)json_array_set_new(json_object_get(fold->report, name), index, value);
            return;
        }
    }
    fold_list(fold, name, value, LISTED);
}

static void fold_finding(struct fold *fold, const json_t *record)
{
    json_t *finding = with_time(fold, record);
    const json_t *waivers = json_object_get(json_object_get(fold->report, "run"), "waivers");
    size_t index = 0;
    const json_t *waiver = NULL;
    json_array_foreach (waivers, index, waiver) {
        if (json_text(finding, "id") != NULL &&
            text_equal(json_text(waiver, "finding"), json_text(finding, "id")))
            json_put_text(finding, "waived", json_text(waiver, "reason"));
    }
    fold_newest(fold, "findings", finding, "id", "object");
}

static void fold_fact(struct fold *fold, const json_t *record)
{
    const char *name = json_text(record, "name");
    json_t *facts = json_object_get(fold->report, "facts");
    const json_t *before = name != NULL ? json_object_get(facts, name) : NULL;
    if (name == NULL || (before == NULL && json_object_size(facts) >= LISTED))
        return;
    json_t *fact = with_time(fold, record);
    const json_t *value = json_object_get(before, "value");
    if (before != NULL && !json_equal(value, json_object_get(record, "value")))
        json_put(fact, "before", value != NULL ? json_clone(value) : json_null());
    json_put(facts, name, fact);
}

/* "run etcdctl" of {"what":"run","argv":["/usr/bin/etcdctl",…]}: which program tells more. */
static char *evidence_kind(const json_t *record)
{
    const char *what = json_text(record, "what");
    const char *program = json_string_value(json_array_get(json_object_get(record, "argv"), 0));
    const char *slash = program != NULL ? strrchr(program, '/') : NULL;
    return text_format("%s%s%s", what != NULL ? what : "-", program != NULL ? " " : "",
                       slash != NULL     ? slash + 1
                       : program != NULL ? program
                                         : "");
}

/* Servers whose certificate was not checked: every report says so. */
static void fold_unchecked(struct fold *fold, const json_t *record)
{
    const char *url = json_text(record, "url");
    json_t *unchecked = list_of(fold->report, "unchecked");
    size_t index = 0;
    const json_t *each = NULL;
    if (url == NULL || !text_equal(json_text(record, "what"), "insecure-skip-verify"))
        return;
    json_array_foreach (unchecked, index, each)
        if (text_equal(json_string_value(each), url))
            return;
    if (json_array_size(unchecked) < LISTED)
        json_add(unchecked, json_string(url));
}

/* What servers warned of (deprecated types, ignored fields): each text once. */
static void fold_warned(struct fold *fold, const json_t *record)
{
    const char *said = json_text(record, "text");
    json_t *warned = list_of(fold->report, "warned");
    size_t index = 0;
    const json_t *each = NULL;
    if (said == NULL || !text_equal(json_text(record, "what"), "warning"))
        return;
    json_array_foreach (warned, index, each)
        if (text_equal(json_string_value(each), said))
            return;
    if (json_array_size(warned) < LISTED)
        json_add(warned, json_string(said));
}

static void fold_evidence(struct fold *fold, const json_t *record)
{
    const char *service = json_text(record, "service");
    cleanup_free char *what = evidence_kind(record);
    cleanup_free char *key = text_format("%s %s", service != NULL ? service : "-", what);
    json_t *group = json_object_get(fold->groups, key);
    json_t *evidence = json_object_get(fold->report, "evidence");
    if (group == NULL && json_object_size(fold->groups) < LISTED) {
        group = json_make("{s:s?, s:s, s:i, s:i}", "service", service, "what", what, "count", 0,
                          "duration_ms", 0);
        json_add(list_of(evidence, "groups"), group);
        json_put(fold->groups, key, json_incref(group));
    }
    if (group != NULL) {
        int64_t duration = json_whole(record, "duration_ms", 0);
        int64_t sum = json_whole(group, "duration_ms", 0);
        if (__builtin_add_overflow(sum, duration > 0 ? duration : 0, &sum))
            sum = INT64_MAX;
        json_put(group, "count", json_integer(json_whole(group, "count", 0) + 1));
        json_put(group, "duration_ms", json_integer(sum));
    }
    json_put(evidence, "count", json_integer(json_whole(evidence, "count", 0) + 1));
    json_t *entries = list_of(evidence, "entries");
    if (json_array_size(entries) < EVIDENCE_SHOWN)
        json_add(entries, with_time(fold, record));

    fold_unchecked(fold, record);
    fold_warned(fold, record);
    const char *job = json_text(record, "job");
    json_t *jobs = json_object_get(fold->report, "jobs");
    if (job == NULL || (json_object_get(jobs, job) == NULL && json_object_size(jobs) >= LISTED))
        return;
    json_t *entry = json_object_get(jobs, job);
    if (entry == NULL) {
        entry = json_make("{s:s?, s:s?}", "step", json_text(record, "step"), "first_at", fold->at);
        json_put(jobs, job, entry);
    }
    json_put_text(entry, "last_at", fold->at);
    json_put_text(entry, "state", json_text(record, "state"));
    if (json_object_get(record, "exit_status") != NULL)
        json_put(entry, "exit_status", json_clone(json_object_get(record, "exit_status")));
}

static void fold_set(struct fold *fold, const json_t *record)
{
    fold_list(fold, "sets", with_time(fold, record), LISTED);
    fold_moment(fold, "set", "good", NULL, "backup set '%s' committed",
                json_text(record, "name") != NULL ? json_text(record, "name") : "?");
}

static void fold_drill(struct fold *fold, const json_t *record)
{
    json_t *drill = json_object_get(fold->report, "drill");
    cleanup_json json_t *told = without_header(record);
    size_t not_run = json_array_size(json_object_get(record, "not_run"));
    if (!json_is_object(drill))
        return;
    (void)json_object_update(drill, told);
    if (text_equal(json_text(record, "mode"), "ran"))
        fold_moment(fold, "drill", "good", NULL, "the drill came to its end");
    else
        fold_moment(fold, "drill", "plain", NULL, "rehearsed by looking; %zu step%s not run",
                    not_run, not_run == 1 ? " was" : "s were");
}

/* Each stage confirms the decision; only another one is news. */
static void fold_decision(struct fold *fold, const json_t *record)
{
    const json_t *decisions = json_object_get(fold->report, "decisions");
    size_t count = json_array_size(decisions);
    const json_t *last = count > 0 ? json_array_get(decisions, count - 1) : NULL;
    if (last == NULL || !text_equal(json_text(last, "procedure"), json_text(record, "procedure")) ||
        !text_equal(json_text(last, "reason"), json_text(record, "reason")))
        fold_list(fold, "decisions", with_time(fold, record), LISTED);
}

static void fold_record(struct fold *fold, const json_t *record)
{
    const char *type = json_text(record, "type");
    if (type == NULL || fold_step_record(fold, type, record))
        return;
    if (text_equal(type, "run"))
        fold_run(fold, record);
    else if (text_equal(type, "resume"))
        fold_resume(fold, record);
    else if (text_equal(type, "end"))
        fold_end(fold, record);
    else if (text_equal(type, "close"))
        json_put(fold->report, "closed", json_true());
    else if (text_equal(type, "phase"))
        fold_phase(fold, record);
    else if (text_equal(type, "fact"))
        fold_fact(fold, record);
    else if (text_equal(type, "finding"))
        fold_finding(fold, record);
    else if (text_equal(type, "evidence"))
        fold_evidence(fold, record);
    else if (text_equal(type, "decision"))
        fold_decision(fold, record);
    else if (text_equal(type, "item"))
        fold_newest(fold, "items", with_time(fold, record), "kind", "name");
    else if (text_equal(type, "note"))
        fold_list(fold, "notes", with_time(fold, record), LISTED);
    else if (text_equal(type, "artifact"))
        fold_list(fold, "artifacts", with_time(fold, record), LISTED);
    else if (text_equal(type, "ledger"))
        json_put(json_object_get(fold->report, "ledgers"),
                 json_text(record, "name") != NULL ? json_text(record, "name") : "-",
                 with_time(fold, record));
    else if (text_equal(type, "lock"))
        fold_lock(fold, record);
    else if (text_equal(type, "drill"))
        fold_drill(fold, record);
    else if (text_equal(type, "set"))
        fold_set(fold, record);
    else if (text_equal(type, "interrupt"))
        fold_person(fold, NULL, "asked the run to stop", NULL, NULL);
}

/* ---- totals ---------------------------------------------------------------------------------- */

static const char *status_of(const struct fold *fold)
{
    const char *status = json_text(json_object_get(fold->report, "end"), "status");
    if (fold->running)
        return "running";
    if (status != NULL)
        return status;
    return json_object_size(json_object_get(fold->report, "run")) > 0 ? "killed" : "empty";
}

static void put_totals(struct fold *fold)
{
    int64_t in_steps = 0;
    int done = 0;
    int count = 0;
    size_t index = 0;
    const json_t *stage = NULL;
    json_array_foreach (json_object_get(fold->report, "stages"), index, stage) {
        size_t number = 0;
        const json_t *step = NULL;
        if (text_equal(json_text(stage, "status"), "superseded"))
            continue;
        json_array_foreach (json_object_get(stage, "steps"), number, step) {
            const char *state = json_text(step, "state");
            if (!json_flag(step, "manual"))
                in_steps += json_whole(step, "duration_ms", 0);
            done += text_equal(state, "done") || text_equal(state, "skipped");
            count++;
        }
    }
    json_put_text(fold->report, "status", status_of(fold));
    json_put(fold->report, "times",
             json_make("{s:I, s:I, s:I, s:I}", "total_ms", (json_int_t)fold->elapsed_ms, "steps_ms",
                       (json_int_t)in_steps, "people_ms", (json_int_t)fold->people_ms, "down_ms",
                       (json_int_t)fold->down_ms));
    json_put(fold->report, "progress", json_make("{s:i, s:i}", "done", done, "steps", count));
    json_put_text(fold->report, "last_record_at", fold->at);
}

/* ---- reading and proving --------------------------------------------------------------------- */

static int take_record(void *data, int64_t sequence, const json_t *body,
                       const char hash[DIGEST_TEXT_SIZE], const char *problem)
{
    struct fold *fold = data;
    json_t *journal = json_object_get(fold->report, "journal");
    fold->sequence = sequence;
    if (problem != NULL) {
        json_t *damage = list_of(fold->report, "damage");
        if (json_array_size(damage) < DAMAGE_SHOWN)
            json_add(damage, json_make("{s:I, s:s, s:b}", "sequence", (json_int_t)sequence,
                                       "problem", problem, "shown", body != NULL));
    } else if (json_array_size(json_object_get(fold->report, "damage")) == 0) {
        json_put(journal, "sound", json_integer(sequence));
    }
    if (body == NULL)
        return 0;
    json_put(journal, "records", json_integer(json_whole(journal, "records", 0) + 1));
    json_put_text(journal, "head", hash);
    advance(fold, body);
    /* The strings of `body` live only in this call. */
    fold_record(fold, body);
    json_put_text(fold->report, "last_record_at", fold->at);
    fold->at = NULL;
    return 0;
}

static int is_head(const char *text)
{
    return text != NULL && strlen(text) == DIGEST_TEXT_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == DIGEST_TEXT_SIZE - 1;
}

/* The manifest of a set that this run made carries the head at its commit: a witness that whoever
 * cuts the journal would have to find as well. */
static void add_heads_of_sets(const json_t *report, json_t *heads)
{
    size_t index = 0;
    const json_t *set = NULL;
    json_array_foreach (json_object_get(report, "sets"), index, set) {
        const char *folder = json_text(set, "path");
        if (folder == NULL)
            continue;
        cleanup_free char *path = text_format("%s/manifest.json", folder);
        cleanup_free char *text = NULL;
        size_t size = 0;
        if (file_read(path, MANIFEST_LIMIT, &text, &size, NULL) != 0)
            continue;
        cleanup_json json_t *manifest = json_loadb(text, size, 0, NULL);
        const char *head = json_text(manifest, "journal_head");
        if (is_head(head))
            json_add(heads, json_make("{s:s, s:s}", "head", head, "from", path));
    }
}

static void add_heads(const json_t *more, json_t *heads)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (more, index, entry) {
        if (is_head(json_text(entry, "head")))
            json_add(heads, json_incref(entry));
    }
}

static int prove(struct journal *journal, const struct report_request *request, json_t *report,
                 struct error *reterr)
{
    json_t *heads = json_array();
    json_t *proof = json_make("{s:o}", "known_heads", heads);
    json_put(report, "verification", proof);
    for (size_t i = 0; request->known_heads != NULL && request->known_heads[i] != NULL; i++)
        json_add(heads, json_make("{s:s, s:s}", "head", request->known_heads[i], "from", "given"));
    add_heads_of_sets(report, heads);
    add_heads(request->more_heads, heads);
    const char **known = memory_new(json_array_size(heads) + 1, sizeof *known);
    for (size_t i = 0; i < json_array_size(heads); i++)
        known[i] = json_text(json_array_get(heads, i), "head");
    cleanup_error struct error err = ERROR_INIT;
    int64_t readable = 0;
    int result = journal_verify(journal, known, &readable, &err);
    free(known);
    if (result != 0 && err.code == EXIT_USAGE)
        return error_move(reterr, &err);
    json_put(proof, "ok", json_boolean(result == 0));
    json_put(proof, "sound", json_integer(readable));
    if (result != 0)
        json_put(proof, "error",
                 json_make("{s:s, s:s?, s:s?}", "message", err.message, "detail", err.detail,
                           "hint", err.hint));
    return 0;
}

static json_t *empty_report(const struct report_request *request)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), now);
    return json_make("{s:i, s:s?, s:s, s:{}, s:n, s:n, s:n, s:b, s:[], s:[], s:[], s:[], s:[], "
                     "s:[], s:{}, s:[], s:[], s:[], s:[], s:[], s:{}, s:{}, s:{s:i, s:[], s:[]}, "
                     "s:[], s:{s:i, s:i, s:s, s:s?}, s:n, s:n, s:n, s:{}, s:[], s:[]}",
                     "salvor-report", REPORT_FORMAT, "id", request->run, "written", now, "run",
                     "started", "last_record_at", "end", "closed", 0, "interruptions", "phases",
                     "decisions", "stages", "people", "findings", "facts", "items", "notes",
                     "artifacts", "sets", "timeline", "jobs", "ledgers", "evidence", "count", 0,
                     "groups", "entries", "damage", "journal", "records", 0, "sound", 0, "head", "",
                     "path", request->path, "verification", "drill", "lock", "left_out",
                     "unchecked", "warned");
}

int report_model(struct journal *journal, const struct report_request *request, json_t **ret_report,
                 struct error *reterr)
{
    cleanup_json json_t *report = empty_report(request);
    cleanup_json json_t *steps = json_object();
    cleanup_json json_t *groups = json_object();
    struct fold fold = {
        .report = report, .steps = steps, .groups = groups, .running = request->running};
    (void)journal_salvage(journal, take_record, &fold);
    cleanup_free char *last = json_text(report, "last_record_at") != NULL
                                  ? text_copy(json_text(report, "last_record_at"))
                                  : NULL;
    fold.at = last;
    fold_steps_finish(&fold);
    put_totals(&fold);
    if (json_text(json_object_get(report, "run"), "run") != NULL)
        json_put_text(report, "id", json_text(json_object_get(report, "run"), "run"));
    if (request->verify && prove(journal, request, report, reterr) != 0)
        return -1;
    *ret_report = json_incref(report);
    return 0;
}

int report_exit_code(const json_t *report)
{
    const json_t *proof = json_object_get(report, "verification");
    return json_array_size(json_object_get(report, "damage")) > 0 ||
                   (json_is_object(proof) && !json_flag(proof, "ok"))
               ? EXIT_FAILED
               : EXIT_DONE;
}
