#include "net/lease-object.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#define HOLDER_ANNOTATION "salvor/holder"
#define HEADS_ANNOTATION "salvor/journal-heads"

enum {
    ANNOTATION_LIMIT = 65536,
    HEADS_KEPT = 16,
    TIME_SIZE = sizeof "2026-01-02T03:04:05.678901Z",
    DURATION_LIMIT_S = 86400
};

/* ---- reading --------------------------------------------------------------------------------- */

static const char *text_or_none(const json_t *object, const char *key)
{
    const char *text = json_text(object, key);
    return text != NULL ? text : "";
}

/* JSON of an annotation, or NULL: somebody else may have written it. */
static json_t *annotation(const json_t *object, const char *key)
{
    const json_t *text =
        json_object_get(json_object_get(json_object_get(object, "metadata"), "annotations"), key);
    if (!json_is_string(text) || json_string_length(text) > ANNOTATION_LIMIT)
        return NULL;
    return json_loadb(json_string_value(text), json_string_length(text), JSON_REJECT_DUPLICATES,
                      NULL);
}

static json_t *read_who(const json_t *object, const char *identity)
{
    cleanup_json json_t *who = annotation(object, HOLDER_ANNOTATION);
    if (*identity == '\0' || !text_equal(json_text(who, "identity"), identity))
        return NULL;
    return take_pointer(who);
}

static int is_absent_or(const json_t *value, int is_type)
{
    return value == NULL || json_is_null(value) || is_type;
}

int lease_seen_take(json_t *object, struct lease_seen *ret_seen, struct error *reterr)
{
    cleanup_json json_t *own = object;
    *ret_seen = (struct lease_seen){NULL, NULL, "", "", "", "", 0, 0};
    if (own == NULL)
        return 0;
    const json_t *metadata = json_object_get(own, "metadata");
    const json_t *spec = json_object_get(own, "spec");
    const char *version = json_text(metadata, "resourceVersion");
    const json_t *holder = json_object_get(spec, "holderIdentity");
    const json_t *renewed = json_object_get(spec, "renewTime");
    const json_t *seconds = json_object_get(spec, "leaseDurationSeconds");
    const json_t *annotations = json_object_get(metadata, "annotations");
    if (version == NULL || *version == '\0' || !is_absent_or(spec, json_is_object(spec)) ||
        !is_absent_or(holder, json_is_string(holder)) ||
        !is_absent_or(renewed, json_is_string(renewed)) ||
        !is_absent_or(seconds, json_is_integer(seconds)) ||
        !is_absent_or(annotations, json_is_object(annotations)))
        return error_set(reterr, EXIT_FAILED, "what was read is no Lease");
    const int64_t duration_s = json_whole(spec, "leaseDurationSeconds", 0);
    *ret_seen = (struct lease_seen){
        .object = own,
        .version = version,
        .identity = text_or_none(spec, "holderIdentity"),
        .renewed = text_or_none(spec, "renewTime"),
        .since = text_or_none(spec, "acquireTime"),
        .duration_ms =
            duration_s > 0 && duration_s <= DURATION_LIMIT_S ? duration_s * INT64_C(1000) : 0,
        .transitions = json_whole(spec, "leaseTransitions", 0),
    };
    ret_seen->who = read_who(own, ret_seen->identity);
    own = NULL;
    return 0;
}

void lease_seen_clear(struct lease_seen *seen)
{
    json_decref(seen->object);
    json_decref(seen->who);
    *seen = (struct lease_seen){NULL, NULL, "", "", "", "", 0, 0};
}

json_t *lease_heads(const struct lease_seen *seen)
{
    json_t *heads = json_array();
    cleanup_json json_t *written = annotation(seen->object, HEADS_ANNOTATION);
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (written, index, entry) {
        if (json_text(entry, "run") != NULL && json_text(entry, "head") != NULL)
            json_add(heads, json_make("{s:s, s:s, s:s}", "run", json_text(entry, "run"), "head",
                                      json_text(entry, "head"), "at", text_or_none(entry, "at")));
    }
    return heads;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* MicroTime of the Kubernetes API. */
static void format_time(int64_t now_us, char ret_text[TIME_SIZE])
{
    const time_t seconds = (time_t)(now_us / 1000000);
    struct tm parts = {0};
    char date[32] = "";
    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(ret_text, TIME_SIZE, "%.19s.%06dZ", date, (int)((uint64_t)now_us % 1000000));
}

static json_t *member(json_t *object, const char *key)
{
    if (!json_is_object(json_object_get(object, key)))
        json_put(object, key, json_object());
    return json_object_get(object, key);
}

static void put_json(json_t *annotations, const char *key, const json_t *value)
{
    cleanup_free char *text = json_canonical(value);
    json_put_text(annotations, key, text);
}

/* The newest stands last; older runs make room. */
static void put_head(json_t *annotations, const struct lease_seen *seen,
                     const struct lease_self *self, const char *now, const char *head)
{
    const char *run = json_text(self->who, "run");
    cleanup_json json_t *heads = lease_heads(seen);
    for (size_t i = json_array_size(heads); i > 0; i--) {
        if (text_equal(json_text(json_array_get(heads, i - 1), "run"), run))
            (void)json_array_remove(heads, i - 1);
    }
    while (json_array_size(heads) >= HEADS_KEPT)
        (void)json_array_remove(heads, 0);
    json_add(heads, json_make("{s:s?, s:s, s:s}", "run", run, "head", head, "at", now));
    put_json(annotations, HEADS_ANNOTATION, heads);
}

static json_t *begin(const struct lease_seen *seen, const struct lease_self *self)
{
    if (seen->object == NULL)
        return json_make("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "coordination.k8s.io/v1", "kind",
                         "Lease", "metadata", "namespace", self->ns, "name", self->name);
    json_t *object = json_clone(seen->object);
    json_put_text(object, "apiVersion", "coordination.k8s.io/v1");
    json_put_text(object, "kind", "Lease");
    (void)json_object_del(json_object_get(object, "metadata"), "managedFields");
    return object;
}

json_t *lease_written(const struct lease_seen *seen, const struct lease_self *self,
                      enum lease_write what, int64_t now_us, const char *head)
{
    char now[TIME_SIZE];
    format_time(now_us, now);
    json_t *object = begin(seen, self);
    json_t *annotations = member(member(object, "metadata"), "annotations");
    json_t *spec = member(object, "spec");
    const int released = what == LEASE_WRITE_RELEASE;
    /* as client-go does it: whoever looks next takes it at once */
    json_put_text(spec, "holderIdentity", released ? "" : self->identity);
    json_put(spec, "leaseDurationSeconds",
             json_integer(released ? 1 : (self->duration_ms + 999) / 1000));
    json_put_text(spec, "renewTime", now);
    if (what == LEASE_WRITE_TAKE) {
        json_put_text(spec, "acquireTime", now);
        json_put(spec, "leaseTransitions",
                 json_integer(seen->object != NULL ? seen->transitions + 1 : 0));
    }
    if (released) {
        (void)json_object_del(annotations, HOLDER_ANNOTATION);
    } else {
        cleanup_json json_t *who = json_clone(self->who);
        json_put_text(who, "identity", self->identity);
        put_json(annotations, HOLDER_ANNOTATION, who);
    }
    if (head != NULL)
        put_head(annotations, seen, self, now, head);
    return object;
}
