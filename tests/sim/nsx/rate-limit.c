#include "rate-limit.h"

#include "errors.h"
#include "identity.h"

#include "base/banned.h"
#include "base/clock.h"

static void refuse(const struct sim_nsx *sim, struct nsx_answer *answer, int status,
                   const char *name, const char *what, int64_t limit)
{
    nsx_error(answer, status, 102, "common-services", "Client '%s' exceeded %s of %lld%s", name,
              what, (long long)limit, status == 429 ? " per second." : ".");
    if (nsx_switch_is(sim, SW_RETRY_AFTER, "present"))
        answer->retry_after = 1;
}

int nsx_limit(struct sim_nsx *sim, const struct nsx_request *request, struct nsx_answer *answer)
{
    const char *name = request->caller.name;
    struct nsx_user *user = nsx_find_user(sim, name == NULL ? "127.0.0.1" : name);
    int64_t now = clock_monotonic_ms();
    if (now - user->window_ms >= 1000) {
        user->window_ms = now;
        user->window_count = 0;
    }
    if (sim->rate_limit > 0 && ++user->window_count > sim->rate_limit) {
        refuse(sim, answer, 429, user->name, "request rate", sim->rate_limit);
        return -1;
    }
    if (sim->user_concurrency > 0 && user->in_flight >= sim->user_concurrency) {
        int status = nsx_switch_is(sim, SW_CONCURRENCY_STATUS, "429") ? 429 : 503;
        refuse(sim, answer, status, user->name, "request concurrency", sim->user_concurrency);
        return -1;
    }
    if (sim->concurrency > 0 && sim->anyone.in_flight >= sim->concurrency) {
        refuse(sim, answer, 503, "any", "request concurrency", sim->concurrency);
        return -1;
    }
    return 0;
}

void nsx_limit_begin(struct sim_nsx *sim, const char *user)
{
    sim->anyone.in_flight++;
    if (user != NULL)
        nsx_find_user(sim, user)->in_flight++;
}

void nsx_limit_end(struct sim_nsx *sim, const char *user)
{
    sim->anyone.in_flight--;
    if (user != NULL)
        nsx_find_user(sim, user)->in_flight--;
}
