#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "report/head.h"
#include "report/render.h"
#include "report/view.h"

#include "base/banned.h"

enum { EVIDENCE_IN_TEXT = 40, ITEMS_IN_TEXT = 40, VALUE_IN_TEXT = 120 };

void report_render_json(const json_t *report, FILE *out)
{
    (void)json_dumpf(report, out, JSON_INDENT(2));
    (void)fputc('\n', out);
}

static void heading(FILE *out, const char *title)
{
    (void)fprintf(out, "\n%s\n", title);
}

/* Cleaned text; later lines are indented as the first is. */
static void put(FILE *out, int indent, const char *text)
{
    cleanup_free char *clean = view_clean(text);
    for (const char *c = clean; *c != '\0'; c++) {
        (void)fputc(*c, out);
        if (*c == '\n')
            (void)fprintf(out, "%*s", indent, "");
    }
}

static void field(FILE *out, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    (void)fprintf(out, "  %-12s", name);
    put(out, 14, text);
    (void)fputc('\n', out);
}

static void put_line(void *data, const char *name, const char *value)
{
    field(data, name, value);
}

static void put_summary(const json_t *report, FILE *out)
{
    (void)fputs("run ", out);
    put(out, 0, json_text(report, "id"));
    (void)fprintf(out, ": %s\n", view_status(report));
    if (!view_is_trusted(report)) {
        cleanup_free char *trust = view_trust(report);
        (void)fprintf(out, "\n  !! %s\n", trust);
    }
    cleanup_free char *summary = view_summary(report);
    (void)fprintf(out, "\n  %s\n\n", summary);
    report_head(report, put_line, out);
}

static void put_decisions(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *decision = NULL;
    const json_t *decisions = json_object_get(report, "decisions");
    if (json_array_size(decisions) > 0)
        heading(out, "Decision");
    json_array_foreach (decisions, index, decision) {
        size_t number = 0;
        const json_t *other = NULL;
        (void)fputs("  path ", out);
        put(out, 4, json_text(decision, "procedure"));
        (void)fputs(text_equal(json_text(decision, "by"), "operator")
                        ? " (chosen by the operator): "
                        : ": ",
                    out);
        put(out, 4, json_text(decision, "reason"));
        (void)fputc('\n', out);
        json_array_foreach (json_object_get(decision, "ruled_out"), number, other) {
            (void)fputs("  ruled out ", out);
            put(out, 4, json_text(other, "procedure"));
            (void)fputs(": ", out);
            put(out, 4, json_text(other, "reason"));
            (void)fputc('\n', out);
        }
    }
}

static void put_attempts(const json_t *step, FILE *out)
{
    const json_t *attempts = json_object_get(step, "attempts");
    size_t index = 0;
    const json_t *attempt = NULL;
    json_array_foreach (attempts, index, attempt) {
        const json_t *error = json_object_get(attempt, "error");
        const char *status = json_text(attempt, "status");
        char duration[VIEW_TEXT_SIZE];
        if (json_array_size(attempts) == 1 && !json_is_object(error) && status != NULL)
            continue;
        view_duration(json_whole(attempt, "duration_ms", 0), duration);
        (void)fprintf(out, "         attempt %lld: ", (long long)json_whole(attempt, "attempt", 0));
        put(out, 11, status != NULL ? status : "no outcome recorded");
        if (status != NULL)
            (void)fprintf(out, " after %s", duration);
        if (json_text(error, "message") != NULL) {
            (void)fputs(": ", out);
            put(out, 11, json_text(error, "message"));
        }
        (void)fputc('\n', out);
    }
}

static const char *mark_of(const char *tone)
{
    if (text_equal(tone, "good"))
        return "ok";
    if (text_equal(tone, "bad"))
        return "!!";
    if (text_equal(tone, "warn"))
        return "! ";
    return text_equal(tone, "person") ? "? " : "- ";
}

static void put_step(const json_t *report, const json_t *step, size_t number, FILE *out)
{
    char duration[VIEW_TEXT_SIZE] = "";
    if (json_is_integer(json_object_get(step, "duration_ms")))
        view_duration(json_whole(step, "duration_ms", 0), duration);
    (void)fprintf(out, "    %s %2zu ", mark_of(view_step_tone(json_text(step, "state"))), number);
    put(out, 9, json_text(step, "title"));
    (void)fprintf(out, "  [%s%s%s]\n", view_step_state(report, step),
                  duration[0] != '\0' ? ", " : "", duration);
    const char *target = json_text(step, "target");
    if (target != NULL && target[0] != '\0') {
        (void)fputs("         on ", out);
        put(out, 12, target);
        if (view_objects(step) > 0)
            (void)fprintf(out, ", %lld object%s", (long long)view_objects(step),
                          view_objects(step) == 1 ? "" : "s");
        (void)fputc('\n', out);
    }
    cleanup_free char *statements = view_statements(step);
    if (*statements != '\0') {
        (void)fputs("         after ", out);
        put(out, 15, statements);
        (void)fputc('\n', out);
    }
    put_attempts(step, out);
}

static void put_stages(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *stage = NULL;
    json_array_foreach (json_object_get(report, "stages"), index, stage) {
        size_t number = 0;
        const json_t *step = NULL;
        const json_t *approval = NULL;
        cleanup_free char *name = view_clean(json_text(stage, "stage"));
        cleanup_free char *procedure = view_clean(json_text(stage, "procedure"));
        cleanup_free char *title =
            text_format("Stage %s of %s%s", name, procedure,
                        view_is_superseded(stage) ? ": planned, but replaced before approval" : "");
        heading(out, title);
        cleanup_free char *hash = view_clean(json_text(stage, "hash"));
        (void)fprintf(out, "  plan %s\n", hash);
        json_array_foreach (json_object_get(stage, "approvals"), number, approval) {
            char at[VIEW_TEXT_SIZE];
            cleanup_free char *how = view_approval(approval);
            view_time(json_text(approval, "at"), at);
            (void)fprintf(out, "  approval %s", how);
            if (!text_equal(json_text(approval, "by"), "not-needed")) {
                (void)fputs(", for ", out);
                put(out, 4, json_text(approval, "who"));
            }
            (void)fprintf(out, ", %s\n", at);
        }
        json_array_foreach (json_object_get(stage, "steps"), number, step)
            put_step(report, step, number + 1, out);
    }
}

static void put_drill(const json_t *report, FILE *out)
{
    cleanup_json json_t *gaps = view_drill_gaps(report);
    size_t index = 0;
    const json_t *gap = NULL;
    if (json_array_size(gaps) > 0)
        heading(out, "What the drill did not try");
    json_array_foreach (gaps, index, gap) {
        (void)fputs("  -- ", out);
        put(out, 5, json_string_value(gap));
        (void)fputc('\n', out);
    }
}

static void put_people(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *act = NULL;
    if (json_array_size(json_object_get(report, "people")) > 0)
        heading(out, "What people did");
    json_array_foreach (json_object_get(report, "people"), index, act) {
        char at[VIEW_TEXT_SIZE];
        const char *who = json_text(act, "who");
        view_time(json_text(act, "at"), at);
        (void)fprintf(out, "  %s  ", at);
        put(out, 4, who != NULL ? who : "the operator");
        (void)fputc(' ', out);
        put(out, 4, json_text(act, "what"));
        if (json_text(act, "text") != NULL) {
            (void)fputs(": ", out);
            put(out, 4, json_text(act, "text"));
        }
        (void)fputc('\n', out);
    }
}

static void put_findings(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *finding = NULL;
    if (json_array_size(json_object_get(report, "findings")) > 0)
        heading(out, "Findings");
    json_array_foreach (json_object_get(report, "findings"), index, finding) {
        const char *object = json_text(finding, "object");
        cleanup_free char *severity = view_clean(json_text(finding, "severity"));
        (void)fprintf(out, "  %-8s ", severity);
        put(out, 11, json_text(finding, "id"));
        if (object != NULL && object[0] != '\0') {
            (void)fputs(" on ", out);
            put(out, 11, object);
        }
        (void)fputs(": ", out);
        put(out, 11, json_text(finding, "title"));
        if (json_text(finding, "title") != NULL && json_text(finding, "detail") != NULL)
            (void)fputs("; ", out);
        put(out, 11, json_text(finding, "detail"));
        if (json_text(finding, "waived") != NULL) {
            (void)fputs("\n           waived: ", out);
            put(out, 11, json_text(finding, "waived"));
        }
        (void)fputc('\n', out);
    }
}

static void put_timeline(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *moment = NULL;
    if (json_array_size(json_object_get(report, "timeline")) > 0)
        heading(out, "Timeline");
    json_array_foreach (json_object_get(report, "timeline"), index, moment) {
        char offset[VIEW_TEXT_SIZE];
        view_offset(json_whole(moment, "offset_ms", 0), offset);
        (void)fprintf(out, "  %10s %s ", offset, mark_of(json_text(moment, "tone")));
        put(out, 16, json_text(moment, "text"));
        (void)fputc('\n', out);
    }
}

static void put_facts(const json_t *report, FILE *out)
{
    const json_t *facts = json_object_get(report, "facts");
    const char *name = NULL;
    const json_t *fact = NULL;
    if (json_object_size(facts) > 0)
        heading(out, "Facts");
    json_object_foreach ((json_t *)facts, name, fact) {
        cleanup_free char *value = view_value(json_object_get(fact, "value"), VALUE_IN_TEXT);
        cleanup_free char *class = view_clean(json_text(fact, "class"));
        (void)fprintf(out, "  %-8s ", class);
        put(out, 11, name);
        (void)fprintf(out, " = %s\n", value);
    }
}

static void put_artifacts(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *artifact = NULL;
    if (json_array_size(json_object_get(report, "artifacts")) > 0)
        heading(out, "Artifacts");
    json_array_foreach (json_object_get(report, "artifacts"), index, artifact) {
        cleanup_free char *digest = view_clean(json_text(artifact, "sha256"));
        (void)fputs("  ", out);
        put(out, 4, json_text(artifact, "name"));
        (void)fprintf(out, ", %lld bytes, SHA-256 %s\n", (long long)json_whole(artifact, "size", 0),
                      digest);
    }
}

static void put_evidence(const json_t *report, FILE *out)
{
    const json_t *evidence = json_object_get(report, "evidence");
    size_t index = 0;
    const json_t *group = NULL;
    if (json_whole(evidence, "count", 0) == 0)
        return;
    heading(out, "Evidence");
    json_array_foreach (json_object_get(evidence, "groups"), index, group) {
        char duration[VIEW_TEXT_SIZE];
        if (index == EVIDENCE_IN_TEXT) {
            (void)fputs("  …\n", out);
            break;
        }
        view_duration(json_whole(group, "duration_ms", 0), duration);
        (void)fprintf(out, "  %6lld × ", (long long)json_whole(group, "count", 0));
        put(out, 11, json_text(group, "service"));
        (void)fputc(' ', out);
        put(out, 11, json_text(group, "what"));
        (void)fprintf(out, ", %s in all\n", duration);
    }
    (void)fputs("  each entry: -o json\n", out);
}

static void put_journal(const json_t *report, FILE *out)
{
    const json_t *journal = json_object_get(report, "journal");
    const json_t *proof = json_object_get(report, "verification");
    cleanup_free char *trust = view_trust(report);
    size_t index = 0;
    const json_t *hit = NULL;
    heading(out, "Journal");
    (void)fprintf(out, "  %s\n", trust);
    field(out, "file", json_text(journal, "path"));
    field(out, "head", json_text(journal, "head"));
    json_array_foreach (json_object_get(proof, "known_heads"), index, hit) {
        (void)fputs("  known head  ", out);
        put(out, 14, json_text(hit, "head"));
        (void)fputs(" (", out);
        put(out, 14, json_text(hit, "from"));
        (void)fputs(")\n", out);
    }
    field(out, "", json_text(json_object_get(proof, "error"), "detail"));
    json_array_foreach (json_object_get(report, "damage"), index, hit) {
        (void)fprintf(out, "  record %lld: ", (long long)json_whole(hit, "sequence", 0));
        put(out, 4, json_text(hit, "problem"));
        (void)fputs(json_flag(hit, "shown") ? " (shown all the same)\n" : "\n", out);
    }
}

void report_render_text(const json_t *report, FILE *out)
{
    put_summary(report, out);
    put_decisions(report, out);
    put_stages(report, out);
    put_drill(report, out);
    put_people(report, out);
    put_findings(report, out);
    put_timeline(report, out);
    put_facts(report, out);
    put_artifacts(report, out);
    put_evidence(report, out);
    put_journal(report, out);
}
