#include "net/lease-rules.h"

#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum {
    USUAL_DURATION_MS = 120000, /* of a holder that claims none */
    WATCH_LIMIT_MS = 600000,    /* nobody waits longer than that for a sign of life */
    LOOK_LEAST_MS = 50,
    LOOK_MOST_MS = 3000,
    RENEW_PARTS = 8, /* a Lease of 120 s is renewed every 15 s */
    RETRY_PARTS = 24
};

/* ---- who ------------------------------------------------------------------------------------- */

char *lease_holder_text(const struct lease_seen *seen)
{
    const json_t *who = seen->who;
    const char *run = json_text(who, "run");
    const char *host = json_text(who, "host");
    const char *provider = json_text(who, "provider");
    const char *site = json_text(who, "site");
    if (run == NULL || host == NULL)
        return text_format("'%s'", seen->identity);
    return text_format("run '%s' on '%s'%s%s%s%s%s", run, host,
                       provider != NULL ? " (provider '" : "", provider != NULL ? provider : "",
                       provider != NULL && site != NULL ? "', site '" : "",
                       provider != NULL && site != NULL ? site : "", provider != NULL ? "')" : "");
}

static int is_this_run(const struct lease_seen *seen, const struct lease_self *self)
{
    const char *run = json_text(seen->who, "run");
    return run != NULL && text_equal(run, json_text(self->who, "run"));
}

static int refuse(const struct lease_seen *seen, const struct lease_self *self, const char *why,
                  struct error *reterr)
{
    cleanup_free char *holder = lease_holder_text(seen);
    (void)error_set(reterr, EXIT_REFUSED, "the lease '%s/%s' is held by %s%s%s", self->ns,
                    self->name, holder, *seen->since != '\0' ? " since " : "", seen->since);
    (void)error_detail(reterr, "%s", why);
    if (is_this_run(seen, self))
        return error_hint(reterr, "another process works on this run; wait for its end, or stop it "
                                  "there");
    if (json_text(seen->who, "run") != NULL)
        return error_hint(reterr,
                          "two runs at once would undo each other's work: wait for that one, or "
                          "see there how it goes with 'salvor report %s'",
                          json_text(seen->who, "run"));
    return error_hint(reterr, "find out what holds it, and let that end first");
}

int lease_old_is_dead(const json_t *then, const json_t *now, int has_run_lock, int process_lives)
{
    const char *const same_run = json_text(then, "run");
    const char *const machine = json_text(then, "machine");
    const char *const boot = json_text(then, "boot");
    const char *const pids = json_text(then, "pids");
    if (!has_run_lock || same_run == NULL || !text_equal(same_run, json_text(now, "run")) ||
        boot == NULL || *boot == '\0' || json_text(now, "boot") == NULL)
        return 0;
    if (!text_equal(boot, json_text(now, "boot")))
        return machine != NULL && *machine != '\0' &&
               text_equal(machine, json_text(now, "machine"));
    return pids != NULL && *pids != '\0' && text_equal(pids, json_text(now, "pids")) &&
           json_whole(then, "pid", 0) > 0 && !process_lives;
}

/* ---- taking it ------------------------------------------------------------------------------- */

void lease_watch_clear(struct lease_watch *watch)
{
    free(watch->identity);
    free(watch->renewed);
    free(watch->version);
    *watch = (struct lease_watch){0};
}

static void watch_from(struct lease_watch *watch, const struct lease_seen *seen, int64_t now)
{
    const int64_t first = watch->began ? watch->first : now;
    lease_watch_clear(watch);
    watch->began = 1;
    watch->first = first;
    watch->identity = text_copy(seen->identity);
    watch->renewed = text_copy(seen->renewed);
    watch->version = text_copy(seen->version);
    watch->since = now;
}

static int64_t patience_of(const struct lease_seen *seen)
{
    const int64_t duration = seen->duration_ms > 0 ? seen->duration_ms : USUAL_DURATION_MS;
    /* its last write may have reached the server after its answer left for us */
    return duration + duration / 20 + 100;
}

enum lease_advice lease_judge(struct lease_watch *watch, const struct lease_seen *seen,
                              const struct lease_self *self, int old_is_dead, int64_t now,
                              int64_t *ret_wait_ms, char **ret_from, struct error *reterr)
{
    const int began = watch->began;
    const int64_t patience = patience_of(seen);
    *ret_from = NULL;
    *ret_wait_ms = 0;
    if (*seen->identity == '\0') {
        watch_from(watch, seen, now);
        return LEASE_TAKE;
    }
    if (text_equal(seen->identity, self->identity))
        return LEASE_OURS;
    if (old_is_dead) {
        *ret_from = lease_holder_text(seen);
        return LEASE_TAKE;
    }
    if (began && !text_equal(watch->identity, seen->identity)) {
        (void)refuse(seen, self, "it was taken while this run was about to take it", reterr);
        return LEASE_REFUSE;
    }
    if (began && !text_equal(watch->renewed, seen->renewed)) {
        (void)refuse(seen, self, "it was renewed while this run watched: its holder is at work",
                     reterr);
        return LEASE_REFUSE;
    }
    if (patience > WATCH_LIMIT_MS || (began && now - watch->first > 2 * (int64_t)WATCH_LIMIT_MS)) {
        (void)refuse(seen, self,
                     "it is not renewed, but nobody can wait long enough to be sure that "
                     "its holder is gone",
                     reterr);
        return LEASE_REFUSE;
    }
    /* somebody touched it, though not its holder: wait the whole time again */
    if (!began || !text_equal(watch->version, seen->version))
        watch_from(watch, seen, now);
    const int64_t left = watch->since + patience - now;
    if (left <= 0) {
        *ret_from = lease_holder_text(seen);
        return LEASE_TAKE;
    }
    int64_t wait = patience / 40;
    if (wait < LOOK_LEAST_MS)
        wait = LOOK_LEAST_MS;
    if (wait > LOOK_MOST_MS)
        wait = LOOK_MOST_MS;
    *ret_wait_ms = left < wait ? left : wait;
    return LEASE_WATCH;
}

int lease_check_cluster(const char *uid, const char *expected, const json_t *rewinds,
                        struct error *reterr)
{
    size_t index = 0;
    const json_t *rewound = NULL;
    if (uid == NULL && (expected != NULL || json_array_size(rewinds) > 0)) {
        (void)error_set(reterr, EXIT_REFUSED, "it cannot be told which cluster the lease is in");
        return error_hint(reterr, "allow 'get' on the namespace 'kube-system' there: its UID says "
                                  "which cluster it is");
    }
    json_array_foreach (rewinds, index, rewound) {
        if (!text_equal(json_string_value(rewound), uid))
            continue;
        (void)error_set(reterr, EXIT_REFUSED,
                        "the lease lies in the cluster that this run sets back (kube-system '%s')",
                        uid);
        return error_hint(reterr, "name another cluster with 'lock-kubeconfig'");
    }
    if (expected == NULL || text_equal(uid, expected))
        return 0;
    (void)error_set(reterr, EXIT_REFUSED,
                    "the lease is looked for in another cluster than when this run took it first");
    (void)error_detail(reterr, "its namespace kube-system was '%s', now it is '%s'", expected, uid);
    return error_hint(reterr, "let the kubeconfig name the cluster of then");
}

/* ---- keeping it ------------------------------------------------------------------------------ */

enum lease_turn lease_after_write(int code)
{
    if (code >= 200 && code <= 299)
        return LEASE_WRITTEN;
    return code == 409 || code == 404 ? LEASE_LOOK : LEASE_TROUBLE;
}

int lease_after_look(const struct lease_seen *seen, const struct lease_self *self,
                     struct error *reterr)
{
    if (text_equal(seen->identity, self->identity))
        return 0;
    cleanup_free char *holder = lease_holder_text(seen);
    if (seen->object == NULL)
        (void)error_set(reterr, EXIT_REFUSED,
                        "the lease '%s/%s' of this run is lost: it was "
                        "deleted",
                        self->ns, self->name);
    else if (*seen->identity == '\0')
        (void)error_set(reterr, EXIT_REFUSED,
                        "the lease '%s/%s' of this run is lost: somebody released it", self->ns,
                        self->name);
    else
        (void)error_set(reterr, EXIT_REFUSED,
                        "the lease '%s/%s' of this run is lost: it is held by %s%s%s", self->ns,
                        self->name, holder, *seen->since != '\0' ? " since " : "", seen->since);
    return error_hint(reterr, "find out who took it, and what was changed meanwhile, before this "
                              "run goes on");
}

int64_t lease_renew_after(int64_t duration_ms)
{
    return duration_ms / RENEW_PARTS;
}

int64_t lease_retry_after(int64_t duration_ms)
{
    return duration_ms / RETRY_PARTS;
}
