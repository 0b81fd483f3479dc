#include "report/head.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "report/lock.h"
#include "report/view.h"

#include "base/banned.h"

enum { NAME_SHOWN = 200 };

struct head {
    const json_t *report;
    void (*line)(void *data, const char *name, const char *value);
    void *data;
};

static void put(const struct head *head, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        head->line(head->data, name, value);
}

static void put_time(const struct head *head, const char *name, const char *key)
{
    char text[VIEW_TEXT_SIZE];
    view_time(json_text(head->report, key), text);
    put(head, name, text);
}

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "?";
}

static void put_programs(const struct head *head, const json_t *run)
{
    const json_t *plugin = json_object_get(run, "plugin");
    if (json_object_size(run) == 0)
        return;
    cleanup_free char *text = text_format(
        "salvor %s, plugin %s (%s)", or_unknown(json_text(run, "salvor")),
        or_unknown(json_text(plugin, "version")), or_unknown(json_text(plugin, "build_id")));
    put(head, "made with", text);
}

static void put_times(const struct head *head)
{
    static const char *const keys[] = {"total_ms", "steps_ms", "people_ms", "down_ms"};
    const json_t *times = json_object_get(head->report, "times");
    char texts[4][VIEW_TEXT_SIZE];
    for (size_t i = 0; i < 4; i++)
        view_duration(json_whole(times, keys[i], 0), texts[i]);
    cleanup_free char *text =
        text_format("%s: %s in steps, %s waiting for people, %s at a standstill", texts[0],
                    texts[1], texts[2], texts[3]);
    put(head, "total time", text);
}

static void put_progress(const struct head *head)
{
    const json_t *progress = json_object_get(head->report, "progress");
    cleanup_free char *text =
        text_format("%lld of %lld done", (long long)json_whole(progress, "done", 0),
                    (long long)json_whole(progress, "steps", 0));
    put(head, "steps", text);
}

void report_head(const json_t *report,
                 void (*line)(void *data, const char *name, const char *value), void *data)
{
    const struct head head = {report, line, data};
    const json_t *run = json_object_get(report, "run");
    const json_t *error = json_object_get(json_object_get(report, "end"), "error");
    cleanup_free char *source =
        view_value(json_object_get(json_object_get(run, "source"), "name"), NAME_SHOWN);
    cleanup_free char *drill = view_drill(report);
    cleanup_free char *unchecked = view_unchecked(report);
    cleanup_free char *lock = view_lock(report);
    cleanup_free char *warned = view_warned(report);
    cleanup_free char *next = view_next(report);
    put(&head, "command", json_text(run, "command"));
    put(&head, "drill", drill);
    put(&head, "provider", json_text(run, "provider"));
    put(&head, "site", json_text(run, "site"));
    put_programs(&head, run);
    put(&head, "backup", source);
    put(&head, "lock", lock);
    put_time(&head, "started", "started");
    put_time(&head, "last record", "last_record_at");
    put_times(&head);
    put_progress(&head);
    put(&head, "insecure", unchecked);
    put(&head, "servers warn", warned);
    put(&head, "error", json_text(error, "message"));
    put(&head, "detail", json_text(error, "detail"));
    put(&head, "next", next);
}
