#include "net/lease-keep.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/lease-rules.h"

enum {
    TAKE_PARTS = 4,     /* the cluster may be away 30 s while a Lease of 120 s is being taken, */
    RELEASE_PARTS = 12, /* and 10 s while it is given back */
    ROUNDS = 5          /* of look and write, while others keep touching it */
};

struct keeper {
    const struct lease_world *world;
    const struct lease_order *order;
    struct lease_seen seen; /* what the next write goes over */
    int64_t valid_until;    /* boottime ms; 0: not held */
    int64_t next_write;     /* boottime ms */
    int64_t last_us;        /* realtime of the newest write */
    char *unanswered;       /* renewTime of a write that nobody answered, or NULL */
    int64_t unanswered_at;  /* boottime ms when it began */
    char *head;             /* of the journal, not written yet, or NULL */
    char *trouble;          /* why the last write failed, or NULL */
    int last_code;          /* HTTP status of the newest write */
    char *last_why;         /* in words, when it was none of 2xx */
    char *cluster;          /* UID, or NULL */
    char *from;             /* whom it was taken over from, or NULL */
    /* what is told at the end */
    int64_t renewals, failures, longest_gap, written_at;
};

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

static int64_t boottime(const struct keeper *keeper)
{
    return keeper->world->boottime(keeper->world->data);
}

static void say(const struct keeper *keeper, uint32_t level, char *text)
{
    keeper->world->log(keeper->world->data, level, text);
    free(text);
}

static void tell(const struct keeper *keeper, int64_t serial, const char *phase, const char *holder)
{
    keeper->world->state(
        keeper->world->data, serial,
        json_make("{s:s, s:I, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I}", "phase", phase,
                  "valid_until", (json_int_t)keeper->valid_until, "cluster", keeper->cluster,
                  "holder", holder, "from", keeper->from, "trouble", keeper->trouble, "renewals",
                  (json_int_t)keeper->renewals, "failures", (json_int_t)keeper->failures,
                  "longest_gap_ms", (json_int_t)keeper->longest_gap));
}

static void answer_clear(struct lease_answer *answer)
{
    json_decref(answer->object);
    free(answer->why);
    *answer = (struct lease_answer){0, NULL, NULL};
}

#define cleanup_answer __attribute__((cleanup(answer_clear)))

/* ---- one look, one write --------------------------------------------------------------------- */

/* 1: *ret_seen is what stands now; 0: it cannot be seen, *ret_why says why. */
static int look(const struct keeper *keeper, struct lease_seen *ret_seen, char **ret_why)
{
    cleanup_answer struct lease_answer answer = {0, NULL, NULL};
    cleanup_error struct error err = ERROR_INIT;
    keeper->world->get(keeper->world->data, &answer);
    if (answer.code != 404 && (answer.code < 200 || answer.code > 299)) {
        *ret_why = text_copy(answer.why != NULL ? answer.why : "no answer");
        return 0;
    }
    if (lease_seen_take(answer.code == 404 ? NULL : take_pointer(answer.object), ret_seen, &err) ==
        0)
        return 1;
    *ret_why = text_copy(err.message);
    return 0;
}

/* Later writes differ from earlier ones even where the clock was set back. */
static int64_t write_time(struct keeper *keeper)
{
    const int64_t now = keeper->world->realtime(keeper->world->data);
    keeper->last_us = now > keeper->last_us ? now : keeper->last_us + 1;
    return keeper->last_us;
}

static void written(struct keeper *keeper, int64_t began)
{
    const int64_t duration = keeper->order->self.duration_ms;
    const int was_held = keeper->valid_until != 0;
    if (keeper->written_at != 0 && began - keeper->written_at > keeper->longest_gap)
        keeper->longest_gap = began - keeper->written_at;
    keeper->written_at = began;
    keeper->valid_until = began + duration;
    keeper->next_write = began + lease_renew_after(duration);
    keeper->renewals++;
    replace(&keeper->unanswered, NULL);
    if (keeper->trouble != NULL && was_held)
        say(keeper, SALVOR_LOG_INFO,
            text_format("the lease '%s/%s' is renewed again", keeper->order->self.ns,
                        keeper->order->self.name));
    replace(&keeper->trouble, NULL);
}

/* Puts down why it did not go well; said once an episode. */
static void in_trouble(struct keeper *keeper, char *why)
{
    keeper->failures++;
    keeper->next_write = boottime(keeper) + lease_retry_after(keeper->order->self.duration_ms);
    if (keeper->trouble == NULL && keeper->valid_until != 0)
        say(keeper, SALVOR_LOG_WARNING,
            text_format("the lease '%s/%s' cannot be renewed: %s", keeper->order->self.ns,
                        keeper->order->self.name, why));
    replace(&keeper->trouble, why);
}

/* One write over what was seen. */
static enum lease_turn write_once(struct keeper *keeper, enum lease_write what)
{
    const struct lease_world *world = keeper->world;
    cleanup_answer struct lease_answer answer = {0, NULL, NULL};
    struct lease_seen fresh = {0};
    const int64_t began = boottime(keeper);
    cleanup_json json_t *object =
        lease_written(&keeper->seen, &keeper->order->self, what, write_time(keeper), keeper->head);
    world->put(world->data, object, &answer);
    const enum lease_turn turn = lease_after_write(answer.code);
    keeper->last_code = answer.code;
    replace(&keeper->last_why, text_copy(answer.why != NULL ? answer.why : "no answer"));
    if (turn == LEASE_WRITTEN && answer.object != NULL &&
        lease_seen_take(take_pointer(answer.object), &fresh, NULL) == 0) {
        lease_seen_clear(&keeper->seen);
        keeper->seen = fresh;
        replace(&keeper->head, NULL);
        written(keeper, began);
        return LEASE_WRITTEN;
    }
    if (turn == LEASE_LOOK)
        return LEASE_LOOK;
    /* whether it was done after all shows in the next look */
    replace(&keeper->unanswered,
            text_copy(json_text(json_object_get(object, "spec"), "renewTime")));
    keeper->unanswered_at = began;
    if (turn != LEASE_TROUBLE)
        return LEASE_LOOK;
    in_trouble(keeper, text_copy(keeper->last_why));
    return LEASE_TROUBLE;
}

/* ---- taking it ------------------------------------------------------------------------------- */

static int old_is_dead(const struct keeper *keeper, const struct lease_seen *seen)
{
    const struct lease_world *world = keeper->world;
    const int lives = world->lives(world->data, json_whole(seen->who, "pid", 0),
                                   json_whole(seen->who, "started", 0));
    return lease_old_is_dead(seen->who, keeper->order->self.who, keeper->order->has_run_lock,
                             lives);
}

static salvor_status stopped(const struct lease_order *order, salvor_status status,
                             struct error *reterr)
{
    (void)error_set(reterr, EXIT_INTERRUPTED, "stopped while waiting for the lease '%s/%s'",
                    order->self.ns, order->self.name);
    return status;
}

static salvor_status unreachable(const struct lease_order *order, const char *why,
                                 struct error *reterr)
{
    (void)error_set(reterr, EXIT_REFUSED, "the lease '%s/%s' cannot be taken", order->self.ns,
                    order->self.name);
    (void)error_detail(reterr, "%s", why);
    (void)error_hint(reterr, "without it nobody knows who else works on the site: make its cluster "
                             "reachable, or name another one with 'lock-kubeconfig'");
    return SALVOR_REFUSED;
}

/* Waits a moment. OK: go on, unless *ret_release says that the run does not want it any more. */
static salvor_status pause_taking(const struct keeper *keeper, int64_t wait_ms, const char *holder,
                                  int *ret_release)
{
    cleanup_json json_t *body = NULL;
    const salvor_status status = keeper->world->hear(keeper->world->data, wait_ms, &body);
    if (status == SALVOR_PENDING)
        return SALVOR_OK;
    if (status != SALVOR_OK)
        return status;
    *ret_release = text_equal(json_text(body, "do"), "release");
    if (!*ret_release)
        tell(keeper, json_whole(body, "serial", 0), "waiting", holder);
    return SALVOR_OK;
}

/* How taking it goes. */
struct wait {
    struct lease_watch watch;
    int64_t trouble_since; /* monotonic ms; 0: none */
    int told;              /* that somebody has it */
    int release;           /* the run does not want it any more */
    int taken;
};

/* The cluster does not answer as it should: it gets some time for that. */
static salvor_status endure(const struct keeper *keeper, struct wait *wait, int64_t now,
                            const char *why, struct error *reterr)
{
    if (wait->trouble_since == 0)
        wait->trouble_since = now;
    if (now - wait->trouble_since >= keeper->order->self.duration_ms / TAKE_PARTS)
        return unreachable(keeper->order, why, reterr);
    const salvor_status status = pause_taking(
        keeper, lease_retry_after(keeper->order->self.duration_ms), NULL, &wait->release);
    return status == SALVOR_OK ? status : stopped(keeper->order, status, reterr);
}

/* It was not taken by that write; the next look shows why, unless it will never be taken. */
static salvor_status not_taken(struct keeper *keeper, struct wait *wait, int64_t now,
                               struct error *reterr)
{
    enum { CONFLICT = 409, MISSING = 404, SOON_MS = 100 };
    const int code = keeper->last_code;
    const int made = keeper->seen.object == NULL;
    if ((code >= 400 && code <= 403) || code == 405 || code == 422 || (code == MISSING && made))
        return unreachable(keeper->order, keeper->last_why, reterr);
    if (code != CONFLICT && code != MISSING)
        return endure(keeper, wait, now, keeper->last_why, reterr);
    const salvor_status status = pause_taking(keeper, SOON_MS, NULL, &wait->release);
    return status == SALVOR_OK ? status : stopped(keeper->order, status, reterr);
}

static salvor_status act_on(struct keeper *keeper, struct wait *wait, enum lease_advice advice,
                            int64_t wait_ms, int64_t now, char *from, struct error *reterr)
{
    const struct lease_order *order = keeper->order;
    const char *const text = from;
    cleanup_free char *own_from = from;
    salvor_status status = SALVOR_OK;
    switch (advice) {
    case LEASE_REFUSE:
        return SALVOR_REFUSED;
    case LEASE_WATCH: {
        cleanup_free char *holder = lease_holder_text(&keeper->seen);
        if (!wait->told)
            say(keeper, SALVOR_LOG_INFO,
                text_format("the lease '%s/%s' is held by %s; watching whether it is still renewed",
                            order->self.ns, order->self.name, holder));
        if (!wait->told)
            tell(keeper, 0, "waiting", holder);
        wait->told = 1;
        status = pause_taking(keeper, wait_ms, holder, &wait->release);
        return status == SALVOR_OK ? status : stopped(order, status, reterr);
    }
    case LEASE_TAKE:
    case LEASE_OURS:
        break;
    }
    if (write_once(keeper, advice == LEASE_TAKE ? LEASE_WRITE_TAKE : LEASE_WRITE_RENEW) !=
        LEASE_WRITTEN)
        return not_taken(keeper, wait, now, reterr);
    wait->taken = 1;
    if (text != NULL)
        say(keeper, SALVOR_LOG_WARNING,
            text_format("the lease '%s/%s' was taken over from %s, which is gone", order->self.ns,
                        order->self.name, text));
    replace(&keeper->from, take_pointer(own_from));
    return SALVOR_OK;
}

/* One round of taking it: looks and does what the rules say. */
static salvor_status take_round(struct keeper *keeper, struct wait *wait, struct error *reterr)
{
    const struct lease_world *world = keeper->world;
    cleanup_free char *why = NULL;
    struct lease_seen seen = {0};
    const int sees = look(keeper, &seen, &why);
    const int64_t now = world->monotonic(world->data);
    if (!sees)
        return endure(keeper, wait, now, why, reterr);
    lease_seen_clear(&keeper->seen);
    keeper->seen = seen;
    int64_t wait_ms = 0;
    char *from = NULL;
    const enum lease_advice advice =
        lease_judge(&wait->watch, &keeper->seen, &keeper->order->self,
                    old_is_dead(keeper, &keeper->seen), now, &wait_ms, &from, reterr);
    if (advice == LEASE_WATCH)
        wait->trouble_since = 0;
    return act_on(keeper, wait, advice, wait_ms, now, from, reterr);
}

static salvor_status take(struct keeper *keeper, int *ret_released, struct error *reterr)
{
    struct wait wait = {0};
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK && !wait.taken && !wait.release)
        status = take_round(keeper, &wait, reterr);
    lease_watch_clear(&wait.watch);
    *ret_released = wait.release;
    return status;
}

/* ---- keeping it ------------------------------------------------------------------------------ */

/* After something changed under our hands. 0: ours, write again unless *ret_done says that an
 * unanswered release has reached the server; 1: cannot be seen; -1: lost, with *reterr. */
static int look_again(struct keeper *keeper, enum lease_write what, int *ret_done,
                      struct error *reterr)
{
    struct lease_seen seen = {0};
    char *why = NULL;
    if (!look(keeper, &seen, &why)) {
        in_trouble(keeper, why);
        return 1;
    }
    const int was_ours = keeper->unanswered != NULL && text_equal(keeper->unanswered, seen.renewed);
    *ret_done = was_ours && what == LEASE_WRITE_RELEASE && *seen.identity == '\0';
    if (!*ret_done && lease_after_look(&seen, &keeper->order->self, reterr) != 0) {
        lease_seen_clear(&seen);
        return -1;
    }
    lease_seen_clear(&keeper->seen);
    keeper->seen = seen;
    if (was_ours)
        written(keeper, keeper->unanswered_at);
    return 0;
}

/* Renews or releases it. 0: done, or not for now (keeper->trouble); -1: lost, with *reterr. */
static int write_over(struct keeper *keeper, enum lease_write what, struct error *reterr)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (write_once(keeper, what) != LEASE_LOOK)
            return 0;
        int done = 0;
        const int looked = look_again(keeper, what, &done, reterr);
        if (looked != 0 || done)
            return looked < 0 ? -1 : 0;
    }
    in_trouble(keeper, text_copy("somebody else changes it all the time"));
    return 0;
}

static json_t *account(const struct keeper *keeper, int released, const char *why)
{
    return json_make("{s:b, s:s?, s:I, s:I, s:I}", "released", released, "why", why, "renewals",
                     (json_int_t)keeper->renewals, "failures", (json_int_t)keeper->failures,
                     "longest_gap_ms", (json_int_t)keeper->longest_gap);
}

static json_t *release(struct keeper *keeper, const char *head)
{
    cleanup_error struct error lost = ERROR_INIT;
    const int64_t give_up = boottime(keeper) + keeper->order->self.duration_ms / RELEASE_PARTS;
    if (head != NULL)
        replace(&keeper->head, text_copy(head));
    for (;;) {
        const int64_t failures = keeper->failures;
        if (write_over(keeper, LEASE_WRITE_RELEASE, &lost) != 0)
            return account(keeper, 0, lost.message);
        if (keeper->failures == failures)
            return account(keeper, 1, NULL);
        cleanup_json json_t *ignored = NULL;
        if (boottime(keeper) >= give_up ||
            keeper->world->hear(keeper->world->data,
                                lease_retry_after(keeper->order->self.duration_ms),
                                &ignored) > SALVOR_PENDING)
            return account(keeper, 0, keeper->trouble);
    }
}

static salvor_status keep(struct keeper *keeper, json_t **ret_result, struct error *reterr)
{
    const struct lease_world *world = keeper->world;
    tell(keeper, 0, "held", NULL);
    for (;;) {
        cleanup_json json_t *body = NULL;
        const int64_t due = keeper->next_write - boottime(keeper);
        const salvor_status status = world->hear(world->data, due > 0 ? due : 0, &body);
        if (status != SALVOR_OK && status != SALVOR_PENDING)
            return stopped(keeper->order, status, reterr);
        const char *what = json_text(body, "do");
        if (text_equal(what, "release")) {
            *ret_result = release(keeper, json_text(body, "head"));
            return SALVOR_OK;
        }
        if (text_equal(what, "head") && json_text(body, "head") != NULL)
            replace(&keeper->head, text_copy(json_text(body, "head")));
        const int was_in_trouble = keeper->trouble != NULL;
        if (write_over(keeper, LEASE_WRITE_RENEW, reterr) != 0)
            return SALVOR_REFUSED;
        if (body != NULL || was_in_trouble != (keeper->trouble != NULL))
            tell(keeper, json_whole(body, "serial", 0), "held", NULL);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static salvor_status check_cluster(struct keeper *keeper, struct error *reterr)
{
    cleanup_free char *why = NULL;
    keeper->cluster = keeper->world->cluster(keeper->world->data, &why);
    if (lease_check_cluster(keeper->cluster, keeper->order->expected, keeper->order->rewinds,
                            reterr) == 0)
        return SALVOR_OK;
    if (keeper->cluster == NULL && why != NULL)
        (void)error_detail(reterr, "%s", why);
    return SALVOR_REFUSED;
}

salvor_status lease_keep(const struct lease_world *world, const struct lease_order *order,
                         json_t **ret_result, struct error *reterr)
{
    struct keeper keeper = {.world = world, .order = order};
    int released = 0;
    salvor_status status = check_cluster(&keeper, reterr);
    if (status == SALVOR_OK)
        status = take(&keeper, &released, reterr);
    if (status == SALVOR_OK && released)
        *ret_result = account(&keeper, 0, "it was not taken");
    else if (status == SALVOR_OK)
        status = keep(&keeper, ret_result, reterr);
    lease_seen_clear(&keeper.seen);
    replace(&keeper.unanswered, NULL);
    replace(&keeper.head, NULL);
    replace(&keeper.trouble, NULL);
    replace(&keeper.last_why, NULL);
    replace(&keeper.cluster, NULL);
    replace(&keeper.from, NULL);
    return status;
}
