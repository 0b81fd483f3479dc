/* The keeper against a server and a time that are made up: what others do between its requests, and
 * what gets lost on the way, comes from scripts. */
#include "../unit.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/lease-keep.h"

enum { DURATION = 120000, RENEW = DURATION / 8, LATENCY = 5, START = 1000 };

enum fault { NO_FAULT, NOT_SENT, ANSWER_LOST, STATUS };

/* What becomes of requests first..last (from 1). */
struct trouble {
    int first, last;
    enum fault fault;
    int code;
};

/* What the run says, `at` boottime ms. */
struct wish {
    int64_t at;
    const char *what;
    const char *head;
};

struct site {
    int64_t boot; /* also the monotonic clock, unless it slept */
    int64_t slept;
    int64_t real_step_back; /* us */
    json_t *lease;          /* on the server; NULL: none */
    int version;
    int requests;
    int writes;
    const struct trouble *troubles; /* ends with first 0 */
    const struct wish *wishes;      /* ends with what NULL */
    int64_t serial;
    /* others: before request number n, and as time passes */
    void (*before)(struct site *site, int request);
    void (*meanwhile)(struct site *site);
    int64_t other_renewed;
    int lives;
    const char *cluster;
    json_t *states;
    char *logged;
    salvor_status ends_as; /* what hear says when no wish is left and an hour passed */
};

/* ---- the server ------------------------------------------------------------------------------ */

static void put_version(struct site *site)
{
    char version[16];
    (void)snprintf(version, sizeof version, "%d", ++site->version);
    json_put_text(json_object_get(site->lease, "metadata"), "resourceVersion", version);
}

/* Another holder writes, as another tool would: the annotations of ours stay where they are. */
static void other_writes(struct site *site, const char *identity)
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

static void annotate(struct site *site)
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

struct outcome {
    salvor_status status;
    json_t *result;
    struct error err;
};

static const char *const who_text = "{\"run\":\"run-a\",\"host\":\"host-a\",\"machine\":\"m\","
                                    "\"boot\":\"b\",\"pids\":\"p\",\"pid\":50,\"started\":100}";

static void begin(struct site *site)
{
    *site = (struct site){
        .boot = START, .cluster = "uid-hub", .states = json_array(), .ends_as = SALVOR_TIMEOUT};
}

static void run_for(struct site *site, const json_t *rewinds, struct outcome *ret)
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

static void end(struct site *site, struct outcome *outcome)
{
    json_decref(site->lease);
    json_decref(site->states);
    free(site->logged);
    json_decref(outcome->result);
    error_clear(&outcome->err);
}

static const char *holder_of(const struct site *site)
{
    return json_text(json_object_get(site->lease, "spec"), "holderIdentity");
}

static const json_t *state_of(const struct site *site, int64_t serial)
{
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (site->states, index, entry) {
        if (json_whole(entry, "serial", -1) == serial)
            return entry;
    }
    return NULL;
}

static void expect_log(const struct site *site, const char *part)
{
    if (site->logged == NULL || strstr(site->logged, part) == NULL)
        fail_msg("the log does not say '%s': %s", part, site->logged != NULL ? site->logged : "");
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void taken_renewed_and_given_back(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 50000, "head", "h-1"},
                                         {START + 50100, "renew", NULL},
                                         {START + 300000, "release", "h-2"},
                                         {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_true(json_flag(outcome.result, "released"));
    assert_string_equal(holder_of(&site), "");
    /* once every 15 s, and as asked */
    assert_in_range(site.writes, 21, 24);
    assert_int_equal(json_whole(outcome.result, "renewals", 0), site.writes);
    assert_true(json_whole(outcome.result, "longest_gap_ms", 0) <= RENEW + 2 * LATENCY);
    const json_t *first = state_of(&site, 0);
    assert_string_equal(json_text(first, "phase"), "held");
    assert_string_equal(json_text(first, "cluster"), "uid-hub");
    /* from the moment before the write was sent: never later than the server counts */
    assert_int_equal(json_whole(first, "valid_until", 0), START + 2 * LATENCY + DURATION);
    const json_t *renewed = state_of(&site, 2);
    assert_int_equal(json_whole(renewed, "valid_until", 0), START + 50100 + DURATION);
    cleanup_lease_seen struct lease_seen seen = {0};
    assert_int_equal(lease_seen_take(json_incref(site.lease), &seen, NULL), 0);
    cleanup_json json_t *heads = lease_heads(&seen);
    assert_int_equal(json_array_size(heads), 1);
    assert_string_equal(json_text(json_array_get(heads, 0), "head"), "h-2");
    end(&site, &outcome);
}

static void other_renews(struct site *site)
{
    if (site->boot - site->other_renewed < RENEW)
        return;
    site->other_renewed = site->boot;
    other_writes(site, "other");
}

static void living_holder_is_left_alone(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    other_writes(&site, "other");
    site.meanwhile = other_renews;
    site.other_renewed = START;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    assert_non_null(strstr(outcome.err.message, "is held by 'other'"));
    assert_int_equal(site.writes, 0);
    assert_true(site.boot < START + RENEW + 4000); /* known with its first renewal */
    const json_t *told = state_of(&site, 0);
    assert_string_equal(json_text(told, "phase"), "waiting");
    assert_string_equal(json_text(told, "holder"), "'other'");
    expect_log(&site, "watching whether it is still renewed");
    end(&site, &outcome);
}

static void dead_holder_is_outwaited(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 200000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    other_writes(&site, "other");
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    expect_log(&site, "was taken over from 'other', which is gone");
    size_t index = 0;
    const json_t *entry = NULL;
    const json_t *held = NULL;
    json_array_foreach (site.states, index, entry) {
        if (held == NULL && text_equal(json_text(entry, "phase"), "held"))
            held = entry;
    }
    assert_in_range(json_whole(held, "at", 0), START + DURATION, START + DURATION + 10000);
    assert_string_equal(json_text(held, "from"), "'other'");
    assert_int_equal(json_whole(json_object_get(site.lease, "spec"), "leaseTransitions", 0), 1);
    end(&site, &outcome);
}

/* A machine that was suspended while it watched has seen less than the clock on the wall says. */
static void sleep_of_the_machine_is_no_watching(struct site *site)
{
    if (site->boot > START + 10000 && site->slept == 0) {
        site->slept = 10 * DURATION;
        site->boot += site->slept;
    }
}

static void suspended_watcher_takes_no_shortcut(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 3000000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    other_writes(&site, "other");
    site.meanwhile = sleep_of_the_machine_is_no_watching;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    const json_t *held = json_array_get(site.states, 1);
    assert_string_equal(json_text(held, "phase"), "held");
    assert_true(json_whole(held, "at", 0) >= START + 11 * DURATION);
    end(&site, &outcome);
}

static void dead_self(struct site *site)
{
    other_writes(site, "host-a/run-a/49");
    json_put(
        json_object_get(site->lease, "metadata"), "annotations",
        json_make("{s:s}", "salvor/holder",
                  "{\"identity\":\"host-a/run-a/49\",\"run\":\"run-a\",\"host\":\"host-a\","
                  "\"machine\":\"m\",\"boot\":\"b\",\"pids\":\"p\",\"pid\":49,\"started\":1}"));
}

static void killed_run_goes_on_at_once(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 1000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    dead_self(&site);
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    const json_t *held = state_of(&site, 0);
    assert_string_equal(json_text(held, "phase"), "held");
    assert_int_equal(json_whole(held, "at", 0), START + 4 * LATENCY);
    assert_string_equal(json_text(held, "from"), "run 'run-a' on 'host-a'");
    end(&site, &outcome);
    /* but not while the old process is there */
    begin(&site);
    site.wishes = wishes;
    dead_self(&site);
    site.lives = 1;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_false(json_flag(outcome.result, "released"));
    assert_int_equal(site.writes, 0);
    end(&site, &outcome);
}

static void other_takes_first(struct site *site, int request)
{
    if (request == 2)
        other_writes(site, "other");
}

/* Both saw that it was free; the other one's write came first. */
static void second_of_two_takers_gives_way(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{0, NULL, NULL}};
    for (int was_there = 0; was_there < 2; was_there++) {
        struct site site;
        struct outcome outcome;
        begin(&site);
        site.wishes = wishes;
        if (was_there)
            other_writes(&site, "");
        site.before = other_takes_first;
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        assert_non_null(strstr(outcome.err.detail, "was taken while this run was about to"));
        assert_int_equal(site.writes, 0);
        assert_string_equal(holder_of(&site), "other");
        end(&site, &outcome);
    }
}

static void lost_answers_are_looked_for(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 40000, "release", "h"}, {0, NULL, NULL}};
    /* of the taking, of a renewal, of the release */
    static const struct trouble lost[][2] = {{{2, 2, ANSWER_LOST, 0}, {0, 0, NO_FAULT, 0}},
                                             {{3, 3, ANSWER_LOST, 0}, {0, 0, NO_FAULT, 0}},
                                             {{5, 5, ANSWER_LOST, 0}, {0, 0, NO_FAULT, 0}}};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        struct site site;
        struct outcome outcome;
        begin(&site);
        site.wishes = wishes;
        site.troubles = lost[i];
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_OK);
        if (!json_flag(outcome.result, "released"))
            fail_msg("loss %zu: %s", i, json_text(outcome.result, "why"));
        assert_string_equal(holder_of(&site), "");
        assert_int_equal(json_whole(outcome.result, "failures", 0), 1);
        end(&site, &outcome);
    }
}

static void outage_is_endured_while_nobody_takes_it(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 100000, "renew", NULL},
                                         {START + 400000, "renew", NULL},
                                         {START + 500000, "release", NULL},
                                         {0, NULL, NULL}};
    /* renewals fail from the third on, for longer than the Lease lasts */
    static const struct trouble gone[] = {{4, 40, NOT_SENT, 0}, {0, 0, NO_FAULT, 0}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    site.troubles = gone;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_true(json_flag(outcome.result, "released"));
    const json_t *asked = state_of(&site, 1);
    /* the truth: nothing was won by asking */
    assert_int_equal(json_whole(asked, "valid_until", 0), START + 2 * LATENCY + RENEW + DURATION);
    assert_string_equal(json_text(asked, "trouble"), "connection refused");
    const json_t *again = state_of(&site, 2);
    assert_true(json_whole(again, "valid_until", 0) > START + 400000);
    assert_int_equal(json_is_null(json_object_get(again, "trouble")), 1);
    expect_log(&site, "cannot be renewed: connection refused");
    expect_log(&site, "is renewed again");
    end(&site, &outcome);
}

static void stolen_at_40_s(struct site *site)
{
    if (site->boot >= START + 40000 && !text_equal(holder_of(site), "thief"))
        other_writes(site, "thief");
}

static void deleted_at_40_s(struct site *site)
{
    if (site->boot >= START + 40000) {
        json_decref(site->lease);
        site->lease = NULL;
    }
}

static void released_at_40_s(struct site *site)
{
    if (site->boot >= START + 40000 && !text_equal(holder_of(site), ""))
        other_writes(site, "");
}

static void loss_ends_the_keeping(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{0, NULL, NULL}};
    static const struct {
        void (*how)(struct site *site);
        const char *why;
    } losses[] = {{stolen_at_40_s, "it is held by 'thief'"},
                  {deleted_at_40_s, "it was deleted"},
                  {released_at_40_s, "somebody released it"}};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct site site;
        struct outcome outcome;
        begin(&site);
        site.wishes = wishes;
        site.meanwhile = losses[i].how;
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        if (strstr(outcome.err.message, losses[i].why) == NULL)
            fail_msg("'%s' does not say '%s'", outcome.err.message, losses[i].why);
        assert_in_range(site.boot, START + 40000, START + 40000 + RENEW + 100);
        assert_int_equal(site.writes, 3);
        end(&site, &outcome);
    }
}

static void annotated_at_20_s(struct site *site)
{
    if (site->boot >= START + 20000 && site->other_renewed == 0) {
        site->other_renewed = 1;
        annotate(site);
    }
}

static void touch_by_a_person_is_no_loss(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 60000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    site.meanwhile = annotated_at_20_s;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_true(json_flag(outcome.result, "released"));
    assert_int_equal(json_whole(outcome.result, "failures", 0), 0);
    assert_string_equal(
        json_text(json_object_get(json_object_get(site.lease, "metadata"), "annotations"), "note"),
        "by a person");
    end(&site, &outcome);
}

static void what_cannot_be_taken_is_told(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{0, NULL, NULL}};
    static const struct {
        struct trouble troubles[2];
        int least, most; /* ms until it gives up */
        const char *why;
    } ends[] = {
        {{{1, 1000, NOT_SENT, 0}, {0, 0, NO_FAULT, 0}}, 30000, 40000, "connection refused"},
        {{{1, 1000, STATUS, 503}, {0, 0, NO_FAULT, 0}}, 30000, 40000, "not today"},
        {{{2, 1000, STATUS, 403}, {0, 0, NO_FAULT, 0}}, 0, 100, "not today"},
        {{{2, 1000, STATUS, 404}, {0, 0, NO_FAULT, 0}}, 0, 100, "not today"}, /* no namespace */
        {{{2, 1000, STATUS, 500}, {0, 0, NO_FAULT, 0}}, 0, 40000, "not today"},
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct site site;
        struct outcome outcome;
        begin(&site);
        site.wishes = wishes;
        site.troubles = ends[i].troubles;
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        assert_int_equal(outcome.err.code, EXIT_REFUSED);
        assert_non_null(strstr(outcome.err.message, "cannot be taken"));
        assert_string_equal(outcome.err.detail, ends[i].why);
        assert_in_range(site.boot - START, ends[i].least, ends[i].most);
        end(&site, &outcome);
    }
    /* a short one is endured */
    static const struct trouble brief[] = {{1, 3, NOT_SENT, 0}, {0, 0, NO_FAULT, 0}};
    static const struct wish later[] = {{START + 60000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = later;
    site.troubles = brief;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_true(json_flag(outcome.result, "released"));
    end(&site, &outcome);
}

static void run_that_ends_does_not_wait_for_it(void **state)
{
    (void)state;
    static const struct wish release[] = {{START + 5000, "release", NULL}, {0, NULL, NULL}};
    static const struct wish cancel[] = {{START + 5000, "cancel", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = release;
    other_writes(&site, "other");
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_string_equal(json_text(outcome.result, "why"), "it was not taken");
    assert_int_equal(site.writes, 0);
    end(&site, &outcome);
    begin(&site);
    site.wishes = cancel;
    other_writes(&site, "other");
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_CANCELLED);
    assert_int_equal(outcome.err.code, EXIT_INTERRUPTED);
    end(&site, &outcome);
}

static void release_does_not_wait_for_ever(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 1000, "release", NULL}, {0, NULL, NULL}};
    static const struct trouble gone[] = {{3, 1000, NOT_SENT, 0}, {0, 0, NO_FAULT, 0}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    site.troubles = gone;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_false(json_flag(outcome.result, "released"));
    assert_string_equal(json_text(outcome.result, "why"), "connection refused");
    assert_true(site.boot < START + 20000);
    end(&site, &outcome);
}

static void set_back_an_hour(struct site *site, int request)
{
    if (request == 3)
        site->real_step_back = INT64_C(3600000000);
}

static void clock_set_back_still_renews(void **state)
{
    (void)state;
    static const struct wish wishes[] = {
        {START + 100, "renew", NULL}, {START + 200, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    site.before = set_back_an_hour;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    cleanup_free char *first =
        text_copy(json_text(json_object_get(site.lease, "spec"), "acquireTime"));
    cleanup_free char *last =
        text_copy(json_text(json_object_get(site.lease, "spec"), "renewTime"));
    assert_true(strcmp(first, last) < 0);
    end(&site, &outcome);
}

static void cluster_that_is_set_back_holds_no_lease(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{0, NULL, NULL}};
    cleanup_json json_t *rewinds = json_make("[s]", "uid-hub");
    struct site site;
    struct outcome outcome;
    begin(&site);
    site.wishes = wishes;
    run_for(&site, rewinds, &outcome);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    assert_int_equal(site.requests, 0);
    end(&site, &outcome);
    begin(&site);
    site.wishes = wishes;
    site.cluster = NULL;
    run_for(&site, rewinds, &outcome);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    assert_string_equal(outcome.err.detail, "forbidden");
    end(&site, &outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_renewed_and_given_back),
        cmocka_unit_test(living_holder_is_left_alone),
        cmocka_unit_test(dead_holder_is_outwaited),
        cmocka_unit_test(suspended_watcher_takes_no_shortcut),
        cmocka_unit_test(killed_run_goes_on_at_once),
        cmocka_unit_test(second_of_two_takers_gives_way),
        cmocka_unit_test(lost_answers_are_looked_for),
        cmocka_unit_test(outage_is_endured_while_nobody_takes_it),
        cmocka_unit_test(loss_ends_the_keeping),
        cmocka_unit_test(touch_by_a_person_is_no_loss),
        cmocka_unit_test(what_cannot_be_taken_is_told),
        cmocka_unit_test(run_that_ends_does_not_wait_for_it),
        cmocka_unit_test(release_does_not_wait_for_ever),
        cmocka_unit_test(clock_set_back_still_renews),
        cmocka_unit_test(cluster_that_is_set_back_holds_no_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
