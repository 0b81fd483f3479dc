#include "../unit.h"

#include <string.h>

#include "backup/set-retention.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define DAY INT64_C(86400000)
#define NOW (INT64_C(1800000000000))

/* "SITE:AGE[:STATE]" in days, newest first: one row each, named s0, s1, … STATE: w (verify called
 * it whole), d (damaged), x (its manifest is damaged), p (partial, touched so long ago). */
static json_t *list_of(const char *const *rows)
{
    json_t *list = json_array();
    for (size_t i = 0; rows[i] != NULL; i++) {
        cleanup_free char *set = text_format("s%zu", i);
        cleanup_free char *key = text_format("p/s%zu", i);
        const char *colon = strchr(rows[i], ':');
        cleanup_free char *site = text_copy_span(rows[i], (size_t)(colon - rows[i]));
        char *end = NULL;
        const long age = strtol(colon + 1, &end, 10);
        const char state = *end == ':' ? end[1] : ' ';
        char created[CLOCK_TEXT_SIZE];
        clock_format(NOW - age * DAY, created);
        json_t *row = json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:n}", "set", set, "provider", "p",
                                "key", key, "state",
                                state == 'x'   ? "damaged"
                                : state == 'p' ? "partial"
                                               : "complete",
                                "site", site, "created", created, "verified");
        if (state == 'w' || state == 'd')
            json_put(row, "verified",
                     json_make("{s:s}", "state", state == 'w' ? "whole" : "damaged"));
        if (state == 'p')
            json_put(row, "touched_ms", json_integer(NOW - age * DAY));
        json_add(list, row);
    }
    return list;
}

/* `kept`: a letter a row, k or - */
static void expect(const char *const *rows, int64_t keep_last, int64_t keep_days, const char *used,
                   const char *kept)
{
    cleanup_json json_t *list = list_of(rows);
    cleanup_json json_t *users = json_object();
    if (used != NULL)
        json_put_text(users, used, "run 'r'");
    const struct set_retention retention = {keep_last, keep_days * DAY};
    cleanup_json json_t *decided = set_retention_decide(list, &retention, users, NOW);
    char found[64] = "";
    for (size_t i = 0; i < json_array_size(decided); i++) {
        const json_t *row = json_array_get(decided, i);
        found[i] = json_flag(row, "keep") ? 'k' : '-';
        assert_true(strlen(json_text(row, "why")) > 10);
    }
    assert_string_equal(found, kept);
}

#define ROWS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void by_number_and_by_age(void **state)
{
    (void)state;
    expect(ROWS("a:1", "a:2", "a:3", "a:4"), 2, 0, NULL, "kk--");
    expect(ROWS("a:1", "a:2", "a:3", "a:4"), 0, 3, NULL, "kk--");
    expect(ROWS("a:1", "a:2", "a:3", "a:4"), 1, 4, NULL, "kkk-");
    expect(ROWS("a:1", "a:2", "a:3", "a:4"), 3, 2, NULL, "kkk-");
    expect(ROWS("a:1", "a:2"), 9, 0, NULL, "kk");
}

static void without_a_rule_all_stay(void **state)
{
    (void)state;
    expect(ROWS("a:1", "a:900", "a:901:d", "a:10:p"), 0, 0, NULL, "kkk-");
}

static void each_site_by_itself(void **state)
{
    (void)state;
    expect(ROWS("a:1", "b:1", "a:2", "b:2", "a:3", "c:900"), 1, 0, NULL, "kk---k");
}

static void the_newest_stays_whatever_its_age(void **state)
{
    (void)state;
    expect(ROWS("a:900", "a:901"), 0, 30, NULL, "k-");
}

static void the_newest_proven_one_stays(void **state)
{
    (void)state;
    expect(ROWS("a:1", "a:2", "a:3:w", "a:4:w", "a:5"), 1, 0, NULL, "k-k--");
    expect(ROWS("a:1", "b:2", "b:3:w", "a:4:w"), 1, 0, NULL, "kkkk");
    /* damaged ones hold no place: the sound one behind them is needed */
    expect(ROWS("a:1:d", "a:2:d", "a:3", "a:4"), 1, 0, NULL, "k-k-");
    expect(ROWS("a:1:d", "a:2", "a:3", "a:4"), 2, 0, NULL, "kkk-");
}

static void what_is_used_stays(void **state)
{
    (void)state;
    expect(ROWS("a:1", "a:2", "a:3"), 1, 0, "s2", "k-k");
    expect(ROWS("a:30:p"), 1, 0, "s0", "k");
}

static void what_cannot_be_judged_stays(void **state)
{
    (void)state;
    expect(ROWS("a:1", "a:2:x", "a:900:x"), 1, 1, NULL, "kkk");
    /* a clock was wrong: it says to be of the future */
    expect(ROWS("a:1", "a:-5", "a:9"), 1, 2, NULL, "kk-");
}

static void abandoned_ones_go(void **state)
{
    (void)state;
    expect(ROWS("a:1", "a:2:p", "a:6:p", "a:8:p"), 1, 0, NULL, "kkk-");
}

static void a_set_without_date_stays(void **state)
{
    (void)state;
    cleanup_json json_t *list = list_of(ROWS("a:1", "a:2"));
    (void)json_object_del(json_array_get(list, 1), "created");
    const struct set_retention retention = {1, 0};
    cleanup_json json_t *decided = set_retention_decide(list, &retention, NULL, NOW);
    assert_true(json_flag(json_array_get(decided, 1), "keep"));
}

static void a_set_that_was_begun_this_moment_stays(void **state)
{
    cleanup_json json_t *list = json_make("[{s:s, s:s, s:s, s:s, s:i}]", "set", "s0", "provider",
                                          "p", "key", "p/s0.partial", "state", "partial",
                                          "touched_ms", 0); /* its folder is empty yet */
    cleanup_json json_t *users = json_object();
    const struct set_retention retention = {1, DAY};
    (void)state;
    cleanup_json json_t *decided = set_retention_decide(list, &retention, users, NOW);
    assert_true(json_flag(json_array_get(decided, 0), "keep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_number_and_by_age),
        cmocka_unit_test(without_a_rule_all_stay),
        cmocka_unit_test(each_site_by_itself),
        cmocka_unit_test(the_newest_stays_whatever_its_age),
        cmocka_unit_test(the_newest_proven_one_stays),
        cmocka_unit_test(what_is_used_stays),
        cmocka_unit_test(what_cannot_be_judged_stays),
        cmocka_unit_test(abandoned_ones_go),
        cmocka_unit_test(a_set_without_date_stays),
        cmocka_unit_test(a_set_that_was_begun_this_moment_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
