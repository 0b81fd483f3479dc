#include "backup/set-retention.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define DAY_MS INT64_C(86400000)
#define ABANDONED_MS (7 * DAY_MS)

struct decision {
    const json_t *list;
    const struct set_retention *retention;
    const json_t *used;
    int64_t now_ms;
};

static int is_complete(const json_t *row)
{
    return text_equal(json_text(row, "state"), "complete");
}

static int is_proven(const json_t *row, const char *state)
{
    return text_equal(json_text(json_object_get(row, "verified"), "state"), state);
}

static int is_same_site(const json_t *a, const json_t *b)
{
    return text_equal(json_text(a, "provider"), json_text(b, "provider")) &&
           text_equal(json_text(a, "site"), json_text(b, "site"));
}

/* How many complete sets of its site come before it in the list; `sound`: without those that verify
 * called damaged; `whole`: only those that it called whole. */
static int64_t count_newer(const json_t *list, const json_t *row, int sound, int whole)
{
    int64_t count = 0;
    size_t index = 0;
    const json_t *other = NULL;
    json_array_foreach (list, index, other) {
        if (other == row)
            break;
        if (is_complete(other) && is_same_site(other, row) &&
            !(sound && is_proven(other, "damaged")) && !(whole && !is_proven(other, "whole")))
            count++;
    }
    return count;
}

static char *duration_text(int64_t milliseconds)
{
    if (milliseconds % DAY_MS == 0)
        return text_format("%lldd", (long long)(milliseconds / DAY_MS));
    if (milliseconds % 3600000 == 0)
        return text_format("%lldh", (long long)(milliseconds / 3600000));
    return text_format("%llds", (long long)(milliseconds / 1000));
}

static char *is_young(const struct decision *decision, const json_t *row)
{
    const char *created = json_text(row, "created");
    const int64_t made = created != NULL ? clock_parse(created) : -1;
    const int64_t age = decision->now_ms - made;
    if (made < 0)
        return text_copy("it does not say when it was made");
    if (age < 0)
        return text_copy("it is of the future: one of the clocks was wrong");
    if (decision->retention->keep_for_ms == 0 || age >= decision->retention->keep_for_ms)
        return NULL;
    cleanup_free char *limit = duration_text(decision->retention->keep_for_ms);
    return text_format("it is younger than %s", limit);
}

/* Why it stays, owned by the caller; NULL: it may go. */
static char *keep_complete(const struct decision *decision, const json_t *row)
{
    const int64_t keep_last = decision->retention->keep_last;
    if (keep_last == 0 && decision->retention->keep_for_ms == 0)
        return text_copy("nothing says how long sets of its site are kept");
    if (count_newer(decision->list, row, 0, 0) == 0)
        return text_copy("it is the newest of its site");
    if (!is_proven(row, "damaged")) {
        if (count_newer(decision->list, row, 1, 0) == 0)
            return text_copy("it is the newest of its site that is not known to be damaged");
        if (count_newer(decision->list, row, 1, 0) < keep_last)
            return text_format("it is among the newest %lld", (long long)keep_last);
    }
    if (is_proven(row, "whole") && count_newer(decision->list, row, 0, 1) == 0)
        return text_copy("it is the newest one that verify proved whole");
    return is_young(decision, row);
}

static char *go_complete(const struct decision *decision)
{
    const struct set_retention *retention = decision->retention;
    cleanup_free char *age =
        retention->keep_for_ms > 0 ? duration_text(retention->keep_for_ms) : NULL;
    if (age == NULL)
        return text_format("it is not among the newest %lld", (long long)retention->keep_last);
    if (retention->keep_last == 0)
        return text_format("it is older than %s", age);
    return text_format("it is older than %s and not among the newest %lld", age,
                       (long long)retention->keep_last);
}

static char *keep_partial(const struct decision *decision, const json_t *row)
{
    const int64_t touched = json_whole(row, "touched_ms", 0);
    if (touched <= 0) /* it may have been begun this moment */
        return text_copy("it was not completed, and nothing in it tells when it was begun");
    if (decision->now_ms - touched < ABANDONED_MS)
        return text_copy("it was not completed, and somebody worked on it within a week");
    return NULL;
}

static json_t *decide(const struct decision *decision, const json_t *row)
{
    const char *user = json_text(decision->used, json_text(row, "set"));
    const char *state = json_text(row, "state");
    cleanup_free char *why = NULL;
    if (user != NULL)
        why = text_format("it is used by %s", user);
    else if (is_complete(row))
        why = keep_complete(decision, row);
    else if (text_equal(state, "partial"))
        why = keep_partial(decision, row);
    else
        why = text_copy("it is damaged: look at it, and remove it by hand");
    const int keep = why != NULL;
    if (!keep)
        why = is_complete(row) ? go_complete(decision)
                               : text_copy("it was never completed, for more than a week");
    return json_make("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:s?, s:s?, s:b, s:s}", "set",
                     json_text(row, "set"), "provider", json_text(row, "provider"), "site",
                     json_text(row, "site"), "state", state, "created", json_text(row, "created"),
                     "key", json_text(row, "key"), "size", (json_int_t)json_whole(row, "size", 0),
                     "path", json_text(row, "path"), "digest", json_text(row, "digest"), "keep",
                     keep, "why", why);
}

json_t *set_retention_decide(const json_t *list, const struct set_retention *retention,
                             const json_t *used, int64_t now_ms)
{
    const struct decision decision = {list, retention, used, now_ms};
    json_t *rows = json_array();
    size_t index = 0;
    const json_t *row = NULL;
    json_array_foreach (list, index, row)
        json_add(rows, decide(&decision, row));
    return rows;
}
