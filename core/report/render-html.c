#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "report/html.h"
#include "report/lock.h"
#include "report/render.h"
#include "report/view.h"

#include "base/banned.h"

enum { VALUE_SHOWN = 400, ENTRIES_SHOWN = 300, GROUPS_SHOWN = 60 };

void html_text(FILE *out, const char *text)
{
    cleanup_free char *clean = view_clean(text);
    for (const char *c = clean; *c != '\0';) {
        size_t plain = strcspn(c, "&<>\"'`");
        (void)fwrite(c, 1, plain, out);
        c += plain;
        if (*c != '\0')
            (void)fprintf(out, "&#%d;", *c++);
    }
}

void html_cell(FILE *out, const char *name, const char *class, const char *text)
{
    int empty = text == NULL || text[0] == '\0';
    (void)fprintf(out, "<td data-name=\"%s\" class=\"%s%s\">", name, class != NULL ? class : "",
                  empty ? " empty" : "");
    html_text(out, text);
    (void)fputs("</td>", out);
}

static void tag(FILE *out, const char *tone, const char *text)
{
    (void)fprintf(out, "<span class=\"tag %s\">", tone);
    html_text(out, text);
    (void)fputs("</span>", out);
}

static void field(FILE *out, const char *name, const char *text, int code)
{
    if (text == NULL || text[0] == '\0')
        return;
    (void)fprintf(out, "<tr><th scope=row>%s</th><td>%s", name, code ? "<code>" : "");
    html_text(out, text);
    (void)fprintf(out, "%s</td></tr>\n", code ? "</code>" : "");
}

/* ---- the top --------------------------------------------------------------------------------- */

static void figure(FILE *out, const char *value, const char *name)
{
    (void)fputs("<div><b>", out);
    html_text(out, value);
    (void)fprintf(out, "</b><span>%s</span></div>\n", name);
}

static void put_figures(const json_t *report, FILE *out)
{
    const json_t *times = json_object_get(report, "times");
    const json_t *progress = json_object_get(report, "progress");
    static const struct {
        const char *key;
        const char *name;
    } durations[] = {{"total_ms", "from start to last record"},
                     {"steps_ms", "in steps"},
                     {"people_ms", "waiting for people"},
                     {"down_ms", "at a standstill"}};
    (void)fputs("<div class=figures>\n", out);
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        char text[VIEW_TEXT_SIZE];
        int64_t ms = json_whole(times, durations[i].key, 0);
        view_duration(ms, text);
        if (i < 2 || ms >= 1000)
            figure(out, text, durations[i].name);
    }
    if (json_whole(progress, "steps", 0) > 0) {
        cleanup_free char *text =
            text_format("%lld of %lld", (long long)json_whole(progress, "done", 0),
                        (long long)json_whole(progress, "steps", 0));
        figure(out, text, "steps done");
    }
    (void)fputs("</div>\n", out);
}

static void put_top(const json_t *report, FILE *out)
{
    const json_t *run = json_object_get(report, "run");
    const json_t *error = json_object_get(json_object_get(report, "end"), "error");
    cleanup_free char *next = view_next(report);
    cleanup_free char *summary = view_summary(report);
    char started[VIEW_TEXT_SIZE];
    view_time(json_text(report, "started"), started);
    if (!view_is_trusted(report)) {
        cleanup_free char *trust = view_trust(report);
        (void)fputs("<p class=alarm role=alert>Read with care: ", out);
        html_text(out, trust);
        (void)fputs("</p>\n", out);
    }
    cleanup_free char *unchecked = view_unchecked(report);
    if (unchecked != NULL) {
        (void)fputs("<p class=alarm role=alert>", out);
        html_text(out, unchecked);
        (void)fputs("</p>\n", out);
    }
    cleanup_free char *warned = view_warned(report);
    if (warned != NULL) {
        (void)fputs("<p class=alarm>Servers warn: ", out);
        html_text(out, warned);
        (void)fputs("</p>\n", out);
    }
    (void)fprintf(out, "<header class=\"top %s\"><p class=kind>", view_status_tone(report));
    html_text(out, json_text(run, "command"));
    (void)fputs(" of ", out);
    html_text(out, json_text(run, "site"));
    (void)fputs(" · ", out);
    html_text(out, json_text(run, "provider"));
    (void)fputs(" · <span class=nowrap>", out);
    html_text(out, started);
    (void)fputs("</span>", out);
    if (json_flag(run, "dry_run"))
        (void)fputs(" · dry run, nothing was changed", out);
    (void)fprintf(out, "</p><h1>%s</h1>\n", view_status(report));
    cleanup_free char *drill = view_drill(report);
    if (drill != NULL) {
        (void)fputs("<p class=what><b>Drill</b> ", out);
        html_text(out, drill);
        (void)fputs("</p>\n", out);
    }
    cleanup_free char *lock = view_lock(report);
    if (lock != NULL) {
        (void)fputs("<p class=what><b>Lock</b> ", out);
        html_text(out, lock);
        (void)fputs("</p>\n", out);
    }
    (void)fputs("<p class=what>", out);
    html_text(out, summary);
    (void)fputs("</p>\n", out);
    if (json_text(error, "message") != NULL) {
        (void)fputs("<p class=what><b>", out);
        html_text(out, json_text(error, "message"));
        (void)fputs("</b>", out);
        if (json_text(error, "detail") != NULL) {
            (void)fputs("<br><span class=soft>", out);
            html_text(out, json_text(error, "detail"));
            (void)fputs("</span>", out);
        }
        (void)fputs("</p>\n", out);
    }
    if (text_equal(json_text(report, "status"), "killed"))
        (void)fputs("<p class=what>The process was killed, crashed or lost its power. What it had "
                    "recorded is below.</p>\n",
                    out);
    if (next != NULL) {
        (void)fputs("<p class=next><b>Next:</b> ", out);
        html_text(out, next);
        (void)fputs("</p>\n", out);
    }
    put_figures(report, out);
    (void)fputs("</header>\n", out);
}

/* ---- why ------------------------------------------------------------------------------------- */

static void put_decisions(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *decision = NULL;
    const json_t *decisions = json_object_get(report, "decisions");
    if (json_array_size(decisions) == 0)
        return;
    (void)fputs("<section><h2>Why this way</h2>\n", out);
    json_array_foreach (decisions, index, decision) {
        size_t number = 0;
        const json_t *other = NULL;
        (void)fputs("<p><b>", out);
        html_text(out, json_text(decision, "procedure"));
        (void)fputs("</b>", out);
        if (text_equal(json_text(decision, "by"), "operator"))
            (void)fputs(" (chosen by the operator)", out);
        (void)fputs(": ", out);
        html_text(out, json_text(decision, "reason"));
        (void)fputs("</p>\n", out);
        json_array_foreach (json_object_get(decision, "ruled_out"), number, other) {
            (void)fputs("<p class=soft>Ruled out <b>", out);
            html_text(out, json_text(other, "procedure"));
            (void)fputs("</b>: ", out);
            html_text(out, json_text(other, "reason"));
            (void)fputs("</p>\n", out);
        }
    }
    (void)fputs("</section>\n", out);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void put_attempts(const json_t *step, FILE *out)
{
    const json_t *attempts = json_object_get(step, "attempts");
    size_t index = 0;
    const json_t *attempt = NULL;
    json_array_foreach (attempts, index, attempt) {
        const char *status = json_text(attempt, "status");
        const json_t *error = json_object_get(attempt, "error");
        char duration[VIEW_TEXT_SIZE];
        if (json_array_size(attempts) == 1 && status != NULL && !json_is_object(error))
            continue;
        view_duration(json_whole(attempt, "duration_ms", 0), duration);
        (void)fprintf(out, "<br><span class=\"small soft\">attempt %lld: ",
                      (long long)json_whole(attempt, "attempt", 0));
        html_text(out, status != NULL ? status : "no outcome was recorded");
        if (status != NULL)
            (void)fprintf(out, " after %s", duration);
        if (json_text(error, "message") != NULL) {
            (void)fputs(": ", out);
            html_text(out, json_text(error, "message"));
        }
        (void)fputs("</span>", out);
    }
}

static void put_step_text(const json_t *step, FILE *out)
{
    const char *target = json_text(step, "target");
    const char *consequence = json_text(step, "consequence");
    (void)fputs("<td>", out);
    html_text(out, json_text(step, "title"));
    if (target != NULL && target[0] != '\0') {
        (void)fputs("<br><code>", out);
        html_text(out, target);
        (void)fputs("</code>", out);
    }
    if (view_objects(step) > 0)
        (void)fprintf(out, " <span class=\"small soft\">%lld object%s</span>",
                      (long long)view_objects(step), view_objects(step) == 1 ? "" : "s");
    if (consequence != NULL && consequence[0] != '\0') {
        (void)fputs("<br><span class=\"small soft\">Consequence: ", out);
        html_text(out, consequence);
        (void)fputs("</span>", out);
    }
    cleanup_free char *statements = view_statements(step);
    if (*statements != '\0') {
        (void)fputs("<br><span class=\"small soft\">After ", out);
        html_text(out, statements);
        (void)fputs("</span>", out);
    }
    if (json_flag(step, "manual") && json_text(step, "instructions") != NULL) {
        (void)fputs("<br><span class=\"small soft pre\">By hand: ", out);
        html_text(out, json_text(step, "instructions"));
        (void)fputs("</span>", out);
    }
    put_attempts(step, out);
    (void)fputs("</td>", out);
}

static void put_step(const json_t *report, const json_t *step, size_t number, FILE *out)
{
    char duration[VIEW_TEXT_SIZE] = "";
    const char *state = view_step_state(report, step);
    if (json_is_integer(json_object_get(step, "duration_ms")))
        view_duration(json_whole(step, "duration_ms", 0), duration);
    (void)fprintf(out, "<tr><td class=\"number soft empty\">%zu</td>", number);
    put_step_text(step, out);
    html_cell(out, "Effect", "short", json_text(step, "effect"));
    (void)fputs("<td data-name=\"Outcome\">", out);
    tag(out, view_step_tone(json_text(step, "state")), state);
    if (json_text(step, "settled") != NULL)
        (void)fputs(" <span class=\"small soft\">as the operator settled it</span>", out);
    (void)fputs("</td>", out);
    html_cell(out, "Time", "number", duration);
    (void)fputs("</tr>\n", out);
}

static void put_stage(const json_t *report, const json_t *stage, FILE *out)
{
    size_t index = 0;
    const json_t *each = NULL;
    (void)fputs("<section><h2>Stage ", out);
    html_text(out, json_text(stage, "stage"));
    (void)fputs("</h2>\n<p class=\"small soft\">", out);
    html_text(out, json_text(stage, "procedure"));
    (void)fputs(" · plan <code>", out);
    html_text(out, json_text(stage, "hash"));
    (void)fputs("</code></p>\n", out);
    if (view_is_superseded(stage)) {
        (void)fputs("<p class=soft>Planned anew before anybody approved it; none of it ran.</p>"
                    "</section>\n",
                    out);
        return;
    }
    if (json_array_size(json_object_get(stage, "approvals")) == 0)
        (void)fputs("<p><span class=\"tag person\">not approved</span></p>\n", out);
    json_array_foreach (json_object_get(stage, "approvals"), index, each) {
        char at[VIEW_TEXT_SIZE];
        cleanup_free char *how = view_approval(each);
        view_time(json_text(each, "at"), at);
        (void)fputs("<p>Approval ", out);
        html_text(out, how);
        if (!text_equal(json_text(each, "by"), "not-needed")) {
            (void)fputs(", ", out);
            html_text(out, json_text(each, "who"));
        }
        (void)fputs(", <span class=nowrap>", out);
        html_text(out, at);
        (void)fputs("</span></p>\n", out);
    }
    (void)fputs("<table class=cards><thead><tr><th class=number>#</th><th>Step</th><th>Effect</th>"
                "<th>Outcome</th><th class=number>Time</th></tr></thead><tbody>\n",
                out);
    json_array_foreach (json_object_get(stage, "steps"), index, each)
        put_step(report, each, index + 1, out);
    (void)fputs("</tbody></table></section>\n", out);
}

/* ---- people, findings ------------------------------------------------------------------------ */

static void put_drill(const json_t *report, FILE *out)
{
    cleanup_json json_t *gaps = view_drill_gaps(report);
    size_t index = 0;
    const json_t *gap = NULL;
    if (json_array_size(gaps) == 0)
        return;
    (void)fputs("<section><h2>What the drill did not try</h2><ul>\n", out);
    json_array_foreach (gaps, index, gap) {
        (void)fputs("<li>", out);
        html_text(out, json_string_value(gap));
        (void)fputs("</li>\n", out);
    }
    (void)fputs("</ul></section>\n", out);
}

static void put_people(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *act = NULL;
    if (json_array_size(json_object_get(report, "people")) == 0)
        return;
    (void)fputs("<section><h2>What people did</h2><table class=cards><thead><tr><th>When</th>"
                "<th>Who</th><th>What</th></tr></thead><tbody>\n",
                out);
    json_array_foreach (json_object_get(report, "people"), index, act) {
        char at[VIEW_TEXT_SIZE];
        view_time(json_text(act, "at"), at);
        (void)fputs("<tr>", out);
        html_cell(out, "When", "nowrap", at);
        html_cell(out, "Who", NULL,
                  json_text(act, "who") != NULL ? json_text(act, "who") : "the operator");
        (void)fputs("<td>", out);
        html_text(out, json_text(act, "what"));
        if (json_text(act, "text") != NULL) {
            (void)fputs("<br><span class=soft>", out);
            html_text(out, json_text(act, "text"));
            (void)fputs("</span>", out);
        }
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</tbody></table></section>\n", out);
}

static void put_findings(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *finding = NULL;
    if (json_array_size(json_object_get(report, "findings")) == 0)
        return;
    (void)fputs("<section><h2>Findings</h2><table class=cards><thead><tr><th>Severity</th>"
                "<th>Finding</th><th>On</th><th>Detail</th></tr></thead><tbody>\n",
                out);
    json_array_foreach (json_object_get(report, "findings"), index, finding) {
        const char *severity = json_text(finding, "severity");
        (void)fputs("<tr><td>", out);
        tag(out, view_severity_tone(severity), severity);
        (void)fputs("</td>", out);
        html_cell(out, "Finding", NULL, json_text(finding, "id"));
        html_cell(out, "On", NULL, json_text(finding, "object"));
        (void)fputs("<td class=pre>", out);
        html_text(out, json_text(finding, "title"));
        if (json_text(finding, "title") != NULL && json_text(finding, "detail") != NULL)
            (void)fputs(": ", out);
        html_text(out, json_text(finding, "detail"));
        if (json_text(finding, "waived") != NULL) {
            (void)fputs("<br><span class=soft>Waived for this run: ", out);
            html_text(out, json_text(finding, "waived"));
            (void)fputs("</span>", out);
        }
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</tbody></table></section>\n", out);
}

/* ---- what happened --------------------------------------------------------------------------- */

static void put_timeline(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *moment = NULL;
    if (json_array_size(json_object_get(report, "timeline")) == 0)
        return;
    (void)fputs("<section><h2>What happened</h2><ol class=moments>\n", out);
    json_array_foreach (json_object_get(report, "timeline"), index, moment) {
        char offset[VIEW_TEXT_SIZE];
        char at[VIEW_TEXT_SIZE];
        const char *tone = json_text(moment, "tone");
        view_offset(json_whole(moment, "offset_ms", 0), offset);
        view_time(json_text(moment, "at"), at);
        (void)fputs("<li class=\"", out);
        html_text(out, tone);
        (void)fputs("\"><time title=\"", out);
        html_text(out, at);
        (void)fprintf(out, "\">%s</time><span>", offset);
        html_text(out, json_text(moment, "text"));
        (void)fputs("</span></li>\n", out);
    }
    (void)fputs("</ol></section>\n", out);
}

static void put_facts(const json_t *report, FILE *out)
{
    const json_t *facts = json_object_get(report, "facts");
    const char *name = NULL;
    const json_t *fact = NULL;
    if (json_object_size(facts) == 0)
        return;
    (void)fputs(
        "<section><h2>Facts that were found</h2><table class=cards><thead><tr><th>Class</th>"
        "<th>Name</th><th>Value</th></tr></thead><tbody>\n",
        out);
    json_object_foreach ((json_t *)facts, name, fact) {
        cleanup_free char *value = view_value(json_object_get(fact, "value"), VALUE_SHOWN);
        (void)fputs("<tr>", out);
        html_cell(out, "Class", NULL, json_text(fact, "class"));
        html_cell(out, "Name", NULL, name);
        (void)fputs("<td><code>", out);
        html_text(out, value);
        (void)fputs("</code>", out);
        if (json_object_get(fact, "before") != NULL) {
            cleanup_free char *before = view_value(json_object_get(fact, "before"), VALUE_SHOWN);
            (void)fputs("<br><span class=\"small soft\">before: ", out);
            html_text(out, before);
            (void)fputs("</span>", out);
        }
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</tbody></table></section>\n", out);
}

static void put_artifacts(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *artifact = NULL;
    if (json_array_size(json_object_get(report, "artifacts")) == 0)
        return;
    (void)fputs("<section><h2>Artifacts</h2><table class=cards><thead><tr><th>Name</th>"
                "<th class=number>Bytes</th><th>SHA-256</th></tr></thead><tbody>\n",
                out);
    json_array_foreach (json_object_get(report, "artifacts"), index, artifact) {
        cleanup_free char *size = text_format("%lld", (long long)json_whole(artifact, "size", 0));
        (void)fputs("<tr>", out);
        html_cell(out, "Name", NULL, json_text(artifact, "name"));
        html_cell(out, "Bytes", "number", size);
        (void)fputs("<td><code>", out);
        html_text(out, json_text(artifact, "sha256"));
        (void)fputs("</code></td></tr>\n", out);
    }
    (void)fputs("</tbody></table></section>\n", out);
}

static void put_entries(const json_t *evidence, FILE *out)
{
    const json_t *entries = json_object_get(evidence, "entries");
    long long count = (long long)json_whole(evidence, "count", 0);
    size_t index = 0;
    const json_t *entry = NULL;
    size_t shown =
        json_array_size(entries) < ENTRIES_SHOWN ? json_array_size(entries) : (size_t)ENTRIES_SHOWN;
    (void)fprintf(out,
                  "<details><summary>The first %zu of %lld entries</summary>"
                  "<ol class=moments>\n",
                  shown, count);
    json_array_foreach (entries, index, entry) {
        char offset[VIEW_TEXT_SIZE];
        char duration[VIEW_TEXT_SIZE];
        if (index >= shown)
            break;
        cleanup_free char *what = view_evidence(entry);
        view_offset(json_whole(entry, "offset_ms", 0), offset);
        view_duration(json_whole(entry, "duration_ms", 0), duration);
        (void)fprintf(out, "<li class=plain><time>%s</time><span>", offset);
        html_text(out, json_text(entry, "service"));
        (void)fputc(' ', out);
        html_text(out, what);
        (void)fprintf(out, " <span class=soft>%s ", duration);
        html_text(out, json_text(entry, "step"));
        (void)fputs("</span></span></li>\n", out);
    }
    (void)fputs("</ol></details>\n", out);
}

static void put_evidence(const json_t *report, FILE *out)
{
    const json_t *evidence = json_object_get(report, "evidence");
    const json_t *groups = json_object_get(evidence, "groups");
    size_t index = 0;
    const json_t *group = NULL;
    if (json_whole(evidence, "count", 0) == 0)
        return;
    (void)fputs(
        "<section><h2>Evidence: what was asked of the systems</h2><table class=cards><thead>"
        "<tr><th>Service</th><th>What</th><th class=number>Count</th>"
        "<th class=number>Time in all</th></tr></thead><tbody>\n",
        out);
    json_array_foreach (groups, index, group) {
        char duration[VIEW_TEXT_SIZE];
        cleanup_free char *count = text_format("%lld", (long long)json_whole(group, "count", 0));
        if (index == GROUPS_SHOWN)
            break;
        view_duration(json_whole(group, "duration_ms", 0), duration);
        (void)fputs("<tr>", out);
        html_cell(out, "Service", NULL, json_text(group, "service"));
        html_cell(out, "What", NULL, json_text(group, "what"));
        html_cell(out, "Count", "number", count);
        html_cell(out, "Time in all", "number", duration);
        (void)fputs("</tr>\n", out);
    }
    (void)fputs("</tbody></table>\n", out);
    if (json_array_size(groups) > GROUPS_SHOWN)
        (void)fprintf(out, "<p class=soft>%zu more kinds are in the JSON report.</p>\n",
                      json_array_size(groups) - (size_t)GROUPS_SHOWN);
    put_entries(evidence, out);
    (void)fputs("</section>\n", out);
}

/* ---- the bottom ------------------------------------------------------------------------------ */

static void put_run(const json_t *report, FILE *out)
{
    const json_t *run = json_object_get(report, "run");
    const json_t *plugin = json_object_get(run, "plugin");
    const json_t *source = json_object_get(run, "source");
    char started[VIEW_TEXT_SIZE];
    char last[VIEW_TEXT_SIZE];
    view_time(json_text(report, "started"), started);
    view_time(json_text(report, "last_record_at"), last);
    cleanup_free char *options = view_value(json_object_get(run, "options"), VALUE_SHOWN);
    cleanup_free char *programs =
        text_format("salvor %s, plugin %s, build %s",
                    json_text(run, "salvor") != NULL ? json_text(run, "salvor") : "?",
                    json_text(plugin, "version") != NULL ? json_text(plugin, "version") : "?",
                    json_text(plugin, "build_id") != NULL ? json_text(plugin, "build_id") : "?");
    (void)fputs("<section><h2>The run</h2><table class=fields><tbody>\n", out);
    field(out, "Run", json_text(report, "id"), 1);
    field(out, "Started", started, 0);
    field(out, "Last record", last, 0);
    field(out, "Backup", json_text(source, "name"), 1);
    field(out, "Backup digest", json_text(source, "digest"), 1);
    field(out, "Path asked for", json_text(run, "procedure"), 0);
    field(out, "Options", options, 1);
    field(out, "Made with", programs, 0);
    (void)fputs("</tbody></table></section>\n", out);
}

static void put_journal(const json_t *report, FILE *out)
{
    const json_t *journal = json_object_get(report, "journal");
    const json_t *proof = json_object_get(report, "verification");
    cleanup_free char *trust = view_trust(report);
    size_t index = 0;
    const json_t *hit = NULL;
    (void)fputs("<section><h2>What this stands on</h2><p>", out);
    tag(out, view_is_trusted(report) ? "good" : "bad",
        !view_is_trusted(report) ? "damaged"
        : json_is_object(proof)  ? "verified"
                                 : "chain whole");
    (void)fputc(' ', out);
    html_text(out, trust);
    (void)fputs("</p><table class=fields><tbody>\n", out);
    field(out, "Journal", json_text(journal, "path"), 1);
    field(out, "Head", json_text(journal, "head"), 1);
    json_array_foreach (json_object_get(proof, "known_heads"), index, hit)
        field(out, "Known head", json_text(hit, "head"), 1);
    field(out, "Proof failed", json_text(json_object_get(proof, "error"), "message"), 0);
    json_array_foreach (json_object_get(report, "damage"), index, hit) {
        cleanup_free char *name =
            text_format("Record %lld", (long long)json_whole(hit, "sequence", 0));
        field(out, name, json_text(hit, "problem"), 0);
    }
    (void)fputs("</tbody></table></section>\n", out);
}

void report_render_html(const json_t *report, FILE *out)
{
    size_t index = 0;
    const json_t *stage = NULL;
    char written[VIEW_TEXT_SIZE];
    (void)fputs("<!doctype html>\n<html lang=en>\n<head><meta charset=utf-8>\n"
                "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
                "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
                "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                "<meta name=referrer content=no-referrer>\n<title>",
                out);
    html_text(out, view_status(report));
    (void)fputs(": ", out);
    html_text(out, json_text(report, "id"));
    (void)fputs("</title>\n<style>", out);
    for (size_t i = 0; html_style[i] != NULL; i++)
        (void)fputs(html_style[i], out);
    (void)fputs("</style></head>\n<body><main>\n", out);
    put_top(report, out);
    html_chart(report, out);
    put_decisions(report, out);
    json_array_foreach (json_object_get(report, "stages"), index, stage)
        put_stage(report, stage, out);
    put_drill(report, out);
    put_people(report, out);
    put_findings(report, out);
    put_timeline(report, out);
    put_facts(report, out);
    put_artifacts(report, out);
    put_evidence(report, out);
    put_run(report, out);
    put_journal(report, out);
    view_time(json_text(report, "written"), written);
    (void)fputs("<footer>Report of run ", out);
    html_text(out, json_text(report, "id"));
    (void)fprintf(out,
                  ", written %s from its journal alone. Times after the start are measured "
                  "by a clock that nobody sets.</footer>\n</main></body></html>\n",
                  written);
}
