#include "sim-nsx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapter.h"
#include "audit.h"
#include "backup.h"
#include "change.h"
#include "clusters.h"
#include "endpoint.h"
#include "faults.h"
#include "identity.h"
#include "inventory.h"
#include "restore.h"
#include "search-index.h"
#include "snapshot.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum {
    LOCKOUT_FAILURES = 5,
    LOCKOUT_MS = 900000,
    SESSION_MS = 1800000,
    PURGE_MS = 30000,
    REALIZE_MS = 5000,
    SEARCH_LAG_MS = 5000,
    RESTORE_STEP_MS = 20000,
    BACKUP_STEP_MS = 20000,
    TICK_MS = 10000,
    HEALTHY_BEATS = 2,
    FIRST_RULE_ID = 2000
};

uint64_t nsx_random(struct sim_nsx *sim)
{
    /* splitmix64: small, seeded, the same on every machine. */
    uint64_t value = (sim->random_state += 0x9e3779b97f4a7c15ULL);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

char *nsx_uuid(struct sim_nsx *sim)
{
    uint64_t high = nsx_random(sim), low = nsx_random(sim);
    return text_format("%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
                       (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff,
                       ((unsigned)(low >> 48) & 0x3fff) | 0x8000,
                       (unsigned long long)(low & 0xffffffffffffULL));
}

int64_t nsx_now(const struct sim_nsx *sim)
{
    return nsx_clock_now(&sim->clock);
}

int nsx_version_at_least(const struct sim_nsx *sim, int major, int minor, int patch)
{
    int wanted[] = {major, minor, patch};
    const char *at = sim->version;
    for (int i = 0; i < 3; i++) {
        char *end;
        long have = strtol(at, &end, 10);
        if (have != wanted[i])
            return have > wanted[i];
        at = *end == '.' ? end + 1 : end;
    }
    return 1;
}

void sim_nsx_add_user(struct sim_nsx *sim, const char *name, const char *password, const char *role)
{
    struct nsx_user *user = nsx_find_user(sim, name);
    free(user->password);
    free(user->role);
    user->password = text_copy(password);
    user->role = text_copy(role);
}

/* What every manager has: services that rules can name, the default policy, its own certificate's
 * place in the trust store, and the identity of one of its parts. */
static void add_defaults(struct sim_nsx *sim)
{
    static const char *const services[] = {"HTTP", "HTTPS", "SSH", "DNS"};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        cleanup_json json_t *service = json_make("{s:b}", "is_default", 1);
        nsx_stamp_policy(sim, service, NULL, "Service", "/infra", "services", services[i]);
        nsx_put(sim, NSX_SERVICES, services[i], service);
    }
    cleanup_json json_t *policy =
        json_make("{s:s, s:i, s:b, s:[s]}", "category", "Application", "sequence_number",
                  2147483647, "is_default", 1, "scope", "ANY");
    nsx_stamp_policy(sim, policy, NULL, "SecurityPolicy", "/infra/domains/default",
                     "security-policies", "default-layer3-section");
    nsx_put(sim, NSX_POLICIES, "default-layer3-section", policy);
    cleanup_free char *id = nsx_uuid(sim);
    cleanup_json json_t *token =
        json_make("{s:s, s:s, s:s, s:s, s:s, s:b}", "id", id, "name", "nsx_policy", "node_id",
                  "nsx_policy", "display_name", "nsx_policy@nsx_policy", "resource_type",
                  "TokenBasedPrincipalIdentity", "is_protected", 1);
    nsx_stamp(sim, token, NULL);
    json_put(token, "_system_owned", json_true());
    nsx_put(sim, NSX_TOKEN_PRINCIPALS, id, token);
}

static void set_defaults(struct sim_nsx *sim, const struct sim_nsx_options *options)
{
    sim->manager_count = options->managers < 1 ? 1 : options->managers;
    if (sim->manager_count > NSX_MANAGERS)
        sim->manager_count = NSX_MANAGERS;
    for (int i = 0; i < NSX_MANAGERS; i++)
        sim->managers[i].reserve_fd = -1;
    sim->managers[0].port = options->manager_port;
    sim->control.port = options->control_port;
    sim->rate_limit = options->rate_limit;
    sim->user_concurrency = options->user_concurrency;
    sim->concurrency = options->concurrency;
    sim->lockout_failures = LOCKOUT_FAILURES;
    sim->lockout_ms = LOCKOUT_MS;
    sim->session_ms = SESSION_MS;
    sim->purge_ms = PURGE_MS;
    sim->realize_ms = REALIZE_MS;
    sim->search_lag_ms = SEARCH_LAG_MS;
    sim->restore_step_ms = RESTORE_STEP_MS;
    sim->backup_step_ms = BACKUP_STEP_MS;
    sim->tick_ms = TICK_MS;
    sim->healthy_beats = HEALTHY_BEATS;
    sim->restore_instructions = 1;
    sim->next_rule_id = FIRST_RULE_ID;
    sim->restore.value = "INITIAL";
}

struct sim_nsx *sim_nsx_new(const struct sim_nsx_options *options, struct error *reterr)
{
    struct sim_nsx *sim = memory_new(1, sizeof *sim);
    memset(sim, 0, sizeof *sim);
    set_defaults(sim, options);
    sim->random_state = options->seed == 0 ? 1 : options->seed;
    sim->version = text_copy(options->version == NULL ? "9.0.1.0.24952111" : options->version);
    sim->address = text_copy(options->address == NULL ? "127.0.0.1" : options->address);
    sim->fqdn = text_copy("nsx-1.sim.local");
    sim->node_id = nsx_uuid(sim);
    sim->cluster_uuid = nsx_uuid(sim);
    sim->partitioned = json_object();
    sim->alarms = json_array();
    sim->stale_certificates = json_object();
    sim->violations = json_array();
    sim->counters = json_object();
    sim->backup_history = json_make("{s:[], s:[], s:[]}", "cluster", "node", "inventory");
    nsx_clock_start(&sim->clock, options->start_ms > 0 ? options->start_ms : clock_realtime_ms(),
                    options->rate);
    sim->clock.per_request_ms = options->per_request_ms;
    sim_nsx_add_user(sim, "admin",
                     options->password == NULL ? "Sim-Nsx-Passw0rd" : options->password,
                     "enterprise_admin");
    add_defaults(sim);
    nsx_search_refresh(sim);
    nsx_timer_set(&sim->clock, nsx_now(sim) + sim->tick_ms, nsx_tick, NULL);
    sim->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sim->stop_fd < 0)
        error_errno(reterr, EXIT_FAILED, errno, "cannot make an event descriptor");
    if (sim->stop_fd < 0 ||
        (options->audit_path != NULL && nsx_audit_open(sim, options->audit_path, reterr) != 0)) {
        sim_nsx_free(sim);
        return NULL;
    }
    return sim;
}

static void free_users(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->user_count; i++) {
        free(sim->users[i].name);
        free(sim->users[i].password);
        free(sim->users[i].role);
    }
    free(sim->users);
}

void sim_nsx_free(struct sim_nsx *sim)
{
    if (sim == NULL)
        return;
    nsx_snapshot_stop_all(sim);
    nsx_endpoints_clear(sim);
    nsx_adapters_clear(sim);
    nsx_clusters_clear(sim);
    nsx_inventory_clear(sim);
    nsx_forget_marked(sim);
    free(sim->marked);
    nsx_forget_sessions(sim);
    nsx_faults_clear(sim);
    nsx_audit_close(sim);
    nsx_restore_clear(sim);
    nsx_backups_clear(sim);
    nsx_intent_clear(&sim->intent);
    nsx_intent_clear(&sim->index);
    nsx_clock_clear(&sim->clock);
    free_users(sim);
    nsx_forget_principal_index(sim);
    json_decref(sim->partitioned);
    json_decref(sim->alarms);
    json_decref(sim->stale_certificates);
    json_decref(sim->violations);
    json_decref(sim->counters);
    json_decref(sim->backup_history);
    json_decref(sim->backup_running);
    free(sim->backup_failure);
    free(sim->version);
    free(sim->address);
    free(sim->fqdn);
    free(sim->node_id);
    free(sim->cluster_uuid);
    if (sim->stop_fd >= 0)
        (void)close(sim->stop_fd);
    free(sim);
}
