#include "practice-lease.h"

#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/lease-keep.h"

/* ---- the server ------------------------------------------------------------------------------ */

static void put_version(struct site *site)
{
    char version[16];
    (void)snprintf(version, sizeof version, "%d", ++site->version);
    json_put_text(json_object_get(site->lease, "metadata"), "resourceVersion", version);
}

/* Another holder writes, as another tool would: the annotations of ours stay where they are. */
void other_writes(struct site *site, const char *identity)
{
    char renewed[32];
    if (site->lease == NULL)
        site->lease = json_make("{s:{s:s}, s:{s:i}}", "metadata", "uid", "u-other", "spec",
                                "leaseDurationSeconds", DURATION / 1000);
    json_t *spec = json_object_get(site->lease, "spec");
    (void)snprintf(renewed, sizeof renewed, "other-%lld", (long long)site->boot);
    json_put_text(spec, "holderIdentity", identity);
    json_put_text(spec, "renewTime", renewed);
    json_put(spec, "leaseDurationSeconds", json_integer(DURATION / 1000));
    put_version(site);
}

void annotate(struct site *site)
{
    json_put_text(json_object_get(json_object_get(site->lease, "metadata"), "annotations"), "note",
                  "by a person");
    put_version(site);
}

static const struct trouble *trouble_of(const struct site *site)
{
    for (const struct trouble *trouble = site->troubles; trouble != NULL && trouble->first != 0;
         trouble++) {
        if (site->requests >= trouble->first && site->requests <= trouble->last)
            return trouble;
    }
    return NULL;
}

/* 1: the request reaches the server. */
static int arrive(struct site *site, struct lease_answer *answer)
{
    const struct trouble *trouble = NULL;
    *answer = (struct lease_answer){0, NULL, NULL};
    site->requests++;
    site->boot += LATENCY;
    if (site->before != NULL)
        site->before(site, site->requests);
    trouble = trouble_of(site);
    if (trouble == NULL || trouble->fault == ANSWER_LOST)
        return 1;
    answer->code = trouble->fault == STATUS ? trouble->code : 0;
    answer->why = text_copy(trouble->fault == STATUS ? "not today" : "connection refused");
    return 0;
}

static void leave(struct site *site, int code, struct lease_answer *answer)
{
    const struct trouble *trouble = trouble_of(site);
    site->boot += LATENCY;
    if (trouble != NULL && trouble->fault == ANSWER_LOST) {
        answer->why = text_copy("timed out");
        return;
    }
    answer->code = code;
    if (code < 300)
        answer->object = json_clone(site->lease);
    else
        answer->why = text_copy(code == 409 ? "conflict" : "not found");
}

static void server_get(void *data, struct lease_answer *answer)
{
    struct site *site = data;
    if (arrive(site, answer))
        leave(site, site->lease != NULL ? 200 : 404, answer);
}

static const char *meta(const json_t *object, const char *key)
{
    return json_text(json_object_get(object, "metadata"), key);
}

static void server_put(void *data, const json_t *object, struct lease_answer *answer)
{
    struct site *site = data;
    if (!arrive(site, answer))
        return;
    const int makes = meta(object, "resourceVersion") == NULL;
    const int fits =
        makes ? site->lease == NULL
              : text_equal(meta(object, "resourceVersion"), meta(site->lease, "resourceVersion")) &&
                    text_equal(meta(object, "uid"), meta(site->lease, "uid"));
    if (!fits) {
        leave(site, 409, answer);
        return;
    }
    json_decref(site->lease);
    site->lease = json_clone(object);
    if (makes)
        json_put_text(json_object_get(site->lease, "metadata"), "uid", "u-ours");
    put_version(site);
    site->writes++;
    leave(site, makes ? 201 : 200, answer);
}

/* ---- the rest of the world ------------------------------------------------------------------- */

static char *world_cluster(void *data, char **ret_why)
{
    struct site *site = data;
    if (site->cluster == NULL)
        *ret_why = text_copy("forbidden");
    return site->cluster != NULL ? text_copy(site->cluster) : NULL;
}

static int64_t world_monotonic(void *data)
{
    return ((struct site *)data)->boot - ((struct site *)data)->slept;
}

static int64_t world_boottime(void *data)
{
    return ((struct site *)data)->boot;
}

static int64_t world_realtime(void *data)
{
    return INT64_C(1767323045000000) + ((struct site *)data)->boot * 1000 -
           ((struct site *)data)->real_step_back;
}

static salvor_status world_hear(void *data, int64_t timeout_ms, json_t **ret_body)
{
    struct site *site = data;
    const struct wish *wish = site->wishes;
    const int64_t until = site->boot + timeout_ms;
    const int comes = wish->what != NULL && wish->at <= until;
    /* time passes in pieces, so that others act in between */
    for (const int64_t stop = comes ? wish->at : until; site->boot < stop;) {
        site->boot += stop - site->boot > 100 ? 100 : stop - site->boot;
        if (site->meanwhile != NULL)
            site->meanwhile(site);
    }
    if (!comes && wish->what == NULL && site->boot > START + 3600000)
        return site->ends_as;
    if (!comes)
        return SALVOR_PENDING;
    site->wishes++;
    if (text_equal(wish->what, "cancel"))
        return SALVOR_CANCELLED;
    *ret_body = json_make("{s:I, s:s, s:s?}", "serial", (json_int_t)++site->serial, "do",
                          wish->what, "head", wish->head);
    return SALVOR_OK;
}

static void world_state(void *data, int64_t serial, json_t *state)
{
    struct site *site = data;
    json_put(state, "serial", json_integer(serial));
    json_put(state, "at", json_integer(site->boot));
    json_add(site->states, state);
}

static void world_log(void *data, uint32_t level, const char *text)
{
    struct site *site = data;
    char *all = text_format("%s%u %s\n", site->logged != NULL ? site->logged : "", level, text);
    free(site->logged);
    site->logged = all;
}

static int world_lives(void *data, int64_t pid, int64_t started)
{
    (void)pid, (void)started;
    return ((struct site *)data)->lives;
}

/* ---- the bench ------------------------------------------------------------------------------- */

static const char *const who_text = "{\"run\":\"run-a\",\"host\":\"host-a\",\"machine\":\"m\","
                                    "\"boot\":\"b\",\"pids\":\"p\",\"pid\":50,\"started\":100}";

void site_begin(struct site *site)
{
    *site = (struct site){
        .boot = START, .cluster = "uid-hub", .states = json_array(), .ends_as = SALVOR_TIMEOUT};
}

void run_for(struct site *site, const json_t *rewinds, struct outcome *ret)
{
    cleanup_json json_t *who = json_loads(who_text, 0, NULL);
    const struct lease_world world = {
        site,           server_get, server_put,  world_cluster, world_monotonic, world_boottime,
        world_realtime, world_hear, world_state, world_log,     world_lives};
    const struct lease_order order = {
        .self = {"kube-system", "salvor", "host-a/run-a/50", who, DURATION},
        .has_run_lock = 1,
        .rewinds = rewinds};
    *ret = (struct outcome){SALVOR_OK, NULL, ERROR_INIT};
    ret->status = lease_keep(&world, &order, &ret->result, &ret->err);
    assert_int_equal(ret->status == SALVOR_OK, !error_is_set(&ret->err));
    assert_int_equal(ret->status == SALVOR_OK, ret->result != NULL);
}

void site_end(struct site *site, struct outcome *outcome)
{
    json_decref(site->lease);
    json_decref(site->states);
    free(site->logged);
    json_decref(outcome->result);
    error_clear(&outcome->err);
}

const char *holder_of(const struct site *site)
{
    return json_text(json_object_get(site->lease, "spec"), "holderIdentity");
}

const json_t *state_of(const struct site *site, int64_t serial)
{
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (site->states, index, entry) {
        if (json_whole(entry, "serial", -1) == serial)
            return entry;
    }
    return NULL;
}

void expect_log(const struct site *site, const char *part)
{
    if (site->logged == NULL || strstr(site->logged, part) == NULL)
        fail_msg("the log does not say '%s': %s", part, site->logged != NULL ? site->logged : "");
}
