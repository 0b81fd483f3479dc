#include "../unit.h"

#include "net/pace.h"

static uint32_t window_of(const struct pace *pace)
{
    int64_t due = 0;
    uint32_t running = 0;
    while (pace_may_begin(pace, running, 1 << 20, &due))
        running++;
    return running;
}

static void it_opens_quickly_and_never_beyond_its_limit(void **state)
{
    struct pace pace;
    (void)state;
    pace_init(&pace, 64);
    assert_int_equal(window_of(&pace), 4);
    for (int i = 0; i < 60; i++)
        pace_answered(&pace, i, i + 5, 5);
    assert_int_equal(window_of(&pace), 64);
    for (int i = 0; i < 500; i++)
        pace_answered(&pace, i, i + 5, 5);
    assert_int_equal(window_of(&pace), 64);
    pace_init(&pace, 2);
    assert_int_equal(window_of(&pace), 2);
}

static void who_is_refused_halves_once_a_round(void **state)
{
    struct pace pace;
    (void)state;
    pace_init(&pace, 64);
    for (int i = 0; i < 100; i++)
        pace_answered(&pace, 0, 5, 5);
    for (int i = 0; i < 64; i++)
        pace_refused(&pace, 10, 20, -1); /* all of them were begun before the cut */
    assert_int_equal(window_of(&pace), 32);
    pace_refused(&pace, 21, 30, -1);
    assert_int_equal(window_of(&pace), 16);
    for (int i = 0; i < 16; i++)
        pace_answered(&pace, 31, 40, 5);
    assert_int_equal(window_of(&pace), 16); /* slowly now: a step a round */
    for (int i = 0; i < 4; i++)
        pace_answered(&pace, 31, 40, 5);
    assert_int_equal(window_of(&pace), 17);
}

/* A peer that answers in 5 ms and refuses what comes sooner than 10 ms after the one before. */
static void where_one_at_a_time_is_too_much_there_is_a_gap(void **state)
{
    struct pace pace;
    int64_t last = -1000;
    int refused = 0;
    int answered = 0;
    (void)state;
    pace_init(&pace, 16);
    for (int64_t now = 0; now < 20000; now++) {
        int64_t due = 0;
        for (uint32_t running = 0; pace_may_begin(&pace, running, now, &due) && running < 16;
             running++) {
            const int64_t started = now;
            pace_begun(&pace, now);
            if (now - last < 10) {
                pace_refused(&pace, started, now + 1, -1);
                refused++;
                break;
            }
            last = now;
            pace_answered(&pace, started, now + 5, 5);
            answered++;
        }
        now += 4;
    }
    /* 2,000 are possible in that time */
    assert_true(answered > 1200);
    assert_true(refused < answered / 10);
}

static void a_wish_of_the_peer_counts_when_alone(void **state)
{
    struct pace pace;
    int64_t due = 0;
    (void)state;
    pace_init(&pace, 1);
    pace_refused(&pace, 10, 20, 3000);
    assert_false(pace_may_begin(&pace, 0, 30, &due));
    assert_int_equal(due, 3020);
    assert_true(pace_may_begin(&pace, 0, 3020, &due));
    assert_false(pace_may_begin(&pace, 1, 3020, &due));
    assert_int_equal(due, INT64_MAX);
}

static void who_queues_is_asked_for_less(void **state)
{
    struct pace pace;
    int64_t now = 1000;
    (void)state;
    pace_init(&pace, 64);
    for (int i = 0; i < 100; i++)
        pace_answered(&pace, 0, 5, 5);
    for (int i = 0; i < 300; i++, now += 10)
        pace_answered(&pace, now - 1, now, 2000);
    assert_true(window_of(&pace) < 16);
    assert_true(window_of(&pace) >= 3);
    /* and goes up again when it answers as before */
    for (int i = 0; i < 3000; i++, now += 10)
        pace_answered(&pace, now - 1, now, 5);
    assert_true(window_of(&pace) > 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_quickly_and_never_beyond_its_limit),
        cmocka_unit_test(who_is_refused_halves_once_a_round),
        cmocka_unit_test(where_one_at_a_time_is_too_much_there_is_a_gap),
        cmocka_unit_test(a_wish_of_the_peer_counts_when_alone),
        cmocka_unit_test(who_queues_is_asked_for_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
