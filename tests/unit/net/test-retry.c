#include "../unit.h"

#include "base/cleanup.h"
#include "net/retry.h"

enum { NO = -1 };

static const struct retry_facts base = {.attempt = 1,
                                        .repeatable = 1,
                                        .certainty = SALVOR_CERTAINTY_ANSWERED,
                                        .code = 503,
                                        .retry_after_ms = -1,
                                        .left_ms = 1000000,
                                        .random = 0};

/* The delay, or NO. */
static int64_t decide(struct retry_facts facts)
{
    int64_t delay = 0;
    return retry_decide(&retry_rule_default, &facts, &delay) ? delay : NO;
}

static void statuses_of_the_rule_are_tried_again(void **state)
{
    (void)state;
    struct retry_facts facts = base;
    static const int32_t again[] = {429, 502, 503, 504};
    static const int32_t never[] = {200, 301, 400, 401, 403, 404, 409, 410, 500, 501};
    for (size_t i = 0; i < 4; i++) {
        facts.code = again[i];
        assert_int_equal(decide(facts), 250);
    }
    for (size_t i = 0; i < 10; i++) {
        facts.code = never[i];
        assert_int_equal(decide(facts), NO);
    }
    facts.repeatable = 0;
    facts.code = 503;
    assert_int_equal(decide(facts), NO);
    facts.code = 429; /* the peer says that it did nothing */
    assert_int_equal(decide(facts), 250);
}

static void what_was_sent_without_an_answer(void **state)
{
    (void)state;
    static const enum net_fault lost[] = {NET_FAULT_NAME, NET_FAULT_CONNECT,
                                          NET_FAULT_TLS,  NET_FAULT_TIMEOUT,
                                          NET_FAULT_CUT,  NET_FAULT_MALFORMED};
    static const enum net_fault final[] = {NET_FAULT_BUG, NET_FAULT_TRUST, NET_FAULT_LIMIT,
                                           NET_FAULT_LOCAL, NET_FAULT_CANCELLED};
    struct retry_facts facts = base;
    facts.code = 0;
    for (size_t i = 0; i < 6; i++) {
        facts.fault = lost[i];
        facts.certainty = SALVOR_CERTAINTY_SENT;
        facts.repeatable = 1;
        assert_int_equal(decide(facts), 250);
        facts.repeatable = 0;
        assert_int_equal(decide(facts), NO);
        facts.certainty = SALVOR_CERTAINTY_NOT_SENT;
        assert_int_equal(decide(facts), 250);
    }
    facts.repeatable = 1;
    for (size_t i = 0; i < 5; i++) {
        facts.fault = final[i];
        assert_int_equal(decide(facts), NO);
    }
    /* half an answer with a status of the rule is no answer */
    facts = base;
    facts.fault = NET_FAULT_CUT;
    facts.certainty = SALVOR_CERTAINTY_SENT;
    facts.repeatable = 0;
    facts.code = 429;
    assert_int_equal(decide(facts), NO);
}

static void certainty_is_that_of_all_attempts(void **state)
{
    (void)state;
    enum {
        NONE = 0,
        NOT_SENT = SALVOR_CERTAINTY_NOT_SENT,
        SENT = SALVOR_CERTAINTY_SENT,
        ANSWERED = SALVOR_CERTAINTY_ANSWERED
    };
    static const uint32_t cases[][3] = {
        {NONE, NOT_SENT, NOT_SENT}, {NONE, SENT, SENT},
        {NONE, ANSWERED, ANSWERED}, {NOT_SENT, NOT_SENT, NOT_SENT},
        {NOT_SENT, SENT, SENT},     {NOT_SENT, ANSWERED, ANSWERED},
        {SENT, NOT_SENT, SENT},     {SENT, SENT, SENT},
        {SENT, ANSWERED, ANSWERED}, {ANSWERED, NOT_SENT, SENT},
        {ANSWERED, SENT, SENT},     {NONE, NONE, NOT_SENT},
        {SENT, NONE, SENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(retry_certainty(cases[i][0], cases[i][1]), cases[i][2]);
}

static void the_back_off_grows_with_jitter(void **state)
{
    (void)state;
    struct retry_facts facts = base;
    static const int64_t whole[] = {250, 500, 1000};
    for (uint32_t i = 0; i < 3; i++) {
        facts.attempt = i + 1;
        facts.random = 0;
        assert_int_equal(decide(facts), whole[i]);
        facts.random = (uint32_t)(whole[i] / 2);
        assert_int_equal(decide(facts), whole[i] / 2);
        for (facts.random = 0; facts.random < 5000; facts.random += 37) {
            const int64_t delay = decide(facts);
            assert_true(delay >= whole[i] / 2 && delay <= whole[i]);
        }
    }
    facts.attempt = 4; /* of four */
    assert_int_equal(decide(facts), NO);
    const struct retry_rule long_rule = {20, {503}, 250, 1000, 1000000};
    int64_t delay = 0;
    facts.attempt = 19;
    facts.random = 0;
    assert_true(retry_decide(&long_rule, &facts, &delay));
    assert_int_equal(delay, 1000);
    const struct retry_rule at_once = {2, {503}, 0, 0, 0};
    facts.attempt = 1;
    facts.random = 7;
    assert_true(retry_decide(&at_once, &facts, &delay));
    assert_int_equal(delay, 0);
}

static void the_peer_says_when(void **state)
{
    (void)state;
    struct retry_facts facts = base;
    facts.retry_after_ms = 7000;
    assert_int_equal(decide(facts), 7000);
    facts.retry_after_ms = 100;
    assert_int_equal(decide(facts), 250);
    facts.retry_after_ms = 30000; /* longer than the longest back-off, but it is what was asked */
    assert_int_equal(decide(facts), 30000);
    facts.retry_after_ms = 121000; /* the budget */
    assert_int_equal(decide(facts), NO);
    facts = base;
    facts.spent_ms = 120000;
    assert_int_equal(decide(facts), NO);
    facts.spent_ms = 0;
    facts.left_ms = 250; /* the call ends first */
    assert_int_equal(decide(facts), NO);
    facts.left_ms = 251;
    assert_int_equal(decide(facts), 250);
}

static void methods(void **state)
{
    (void)state;
    static const char *const repeatable[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};
    for (size_t i = 0; i < 5; i++)
        assert_true(retry_method_is_repeatable(repeatable[i]));
    assert_false(retry_method_is_repeatable("POST"));
    assert_false(retry_method_is_repeatable("PATCH"));
    assert_false(retry_method_is_repeatable("get"));
}

static int parse(const char *text, struct retry_rule *rule, struct error *reterr)
{
    cleanup_json json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    *rule = retry_rule_default;
    return retry_rule_parse(json, rule, reterr);
}

static void rules_are_read(void **state)
{
    (void)state;
    struct retry_rule rule;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(parse("{\"attempts\":2,\"statuses\":[500,409],\"backoff_ms\":10,"
                           "\"backoff_most_ms\":20,\"budget_ms\":30}",
                           &rule, &err),
                     0);
    assert_int_equal(rule.attempts, 2);
    assert_int_equal(rule.statuses[0], 500);
    assert_int_equal(rule.statuses[1], 409);
    assert_int_equal(rule.statuses[2], 0);
    assert_int_equal(rule.first_ms, 10);
    assert_int_equal(rule.most_ms, 20);
    assert_int_equal(rule.budget_ms, 30);
    assert_int_equal(parse("{\"statuses\":[]}", &rule, &err), 0);
    assert_int_equal(rule.statuses[0], 0);
    static const char *const wrong[] = {"{\"attempts\":0}",       "{\"attempts\":\"3\"}",
                                        "{\"statuses\":[200]}",   "{\"statuses\":503}",
                                        "{\"backoff_ms\":-1}",    "[]",
                                        "{\"statuses\":[\"x\"]}", "{\"attempts\":21}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(parse(wrong[i], &rule, &err), -1);
        assert_int_equal(rule.attempts, RETRY_ATTEMPTS); /* unchanged */
        error_clear(&err);
    }
    assert_int_equal(parse("{\"attemts\":2}", &rule, &err), -1);
    assert_string_equal(err.message, "a retry rule has no 'attemts'");
    assert_string_equal(err.hint, "did you mean 'attempts'?");
    assert_int_equal(retry_rule_parse(NULL, &rule, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_of_the_rule_are_tried_again),
        cmocka_unit_test(what_was_sent_without_an_answer),
        cmocka_unit_test(certainty_is_that_of_all_attempts),
        cmocka_unit_test(the_back_off_grows_with_jitter),
        cmocka_unit_test(the_peer_says_when),
        cmocka_unit_test(methods),
        cmocka_unit_test(rules_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
