/* The jobs `register` and `deregister` of the interworking package. Facts 2.2, 2.4. */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include "json-tree.h"

#define JOBS "/apis/batch/v1" IN_SPACE "/jobs"
#define PODS "/api/v1" IN_SPACE "/pods"
#define PLANES \
    "/policy/api/v1/infra/sites/default/enforcement-points/default/cluster-control-planes/"

enum { RETRY_MS = 30, LOOK_MS = 500, TTL_S = 600 };

enum outcome { DONE, WAITS, FAILED };

static void look_again(struct player *player, int64_t after_ms)
{
    int64_t at = clock_monotonic_ms() + after_ms;
    if (player->look_ms == 0 || at < player->look_ms)
        player->look_ms = at;
}

/* --- register --------------------------------------------------------------------------------- */

/* 1 when both texts hold the same certificate, whatever their lines end with. */
static int is_same_certificate(const char *a, const char *b)
{
    while (a != NULL && b != NULL) {
        a += strspn(a, "\r\n ");
        b += strspn(b, "\r\n ");
        if (*a != *b)
            return 0;
        if (*a == '\0')
            return 1;
        a++;
        b++;
    }
    return 0;
}

static int write_cluster_id(struct player *player, const char *node_id)
{
    cleanup_json json_t *map =
        json_make("{s:s, s:s, s:{s:s, s:s}, s:{s:o}}", "apiVersion", "v1", "kind", "ConfigMap",
                  "metadata", "name", "cluster-id", "namespace", SPACE, "data", "cluster-id.conf",
                  json_sprintf("clusterID: %s\n", node_id));
    int status = kube_apply(player, "/api/v1" IN_SPACE "/configmaps", map);
    return status == 200 || status == 201 ? 0 : -1;
}

static enum outcome join_nsx(struct player *player)
{
    const struct identity *identity = &player->identity;
    cleanup_free char *path = text_format(PLANES "%s", identity->name);
    cleanup_json json_t *found = NULL, *made = NULL;
    if (nsx_choose(player) != 0)
        return WAITS;
    int status = http_request(&player->nsx, "GET", path, NULL, NULL, &found);
    if (status == 200)
        return is_same_certificate(json_text(found, "certificate"), identity->certificate) &&
                       write_cluster_id(player, json_text(found, "node_id")) == 0
                   ? DONE
                   : FAILED;
    if (status != 404) {
        player->next_manager++;
        return FAILED;
    }
    cleanup_json json_t *body = json_make("{s:i, s:s, s:s, s:s}", "_revision", 1, "resource_type",
                                          "AntreaClusterControlPlane", "certificate",
                                          identity->certificate, "vhc_path", "");
    status = http_request(&player->nsx, "PUT", path, NULL, body, &made);
    return (status == 200 || status == 201) && json_text(made, "node_id") != NULL &&
                   write_cluster_id(player, json_text(made, "node_id")) == 0
               ? DONE
               : FAILED;
}

static enum outcome do_register(struct player *player)
{
    if (player->identity.name == NULL || player->identity.certificate == NULL)
        return WAITS;
    /* Already registered as far as the cluster knows: after a roll-back of NSX a wrong belief. */
    if (player->identity.cluster_id != NULL &&
        player_switch_is(player, "register-left-over-id", "skips", "skips"))
        return DONE;
    return join_nsx(player);
}

/* --- deregister ------------------------------------------------------------------------------- */

static enum outcome leave_nsx(struct player *player)
{
    cleanup_free char *path = text_format(PLANES "%s?cascade=true", player->identity.name);
    if (nsx_choose(player) != 0)
        return WAITS;
    int status =
        http_request(&player->nsx, "DELETE", "/sim-adapter/v1/inventory", NULL, NULL, NULL);
    if (status >= 200 && status < 300)
        status = http_request(&player->nsx, "DELETE", path, NULL, NULL, NULL);
    if ((status >= 200 && status < 300) || status == 404)
        return DONE;
    player->next_manager++;
    return FAILED;
}

static void delete_interworking(struct player *player)
{
    cleanup_json json_t *list = kube_get(
        player, "/apis/apps/v1" IN_SPACE "/deployments?labelSelector=component%3Dinterworking");
    size_t i;
    json_t *deployment;
    json_array_foreach (tree_at(list, "items"), i, deployment) {
        cleanup_free char *path = text_format("/apis/apps/v1" IN_SPACE "/deployments/%s",
                                              kube_text(deployment, "metadata.name"));
        kube_delete(player, path);
    }
    session_end(player);
    workload_work(player);
}

static enum outcome do_deregister(struct player *player)
{
    delete_interworking(player);
    enum outcome left = leave_nsx(player);
    if (left == WAITS)
        return WAITS;
    if (left == FAILED && player_switch_is(player, "deregister-without-pi", "fails", "fails"))
        return FAILED;
    enforce_remove_all(player);
    return DONE;
}

/* --- jobs and their pods ---------------------------------------------------------------------- */

static char *now_text(void)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), text);
    return text_format("%.19sZ", text);
}

static int is_finished(const json_t *job)
{
    size_t i;
    json_t *condition;
    json_array_foreach (tree_at(job, "status.conditions"), i, condition) {
        const char *type = json_text(condition, "type");
        if ((text_equal(type, "Complete") || text_equal(type, "Failed")) &&
            text_equal(json_text(condition, "status"), "True"))
            return 1;
    }
    return 0;
}

static json_t *pod_status(int succeeded, const char *container)
{
    cleanup_free char *now = now_text();
    return json_make("{s:s, s:[{s:s, s:b, s:i, s:s, s:s, s:{s:{s:i, s:s, s:s, s:s}}}]}", "phase",
                     succeeded ? "Succeeded" : "Failed", "containerStatuses", "name", container,
                     "ready", 0, "restartCount", 0, "image", "interworking", "imageID", "", "state",
                     "terminated", "exitCode", succeeded ? 0 : 1, "reason",
                     succeeded ? "Completed" : "Error", "startedAt", now, "finishedAt", now);
}

static void make_pod(struct player *player, const json_t *job, int attempt)
{
    const char *name = kube_text(job, "metadata.name");
    cleanup_json json_t *pod = json_make(
        "{s:s, s:s, s:{s:o, s:s, s:{}, s:[{s:s, s:s, s:s, s:O, s:b}]}, s:O}", "apiVersion", "v1",
        "kind", "Pod", "metadata", "name", json_sprintf("%s-%d", name, attempt), "namespace", SPACE,
        "labels", "ownerReferences", "apiVersion", "batch/v1", "kind", "Job", "name", name, "uid",
        tree_at(job, "metadata.uid"), "controller", 1, "spec", tree_at(job, "spec.template.spec"));
    json_t *labels = tree_at(pod, "metadata.labels");
    if (strcmp(name, "deregister") == 0 &&
        player_switch_is(player, "deregister-pod-labels", "app", "job-name"))
        json_put_text(labels, "app", "antrea-interworking");
    else
        json_put_text(labels, "job-name", name);
    http_request(&player->kube, "POST", PODS, NULL, pod, NULL);
}

/* A real job controller made the pod; only its kubelet is missing. */
static void finish_pods(struct player *player, const json_t *job, int succeeded)
{
    cleanup_json json_t *pods = kube_get(player, PODS);
    size_t i;
    json_t *pod;
    json_array_foreach (tree_at(pods, "items"), i, pod) {
        const json_t *owner = json_array_get(tree_at(pod, "metadata.ownerReferences"), 0);
        const char *phase = kube_text(pod, "status.phase");
        if (!text_equal(json_text(owner, "uid"), kube_text(job, "metadata.uid")) ||
            text_equal(phase, "Succeeded") || text_equal(phase, "Failed"))
            continue;
        cleanup_free char *path = text_format(PODS "/%s", kube_text(pod, "metadata.name"));
        kube_patch_status(player, path, pod_status(succeeded, kube_text(job, "metadata.name")));
    }
}

/* How the job ends where no controller does it. */
static void finish_job(struct player *player, const json_t *job, int succeeded, int attempts)
{
    cleanup_free char *path = text_format(JOBS "/%s", kube_text(job, "metadata.name"));
    cleanup_free char *now = now_text();
    json_t *status = json_make(
        "{s:s, s:i, s:i, s:i, s:[{s:s, s:s, s:s, s:s}]}", "startTime", now, "active", 0,
        "succeeded", succeeded, "failed", succeeded ? attempts - 1 : attempts, "conditions", "type",
        succeeded ? "Complete" : "Failed", "status", "True", "lastTransitionTime", now, "reason",
        succeeded ? "Completed" : "BackoffLimitExceeded");
    if (succeeded)
        json_put_text(status, "completionTime", now);
    kube_patch_status(player, path, status);
}

static void attempt_over(struct player *player, const json_t *job, struct job_state *state,
                         int succeeded)
{
    json_int_t limit = tree_integer(job, "spec.backoffLimit", 6);
    int is_last = succeeded || state->attempts > limit;
    if (player->has_controllers) {
        finish_pods(player, job, succeeded);
    } else {
        cleanup_free char *pod =
            text_format(PODS "/%s-%d", kube_text(job, "metadata.name"), state->attempts);
        make_pod(player, job, state->attempts);
        kube_patch_status(player, pod, pod_status(succeeded, kube_text(job, "metadata.name")));
        if (is_last)
            finish_job(player, job, succeeded, state->attempts);
    }
    if (is_last)
        state->finished_ms = player_clock_ms(player);
}

/* Kubernetes takes a finished job away after its time; the pods go with it. */
static void expire(struct player *player, const json_t *job, struct job_state *state)
{
    const char *name = kube_text(job, "metadata.name");
    json_int_t ttl = tree_integer(job, "spec.ttlSecondsAfterFinished", 0);
    if (strcmp(name, "deregister") == 0)
        ttl = player_switch_is(player, "deregister-job-ttl", "600", "none") ? TTL_S : 0;
    if (ttl == 0)
        return;
    if (state->finished_ms == 0)
        state->finished_ms = player_clock_ms(player);
    if (player_clock_ms(player) - state->finished_ms < ttl * 1000) {
        look_again(player, LOOK_MS);
        return;
    }
    cleanup_free char *path = text_format(JOBS "/%s", name);
    kube_delete(player, path);
    for (int i = 1; i <= state->attempts; i++) {
        cleanup_free char *pod = text_format(PODS "/%s-%d", name, i);
        kube_delete(player, pod);
    }
}

/* A job that was deleted and made anew begins from the start. */
static void follow(struct job_state *state, const json_t *job)
{
    const char *uid = kube_text(job, "metadata.uid");
    if (text_equal(state->uid, uid))
        return;
    free(state->uid);
    *state = (struct job_state){.uid = uid == NULL ? NULL : text_copy(uid)};
}

static void work_on(struct player *player, const json_t *job, struct job_state *state,
                    enum outcome (*act)(struct player *player))
{
    follow(state, job);
    if (kube_text(job, "metadata.deletionTimestamp") != NULL)
        return;
    if (is_finished(job)) {
        expire(player, job, state);
        return;
    }
    int64_t now = clock_monotonic_ms();
    if (now < state->retry_ms) {
        look_again(player, state->retry_ms - now);
        return;
    }
    enum outcome outcome = act(player);
    if (outcome == WAITS) {
        look_again(player, LOOK_MS);
        return;
    }
    state->attempts++;
    attempt_over(player, job, state, outcome == DONE);
    state->retry_ms = clock_monotonic_ms() + RETRY_MS * (int64_t)state->attempts;
    look_again(player, RETRY_MS * (int64_t)state->attempts);
    player->is_dirty = 1;
}

void jobs_work(struct player *player)
{
    cleanup_json json_t *list = kube_get(player, JOBS);
    size_t i;
    json_t *job;
    json_array_foreach (tree_at(list, "items"), i, job) {
        const char *name = kube_text(job, "metadata.name");
        if (text_equal(name, "register"))
            work_on(player, job, &player->register_job, do_register);
        else if (text_equal(name, "deregister"))
            work_on(player, job, &player->deregister_job, do_deregister);
    }
}
