/* The keeper against the made-up server and time of practice-lease.h. */
#include "../unit.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/lease-keep.h"
#include "practice-lease.h"

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
    site_begin(&site);
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
    site_end(&site, &outcome);
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
    site_begin(&site);
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
    site_end(&site, &outcome);
}

static void dead_holder_is_outwaited(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 200000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    site_begin(&site);
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
    site_end(&site, &outcome);
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
    site_begin(&site);
    site.wishes = wishes;
    other_writes(&site, "other");
    site.meanwhile = sleep_of_the_machine_is_no_watching;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    const json_t *held = json_array_get(site.states, 1);
    assert_string_equal(json_text(held, "phase"), "held");
    assert_true(json_whole(held, "at", 0) >= START + 11 * DURATION);
    site_end(&site, &outcome);
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
    site_begin(&site);
    site.wishes = wishes;
    dead_self(&site);
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    const json_t *held = state_of(&site, 0);
    assert_string_equal(json_text(held, "phase"), "held");
    assert_int_equal(json_whole(held, "at", 0), START + 4 * LATENCY);
    assert_string_equal(json_text(held, "from"), "run 'run-a' on 'host-a'");
    site_end(&site, &outcome);
    /* but not while the old process is there */
    site_begin(&site);
    site.wishes = wishes;
    dead_self(&site);
    site.lives = 1;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_false(json_flag(outcome.result, "released"));
    assert_int_equal(site.writes, 0);
    site_end(&site, &outcome);
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
        site_begin(&site);
        site.wishes = wishes;
        if (was_there)
            other_writes(&site, "");
        site.before = other_takes_first;
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        assert_non_null(strstr(outcome.err.detail, "was taken while this run was about to"));
        assert_int_equal(site.writes, 0);
        assert_string_equal(holder_of(&site), "other");
        site_end(&site, &outcome);
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
        site_begin(&site);
        site.wishes = wishes;
        site.troubles = lost[i];
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_OK);
        if (!json_flag(outcome.result, "released"))
            fail_msg("loss %zu: %s", i, json_text(outcome.result, "why"));
        assert_string_equal(holder_of(&site), "");
        assert_int_equal(json_whole(outcome.result, "failures", 0), 1);
        site_end(&site, &outcome);
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
    site_begin(&site);
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
    site_end(&site, &outcome);
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
        site_begin(&site);
        site.wishes = wishes;
        site.meanwhile = losses[i].how;
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        if (strstr(outcome.err.message, losses[i].why) == NULL)
            fail_msg("'%s' does not say '%s'", outcome.err.message, losses[i].why);
        assert_in_range(site.boot, START + 40000, START + 40000 + RENEW + 100);
        assert_int_equal(site.writes, 3);
        site_end(&site, &outcome);
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
    site_begin(&site);
    site.wishes = wishes;
    site.meanwhile = annotated_at_20_s;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_true(json_flag(outcome.result, "released"));
    assert_int_equal(json_whole(outcome.result, "failures", 0), 0);
    assert_string_equal(
        json_text(json_object_get(json_object_get(site.lease, "metadata"), "annotations"), "note"),
        "by a person");
    site_end(&site, &outcome);
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
        site_begin(&site);
        site.wishes = wishes;
        site.troubles = ends[i].troubles;
        run_for(&site, NULL, &outcome);
        assert_int_equal(outcome.status, SALVOR_REFUSED);
        assert_int_equal(outcome.err.code, EXIT_REFUSED);
        assert_non_null(strstr(outcome.err.message, "cannot be taken"));
        assert_string_equal(outcome.err.detail, ends[i].why);
        assert_in_range(site.boot - START, ends[i].least, ends[i].most);
        site_end(&site, &outcome);
    }
    /* a short one is endured */
    static const struct trouble brief[] = {{1, 3, NOT_SENT, 0}, {0, 0, NO_FAULT, 0}};
    static const struct wish later[] = {{START + 60000, "release", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    site_begin(&site);
    site.wishes = later;
    site.troubles = brief;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_true(json_flag(outcome.result, "released"));
    site_end(&site, &outcome);
}

static void run_that_ends_does_not_wait_for_it(void **state)
{
    (void)state;
    static const struct wish release[] = {{START + 5000, "release", NULL}, {0, NULL, NULL}};
    static const struct wish cancel[] = {{START + 5000, "cancel", NULL}, {0, NULL, NULL}};
    struct site site;
    struct outcome outcome;
    site_begin(&site);
    site.wishes = release;
    other_writes(&site, "other");
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_string_equal(json_text(outcome.result, "why"), "it was not taken");
    assert_int_equal(site.writes, 0);
    site_end(&site, &outcome);
    site_begin(&site);
    site.wishes = cancel;
    other_writes(&site, "other");
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_CANCELLED);
    assert_int_equal(outcome.err.code, EXIT_INTERRUPTED);
    site_end(&site, &outcome);
}

static void release_does_not_wait_for_ever(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{START + 1000, "release", NULL}, {0, NULL, NULL}};
    static const struct trouble gone[] = {{3, 1000, NOT_SENT, 0}, {0, 0, NO_FAULT, 0}};
    struct site site;
    struct outcome outcome;
    site_begin(&site);
    site.wishes = wishes;
    site.troubles = gone;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    assert_false(json_flag(outcome.result, "released"));
    assert_string_equal(json_text(outcome.result, "why"), "connection refused");
    assert_true(site.boot < START + 20000);
    site_end(&site, &outcome);
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
    site_begin(&site);
    site.wishes = wishes;
    site.before = set_back_an_hour;
    run_for(&site, NULL, &outcome);
    assert_int_equal(outcome.status, SALVOR_OK);
    cleanup_free char *first =
        text_copy(json_text(json_object_get(site.lease, "spec"), "acquireTime"));
    cleanup_free char *last =
        text_copy(json_text(json_object_get(site.lease, "spec"), "renewTime"));
    assert_true(strcmp(first, last) < 0);
    site_end(&site, &outcome);
}

static void cluster_that_is_set_back_holds_no_lease(void **state)
{
    (void)state;
    static const struct wish wishes[] = {{0, NULL, NULL}};
    cleanup_json json_t *rewinds = json_make("[s]", "uid-hub");
    struct site site;
    struct outcome outcome;
    site_begin(&site);
    site.wishes = wishes;
    run_for(&site, rewinds, &outcome);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    assert_int_equal(site.requests, 0);
    site_end(&site, &outcome);
    site_begin(&site);
    site.wishes = wishes;
    site.cluster = NULL;
    run_for(&site, rewinds, &outcome);
    assert_int_equal(outcome.status, SALVOR_REFUSED);
    assert_string_equal(outcome.err.detail, "forbidden");
    site_end(&site, &outcome);
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
