#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/lease-rules.h"

enum { DURATION = 20000, PATIENCE = DURATION + DURATION / 20 + 100 };

static json_t *who_of(const char *run, const char *machine, const char *boot, const char *pids,
                      int pid)
{
    return json_make("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "run", run, "host", "host-b",
                     "machine", machine, "boot", boot, "pids", pids, "pid", pid, "started", 100,
                     "provider", "example", "site", "lab");
}

/* A Lease as the server holds it; `who` is stolen and may be NULL. */
static void see(struct lease_seen *seen, const char *identity, json_t *who, const char *renewed,
                const char *version)
{
    json_t *object =
        json_make("{s:{s:s, s:{}}, s:{s:s, s:s, s:s, s:i}}", "metadata", "resourceVersion", version,
                  "annotations", "spec", "holderIdentity", identity, "renewTime", renewed,
                  "acquireTime", "yesterday", "leaseDurationSeconds", DURATION / 1000);
    if (who != NULL) {
        json_put_text(who, "identity", identity);
        cleanup_free char *text = json_canonical(who);
        json_put_text(json_object_get(json_object_get(object, "metadata"), "annotations"),
                      "salvor/holder", text);
        json_decref(who);
    }
    lease_seen_clear(seen);
    assert_int_equal(lease_seen_take(object, seen, NULL), 0);
}

struct bench {
    json_t *who;
    struct lease_self self;
    struct lease_watch watch;
    struct lease_seen seen;
    struct error err;
    char *from;
    int64_t wait;
};

static void begin(struct bench *bench)
{
    *bench = (struct bench){0};
    bench->who = who_of("run-a", "m-1", "b-1", "p-1", 50);
    bench->self = (struct lease_self){"ns", "salvor", "me", bench->who, DURATION};
}

static void end(struct bench *bench)
{
    json_decref(bench->who);
    lease_watch_clear(&bench->watch);
    lease_seen_clear(&bench->seen);
    error_clear(&bench->err);
    free(bench->from);
}

static enum lease_advice judge(struct bench *bench, int old_is_dead, int64_t now)
{
    free(bench->from);
    error_clear(&bench->err);
    return lease_judge(&bench->watch, &bench->seen, &bench->self, old_is_dead, now, &bench->wait,
                       &bench->from, &bench->err);
}

static void what_nobody_holds_is_taken(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    assert_int_equal(lease_seen_take(NULL, &bench.seen, NULL), 0);
    assert_int_equal(judge(&bench, 0, 1000), LEASE_TAKE);
    assert_null(bench.from);
    see(&bench.seen, "", NULL, "t1", "1");
    assert_int_equal(judge(&bench, 0, 1000), LEASE_TAKE);
    see(&bench.seen, "me", NULL, "t1", "1");
    assert_int_equal(judge(&bench, 0, 1000), LEASE_OURS);
    end(&bench);
}

/* Whatever its times say, and however far apart the clocks are. */
static void silent_holder_is_outwaited_by_our_own_clock(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    see(&bench.seen, "other", who_of("run-b", "m-2", "b-2", "p-2", 9), "9999-12-31T00:00:00Z", "1");
    int64_t now = 5000;
    for (; now < 5000 + PATIENCE; now += bench.wait) {
        assert_int_equal(judge(&bench, 0, now), LEASE_WATCH);
        assert_in_range(bench.wait, 1, 3000);
    }
    assert_int_equal(now, 5000 + PATIENCE); /* exactly then, not a look later */
    assert_int_equal(judge(&bench, 0, now), LEASE_TAKE);
    assert_string_equal(bench.from, "run 'run-b' on 'host-b' (provider 'example', site 'lab')");
    end(&bench);
}

static void living_holder_is_named(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    see(&bench.seen, "other", who_of("run-b", "m-2", "b-2", "p-2", 9), "t1", "1");
    assert_int_equal(judge(&bench, 0, 0), LEASE_WATCH);
    see(&bench.seen, "other", who_of("run-b", "m-2", "b-2", "p-2", 9), "t2", "2");
    assert_int_equal(judge(&bench, 0, PATIENCE), LEASE_REFUSE);
    assert_int_equal(bench.err.code, EXIT_REFUSED);
    assert_string_equal(bench.err.message,
                        "the lease 'ns/salvor' is held by run 'run-b' on 'host-b' (provider "
                        "'example', site 'lab') since yesterday");
    assert_non_null(strstr(bench.err.detail, "renewed while this run watched"));
    assert_non_null(strstr(bench.err.hint, "salvor report run-b"));
    end(&bench);
    /* a tool of somebody else's */
    begin(&bench);
    see(&bench.seen, "operator_1", NULL, "t1", "1");
    assert_int_equal(judge(&bench, 0, 0), LEASE_WATCH);
    see(&bench.seen, "operator_1", NULL, "t2", "2");
    assert_int_equal(judge(&bench, 0, 1), LEASE_REFUSE);
    assert_non_null(strstr(bench.err.message, "held by 'operator_1' since"));
    assert_non_null(strstr(bench.err.hint, "find out what holds it"));
    end(&bench);
}

static void taker_that_was_faster_is_alive(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    assert_int_equal(lease_seen_take(NULL, &bench.seen, NULL), 0);
    assert_int_equal(judge(&bench, 0, 0), LEASE_TAKE);
    see(&bench.seen, "other", NULL, "t1", "1");
    assert_int_equal(judge(&bench, 0, 1), LEASE_REFUSE);
    assert_non_null(strstr(bench.err.detail, "was taken while"));
    end(&bench);
    /* two waited for the same dead one */
    begin(&bench);
    see(&bench.seen, "dead", NULL, "t1", "1");
    assert_int_equal(judge(&bench, 0, 0), LEASE_WATCH);
    see(&bench.seen, "other", NULL, "t2", "2");
    assert_int_equal(judge(&bench, 0, PATIENCE + 1), LEASE_REFUSE);
    end(&bench);
}

/* An answer of a server that lags behind shows an old holder again: nothing is concluded early. */
static void stale_answers_only_cost_time(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    see(&bench.seen, "other", NULL, "t1", "1");
    assert_int_equal(judge(&bench, 0, 0), LEASE_WATCH);
    see(&bench.seen, "other", NULL, "t1", "2"); /* touched, not renewed */
    assert_int_equal(judge(&bench, 0, PATIENCE - 1), LEASE_WATCH);
    assert_int_equal(judge(&bench, 0, PATIENCE), LEASE_WATCH);
    assert_int_equal(judge(&bench, 0, 2 * PATIENCE - 2), LEASE_WATCH);
    assert_int_equal(judge(&bench, 0, 2 * PATIENCE - 1), LEASE_TAKE);
    end(&bench);
    /* touched for ever: nobody waits for ever */
    begin(&bench);
    int64_t now = 0;
    enum lease_advice advice = LEASE_WATCH;
    for (int i = 0; advice == LEASE_WATCH && now < INT64_C(10000000); i++) {
        cleanup_free char *version = text_format("%d", i);
        see(&bench.seen, "other", NULL, "t1", version);
        advice = judge(&bench, 0, now);
        now += 10000;
    }
    assert_int_equal(advice, LEASE_REFUSE);
    assert_in_range(now, 1200000, 1230000);
    end(&bench);
}

static void claims_beyond_reason_are_not_waited_for(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    see(&bench.seen, "other", NULL, "t1", "1");
    bench.seen.duration_ms = 3600000;
    assert_int_equal(judge(&bench, 0, 0), LEASE_REFUSE);
    bench.seen.duration_ms = 0; /* as a usual one then */
    assert_int_equal(judge(&bench, 0, 0), LEASE_WATCH);
    assert_int_equal(judge(&bench, 0, 120000), LEASE_WATCH);
    assert_int_equal(judge(&bench, 0, 126100), LEASE_TAKE);
    end(&bench);
}

static void dead_process_of_this_run_makes_room_at_once(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    see(&bench.seen, "me-before", who_of("run-a", "m-1", "b-1", "p-1", 49), "t1", "1");
    assert_int_equal(judge(&bench, 1, 0), LEASE_TAKE);
    assert_non_null(strstr(bench.from, "run 'run-a'"));
    assert_int_equal(judge(&bench, 0, 0), LEASE_WATCH);
    see(&bench.seen, "me-before", who_of("run-a", "m-1", "b-1", "p-1", 49), "t2", "2");
    assert_int_equal(judge(&bench, 0, 1), LEASE_REFUSE);
    assert_non_null(strstr(bench.err.hint, "another process works on this run"));
    end(&bench);
}

struct proof {
    const char *run, *machine, *boot, *pids;
    int lock, lives, dead;
};

static void death_is_proven_or_not_assumed(void **state)
{
    (void)state;
    static const struct proof proofs[] = {
        {"run-a", "m-1", "b-1", "p-1", 1, 0, 1}, /* killed a moment ago */
        {"run-a", "m-1", "b-1", "p-1", 1, 1, 0}, /* a copy of the state folder */
        {"run-a", "m-1", "b-1", "p-1", 0, 0, 0}, /* somebody else works on the run */
        {"run-b", "m-1", "b-1", "p-1", 1, 0, 0}, /* another run: only time tells */
        {"run-a", "m-1", "b-0", "p-0", 1, 1, 1}, /* the machine was started anew */
        {"run-a", "m-2", "b-0", "p-0", 1, 0, 0}, /* the state folder moved elsewhere */
        {"run-a", "", "b-0", "p-0", 1, 0, 0},    /* a machine that does not know itself */
        {"run-a", "m-1", "b-1", "p-2", 1, 0, 0}, /* a container: its processes are not seen */
        {"run-a", "m-1", "b-1", "", 1, 0, 0},    {"run-a", "m-1", "", "p-1", 1, 0, 0},
    };
    cleanup_json json_t *now = who_of("run-a", "m-1", "b-1", "p-1", 50);
    for (size_t i = 0; i < sizeof proofs / sizeof *proofs; i++) {
        const struct proof *proof = &proofs[i];
        cleanup_json json_t *then =
            who_of(proof->run, proof->machine, proof->boot, proof->pids, 49);
        if (lease_old_is_dead(then, now, proof->lock, proof->lives) != proof->dead)
            fail_msg("proof %zu: it is %sdead", i, proof->dead ? "" : "not ");
    }
    assert_false(lease_old_is_dead(NULL, now, 1, 0));
    cleanup_json json_t *nameless = json_make("{}");
    assert_false(lease_old_is_dead(now, nameless, 1, 0));
    cleanup_json json_t *both = who_of("run-a", "", "", "", 0);
    assert_false(lease_old_is_dead(both, both, 1, 0));
}

static void writes_are_understood(void **state)
{
    (void)state;
    static const struct {
        int code;
        enum lease_turn turn;
    } answers[] = {{200, LEASE_WRITTEN}, {201, LEASE_WRITTEN}, {409, LEASE_LOOK},
                   {404, LEASE_LOOK},    {0, LEASE_TROUBLE},   {401, LEASE_TROUBLE},
                   {403, LEASE_TROUBLE}, {429, LEASE_TROUBLE}, {500, LEASE_TROUBLE},
                   {503, LEASE_TROUBLE}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_int_equal(lease_after_write(answers[i].code), answers[i].turn);
    /* several attempts fit between the time to renew and the end */
    assert_true(lease_renew_after(DURATION) + 5 * lease_retry_after(DURATION) < DURATION / 2);
}

static void loss_says_to_whom(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    see(&bench.seen, "me", NULL, "t1", "9");
    assert_int_equal(lease_after_look(&bench.seen, &bench.self, NULL), 0);
    see(&bench.seen, "other", who_of("run-b", "m-2", "b-2", "p-2", 9), "t1", "9");
    assert_int_equal(lease_after_look(&bench.seen, &bench.self, &bench.err), -1);
    assert_int_equal(bench.err.code, EXIT_REFUSED);
    assert_non_null(strstr(bench.err.message, "is lost: it is held by run 'run-b' on 'host-b'"));
    see(&bench.seen, "", NULL, "t1", "9");
    assert_int_equal(lease_after_look(&bench.seen, &bench.self, &bench.err), -1);
    assert_non_null(strstr(bench.err.message, "somebody released it"));
    lease_seen_clear(&bench.seen);
    assert_int_equal(lease_seen_take(NULL, &bench.seen, NULL), 0);
    assert_int_equal(lease_after_look(&bench.seen, &bench.self, &bench.err), -1);
    assert_non_null(strstr(bench.err.message, "it was deleted"));
    end(&bench);
}

static void cluster_must_be_the_right_one(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *rewinds = json_make("[s, s]", "uid-1", "uid-2");
    cleanup_json json_t *none = json_array();
    assert_int_equal(lease_check_cluster("uid-9", NULL, NULL, &err), 0);
    assert_int_equal(lease_check_cluster(NULL, NULL, none, &err), 0);
    assert_int_equal(lease_check_cluster("uid-9", "uid-9", rewinds, &err), 0);
    assert_int_equal(lease_check_cluster("uid-2", NULL, rewinds, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.message, "that this run sets back (kube-system 'uid-2')"));
    assert_int_equal(lease_check_cluster(NULL, NULL, rewinds, &err), -1);
    assert_non_null(strstr(err.message, "cannot be told"));
    assert_int_equal(lease_check_cluster(NULL, "uid-9", NULL, &err), -1);
    assert_int_equal(lease_check_cluster("uid-8", "uid-9", NULL, &err), -1);
    assert_non_null(strstr(err.detail, "was 'uid-9', now it is 'uid-8'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_holds_is_taken),
        cmocka_unit_test(silent_holder_is_outwaited_by_our_own_clock),
        cmocka_unit_test(living_holder_is_named),
        cmocka_unit_test(taker_that_was_faster_is_alive),
        cmocka_unit_test(stale_answers_only_cost_time),
        cmocka_unit_test(claims_beyond_reason_are_not_waited_for),
        cmocka_unit_test(dead_process_of_this_run_makes_room_at_once),
        cmocka_unit_test(death_is_proven_or_not_assumed),
        cmocka_unit_test(writes_are_understood),
        cmocka_unit_test(loss_says_to_whom),
        cmocka_unit_test(cluster_must_be_the_right_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
