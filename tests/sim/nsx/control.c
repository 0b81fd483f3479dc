#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "backup.h"
#include "clusters.h"
#include "dump.h"
#include "endpoint.h"
#include "faults.h"
#include "generate.h"
#include "identity.h"
#include "restore.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

/* The answer of an act; NULL: done. */
typedef const char *act(struct sim_nsx *sim, const json_t *wish);

static const char *set_clock(struct sim_nsx *sim, const json_t *wish)
{
    const json_t *rate = json_object_get(wish, "rate");
    if (json_is_number(rate))
        nsx_clock_set_rate(&sim->clock, json_number_value(rate));
    sim->clock.per_request_ms = json_whole(wish, "perRequest", sim->clock.per_request_ms);
    int64_t advance = json_whole(wish, "advance", 0);
    if (advance < 0)
        return "time goes forward only";
    nsx_clock_advance(sim, advance);
    return NULL;
}

static const char *set_switches(struct sim_nsx *sim, const json_t *wish)
{
    const char *name;
    json_t *position;
    json_object_foreach ((json_t *)(uintptr_t)wish, name, position)
        if (!json_is_string(position) ||
            nsx_switch_set(sim, name, json_string_value(position)) != 0)
            return "there is no such switch or position";
    return NULL;
}

/* Limits, delays and lengths: names as below, numbers. */
static const char *set_settings(struct sim_nsx *sim, const json_t *wish)
{
    const struct {
        const char *name;
        int64_t *value;
    } settings[] = {{"rateLimit", &sim->rate_limit},
                    {"userConcurrency", &sim->user_concurrency},
                    {"concurrency", &sim->concurrency},
                    {"lockoutFailures", &sim->lockout_failures},
                    {"lockoutMs", &sim->lockout_ms},
                    {"sessionMs", &sim->session_ms},
                    {"latencyMs", &sim->latency_ms},
                    {"pageLimit", &sim->page_limit},
                    {"purgeMs", &sim->purge_ms},
                    {"realizeMs", &sim->realize_ms},
                    {"searchLagMs", &sim->search_lag_ms},
                    {"restoreStepMs", &sim->restore_step_ms},
                    {"backupStepMs", &sim->backup_step_ms},
                    {"tickMs", &sim->tick_ms}};
    const char *name;
    json_t *number;
    json_object_foreach ((json_t *)(uintptr_t)wish, name, number) {
        int found = 0;
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
            if (strcmp(settings[i].name, name) == 0 && json_is_integer(number)) {
                *settings[i].value = json_integer_value(number);
                found = 1;
            }
        if (strcmp(name, "healthyBeats") == 0 && json_is_integer(number))
            sim->healthy_beats = (int)json_integer_value(number);
        else if (strcmp(name, "restoreInstructions") == 0 && json_is_integer(number))
            sim->restore_instructions = (int)json_integer_value(number);
        else if (strcmp(name, "licensed") == 0 && json_is_boolean(number))
            sim->is_unlicensed = json_is_false(number);
        else if (!found)
            return "there is no such setting";
    }
    return NULL;
}

static const char *add_faults(struct sim_nsx *sim, const json_t *wish)
{
    const char *why = NULL;
    size_t i;
    json_t *rule;
    if (json_is_object(wish))
        return nsx_fault_add(sim, wish, &why) == 0 ? NULL : why;
    json_array_foreach ((json_t *)(uintptr_t)wish, i, rule)
        if (nsx_fault_add(sim, rule, &why) != 0)
            return why;
    return NULL;
}

static const char *expire(struct sim_nsx *sim, const json_t *wish)
{
    nsx_expire_sessions(sim, (int)json_whole(wish, "manager", -1));
    return NULL;
}

static const char *set_manager(struct sim_nsx *sim, const json_t *wish)
{
    int64_t index = json_whole(wish, "index", 0);
    const json_t *up = json_object_get(wish, "up"), *healthy = json_object_get(wish, "healthy");
    struct error error = ERROR_INIT;
    if (index < 0 || index >= sim->manager_count)
        return "there is no such manager";
    struct nsx_manager *manager = &sim->managers[index];
    if (json_is_boolean(up)) {
        manager->is_off = json_is_false(up);
        nsx_expire_sessions(sim, (int)index);
    }
    if (json_is_boolean(healthy))
        manager->is_unhealthy = json_is_false(healthy);
    sim->must_reopen = 1;
    if (text_equal(json_text(wish, "certificate"), "new") &&
        nsx_certificate_replace(sim, (int)index, &error) != 0) {
        error_clear(&error);
        return "no certificate could be made";
    }
    return NULL;
}

static const char *set_partition(struct sim_nsx *sim, const json_t *wish)
{
    const char *name;
    json_t *apart;
    json_object_foreach ((json_t *)(uintptr_t)wish, name, apart) {
        if (json_is_true(apart))
            json_put(sim->partitioned, name, json_true());
        else
            json_object_del(sim->partitioned, name);
    }
    nsx_world_changed(sim);
    nsx_adapters_check(sim);
    nsx_clusters_work(sim);
    return NULL;
}

static const char *act_on_clusters(struct sim_nsx *sim, const json_t *wish)
{
    size_t i;
    json_t *one;
    if (json_is_object(wish))
        return nsx_cluster_act(sim, wish);
    json_array_foreach ((json_t *)(uintptr_t)wish, i, one) {
        const char *why = nsx_cluster_act(sim, one);
        if (why != NULL)
            return why;
    }
    return NULL;
}

/* {"cluster": NAME, "status": {...} or null} and {"cluster", "policy", "state", "message"}. */
static const char *set_health(struct sim_nsx *sim, const json_t *wish)
{
    const char *name = json_text(wish, "cluster"), *policy = json_text(wish, "policy");
    if (name == NULL)
        return "cluster is missing";
    struct nsx_adapter *adapter = nsx_adapter_of(sim, name);
    const json_t *status = json_object_get(wish, "status");
    if (status != NULL) {
        json_decref(adapter->overrides);
        adapter->overrides = json_is_object(status) ? json_clone(status) : NULL;
    }
    if (policy != NULL && text_equal(json_text(wish, "state"), "ERROR")) {
        const char *message = json_text(wish, "message");
        json_put(adapter->acks, policy,
                 json_make("{s:s, s:s, s:s}", "version", "*", "state", "ERROR", "message",
                           message == NULL ? "injected" : message));
    } else if (policy != NULL) {
        json_object_del(adapter->acks, policy);
        nsx_adapters_dirty(sim);
    }
    return NULL;
}

/* Rules of what an operator or a broken server does to backups. */
static const char *act_on_backup(struct sim_nsx *sim, const json_t *wish)
{
    const char *fail = json_text(wish, "fail");
    if (fail != NULL) {
        free(sim->backup_failure);
        sim->backup_failure = text_copy(fail);
        return NULL;
    }
    nsx_backup_take(sim);
    return NULL;
}

static const char *act_on_restore(struct sim_nsx *sim, const json_t *wish)
{
    const json_t *fail_at = json_object_get(wish, "failAt");
    if (json_is_integer(fail_at)) {
        sim->restore.fail_at = (int)json_integer_value(fail_at);
        return NULL;
    }
    int index = nsx_backup_find(sim, json_text(wish, "nodeId"), json_whole(wish, "timestamp", 0));
    if (index < 0)
        return "there is no such backup";
    nsx_restore_at_once(sim, (size_t)index);
    return NULL;
}

static void replace_text(char **slot, const char *text)
{
    if (text == NULL)
        return;
    free(*slot);
    *slot = text_copy(text);
}

static const char *redeploy(struct sim_nsx *sim, const json_t *wish)
{
    replace_text(&sim->version, json_text(wish, "version"));
    replace_text(&sim->address, json_text(wish, "address"));
    replace_text(&sim->fqdn, json_text(wish, "fqdn"));
    nsx_redeploy(sim);
    return NULL;
}

static const char *add_alarms(struct sim_nsx *sim, const json_t *wish)
{
    json_add(sim->alarms, json_clone(wish));
    return NULL;
}

static const char *set_stale(struct sim_nsx *sim, const json_t *wish)
{
    const char *id = json_text(wish, "id");
    if (id == NULL)
        return "id is missing";
    json_put(sim->stale_certificates, id, json_true());
    return NULL;
}

static const char *add_user(struct sim_nsx *sim, const json_t *wish)
{
    const char *name = json_text(wish, "name"), *password = json_text(wish, "password");
    const char *role = json_text(wish, "role");
    if (name == NULL || password == NULL)
        return "name and password are missing";
    sim_nsx_add_user(sim, name, password, role == NULL ? "enterprise_admin" : role);
    return NULL;
}

static const char *fill(struct sim_nsx *sim, const json_t *wish)
{
    const struct nsx_size size = {.clusters = json_whole(wish, "clusters", 0),
                                  .groups = json_whole(wish, "groups", 0),
                                  .policies = json_whole(wish, "policies", 0),
                                  .rules = json_whole(wish, "rules", 10)};
    nsx_generate(sim, &size);
    return NULL;
}

static const char *stop(struct sim_nsx *sim, const json_t *wish)
{
    (void)wish;
    sim_nsx_stop(sim);
    return NULL;
}

static const struct {
    const char *name;
    act *call;
} acts[] = {{"clock", set_clock},
            {"switches", set_switches},
            {"settings", set_settings},
            {"faults", add_faults},
            {"expire-sessions", expire},
            {"managers", set_manager},
            {"partition", set_partition},
            {"clusters", act_on_clusters},
            {"health", set_health},
            {"backup", act_on_backup},
            {"restore", act_on_restore},
            {"redeploy", redeploy},
            {"alarms", add_alarms},
            {"stale-certificates", set_stale},
            {"users", add_user},
            {"generate", fill},
            {"stop", stop}};

/* {"name", "days"}: a pair for whoever needs one; NSX knows nothing of it. */
static void make_pair(const json_t *wish, struct nsx_answer *answer)
{
    enum { DAY_S = 24 * 3600, TEN_YEARS = 3650 };
    const char *name = json_text(wish, "name");
    struct certificate made = {NULL, NULL};
    struct certificate_request request = {.common_name = name == NULL ? "nobody" : name,
                                          .organization = "VMware",
                                          .valid_from_s = -3600,
                                          .valid_to_s = json_whole(wish, "days", TEN_YEARS) * DAY_S,
                                          .is_client = 1};
    if (certificate_make(&request, &made, NULL) != 0)
        nsx_answer_json(answer, 400, json_make("{s:s}", "error", "no certificate could be made"));
    else
        nsx_answer_json(answer, 200,
                        json_make("{s:s, s:s}", "certificate", made.pem, "key", made.key_pem));
    certificate_clear(&made);
}

static json_t *readable(const struct sim_nsx *sim, const char *what)
{
    if (strcmp(what, "state") == 0)
        return nsx_state(sim);
    if (strcmp(what, "dump") == 0)
        return nsx_dump(sim);
    if (strcmp(what, "switches") == 0)
        return nsx_switches_json(sim);
    if (strcmp(what, "counters") == 0)
        return json_clone(sim->counters);
    if (strcmp(what, "clusters") == 0)
        return nsx_clusters_json(sim);
    if (strcmp(what, "adapters") == 0)
        return nsx_adapters_json(sim);
    if (strcmp(what, "addresses") == 0)
        return sim_nsx_addresses(sim);
    if (strcmp(what, "clock") == 0)
        return json_make("{s:I, s:f, s:I}", "nowMs", (json_int_t)nsx_now(sim), "rate",
                         sim->clock.rate, "perRequest", (json_int_t)sim->clock.per_request_ms);
    return NULL;
}

static int forget(struct sim_nsx *sim, const char *what)
{
    if (strcmp(what, "faults") == 0)
        nsx_faults_clear(sim);
    else if (strcmp(what, "counters") == 0)
        json_object_clear(sim->counters);
    else if (strcmp(what, "alarms") == 0)
        json_array_clear(sim->alarms);
    else
        return -1;
    return 0;
}

static void refuse(struct nsx_answer *answer, int status, const char *why)
{
    nsx_answer_json(answer, status, json_make("{s:s}", "error", why));
}

static void perform(struct sim_nsx *sim, const struct nsx_request *request, const char *what,
                    struct nsx_answer *answer)
{
    cleanup_json json_t *wish = request->body.size == 0
                                    ? json_object()
                                    : json_loadb(request->body.data, request->body.size, 0, NULL);
    if (wish == NULL) {
        refuse(answer, 400, "the body is no JSON");
        return;
    }
    if (strcmp(what, "certificate") == 0) {
        make_pair(wish, answer);
        return;
    }
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].name, what) == 0) {
            const char *why = acts[i].call(sim, wish);
            if (why != NULL)
                refuse(answer, 400, why);
            else
                nsx_answer_json(answer, 200, nsx_state(sim));
            return;
        }
    refuse(answer, 404, "there is nothing of this name");
}

void nsx_control_handle(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *what = text_starts(request->path, NSX_CONTROL_PREFIX)
                           ? request->path + strlen(NSX_CONTROL_PREFIX)
                           : "";
    nsx_clock_run(sim);
    if (strcmp(request->method, "GET") == 0) {
        json_t *value = readable(sim, what);
        if (value != NULL)
            nsx_answer_json(answer, 200, value);
        else
            refuse(answer, 404, "there is nothing of this name");
    } else if (strcmp(request->method, "DELETE") == 0) {
        if (forget(sim, what) == 0)
            nsx_answer_json(answer, 200, json_object());
        else
            refuse(answer, 404, "there is nothing of this name");
    } else if (strcmp(what, "snapshot") == 0) {
        answer->outcome = NSX_SNAPSHOT;
    } else {
        perform(sim, request, what, answer);
    }
}

int sim_nsx_control(struct sim_nsx *sim, const char *method, const char *path, const json_t *body,
                    json_t **ret_body)
{
    struct nsx_request request = {
        .manager = -1, .method = method, .path = path, .body = BUFFER_INIT(NSX_REQUEST_LIMIT)};
    struct nsx_answer answer = {.body = BUFFER_INIT(NSX_ANSWER_LIMIT), .cut_at = -1};
    cleanup_free char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    if (text != NULL)
        buffer_append_text(&request.body, text);
    nsx_control_handle(sim, &request, &answer);
    if (ret_body != NULL)
        *ret_body =
            answer.body.size == 0 ? NULL : json_loadb(answer.body.data, answer.body.size, 0, NULL);
    buffer_clear(&request.body);
    buffer_clear(&answer.body);
    return answer.status;
}
