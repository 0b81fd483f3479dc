#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/batch.h"
#include "practice-call.h"
#include "practice-server.h"

/* ---- tasks that end as they are told --------------------------------------------------------- */

/* Outcomes of the attempts, one after another; the last one stays. */
struct script {
    const struct batch_outcome *outcomes;
    size_t count;
    int at_once; /* ended by start() itself, else through the loop */
    enum batch_settled settled;
    const struct batch_outcome *found; /* by settle() */
};

struct practice_task {
    struct batch_task task;
    const struct script *script;
    struct net_watch watch;
    int ends[2];
    int settling;
};

static int alive;
static int under_way;
static int most_under_way;

static struct practice_task *own(struct batch_task *task)
{
    return (struct practice_task *)(void *)task;
}

static void end(struct practice_task *own_task)
{
    struct batch_task *task = &own_task->task;
    const struct script *script = own_task->script;
    const size_t last = script->count - 1;
    const size_t index = task->attempts - 1 < last ? task->attempts - 1 : last;
    error_clear(&task->outcome.error);
    task->outcome = own_task->settling ? *script->found : script->outcomes[index];
    own_task->settling = 0;
    if (task->outcome.status != SALVOR_OK)
        (void)error_set(&task->outcome.error, EXIT_FAILED, "attempt %u failed", task->attempts);
    under_way--;
    batch_ended(task);
}

static void woken(struct net_watch *watch, short revents)
{
    struct practice_task *own_task = watch->owner;
    (void)revents;
    net_watch_remove(watch);
    (void)close(own_task->ends[0]);
    (void)close(own_task->ends[1]);
    watch->owner = NULL;
    end(own_task);
}

static void begin(struct practice_task *own_task)
{
    under_way++;
    most_under_way = under_way > most_under_way ? under_way : most_under_way;
    if (own_task->script->at_once) {
        end(own_task);
        return;
    }
    assert_int_equal(pipe(own_task->ends), 0);
    assert_int_equal(write(own_task->ends[1], "x", 1), 1);
    own_task->watch = (struct net_watch){
        .fd = own_task->ends[0], .events = POLLIN, .ready = woken, .owner = own_task};
    assert_int_equal(net_watch_add(&own_task->watch), 0);
}

static void start(struct worker_call *call, struct batch_task *task)
{
    (void)call;
    begin(own(task));
}

static enum batch_settled settle(struct worker_call *call, struct batch_task *task)
{
    (void)call;
    if (own(task)->script->settled == BATCH_GIVE_UP)
        return BATCH_GIVE_UP;
    own(task)->settling = 1;
    begin(own(task));
    return BATCH_SETTLING;
}

static void result(struct batch_task *task, struct salvor_batch_result *ret)
{
    (void)task;
    ret->body = (struct salvor_span){"body", 4};
}

static void destroy(struct batch_task *task)
{
    struct practice_task *own_task = own(task);
    if (own_task->watch.owner != NULL) {
        net_watch_remove(&own_task->watch);
        (void)close(own_task->ends[0]);
        (void)close(own_task->ends[1]);
        under_way--;
    }
    alive--;
    free(task);
}

static const struct batch_kind kind = {
    .service = "practice", .start = start, .settle = settle, .result = result, .destroy = destroy};

/* ---- using them ------------------------------------------------------------------------------ */

static salvor_batch *open_batch(struct practice *practice, const char *options)
{
    salvor_batch *batch = NULL;
    if (batch_table.open(practice_call(practice), options, &batch) != SALVOR_OK)
        fail_msg("%s", practice->call.error.message);
    return batch;
}

static salvor_status submit(struct practice *practice, salvor_batch *batch, uint64_t tag,
                            const struct script *script)
{
    const salvor_status status = batch_room(&practice->call, batch);
    if (status != SALVOR_OK)
        return status;
    struct practice_task *task = memory_new(1, sizeof *task);
    task->task = (struct batch_task){.kind = &kind, .verb = "do", .type = "thing"};
    task->script = script;
    alive++;
    batch_submit(&practice->call, batch, tag, &task->task);
    return SALVOR_OK;
}

static salvor_status next(struct practice *practice, salvor_batch *batch,
                          struct salvor_batch_result *ret)
{
    *ret = (struct salvor_batch_result){.struct_size = sizeof *ret};
    return batch_table.next(practice_call(practice), batch, ret);
}

static struct salvor_batch_result only(struct practice *practice, const char *options,
                                       const struct script *script)
{
    struct salvor_batch_result ret;
    salvor_batch *batch = open_batch(practice, options);
    assert_int_equal(submit(practice, batch, 7, script), SALVOR_OK);
    assert_int_equal(next(practice, batch, &ret), SALVOR_OK);
    assert_int_equal(ret.tag, 7);
    struct salvor_batch_result last;
    assert_int_equal(next(practice, batch, &last), SALVOR_END);
    batch_table.close(practice_call(practice), batch);
    assert_int_equal(alive, 0);
    return ret;
}

#define ANSWERED(number)                                                               \
    {                                                                                  \
        .status = SALVOR_OK, .certainty = SALVOR_CERTAINTY_ANSWERED, .code = (number), \
        .retry_after_ms = -1, .latency_ms = 1                                          \
    }
#define LOST(how, again)                                                                           \
    {                                                                                              \
        .status = SALVOR_RETRY, .certainty = (how), .fault = NET_FAULT_CUT, .repeatable = (again), \
        .retry_after_ms = -1, .latency_ms = -1                                                     \
    }

static const struct batch_outcome fine[] = {ANSWERED(200)};
static const struct batch_outcome lost_then_fine[] = {LOST(SALVOR_CERTAINTY_SENT, 1),
                                                      ANSWERED(200)};
static const struct batch_outcome never_sent_then_fine[] = {LOST(SALVOR_CERTAINTY_NOT_SENT, 0),
                                                            ANSWERED(201)};
static const struct batch_outcome lost_then_never_sent[] = {LOST(SALVOR_CERTAINTY_SENT, 1),
                                                            LOST(SALVOR_CERTAINTY_NOT_SENT, 1)};
static const struct batch_outcome lost[] = {LOST(SALVOR_CERTAINTY_SENT, 0)};
static const struct batch_outcome lost_once[] = {LOST(SALVOR_CERTAINTY_SENT, 0), ANSWERED(201)};
static const struct batch_outcome nothing_happened = LOST(SALVOR_CERTAINTY_SENT, 1);
static const struct batch_outcome it_is_there = ANSWERED(201);

static const char quick[] = "{\"retry\":{\"backoff_ms\":1}}";

static void a_window_of_tasks(void **state)
{
    struct practice *practice = *state;
    for (int at_once = 0; at_once < 2; at_once++) {
        const struct script script = {.outcomes = fine, .count = 1, .at_once = at_once};
        salvor_batch *batch = open_batch(practice, "{\"in_flight\":8,\"class\":\"things\"}");
        unsigned char seen[500] = {0};
        struct salvor_batch_result ret;
        uint64_t submitted = 0;
        int full = 0;
        most_under_way = 0;
        for (int taken = 0; taken < 500; taken++) {
            while (submitted < 500) {
                const salvor_status status = submit(practice, batch, submitted, &script);
                full += status == SALVOR_FULL;
                if (status != SALVOR_OK)
                    break;
                submitted++;
            }
            assert_int_equal(next(practice, batch, &ret), SALVOR_OK);
            assert_int_equal(ret.status, SALVOR_OK);
            assert_int_equal(ret.code, 200);
            assert_int_equal(ret.attempts, 1);
            assert_memory_equal(ret.body.data, "body", 4);
            seen[ret.tag]++;
            /* what follows from an answer always finds room */
            assert_int_equal(batch_room(&practice->call, batch), SALVOR_OK);
        }
        assert_int_equal(next(practice, batch, &ret), SALVOR_END);
        for (int i = 0; i < 500; i++)
            assert_int_equal(seen[i], 1);
        assert_true(full > 0);
        assert_true(most_under_way <= 8);
        assert_int_equal(most_under_way, at_once ? 1 : 8);
        batch_table.close(practice_call(practice), batch);
        assert_int_equal(alive, 0);
        const json_t *record = practice_frame(practice, FRAME_EVIDENCE);
        assert_string_equal(json_text(record, "what"), "class things");
        assert_int_equal(
            json_whole(json_array_get(json_object_get(record, "counts"), 0), "count", 0), 500);
    }
}

static void what_may_be_repeated_is(void **state)
{
    struct practice *practice = *state;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct script script = {.outcomes = lost_then_fine, .count = 2, .at_once = at_once};
        struct salvor_batch_result ret = only(practice, quick, &script);
        assert_int_equal(ret.status, SALVOR_OK);
        assert_int_equal(ret.attempts, 2);
        script.outcomes = never_sent_then_fine;
        ret = only(practice, quick, &script);
        assert_int_equal(ret.code, 201);
        assert_int_equal(ret.attempts, 2);
        ret = only(practice, "{\"retry\":{\"attempts\":1}}", &script);
        assert_int_equal(ret.status, SALVOR_RETRY);
        assert_int_equal(ret.certainty, SALVOR_CERTAINTY_NOT_SENT);
        assert_string_equal(practice->call.error.message, "attempt 1 failed");
        /* what the first attempt may have done stands, whatever became of the others */
        script.outcomes = lost_then_never_sent;
        ret = only(practice, quick, &script);
        assert_int_equal(ret.status, SALVOR_RETRY);
        assert_int_equal(ret.certainty, SALVOR_CERTAINTY_SENT);
    }
}

static void what_may_have_happened_is_looked_at(void **state)
{
    struct practice *practice = *state;
    struct script script = {.outcomes = lost, .count = 1, .settled = BATCH_GIVE_UP};
    struct salvor_batch_result ret = only(practice, quick, &script);
    assert_int_equal(ret.status, SALVOR_RETRY);
    assert_int_equal(ret.certainty, SALVOR_CERTAINTY_SENT);
    assert_int_equal(ret.attempts, 1);
    script.settled = BATCH_SETTLING;
    for (int at_once = 0; at_once < 2; at_once++) {
        script.at_once = at_once;
        script.outcomes = lost;
        script.count = 1;
        script.found = &it_is_there;
        ret = only(practice, quick, &script);
        assert_int_equal(ret.status, SALVOR_OK);
        assert_int_equal(ret.code, 201);
        assert_int_equal(ret.attempts, 1);
        script.outcomes = lost_once;
        script.count = 2;
        script.found = &nothing_happened;
        ret = only(practice, quick, &script);
        assert_int_equal(ret.code, 201);
        assert_int_equal(ret.attempts, 2);
        /* the look itself was lost: nobody looks twice at one attempt */
        script.outcomes = lost;
        script.count = 1;
        script.found = lost;
        ret = only(practice, quick, &script);
        assert_int_equal(ret.certainty, SALVOR_CERTAINTY_SENT);
        assert_int_equal(ret.attempts, 1);
    }
}

static void a_busy_peer_is_asked_again_later(void **state)
{
    struct practice *practice = *state;
    static const struct batch_outcome busy[] = {{.status = SALVOR_OK,
                                                 .certainty = SALVOR_CERTAINTY_ANSWERED,
                                                 .code = 429,
                                                 .retry_after_ms = 30,
                                                 .slow_down = 1},
                                                ANSWERED(200)};
    const struct script script = {.outcomes = busy, .count = 2};
    struct salvor_batch_result ret = only(practice, quick, &script);
    assert_int_equal(ret.code, 200);
    assert_int_equal(ret.attempts, 2);
    ret = only(practice, "{\"retry\":{\"attempts\":1}}", &script);
    assert_int_equal(ret.status, SALVOR_OK);
    assert_int_equal(ret.code, 429);
}

static void an_open_batch_ends_with_its_call(void **state)
{
    struct practice *practice = *state;
    const struct script script = {.outcomes = fine, .count = 1};
    struct salvor_batch_result ret;
    salvor_batch *batch = open_batch(practice, "{\"in_flight\":100}");
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(submit(practice, batch, i, &script), SALVOR_OK);
    assert_int_equal(next(practice, batch, &ret), SALVOR_OK);
    practice->interrupt = SALVOR_CANCELLED;
    salvor_status status = SALVOR_OK;
    for (int i = 0; i < 100 && status == SALVOR_OK; i++)
        status = next(practice, batch, &ret);
    assert_int_equal(status, SALVOR_CANCELLED);
    practice->interrupt = SALVOR_OK;
    practice_next_call(practice, SALVOR_EFFECT_READ);
    assert_int_equal(alive, 0);
    assert_int_equal(under_way, 0);
    assert_int_equal(batch_room(&practice->call, batch), SALVOR_BUG);
    assert_int_equal(next(practice, batch, &ret), SALVOR_BUG);
    batch_table.close(practice_call(practice), batch);
}

static void options_are_checked(void **state)
{
    struct practice *practice = *state;
    static const char *const wrong[] = {"[]",
                                        "{",
                                        "{\"in_flight\":0}",
                                        "{\"in_flight\":2000}",
                                        "{\"class\":1}",
                                        "{\"retry\":{\"attempts\":0}}",
                                        "{\"retry\":1}"};
    salvor_batch *batch = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(batch_table.open(practice_call(practice), wrong[i], &batch), SALVOR_BUG);
    assert_int_equal(batch_table.open(practice_call(practice), "{\"inflight\":1}", &batch),
                     SALVOR_BUG);
    assert_string_equal(practice->call.error.message,
                        "batch.open: unknown member 'inflight' of the options of batch.open");
    assert_string_equal(practice->call.error.hint, "did you mean 'in_flight'?");
    assert_null(batch);
    batch = open_batch(practice, NULL);
    struct salvor_batch_result ret = {0};
    assert_int_equal(batch_table.next(practice_call(practice), batch, &ret), SALVOR_BUG);
    batch_table.close(practice_call(practice), batch);
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        practised(a_window_of_tasks),
        practised(what_may_be_repeated_is),
        practised(what_may_have_happened_is_looked_at),
        practised(a_busy_peer_is_asked_again_later),
        practised(an_open_batch_ends_with_its_call),
        practised(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
