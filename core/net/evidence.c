#include "net/evidence.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

enum {
    TARGET_LIMIT = 2000,
    TYPE_LIMIT = 200,
    BUCKETS = 20,
    CLASS_COUNTERS = 500,
    FULL_RECORDS = 100
};

const char *evidence_certainty(uint32_t certainty)
{
    return certainty == SALVOR_CERTAINTY_ANSWERED ? "answered"
           : certainty == SALVOR_CERTAINTY_SENT   ? "sent"
                                                  : "not-sent";
}

const char *evidence_fault(enum net_fault fault)
{
    static const char *const names[] = {
        [NET_FAULT_NONE] = NULL,         [NET_FAULT_BUG] = "bug",
        [NET_FAULT_NAME] = "name",       [NET_FAULT_CONNECT] = "connect",
        [NET_FAULT_TRUST] = "trust",     [NET_FAULT_TLS] = "tls",
        [NET_FAULT_TIMEOUT] = "timeout", [NET_FAULT_CUT] = "cut",
        [NET_FAULT_LOCAL] = "local",     [NET_FAULT_MALFORMED] = "malformed",
        [NET_FAULT_LIMIT] = "limit",     [NET_FAULT_CANCELLED] = "cancelled",
    };
    return names[fault];
}

/* ---- one request ----------------------------------------------------------------------------- */

static int is_shown(const char *key, size_t size, const char *const *shown)
{
    for (size_t i = 0; shown != NULL && shown[i] != NULL; i++)
        if (strlen(shown[i]) == size && memcmp(shown[i], key, size) == 0)
            return 1;
    return 0;
}

char *evidence_target(const char *target, const char *const *shown)
{
    struct buffer text = BUFFER_INIT(TARGET_LIMIT);
    const char *query = strchr(target, '?');
    size_t path_size = query != NULL ? (size_t)(query - target) : strlen(target);
    path_size = path_size < TARGET_LIMIT / 2 ? path_size : TARGET_LIMIT / 2;
    (void)buffer_append(&text, target, path_size);
    for (; query != NULL && *query != '\0';) {
        const size_t size = 1 + strcspn(query + 1, "&"); /* with the '?' or '&' before it */
        const char *equals = memchr(query, '=', size);
        const size_t key = equals != NULL ? (size_t)(equals - query) : size;
        const int whole = equals == NULL || is_shown(query + 1, key - 1, shown);
        if (buffer_format(&text, "%.*s%s", (int)(whole ? size : key + 1), query,
                          whole ? "" : "…") != 0)
            break;
        query += size;
    }
    cleanup_free char *raw = buffer_take(&text);
    return utf8_clean(raw, strlen(raw));
}

json_t *evidence_of(const char *service, const struct net_transfer *transfer, const char *type,
                    const char *const *shown, uint32_t attempts)
{
    cleanup_free char *target = evidence_target(transfer->target, shown);
    cleanup_free char *url = text_format("%s%s", net_pool_origin(transfer->pool), target);
    cleanup_free char *what = text_format("%s %s", transfer->method, type);
    const uint64_t sent =
        transfer->source.read != NULL ? transfer->source.size : transfer->body.size;
    json_t *record = json_make("{s:s,s:s,s:s,s:s,s:I}", "service", service, "what", what, "url",
                               url, "certainty", evidence_certainty(transfer->certainty),
                               "attempts", (json_int_t)attempts);
    if (transfer->code != 0)
        json_put(record, "status", json_integer(transfer->code));
    if (transfer->fault != NET_FAULT_NONE)
        json_put_text(record, "fault", evidence_fault(transfer->fault));
    if (sent > 0)
        json_put(record, "sent_bytes", json_integer((json_int_t)sent));
    if (transfer->answer_bytes > 0)
        json_put(record, "answer_bytes", json_integer(transfer->answer_bytes));
    if (transfer->first_byte_ms >= 0)
        json_put(record, "first_byte_ms", json_integer(transfer->first_byte_ms));
    if (transfer->http != 0)
        json_put_text(record, "http",
                      transfer->http == 20   ? "2"
                      : transfer->http == 10 ? "1.0"
                                             : "1.1");
    if (transfer->new_connection && *net_pool_peer(transfer->pool) != '\0')
        json_put_text(record, "peer", net_pool_peer(transfer->pool));
    if (net_pool_insecure(transfer->pool))
        json_put(record, "insecure", json_true());
    json_put(record, "duration_ms", json_integer(transfer->total_ms));
    return record;
}

/* ---- classes --------------------------------------------------------------------------------- */

struct counter {
    char *verb;
    char *type;
    int32_t status;
    uint64_t count;
    uint64_t buckets[BUCKETS]; /* below 2^i ms */
};

struct evidence_class {
    char *service;
    char *name;
    struct counter *counters;
    size_t count;
    size_t last; /* most requests are like the one before */
    int full_records;
    int64_t since;
};

struct evidence_class *evidence_class_new(const char *service, const char *name)
{
    struct evidence_class *class = memory_new(1, sizeof *class);
    class->service = text_copy(service);
    class->name = text_copy(name);
    class->since = clock_monotonic_ms();
    return class;
}

static int fits(const struct counter *counter, const char *verb, const char *type, int32_t status)
{
    return counter->status == status && text_equal(counter->verb, verb) &&
           text_equal(counter->type, type);
}

static struct counter *counter_of(struct evidence_class *class, const char *verb, const char *type,
                                  int32_t status)
{
    if (class->last < class->count && fits(&class->counters[class->last], verb, type, status))
        return &class->counters[class->last];
    for (size_t i = 0; i < class->count; i++) {
        if (fits(&class->counters[i], verb, type, status)) {
            class->last = i;
            return &class->counters[i];
        }
    }
    /* A record has its limit: what comes in too many kinds is counted as one. */
    if (class->count >= CLASS_COUNTERS && !text_equal(type, "other"))
        return counter_of(class, "any", "other", status);
    class->counters = memory_resize(class->counters, class->count + 1, sizeof *class->counters);
    class->last = class->count++;
    class->counters[class->last] =
        (struct counter){.verb = text_copy(verb), .type = text_copy(type), .status = status};
    return &class->counters[class->last];
}

void evidence_class_count(struct evidence_class *class, const char *verb, const char *type,
                          int32_t status, int64_t ms)
{
    char cut[TYPE_LIMIT + 1];
    const size_t size = strlen(type) < TYPE_LIMIT ? strlen(type) : TYPE_LIMIT;
    (void)snprintf(cut, sizeof cut, "%.*s", (int)utf8_cut(type, size), type);
    struct counter *counter = counter_of(class, verb, cut, status);
    size_t bucket = 0;
    counter->count++;
    if (ms < 0)
        return;
    while (bucket < BUCKETS - 1 && ms >= (INT64_C(1) << bucket))
        bucket++;
    counter->buckets[bucket]++;
}

int evidence_class_wants(struct evidence_class *class)
{
    return class->full_records++ < FULL_RECORDS;
}

static json_t *counter_json(const struct counter *counter)
{
    json_t *times = json_make("{}");
    for (size_t i = 0; i < BUCKETS; i++) {
        cleanup_free char *below =
            i == BUCKETS - 1 ? text_copy("more") : text_format("%lld", 1LL << i);
        if (counter->buckets[i] > 0)
            json_put(times, below, json_integer((json_int_t)counter->buckets[i]));
    }
    json_t *json = json_make("{s:s,s:s,s:I,s:o}", "verb", counter->verb, "type", counter->type,
                             "count", (json_int_t)counter->count, "ms", times);
    if (counter->status >= 0)
        json_put(json, "status", json_integer(counter->status));
    return json;
}

static void forget(struct evidence_class *class)
{
    for (size_t i = 0; i < class->count; i++) {
        free(class->counters[i].verb);
        free(class->counters[i].type);
    }
    free(take_pointer(class->counters));
    class->count = 0;
}

void evidence_class_send(struct worker_call *call, struct evidence_class *class)
{
    const int64_t now = clock_monotonic_ms();
    cleanup_free char *what = text_format("class %s", class->name);
    if (class->count == 0)
        return;
    json_t *counts = json_make("[]");
    for (size_t i = 0; i < class->count; i++)
        json_add(counts, counter_json(&class->counters[i]));
    call_evidence(call, json_make("{s:s,s:s,s:s,s:o,s:I}", "service", class->service, "what", what,
                                  "class", class->name, "counts", counts, "duration_ms",
                                  (json_int_t)(now - class->since)));
    forget(class);
    class->since = now;
}

void evidence_class_free(struct evidence_class *class)
{
    if (class == NULL)
        return;
    forget(class);
    free(class->service);
    free(class->name);
    free(class);
}
