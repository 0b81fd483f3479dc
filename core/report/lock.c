#include "report/lock.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "report/view.h"

#include "base/banned.h"

/* What the report says of it so far. */
static json_t *lock_of(struct fold *fold)
{
    json_t *lock = json_object_get(fold->report, "lock");
    if (json_is_object(lock))
        return lock;
    lock = json_make("{s:n, s:n, s:n, s:n, s:[]}", "state", "text", "cluster", "target", "events");
    json_put(fold->report, "lock", lock);
    return lock;
}

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "?";
}

static void tell(struct fold *fold, const json_t *record)
{
    const char *event = json_text(record, "event");
    const char *text = or_unknown(json_text(record, "text"));
    const char *why = or_unknown(json_text(record, "why"));
    const char *from = json_text(record, "from");
    if (text_equal(event, "taken"))
        fold_moment(fold, "lock", from != NULL ? "warn" : "plain", NULL, "holds the %s%s%s", text,
                    from != NULL ? ", taken over from " : "", from != NULL ? from : "");
    else if (text_equal(event, "lost"))
        fold_moment(fold, "lock", "bad", NULL, "%s", why);
    else if (text_equal(event, "trouble"))
        fold_moment(fold, "lock", "warn", NULL, "the lease could not be renewed: %s", why);
    else if (text_equal(event, "recovered"))
        fold_moment(fold, "lock", "good", NULL, "the lease is renewed again");
    else if (text_equal(event, "none"))
        fold_moment(fold, "lock", "plain", NULL, "no lock across machines: %s", why);
}

void fold_lock(struct fold *fold, const json_t *record)
{
    static const char *const told[] = {"why",      "from",     "waited",
                                       "renewals", "failures", "longest_gap_ms"};
    const char *event = json_text(record, "event");
    json_t *lock = lock_of(fold);
    json_t *entry = json_make("{s:s?, s:s?, s:I}", "event", event, "at", fold->at, "offset_ms",
                              (json_int_t)fold->elapsed_ms);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        const json_t *value = json_object_get(record, told[i]);
        if (value != NULL && !json_is_null(value))
            json_put(entry, told[i], json_clone(value));
    }
    json_t *events = json_object_get(lock, "events");
    if (json_array_size(events) < LISTED)
        json_add(events, entry);
    else
        json_decref(entry);
    if (!text_equal(event, "kept"))
        json_put_text(lock, "state",
                      text_equal(event, "recovered") || text_equal(event, "taken") ? "held"
                                                                                   : event);
    if (json_text(record, "text") != NULL)
        json_put_text(lock, "text", json_text(record, "text"));
    if (json_text(record, "cluster") != NULL)
        json_put_text(lock, "cluster", json_text(record, "cluster"));
    if (text_equal(event, "taken") && json_is_object(json_object_get(record, "target")))
        json_put(lock, "target", json_clone(json_object_get(record, "target")));
    if (text_equal(event, "none"))
        json_put_text(lock, "text", json_text(record, "why"));
    tell(fold, record);
}

void fold_planned_lock(struct fold *fold, const json_t *planned)
{
    const char *kind = json_text(planned, "kind");
    if (kind == NULL || json_is_object(json_object_get(fold->report, "lock")))
        return;
    json_t *lock = lock_of(fold);
    const int is_lease = text_equal(kind, "lease");
    cleanup_free char *lease =
        text_format("lease '%s/%s'", or_unknown(json_text(planned, "namespace")),
                    or_unknown(json_text(planned, "name")));
    json_put_text(lock, "state", is_lease ? "planned" : "none");
    json_put_text(lock, "text", is_lease ? lease : json_text(planned, "why"));
}

/* How often it was renewed in all, and what the longest time between two renewals was. */
static char *account_of(const json_t *lock)
{
    int64_t renewals = 0;
    int64_t longest = 0;
    size_t index = 0;
    const json_t *event = NULL;
    char gap[VIEW_TEXT_SIZE];
    json_array_foreach (json_object_get(lock, "events"), index, event) {
        const int64_t of_event = json_whole(event, "renewals", 0);
        if (of_event > 0 && of_event < INT32_MAX)
            renewals += of_event;
        if (json_whole(event, "longest_gap_ms", 0) > longest)
            longest = json_whole(event, "longest_gap_ms", 0);
    }
    if (renewals == 0)
        return text_copy("");
    view_duration(longest, gap);
    return text_format(", renewed %lld times, at most %s apart", (long long)renewals, gap);
}

char *view_lock(const json_t *report)
{
    const json_t *lock = json_object_get(report, "lock");
    const char *state = json_text(lock, "state");
    cleanup_free char *text = view_clean(or_unknown(json_text(lock, "text")));
    if (state == NULL)
        return NULL;
    cleanup_free char *account = account_of(lock);
    if (text_equal(state, "none"))
        return text_format("none across machines: %s", text);
    if (text_equal(state, "planned"))
        return text_format("%s, not taken", text);
    if (text_equal(state, "lost"))
        return text_format("%s, lost%s", text, account);
    if (text_equal(state, "trouble"))
        return text_format("%s, at last not renewed%s", text, account);
    return text_format("%s%s", text, account);
}
