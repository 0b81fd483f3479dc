/* Where the time went: one lane a phase, approval or step, with the standstills cut short. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "report/html.h"
#include "report/view.h"

#include "base/banned.h"

enum { GAPS = 8, LANES = 200 };

/* A standstill of a night would leave nothing of the work to see: each is drawn this wide. */
static const double GAP_WIDTH = 5.0;

struct gap {
    int64_t from;
    int64_t to;
};

struct scale {
    struct gap gaps[GAPS];
    int gap_count;
    int64_t active_ms; /* without the gaps */
    double width;      /* percent that the active time takes */
};

static void make_scale(const json_t *report, struct scale *ret_scale)
{
    memset(ret_scale, 0, sizeof *ret_scale);
    int64_t total = json_whole(json_object_get(report, "times"), "total_ms", 0);
    int64_t standing = 0;
    int64_t end = 0;
    size_t index = 0;
    const json_t *stop = NULL;
    json_array_foreach (json_object_get(report, "interruptions"), index, stop) {
        int64_t from = json_whole(stop, "offset_ms", 0);
        int64_t to = json_whole(stop, "resumed_offset_ms", 0);
        if (from < end || to <= from || to > total || ret_scale->gap_count == GAPS)
            continue;
        ret_scale->gaps[ret_scale->gap_count++] = (struct gap){from, to};
        standing += to - from;
        end = to;
    }
    ret_scale->active_ms = total > standing ? total - standing : 1;
    ret_scale->width = 100.0 - GAP_WIDTH * ret_scale->gap_count;
}

/* Percent of the axis for a moment of the run. */
static double place(const struct scale *scale, int64_t ms)
{
    double gaps = 0;
    int64_t standing = 0;
    for (int i = 0; i < scale->gap_count; i++) {
        const struct gap *gap = &scale->gaps[i];
        if (ms >= gap->to) {
            gaps += GAP_WIDTH;
            standing += gap->to - gap->from;
        } else if (ms > gap->from) {
            gaps += GAP_WIDTH * (double)(ms - gap->from) / (double)(gap->to - gap->from);
            standing += ms - gap->from;
        }
    }
    double percent = gaps + scale->width * (double)(ms - standing) / (double)scale->active_ms;
    return percent < 0 ? 0 : percent > 100 ? 100 : percent;
}

static void put_gaps(const struct scale *scale, FILE *out)
{
    for (int i = 0; i < scale->gap_count; i++)
        (void)fprintf(out, "<span class=gap style=\"left:%.2f%%;width:%.2f%%\"></span>",
                      place(scale, scale->gaps[i].from), GAP_WIDTH);
}

static void put_bar(const struct scale *scale, const char *class, int64_t from, int64_t to,
                    FILE *out)
{
    double left = place(scale, from);
    double width = place(scale, to) - left;
    if (left > 99.5)
        left = 99.5;
    (void)fprintf(out, "<span class=\"bar %s\" style=\"left:%.2f%%;width:%.2f%%\"></span>", class,
                  left, width > 0 ? width : 0);
}

static void begin_lane(const struct scale *scale, const char *name, FILE *out)
{
    (void)fputs("<div class=lane><span class=name>", out);
    html_text(out, name);
    (void)fputs("</span><span class=track>", out);
    put_gaps(scale, out);
}

static void end_lane(int64_t ms, FILE *out)
{
    char duration[VIEW_TEXT_SIZE] = "";
    if (ms >= 0)
        view_duration(ms, duration);
    (void)fprintf(out, "</span><span class=time>%s</span></div>\n", duration);
}

static void put_phases(const json_t *report, const struct scale *scale, FILE *out)
{
    size_t index = 0;
    const json_t *phase = NULL;
    json_array_foreach (json_object_get(report, "phases"), index, phase) {
        const char *name = json_text(phase, "phase");
        int64_t from = json_whole(phase, "offset_ms", 0);
        int64_t ms = json_whole(phase, "duration_ms", -1);
        if (ms < 0 || index >= LANES)
            continue;
        begin_lane(scale,
                   text_equal(name, "discovering")  ? "Look at the systems"
                   : text_equal(name, "validating") ? "Prove the backup"
                   : text_equal(name, "planning")   ? "Make the plan"
                                                    : name,
                   out);
        put_bar(scale, "plain", from, from + ms, out);
        end_lane(ms, out);
    }
}

static void put_approvals(const json_t *stage, const struct scale *scale, FILE *out)
{
    size_t index = 0;
    const json_t *approval = NULL;
    json_array_foreach (json_object_get(stage, "approvals"), index, approval) {
        int64_t waited = json_whole(approval, "waited_ms", 0);
        int64_t at = json_whole(approval, "offset_ms", 0);
        if (waited < 1000)
            continue;
        begin_lane(scale, "Wait for the approval", out);
        put_bar(scale, "person wait", at - waited, at, out);
        end_lane(waited, out);
    }
}

static void put_step(const json_t *step, const struct scale *scale, int64_t total, FILE *out)
{
    const json_t *attempts = json_object_get(step, "attempts");
    size_t index = 0;
    const json_t *attempt = NULL;
    int manual = json_flag(step, "manual");
    begin_lane(scale, json_text(step, "title"), out);
    if (manual && json_is_integer(json_object_get(step, "offset_ms")))
        put_bar(scale, "person wait", json_whole(step, "offset_ms", 0),
                json_whole(step, "ended_offset_ms", total), out);
    json_array_foreach (attempts, index, attempt) {
        const char *status = json_text(attempt, "status");
        int64_t from = json_whole(attempt, "offset_ms", 0);
        int64_t ms = json_whole(attempt, "duration_ms", -1);
        const char *tone = text_equal(status, "done") || text_equal(status, "skipped") ? "good"
                           : status == NULL || text_equal(status, "cancelled")         ? "warn"
                                                                                       : "bad";
        if (manual)
            continue;
        if (ms < 0) {
            /* Without an outcome it lasted until the standstill, as far as can be told. */
            int64_t until = total;
            for (int i = scale->gap_count - 1; i >= 0; i--)
                if (scale->gaps[i].from >= from)
                    until = scale->gaps[i].from;
            ms = until - from;
        }
        /* An attempt is measured from its first check on; a skipped one has only an end. */
        put_bar(scale, tone, from, ms < total - from ? from + ms : total, out);
    }
    end_lane(json_whole(step, "duration_ms", -1), out);
}

void html_chart(const json_t *report, FILE *out)
{
    struct scale scale;
    int64_t total = json_whole(json_object_get(report, "times"), "total_ms", 0);
    size_t index = 0;
    size_t lanes = 0;
    const json_t *stage = NULL;
    make_scale(report, &scale);
    if (json_array_size(json_object_get(report, "stages")) == 0)
        return;
    (void)fputs("<section><h2>Where the time went</h2><div class=chart>\n", out);
    put_phases(report, &scale, out);
    json_array_foreach (json_object_get(report, "stages"), index, stage) {
        size_t number = 0;
        const json_t *step = NULL;
        if (view_is_superseded(stage))
            continue;
        put_approvals(stage, &scale, out);
        json_array_foreach (json_object_get(stage, "steps"), number, step) {
            if (json_is_integer(json_object_get(step, "offset_ms")) && lanes++ < LANES)
                put_step(step, &scale, total, out);
        }
    }
    (void)fputs("</div><div class=legend><span class=good><i></i>done</span>"
                "<span class=bad><i></i>failed</span><span class=warn><i></i>cut off</span>"
                "<span class=person><i class=wait></i>a person</span>",
                out);
    if (scale.gap_count > 0)
        (void)fputs("<span><i class=hatch></i>standstill, not to scale</span>", out);
    (void)fputs("</div></section>\n", out);
}
