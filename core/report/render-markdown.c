#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "report/head.h"
#include "report/render.h"
#include "report/view.h"

#include "base/banned.h"

enum { VALUE_IN_TABLE = 200, ROWS_OF_EVIDENCE = 40 };

/* All that Markdown or the HTML in it could take for more than text is escaped; one line, and never
 * at the start of one, so that lists and rules need no care. */
static void put(FILE *out, const char *text)
{
    cleanup_free char *clean = view_clean(text);
    for (const char *c = clean; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\t')
            (void)fputc(' ', out);
        else if (*c == '<')
            (void)fputs("&lt;", out);
        else if (*c == '>')
            (void)fputs("&gt;", out);
        else if (*c == '&')
            (void)fputs("&amp;", out);
        else if (strchr("\\`*_[]#|~^$@", *c) != NULL)
            (void)fprintf(out, "\\%c", *c);
        else
            (void)fputc(*c, out);
    }
}

static void row(FILE *out, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    (void)fprintf(out, "| %s | ", name);
    put(out, text);
    (void)fputs(" |\n", out);
}

static void put_line(void *data, const char *name, const char *value)
{
    char title[VIEW_TEXT_SIZE];
    (void)snprintf(title, sizeof title, "%s", name);
    title[0] = (char)toupper((unsigned char)title[0]);
    row(data, title, value);
}

static void put_summary(const json_t *report, FILE *out)
{
    cleanup_free char *trust = view_trust(report);
    cleanup_free char *summary = view_summary(report);
    (void)fputs("# Run ", out);
    put(out, json_text(report, "id"));
    (void)fprintf(out, ": %s\n\n", view_status(report));
    if (!view_is_trusted(report)) {
        (void)fputs("> **Do not trust this report blindly:** ", out);
        put(out, trust);
        (void)fputs("\n\n", out);
    }
    put(out, summary);
    (void)fputs("\n\n| | |\n|---|---|\n", out);
    report_head(report, put_line, out);
    row(out, "Journal", trust);
}

static void put_decisions(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *decision = NULL;
    const json_t *decisions = json_object_get(report, "decisions");
    if (json_array_size(decisions) > 0)
        (void)fputs("\n## Decision\n\n", out);
    json_array_foreach (decisions, index, decision) {
        size_t number = 0;
        const json_t *other = NULL;
        (void)fputs("- **", out);
        put(out, json_text(decision, "procedure"));
        (void)fputs(text_equal(json_text(decision, "by"), "operator")
                        ? "** (chosen by the operator): "
                        : "**: ",
                    out);
        put(out, json_text(decision, "reason"));
        (void)fputc('\n', out);
        json_array_foreach (json_object_get(decision, "ruled_out"), number, other) {
            (void)fputs("  - ruled out ", out);
            put(out, json_text(other, "procedure"));
            (void)fputs(": ", out);
            put(out, json_text(other, "reason"));
            (void)fputc('\n', out);
        }
    }
}

static const char *last_error(const json_t *step)
{
    const json_t *attempts = json_object_get(step, "attempts");
    size_t count = json_array_size(attempts);
    const json_t *last = count > 0 ? json_array_get(attempts, count - 1) : NULL;
    return json_text(json_object_get(last, "error"), "message");
}

static void put_step(const json_t *report, const json_t *step, size_t number, FILE *out)
{
    char duration[VIEW_TEXT_SIZE] = "";
    size_t attempts = json_array_size(json_object_get(step, "attempts"));
    if (json_is_integer(json_object_get(step, "duration_ms")))
        view_duration(json_whole(step, "duration_ms", 0), duration);
    (void)fprintf(out, "| %zu | ", number);
    put(out, json_text(step, "title"));
    if (json_flag(step, "manual"))
        (void)fputs(" (by hand)", out);
    (void)fputs(" | ", out);
    put(out, json_text(step, "target"));
    (void)fputs(" | ", out);
    put(out, json_text(step, "effect"));
    (void)fputs(" | ", out);
    put(out, view_step_state(report, step));
    if (last_error(step) != NULL) {
        (void)fputs(": ", out);
        put(out, last_error(step));
    }
    (void)fprintf(out, " | %zu | %s |\n", attempts, duration);
}

static void put_stages(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *stage = NULL;
    json_array_foreach (json_object_get(report, "stages"), index, stage) {
        size_t number = 0;
        const json_t *each = NULL;
        (void)fputs("\n## Stage ", out);
        put(out, json_text(stage, "stage"));
        (void)fputs(" of ", out);
        put(out, json_text(stage, "procedure"));
        if (view_is_superseded(stage))
            (void)fputs(": planned, but replaced before approval", out);
        (void)fputs("\n\nPlan ", out);
        put(out, json_text(stage, "hash"));
        json_array_foreach (json_object_get(stage, "approvals"), number, each) {
            char at[VIEW_TEXT_SIZE];
            cleanup_free char *how = view_approval(each);
            view_time(json_text(each, "at"), at);
            (void)fputs(", approval ", out);
            put(out, how);
            (void)fputs(" (", out);
            put(out, json_text(each, "who"));
            (void)fputs(", ", out);
            put(out, at);
            (void)fputs(")", out);
        }
        (void)fputs("\n\n| # | Step | On | Effect | Outcome | Attempts | Time |\n"
                    "|--:|---|---|---|---|--:|--:|\n",
                    out);
        json_array_foreach (json_object_get(stage, "steps"), number, each)
            put_step(report, each, number + 1, out);
    }
}

static void put_drill(const json_t *report, FILE *out)
{
    cleanup_json json_t *gaps = view_drill_gaps(report);
    size_t index = 0;
    const json_t *gap = NULL;
    if (json_array_size(gaps) > 0)
        (void)fputs("\n## What the drill did not try\n\n", out);
    json_array_foreach (gaps, index, gap) {
        (void)fputs("- ", out);
        put(out, json_string_value(gap));
        (void)fputc('\n', out);
    }
}

static void put_people(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *act = NULL;
    if (json_array_size(json_object_get(report, "people")) > 0)
        (void)fputs("\n## What people did\n\n| When | Who | What |\n|---|---|---|\n", out);
    json_array_foreach (json_object_get(report, "people"), index, act) {
        char at[VIEW_TEXT_SIZE];
        view_time(json_text(act, "at"), at);
        (void)fputs("| ", out);
        put(out, at);
        (void)fputs(" | ", out);
        put(out, json_text(act, "who") != NULL ? json_text(act, "who") : "the operator");
        (void)fputs(" | ", out);
        put(out, json_text(act, "what"));
        if (json_text(act, "text") != NULL) {
            (void)fputs(": ", out);
            put(out, json_text(act, "text"));
        }
        (void)fputs(" |\n", out);
    }
}

static void put_findings(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *finding = NULL;
    if (json_array_size(json_object_get(report, "findings")) > 0)
        (void)fputs("\n## Findings\n\n| Severity | Finding | On | Detail |\n|---|---|---|---|\n",
                    out);
    json_array_foreach (json_object_get(report, "findings"), index, finding) {
        static const char *const columns[] = {"severity", "id", "object", "detail"};
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            (void)fputs("| ", out);
            put(out, json_text(finding, columns[i]));
            (void)fputc(' ', out);
        }
        if (json_text(finding, "waived") != NULL) {
            (void)fputs("(waived: ", out);
            put(out, json_text(finding, "waived"));
            (void)fputs(") ", out);
        }
        (void)fputs("|\n", out);
    }
}

static void put_timeline(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *moment = NULL;
    if (json_array_size(json_object_get(report, "timeline")) > 0)
        (void)fputs("\n## Timeline\n\n| After | What |\n|--:|---|\n", out);
    json_array_foreach (json_object_get(report, "timeline"), index, moment) {
        char offset[VIEW_TEXT_SIZE];
        view_offset(json_whole(moment, "offset_ms", 0), offset);
        (void)fputs("| ", out);
        put(out, offset);
        (void)fputs(" | ", out);
        put(out, json_text(moment, "text"));
        (void)fputs(" |\n", out);
    }
}

static void put_facts(const json_t *report, FILE *out)
{
    const json_t *facts = json_object_get(report, "facts");
    const char *name = NULL;
    const json_t *fact = NULL;
    if (json_object_size(facts) > 0)
        (void)fputs("\n## Facts\n\n| Class | Name | Value |\n|---|---|---|\n", out);
    json_object_foreach ((json_t *)facts, name, fact) {
        cleanup_free char *value = view_value(json_object_get(fact, "value"), VALUE_IN_TABLE);
        (void)fputs("| ", out);
        put(out, json_text(fact, "class"));
        (void)fputs(" | ", out);
        put(out, name);
        (void)fputs(" | ", out);
        put(out, value);
        (void)fputs(" |\n", out);
    }
}

static void put_evidence(const json_t *report, FILE *out)
{
    const json_t *evidence = json_object_get(report, "evidence");
    size_t index = 0;
    const json_t *each = NULL;
    if (json_array_size(json_object_get(report, "artifacts")) > 0)
        (void)fputs("\n## Artifacts\n\n| Name | Bytes | SHA-256 |\n|---|--:|---|\n", out);
    json_array_foreach (json_object_get(report, "artifacts"), index, each) {
        (void)fputs("| ", out);
        put(out, json_text(each, "name"));
        (void)fprintf(out, " | %lld | ", (long long)json_whole(each, "size", 0));
        put(out, json_text(each, "sha256"));
        (void)fputs(" |\n", out);
    }
    if (json_whole(evidence, "count", 0) > 0)
        (void)fputs(
            "\n## Evidence\n\n| Count | Service | What | Time in all |\n|--:|---|---|--:|\n", out);
    json_array_foreach (json_object_get(evidence, "groups"), index, each) {
        char duration[VIEW_TEXT_SIZE];
        if (index == ROWS_OF_EVIDENCE) {
            (void)fputs("| … | | the rest is in the JSON report | |\n", out);
            break;
        }
        view_duration(json_whole(each, "duration_ms", 0), duration);
        (void)fprintf(out, "| %lld | ", (long long)json_whole(each, "count", 0));
        put(out, json_text(each, "service"));
        (void)fputs(" | ", out);
        put(out, json_text(each, "what"));
        (void)fprintf(out, " | %s |\n", duration);
    }
}

static void put_journal(const json_t *report, FILE *out)
{
    const json_t *journal = json_object_get(report, "journal");
    size_t index = 0;
    const json_t *hit = NULL;
    (void)fputs("\n## Journal\n\n- file ", out);
    put(out, json_text(journal, "path"));
    (void)fputs("\n- head ", out);
    put(out, json_text(journal, "head"));
    (void)fputc('\n', out);
    json_array_foreach (json_object_get(report, "damage"), index, hit) {
        (void)fprintf(out, "- record %lld: ", (long long)json_whole(hit, "sequence", 0));
        put(out, json_text(hit, "problem"));
        (void)fputc('\n', out);
    }
}

void report_render_markdown(const json_t *report, FILE *out)
{
    put_summary(report, out);
    put_decisions(report, out);
    put_stages(report, out);
    put_drill(report, out);
    put_people(report, out);
    put_findings(report, out);
    put_timeline(report, out);
    put_facts(report, out);
    put_evidence(report, out);
    put_journal(report, out);
}
