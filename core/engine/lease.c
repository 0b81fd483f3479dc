#include "engine/lease.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/interrupt.h"
#include "engine/lock-target.h"
#include "engine/process-identity.h"
#include "host/service.h"

enum {
    KEEP_DEADLINE_DAYS = 30,
    ANSWER_MS = 20000, /* the keeper tries a renewal, looks, and tries again */
    RELEASE_MS = 30000,
    FRESH_MS = 1000, /* a renewal that young need not be repeated */
    SLICE_MS = 50,
    RESTARTS = 5
};

enum phase { NOT_HELD, TAKING, HELD, LOST };

struct lease {
    char *provider;
    char *site;
    struct service *service;
    json_t *target; /* of the keeper, or NULL */
    char *identity; /* of this process as a holder, or NULL */
    enum phase phase;
    json_t *state;        /* newest that it told, or NULL */
    int64_t valid_until;  /* CLOCK_BOOTTIME ms */
    int64_t confirmed_at; /* the same clock, when it was asked for what it answered last */
    int64_t serial;       /* last asked */
    int64_t answered;     /* newest serial that it answered */
    int64_t asked_at;
    int restarts;
    int waited;
    int said_none; /* that there is no lock is in the journal */
    struct error lost;
};

/* ---- times ------------------------------------------------------------------------------- */

static int64_t duration_ms(void)
{
#ifdef SALVOR_TEST_HOOKS
    int64_t given = 0;
    const char *text = getenv("SALVOR_LEASE_MS");
    if (text != NULL && text_parse_integer(text, &given) == 0 && given > 0)
        return given;
#endif
    return LEASE_DURATION_MS;
}

/* In tests everything is shorter alike. */
static int64_t scaled(int64_t milliseconds)
{
    return duration_ms() * milliseconds / LEASE_DURATION_MS;
}

/* ---- life -------------------------------------------------------------------------------- */

struct lease *lease_new(const struct lease_settings *settings)
{
    struct lease *lease = memory_new(1, sizeof *lease);
    const struct service_settings service = {
        .open = settings->open, .per_call = settings->per_call, .debug = settings->debug};
    lease->provider = text_copy(settings->provider);
    lease->site = text_copy(settings->site);
    lease->service = service_new(&service);
    return lease;
}

static void forget(struct lease *lease)
{
    json_decref(take_pointer(lease->target));
    json_decref(take_pointer(lease->state));
    error_clear(&lease->lost);
    lease->phase = NOT_HELD;
    lease->valid_until = 0;
    lease->restarts = 0;
}

void lease_free(struct lease *lease)
{
    if (lease == NULL)
        return;
    service_free(lease->service);
    forget(lease);
    free(lease->identity);
    free(lease->provider);
    free(lease->site);
    free(lease);
}

/* ---- what the keeper says ---------------------------------------------------------------- */

/* While something else goes on a record that cannot be written stops that, as any other does. */
static void record(struct run *run, const char *event, json_t *body)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = lock_target_text(run->lease->target);
    json_put_text(body, "event", event);
    json_put_text(body, "text", text);
    json_put(body, "target", json_incref(run->lease->target));
    if (run_record(run, "lock", body, JOURNAL_DURABLE, &err) != 0 &&
        !error_is_set(&run->record_error))
        (void)error_move(&run->record_error, &err);
}

static void take_state(struct run *run, const json_t *body)
{
    struct lease *lease = run->lease;
    const json_t *state = json_object_get(body, "state");
    const int64_t serial = json_whole(body, "serial", 0);
    const char *before = json_text(lease->state, "trouble");
    const char *now = json_text(state, "trouble");
    const int is_held = text_equal(json_text(state, "phase"), "held");
    if (!is_held)
        lease->waited = 1;
    if (is_held && lease->phase == HELD && before == NULL && now != NULL)
        record(run, "trouble", json_make("{s:s}", "why", now));
    if (is_held && lease->phase == HELD && before != NULL && now == NULL)
        record(run, "recovered", json_object());
    json_decref(lease->state);
    lease->state = json_clone(state);
    if (is_held)
        lease->valid_until = json_whole(state, "valid_until", 0);
    if (is_held && lease->phase == TAKING)
        lease->phase = HELD;
    if (serial > lease->answered)
        lease->answered = serial;
    if (serial != 0 && serial == lease->serial && now == NULL)
        lease->confirmed_at = lease->asked_at;
}

static int on_frame(void *data, enum frame_type type, const json_t *body, struct error *reterr)
{
    struct run *run = data;
    (void)reterr;
    if (type == FRAME_STATE)
        take_state(run, body);
    if (type == FRAME_LOG && json_text(body, "text") != NULL)
        run_log(run, (uint32_t)json_whole(body, "level", SALVOR_LOG_INFO), "%s",
                json_text(body, "text"));
    return 0;
}

/* What is held stays held until it is released: only waiting for it can be interrupted. */
static int on_tick(void *data)
{
    const struct run *run = data;
    return run->lease->phase == TAKING && run_interrupted(run);
}

static const char *host_of(const json_t *identity)
{
    const char *host = json_text(identity, "host");
    return host != NULL ? host : "";
}

/* The keeper's request; `expected`: UID of the cluster in which this run had it before, or NULL. */
static json_t *request_of(struct run *run, const char *expected)
{
    struct lease *lease = run->lease;
    json_t *who = process_identity();
    json_put_text(who, "run", run->id);
    json_put_text(who, "provider", lease->provider);
    json_put_text(who, "site", lease->site);
    if (lease->identity == NULL)
        lease->identity = text_format("%s/%s/%lld.%lld", host_of(who), run->id,
                                      (long long)json_whole(who, "pid", 0),
                                      (long long)json_whole(who, "started", 0));
    /* the run's own lock file is held as long as the engine has the run open */
    return json_make("{s:O, s:s, s:o, s:I, s:b, s:s?}", "target", lease->target, "identity",
                     lease->identity, "who", who, "duration_ms", (json_int_t)duration_ms(),
                     "has_run_lock", 1, "expected", expected);
}

/* In the same place it must be the same cluster: a kubeconfig can be pointed elsewhere. */
static const char *expected_cluster(const struct run *run)
{
    const json_t *taken = run->state->lock;
    return json_equal(json_object_get(taken, "target"), run->lease->target)
               ? json_text(taken, "cluster")
               : NULL;
}

static int start_keeper(struct run *run, struct error *reterr)
{
    struct lease *lease = run->lease;
    cleanup_json json_t *request = request_of(run, expected_cluster(run));
    const struct service_request call = {
        .name = "lease.keep",
        .effect = SALVOR_EFFECT_CHANGE,
        .deadline_ms = KEEP_DEADLINE_DAYS * INT64_C(86400000),
        .request = request,
    };
    const struct service_listener listener = {run, on_frame, on_tick};
    json_decref(take_pointer(lease->state));
    return service_begin(lease->service, &call, &listener, reterr);
}

/* ---- how it ends ------------------------------------------------------------------------- */

/* A keeper that died by itself is started again: the Lease is this process's as long as it lasts.
 */
static int start_again(struct run *run, const struct error *why)
{
    struct lease *lease = run->lease;
    cleanup_error struct error err = ERROR_INIT;
    if (lease->restarts++ >= RESTARTS)
        return -1;
    run_log(run, SALVOR_LOG_WARNING, "what keeps the lease is started again: %s", why->message);
    return start_keeper(run, &err);
}

static void judge_end(struct run *run)
{
    struct lease *lease = run->lease;
    cleanup_error struct error err = ERROR_INIT;
    salvor_status status = SALVOR_OK;
    if (service_finish(lease->service, NULL, &status, &err) == 0)
        (void)error_set(&err, EXIT_FAILED, "what keeps the lease has ended by itself");
    const int spoke = status == SALVOR_REFUSED || status == SALVOR_CANCELLED;
    if (!spoke && status == SALVOR_FAILED && lease->phase == HELD && start_again(run, &err) == 0)
        return;
    const int was_held = lease->phase == HELD;
    (void)error_move(&lease->lost, &err);
    lease->phase = LOST;
    if (was_held) {
        run_log(run, SALVOR_LOG_WARNING, "%s; the step under way is left to finish",
                lease->lost.message);
        record(run, "lost", json_make("{s:s}", "why", lease->lost.message));
    }
}

/* One look at what the keeper said; waits at most `wait_ms` for something. */
static void hear(struct run *run, int64_t wait_ms)
{
    struct lease *lease = run->lease;
    if (service_is_calling(lease->service) && service_pump(lease->service, wait_ms))
        judge_end(run);
}

void lease_pump(struct run *run)
{
    if (run->lease != NULL)
        hear(run, 0);
}

static void redraw(const struct run *run)
{
    if (run->ui.tick != NULL)
        run->ui.tick(run->ui.data);
    (void)journal_flush_due(run->journal, NULL); /* the next record tells a failure */
}

/* ---- taking it --------------------------------------------------------------------------- */

static int say_why_not(struct run *run, struct error *reterr)
{
    struct lease *lease = run->lease;
    const int interrupted = lease->lost.code == EXIT_INTERRUPTED;
    if (interrupted && run_interrupted(run))
        return run_interrupted_error(run, reterr);
    if (!error_is_set(&lease->lost))
        (void)error_set(&lease->lost, EXIT_FAILED, "the lease was not taken");
    (void)error_move(reterr, &lease->lost);
    if (reterr != NULL)
        reterr->code = EXIT_REFUSED;
    return -1;
}

static int take(struct run *run, int *ret_waited, struct error *reterr)
{
    struct lease *lease = run->lease;
    cleanup_free char *text = lock_target_text(lease->target);
    lease->phase = TAKING;
    lease->waited = 0;
    if (start_keeper(run, &lease->lost) != 0)
        lease->phase = LOST;
    while (lease->phase == TAKING) {
        hear(run, SLICE_MS);
        redraw(run);
    }
    if (lease->phase != HELD) {
        const int result = say_why_not(run, reterr);
        forget(lease);
        return result;
    }
    record(run, "taken",
           json_make("{s:s?, s:s, s:s?, s:b}", "cluster", json_text(lease->state, "cluster"),
                     "identity", lease->identity, "from", json_text(lease->state, "from"), "waited",
                     lease->waited));
    if (error_is_set(&run->record_error))
        return error_move(reterr, &run->record_error);
    kill_point("-", "lease-taken");
    run_log(run, SALVOR_LOG_INFO, "this run holds the %s", text);
    *ret_waited = lease->waited;
    return 0;
}

/* ---- which ------------------------------------------------------------------------------- */

/* The plan says it, once there is one that is not done; before that, what is known. */
static int target_of(const struct run *run, json_t **ret_target, struct error *reterr)
{
    const struct run_state *state = run->state;
    const json_t *lock = json_object_get(json_object_get(state->plan, "body"), "lock");
    if (state->plan != NULL && !state->stage_done && json_is_object(lock)) {
        *ret_target = json_clone(lock);
        return 0;
    }
    return lock_target(run->lock, state->facts, run->info->name, ret_target, reterr);
}

/* The person reads it in the plan. */
static int say_none(struct run *run, const json_t *target, struct error *reterr)
{
    struct lease *lease = run->lease;
    if (lease->said_none)
        return 0;
    lease->said_none = 1;
    return run_record(run, "lock",
                      json_make("{s:s, s:s?, s:O}", "event", "none", "why",
                                json_text(target, "why"), "target", target),
                      JOURNAL_EVIDENCE, reterr);
}

int lease_follow(struct run *run, int planned, int *ret_waited, struct error *reterr)
{
    struct lease *lease = run->lease;
    cleanup_json json_t *target = NULL;
    *ret_waited = 0;
    if (lease == NULL)
        return 0;
    hear(run, 0);
    if (lease->phase == LOST)
        return say_why_not(run, reterr);
    if (target_of(run, &target, reterr) != 0)
        return -1;
    if (lease->phase == HELD && json_equal(target, lease->target))
        return 0;
    if (lease->phase == HELD)
        lease_release(run, NULL);
    if (!lock_target_is_lease(target))
        return planned ? say_none(run, target, reterr) : 0;
    lease->said_none = 0;
    lease->target = take_pointer(target);
    return take(run, ret_waited, reterr);
}

/* ---- asking it --------------------------------------------------------------------------- */

static int64_t ask(struct run *run, const char *what, const char *head)
{
    struct lease *lease = run->lease;
    const json_int_t serial = lease->serial + 1;
    cleanup_json json_t *body =
        json_make("{s:I, s:s, s:s?}", "serial", serial, "do", what, "head", head);
    lease->asked_at = clock_boottime_ms();
    if (service_tell(lease->service, body, NULL) == 0)
        lease->serial = serial;
    return lease->serial;
}

static void await_answer(struct run *run, int64_t serial, int64_t patience_ms)
{
    const struct lease *lease = run->lease;
    const int64_t give_up = clock_monotonic_ms() + patience_ms;
    while (service_is_calling(lease->service) && lease->answered < serial &&
           clock_monotonic_ms() < give_up && !run_interrupted(run)) {
        hear(run, SLICE_MS);
        redraw(run);
    }
}

static int has_run_out(struct run *run, const char *moment, struct error *reterr)
{
    const json_t *target = run->lease->target;
    const char *trouble = json_text(run->lease->state, "trouble");
    (void)error_set(reterr, EXIT_REFUSED, "the lease '%s/%s' of this run has run out, %s",
                    json_text(target, "namespace"), json_text(target, "name"), moment);
    if (trouble != NULL)
        (void)error_detail(reterr, "it could not be renewed: %s", trouble);
    return error_hint(reterr,
                      "nobody can tell who works on the site now: make its cluster reachable, then "
                      "'salvor resume %s'",
                      run->id);
}

static int is_lost(struct run *run, const char *moment, struct error *reterr)
{
    const struct error *lost = &run->lease->lost;
    (void)error_set(reterr, EXIT_REFUSED, "%s, %s",
                    lost->message != NULL ? lost->message : "the lease of this run is lost",
                    moment);
    if (lost->detail != NULL)
        (void)error_detail(reterr, "%s", lost->detail);
    return error_hint(reterr, "%s%s'salvor resume %s' takes it again when it is free",
                      lost->hint != NULL ? lost->hint : "", lost->hint != NULL ? "; " : "",
                      run->id);
}

/* The plan says that there is none, or somebody forgot to take it. */
static int check_none(const struct run *run, const char *moment, struct error *reterr)
{
    const json_t *lock = json_object_get(json_object_get(run->state->plan, "body"), "lock");
    if (!lock_target_is_lease(lock))
        return 0;
    return error_set(reterr, EXIT_REFUSED, "the lease that the plan names is not held, %s", moment);
}

int lease_check(struct run *run, const char *moment, struct error *reterr)
{
    struct lease *lease = run->lease;
    int told = 0;
    if (lease == NULL)
        return 0;
    for (;;) {
        hear(run, 0);
        if (lease->phase == NOT_HELD)
            return check_none(run, moment, reterr);
        const int64_t now = clock_boottime_ms();
        if (lease->phase == HELD && now - lease->confirmed_at < scaled(FRESH_MS) &&
            lease->valid_until - now > scaled(LEASE_REQUEST_MS))
            return 0;
        if (lease->phase == HELD)
            await_answer(run, ask(run, "renew", NULL), scaled(ANSWER_MS));
        if (run_interrupted(run))
            return run_interrupted_error(run, reterr);
        if (lease->phase == LOST)
            return is_lost(run, moment, reterr);
        const int64_t left = lease->valid_until - clock_boottime_ms();
        if (left > scaled(LEASE_REQUEST_MS))
            return 0;
        if (left <= 0)
            return has_run_out(run, moment, reterr);
        if (!told)
            run_log(run, SALVOR_LOG_WARNING,
                    "waiting until the lease can be renewed, %s; it lasts %lld s more", moment,
                    (long long)(left / 1000));
        told = 1;
        if (run_sleep(run, left < FRESH_MS ? left : FRESH_MS) != 0)
            return run_interrupted_error(run, reterr);
    }
}

void lease_put_head(struct run *run, const char *head)
{
    if (run->lease != NULL && run->lease->phase == HELD)
        (void)ask(run, "head", head);
}

int lease_record(struct run *run, struct error *reterr)
{
    struct lease *lease = run->lease;
    if (lease == NULL)
        return 0;
    hear(run, 0);
    if (lease->phase != HELD)
        return 0;
    return run_record(run, "lock",
                      json_make("{s:s, s:O, s:I, s:I, s:I}", "event", "kept", "target",
                                lease->target, "renewals", json_whole(lease->state, "renewals", 0),
                                "failures", json_whole(lease->state, "failures", 0),
                                "longest_gap_ms", json_whole(lease->state, "longest_gap_ms", 0)),
                      JOURNAL_EVIDENCE, reterr);
}

/* ---- giving it back ---------------------------------------------------------------------- */

void lease_release(struct run *run, const char *head)
{
    struct lease *lease = run->lease;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    if (lease == NULL || lease->phase != HELD)
        return;
    const int64_t give_up = clock_monotonic_ms() + RELEASE_MS;
    (void)ask(run, "release", head);
    int over = 0;
    while (!over && clock_monotonic_ms() < give_up) {
        over = service_pump(lease->service, SLICE_MS);
        redraw(run);
    }
    const int ended = over && service_finish(lease->service, &result, NULL, &err) == 0;
    const char *why = !over   ? "its keeper does not answer"
                      : ended ? json_text(result, "why")
                              : err.message;
    if (!ended || !json_flag(result, "released")) {
        cleanup_free char *text = lock_target_text(lease->target);
        const int64_t left = lease->valid_until - clock_boottime_ms();
        run_log(run, SALVOR_LOG_WARNING,
                "the %s was not given back: %s; others can take it in %lld s at the latest", text,
                why != NULL ? why : "", (long long)(left > 0 ? left / 1000 + 1 : 0));
    }
    forget(lease);
}
