/*
 * Paper plugin: what follows an automatic resynchronisation: orphans are removed in dependency
 * order, clusters registered after the backup are deregistered and registered again. Compiled
 * only; it shows whether stages, guards, secrets over steps, kube and http read naturally.
 */
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

#define MINUTES(count) ((uint64_t)(count)*60u * 1000u)
#define CLUSTERS_PATH                                                       \
    "/policy/api/v1/infra/sites/default/enforcement-points/default/cluster" \
    "-control-planes"
#define NAMESPACE "vmware-system-antrea"

static const struct salvor_option options[] = {
    {"nsx", "URL", NULL, "address of the manager cluster", NULL, "0.1", SALVOR_OPTION_URL,
     SALVOR_OPTION_REQUIRED, SALVOR_ON_ALL, 0},
    {"nsx-user", NULL, "admin", "user with the Enterprise Admin role", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_ALL, 0},
    {"nsx-password", NULL, NULL, "its password", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_REQUIRED | SALVOR_OPTION_SECRET, SALVOR_ON_ALL, 0},
    {"nsx-fingerprint", "SHA256", NULL, "pinned certificate of the manager", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_ALL, 0},
    {"clusters", "CONTEXT", NULL, "kubeconfig contexts of the live clusters", NULL, "0.1",
     SALVOR_OPTION_LIST, 0, SALVOR_ON_ALL, 0},
};

/* The rows in the order of the vendor's page, grouped into the stages that depend on each other. */
static const struct salvor_row resync_rows[] = {
    {.id = "await-resync",
     .title = "wait until the automatic resynchronisation has ended",
     .statements = "NSX-006 NSX-007 NSX-009",
     .effect = SALVOR_EFFECT_READ,
     .deadline_ms = MINUTES(60),
     .attempts = 1,
     .check_every_ms = 15000},
};

static const struct salvor_row orphan_rows[] = {
    {.id = "delete-orphan-policies",
     .title = "delete the firewall policies that span orphaned clusters only",
     .statements = "NSX-010 NSX-011 NSX-012",
     .undo = "re-create-policies",
     .effect = SALVOR_EFFECT_DESTRUCTIVE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(10),
     .attempts = 3,
     .backoff_ms = 2000},
    {.id = "delete-orphan-control-plane",
     .title = "delete the cluster control plane node",
     .statements = "NSX-013 NSX-073",
     .effect = SALVOR_EFFECT_IRREVERSIBLE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(15),
     .attempts = 3,
     .backoff_ms = 5000,
     .check_every_ms = 5000},
    {.id = "delete-orphan-identity",
     .title = "delete the principal identity",
     .statements = "NSX-014",
     .effect = SALVOR_EFFECT_IRREVERSIBLE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(5),
     .attempts = 3,
     .backoff_ms = 2000},
};

static const struct salvor_row register_rows[] = {
    {.id = "keep-identity",
     .title = "keep certificate and key of the cluster before they are deleted with it",
     .statements = "NSX-068",
     .effect = SALVOR_EFFECT_READ,
     .deadline_ms = MINUTES(2),
     .attempts = 3,
     .backoff_ms = 1000},
    {.id = "deregister",
     .title = "deregister the cluster with the job of the interworking package",
     .statements = "NSX-017 NSX-054 NSX-057 NSX-062",
     .effect = SALVOR_EFFECT_DESTRUCTIVE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(15),
     .attempts = 2,
     .backoff_ms = 5000,
     .check_every_ms = 5000},
    {.id = "confirm-images",
     .title = "put reachable image addresses into the registration files",
     .statements = "NSX-045",
     .instructions = "edit {file}: replace every image address by one that all nodes of cluster "
                     "{cluster} can pull",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_MANUAL,
     .deadline_ms = MINUTES(24 * 60),
     .attempts = 1,
     .check_every_ms = 10000},
    {.id = "add-identity",
     .title = "add the principal identity again",
     .statements = "NSX-018 NSX-041 NSX-042",
     .effect = SALVOR_EFFECT_CHANGE,
     .deadline_ms = MINUTES(5),
     .attempts = 1},
};

static const struct salvor_stage stages[] = {
    {"resync", "after the automatic resynchronisation", resync_rows, SALVOR_ARRAY(resync_rows)},
    {"orphans", "what deleted clusters left behind", orphan_rows, SALVOR_ARRAY(orphan_rows)},
    {"re-register", "clusters that the backup does not know", register_rows,
     SALVOR_ARRAY(register_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"after-restore", "clean up and register again after a manager restore",
     "Backup and Restore with Antrea clusters", "4.1 to 9.1", stages, SALVOR_ARRAY(stages),
     SALVOR_PROCEDURE_POST_RESYNC, 0},
};

static const struct salvor_finding findings[] = {
    {"NSX-LOCKED-POLICY", "a policy to be deleted is locked", "NSX-012",
     "unlock it in the manager, or keep it with --keep", SALVOR_SEVERITY_BLOCKER, 0},
};

static const struct salvor_need needs[] = {
    {SALVOR_HTTP, 1, 1},      {SALVOR_KUBE, 1, 1},     {SALVOR_SECRET, 1, 1}, {SALVOR_BATCH, 1, 1},
    {SALVOR_INVENTORY, 1, 1}, {SALVOR_FINDINGS, 1, 1}, {SALVOR_PLAN, 1, 1},
};

/* ---- the manager ---------------------------------------------------------------------------- */

struct manager {
    salvor_call *call;
    const struct salvor_http *http;
    salvor_http_client *client;
};

static salvor_status manager_open(salvor_call *call, struct manager *manager)
{
    salvor_secret *password = NULL;
    salvor_auto_json json_t *login = NULL;
    salvor_auto_release char *text = NULL;
    const char *url = NULL;
    manager->call = call;
    manager->http = salvor_http_of(call);
    SALVOR_TRY(salvor_option_need(call, "nsx", &url));
    SALVOR_TRY(salvor_secrets_of(call)->open(call, "nsx-password", &password));
    login = salvor_json_build(call, "{s:s, s:{s:s*}, s:{s:s,s:i}}", "url", url, "trust", "sha256",
                              salvor_option_text(call, "nsx-fingerprint", NULL), "login", "user",
                              salvor_option_text(call, "nsx-user", "admin"), "password", 0);
    text = login != NULL ? salvor_json_write(login) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "the login");
    return manager->http->client_open(call, text, &password, 1, &manager->client);
}

/* GET, parsed. NOT_FOUND on 404. */
static salvor_status manager_get(struct manager *manager, const char *path, const char *call_site,
                                 json_t **ret_json)
{
    const struct salvor_http_request request = {
        .struct_size = sizeof request, .method = "GET", .path = path, .call_site = call_site};
    struct salvor_http_response response = {.struct_size = sizeof response};
    SALVOR_TRY(manager->http->request(manager->call, manager->client, &request, &response));
    if (response.code == 404)
        return SALVOR_NOT_FOUND;
    if (response.code != 200)
        return salvor_fail(manager->call, SALVOR_FAILED, NULL, "GET '%s' was answered with %d",
                           path, (int)response.code);
    return salvor_json_parse(manager->call, response.body, "the answer of the manager", ret_json);
}

static salvor_status manager_delete(struct manager *manager, const char *path,
                                    const char *call_site)
{
    static const char *const headers[] = {"X-Allow-Overwrite: true"};
    const struct salvor_http_request request = {.struct_size = sizeof request,
                                                .flags = SALVOR_HTTP_IDEMPOTENT,
                                                .method = "DELETE",
                                                .path = path,
                                                .headers = headers,
                                                .header_count = 1,
                                                .call_site = call_site};
    struct salvor_http_response response = {.struct_size = sizeof response};
    SALVOR_TRY(manager->http->request(manager->call, manager->client, &request, &response));
    if (response.code == 200 || response.code == 204 || response.code == 404)
        return SALVOR_OK;
    salvor_auto_json json_t *body = NULL;
    if (salvor_json_parse(manager->call, response.body, "the answer", &body) != SALVOR_OK)
        body = NULL;
    return salvor_fail_detail(manager->call, response.code >= 500 ? SALVOR_RETRY : SALVOR_FAILED,
                              salvor_json_text(body, "/error_message", NULL), NULL,
                              "DELETE '%s' was answered with %d", path, (int)response.code);
}

static void cluster_path(struct salvor_text *path, const char *name, const char *query)
{
    salvor_text_put(path, CLUSTERS_PATH "/");
    salvor_text_encode(path, name);
    salvor_text_put(path, query);
}

/* ---- looking and planning ------------------------------------------------------------------- */

static salvor_status discover(salvor_call *call)
{
    struct manager manager;
    salvor_auto_json json_t *clusters = NULL;
    SALVOR_TRY(manager_open(call, &manager));
    SALVOR_TRY(manager_get(&manager, CLUSTERS_PATH, "control-planes.list", &clusters));
    const json_t *list = salvor_json_at(clusters, "/results");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *cluster = json_array_get(list, i);
        salvor_auto_release char *details = salvor_json_write(cluster);
        if (details == NULL)
            return salvor_fail_memory(call, "a cluster");
        SALVOR_TRY(salvor_inventory_of(call)->item(call, "control plane",
                                                   salvor_json_text(cluster, "/id", "?"), details));
    }
    return salvor_observed(call, "manager-node", SALVOR_FACT_IDENTITY, json_string("node-id"));
}

static salvor_status observe(salvor_call *call, const char *names)
{
    (void)names;
    return discover(call);
}

/* One cluster's orphans: policies, control plane, identity, each naming the revision it was seen
 * with, so that a change in between stops the run. */
static salvor_status plan_orphan(salvor_call *call, const json_t *orphan)
{
    const char *name = salvor_json_text(orphan, "/id", "");
    char fact[300];
    const char *guards[] = {fact, NULL};
    const json_t *policies = salvor_json_at(orphan, "/policies");
    uint32_t index = 0;
    (void)snprintf(fact, sizeof fact, "revision/%s", name);
    SALVOR_TRY(salvor_frozen(call, fact, SALVOR_FACT_GUARD,
                             json_integer(salvor_json_integer(orphan, "/_revision", 0))));
    SALVOR_TRY(
        salvor_plan_step(call,
                         &(struct salvor_step_plan){
                             .row = "delete-orphan-policies",
                             .target = name,
                             .parameters = salvor_json_build(call, "{s:O}", "policies", policies),
                             .guards = guards,
                             .consequence = "these policies and their rules are gone"},
                         &index));
    for (size_t i = 0; i < json_array_size(policies); i++)
        SALVOR_TRY(salvor_plan_of(call)->object(
            call, index, salvor_json_text(json_array_get(policies, i), "/path", "?")));
    SALVOR_TRY(salvor_plan_step(
        call,
        &(struct salvor_step_plan){.row = "delete-orphan-control-plane",
                                   .target = name,
                                   .parameters = salvor_json_build(call, "{s:s}", "id", name),
                                   .guards = guards,
                                   .consequence = "the registration cannot be brought back",
                                   .confirmation = name},
        &index));
    return salvor_plan_of(call)->object(call, index, name);
}

static salvor_status post_resync(salvor_call *call, const struct salvor_request *request)
{
    const struct salvor_plan *plan = salvor_plan_of(call);
    salvor_auto_json json_t *seen = NULL;
    if (request->stage == NULL || strcmp(request->stage, "resync") == 0) {
        SALVOR_TRY(plan->decide(call, "after-restore", "the manager was restored at 03:12 UTC"));
        SALVOR_TRY(salvor_plan_step(
            call,
            &(struct salvor_step_plan){.row = "await-resync", .parameters = SALVOR_NO_PARAMETERS},
            NULL));
        return plan->next_stage(call, "orphans");
    }
    SALVOR_TRY(salvor_result_of(call, request->results, "await-resync", NULL, &seen));
    if (strcmp(request->stage, "orphans") == 0) {
        const json_t *orphans = salvor_json_at(seen, "/orphans");
        for (size_t i = 0; i < json_array_size(orphans); i++)
            SALVOR_TRY(plan_orphan(call, json_array_get(orphans, i)));
        return salvor_json_count(seen, "/unknown") > 0 ? plan->next_stage(call, "re-register")
                                                       : SALVOR_OK;
    }
    const json_t *unknown = salvor_json_at(seen, "/unknown");
    for (size_t i = 0; i < json_array_size(unknown); i++) {
        const char *cluster = json_string_value(json_array_get(unknown, i));
        uint32_t index = 0;
        SALVOR_TRY(salvor_plan_step(
            call,
            &(struct salvor_step_plan){.row = "keep-identity",
                                       .target = cluster,
                                       .parameters =
                                           salvor_json_build(call, "{s:s}", "context", cluster)},
            NULL));
        SALVOR_TRY(
            salvor_plan_step(call,
                             &(struct salvor_step_plan){
                                 .row = "deregister",
                                 .target = cluster,
                                 .parameters = salvor_json_build(call, "{s:s}", "context", cluster),
                                 .consequence = "firewall rules naming the cluster lose it"},
                             &index));
        SALVOR_TRY(plan->object(call, index, cluster));
        SALVOR_TRY(salvor_plan_step(call,
                                    &(struct salvor_step_plan){.row = "add-identity",
                                                               .target = cluster,
                                                               .parameters = salvor_json_build(
                                                                   call, "{s:s}", "name", cluster)},
                                    NULL));
    }
    return SALVOR_OK;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static salvor_status run_delete_policies(salvor_call *call, const struct salvor_step *step,
                                         json_t *parameters)
{
    struct manager manager;
    const json_t *policies = salvor_json_at(parameters, "/policies");
    (void)step;
    /* The policies as they stood: an undo re-creates them from here. */
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE, json_deep_copy(policies)));
    SALVOR_TRY(manager_open(call, &manager));
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *policy = json_array_get(policies, i);
        salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(4096);
        if (salvor_json_flag(policy, "/locked", 0))
            return salvor_raise(call, "NSX-LOCKED-POLICY", salvor_json_text(policy, "/path", "?"),
                                "locked by %s", salvor_json_text(policy, "/lock_modified_by", "?"));
        salvor_text_put(&path, "/policy/api/v1");
        salvor_text_put(&path, salvor_json_text(policy, "/path", ""));
        SALVOR_TRY(salvor_text_check(call, &path, "the path of a policy"));
        SALVOR_TRY(manager_delete(&manager, salvor_text_get(&path), "policies.delete"));
        SALVOR_TRY(
            salvor_note(call, "%zu of %zu policies are deleted", i + 1, json_array_size(policies)));
    }
    return SALVOR_OK;
}

static salvor_status check_delete_policies(salvor_call *call, const struct salvor_step *step,
                                           json_t *parameters, uint32_t *ret_answer)
{
    struct manager manager;
    const json_t *policies = salvor_json_at(parameters, "/policies");
    size_t left = 0;
    (void)step;
    SALVOR_TRY(manager_open(call, &manager));
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *policy = json_array_get(policies, i);
        salvor_auto_json json_t *live = NULL;
        salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(4096);
        salvor_text_put(&path, "/policy/api/v1");
        salvor_text_put(&path, salvor_json_text(policy, "/path", ""));
        SALVOR_TRY(salvor_text_check(call, &path, "the path of a policy"));
        const salvor_status status =
            manager_get(&manager, salvor_text_get(&path), "policies.get", &live);
        if (status == SALVOR_NOT_FOUND)
            continue;
        SALVOR_TRY(status);
        left++;
        if (salvor_json_integer(live, "/_revision", -1) !=
            salvor_json_integer(policy, "/_revision", -2)) {
            *ret_answer = SALVOR_CHECK_CONFLICT;
            return salvor_note(call, "policy '%s' was changed since the plan",
                               salvor_json_text(policy, "/path", "?"));
        }
    }
    *ret_answer = left == 0                           ? SALVOR_CHECK_DONE
                  : left == json_array_size(policies) ? SALVOR_CHECK_NOT_STARTED
                                                      : SALVOR_CHECK_PARTIAL;
    return SALVOR_OK;
}

static salvor_status run_delete_control_plane(salvor_call *call, const struct salvor_step *step,
                                              json_t *parameters)
{
    struct manager manager;
    salvor_auto_json json_t *live = NULL;
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(4096);
    (void)parameters;
    SALVOR_TRY(manager_open(call, &manager));
    cluster_path(&path, step->target, "");
    SALVOR_TRY(salvor_text_check(call, &path, "a path"));
    SALVOR_TRY(manager_get(&manager, salvor_text_get(&path), "control-planes.get", &live));
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE, json_incref(live)));
    salvor_text_reset(&path);
    cluster_path(&path, step->target, "?cascade=true");
    SALVOR_TRY(salvor_text_check(call, &path, "a path"));
    return manager_delete(&manager, salvor_text_get(&path), "control-planes.delete");
}

static salvor_status check_delete_control_plane(salvor_call *call, const struct salvor_step *step,
                                                json_t *parameters, uint32_t *ret_answer)
{
    struct manager manager;
    salvor_auto_json json_t *live = NULL;
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(4096);
    (void)parameters;
    SALVOR_TRY(manager_open(call, &manager));
    cluster_path(&path, step->target, "");
    SALVOR_TRY(salvor_text_check(call, &path, "a path"));
    const salvor_status status =
        manager_get(&manager, salvor_text_get(&path), "control-planes.get", &live);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    *ret_answer = status == SALVOR_NOT_FOUND                             ? SALVOR_CHECK_DONE
                  : salvor_json_flag(live, "/marked_for_delete", 0) != 0 ? SALVOR_CHECK_IN_PROGRESS
                                                                         : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

/* The key leaves the cluster only into the sealed store of the run; facts hold its name. */
static salvor_status run_keep_identity(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    const struct salvor_secrets *secrets = salvor_secrets_of(call);
    salvor_kube_client *client = NULL;
    salvor_secret *key = NULL;
    struct salvor_span body;
    struct salvor_span encoded;
    salvor_auto_release char *options_text = salvor_json_write(parameters);
    char sealed[300];
    int32_t status_code = 0;
    const struct salvor_kube_request get = {.struct_size = sizeof get,
                                            .verb = "get",
                                            .group = "",
                                            .version = "v1",
                                            .resource = "secrets",
                                            .ns = NAMESPACE,
                                            .name = "nsx-cert"};
    if (options_text == NULL)
        return salvor_fail_memory(call, "the context");
    SALVOR_TRY(kube->client_open(call, options_text, &client));
    SALVOR_TRY(kube->request(call, client, &get, &status_code, &body));
    if (salvor_scan_find(body, "/data/tls.key", NULL, &encoded, NULL) != SALVOR_OK)
        return salvor_fail(call, SALVOR_FAILED, NULL, "secret 'nsx-cert' has no 'tls.key'");
    SALVOR_TRY(secrets->adopt(call, encoded.data + 1, encoded.size - 2, &key));
    (void)snprintf(sealed, sizeof sealed, "tls-key-%s", step->target);
    SALVOR_TRY(secrets->seal(call, sealed, key));
    secrets->close(call, key);
    return salvor_result(call, salvor_json_build(call, "{s:s}", "key", sealed));
}

static salvor_status check_keep_identity(salvor_call *call, const struct salvor_step *step,
                                         json_t *parameters, uint32_t *ret_answer)
{
    salvor_secret *key = NULL;
    char sealed[300];
    (void)parameters;
    (void)snprintf(sealed, sizeof sealed, "tls-key-%s", step->target);
    const salvor_status status = salvor_secrets_of(call)->unseal(call, sealed, &key);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static salvor_status run_deregister(salvor_call *call, const struct salvor_step *step,
                                    json_t *parameters)
{
    static const char job[] =
        "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"deregister\"}}";
    const struct salvor_kube *kube = salvor_kube_of(call);
    salvor_kube_client *client = NULL;
    struct salvor_span body;
    salvor_auto_release char *options_text = salvor_json_write(parameters);
    int32_t status_code = 0;
    const struct salvor_kube_request create = {.struct_size = sizeof create,
                                               .verb = "create",
                                               .group = "batch",
                                               .version = "v1",
                                               .resource = "jobs",
                                               .ns = NAMESPACE,
                                               .body = {job, sizeof job - 1}};
    if (options_text == NULL)
        return salvor_fail_memory(call, "the context");
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                                 salvor_json_build(call, "{s:s}", "cluster", step->target)));
    SALVOR_TRY(kube->client_open(call, options_text, &client));
    SALVOR_TRY(kube->request(call, client, &create, &status_code, &body));
    if (status_code != 201 && status_code != 409)
        return salvor_fail(call, SALVOR_FAILED, NULL, "job 'deregister' was refused with %d",
                           (int)status_code);
    return SALVOR_OK;
}

static salvor_status check_deregister(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    salvor_kube_client *client = NULL;
    struct salvor_span body;
    struct salvor_object object;
    salvor_auto_release char *options_text = salvor_json_write(parameters);
    int32_t status_code = 0;
    const struct salvor_kube_request get = {.struct_size = sizeof get,
                                            .verb = "get",
                                            .group = "batch",
                                            .version = "v1",
                                            .resource = "jobs",
                                            .ns = NAMESPACE,
                                            .name = "deregister"};
    (void)step;
    if (options_text == NULL)
        return salvor_fail_memory(call, "the context");
    SALVOR_TRY(kube->client_open(call, options_text, &client));
    const salvor_status status = kube->request(call, client, &get, &status_code, &body);
    if (status == SALVOR_NOT_FOUND) {
        *ret_answer = SALVOR_CHECK_NOT_STARTED;
        return SALVOR_OK;
    }
    SALVOR_TRY(status);
    if (salvor_object_read(body, &object, NULL) != SALVOR_OK)
        return salvor_fail(call, SALVOR_FAILED, NULL, "job 'deregister' cannot be read");
    *ret_answer = salvor_object_is(&object, "Complete") ? SALVOR_CHECK_DONE
                  : salvor_object_is(&object, "Failed") ? SALVOR_CHECK_PARTIAL
                                                        : SALVOR_CHECK_IN_PROGRESS;
    return SALVOR_OK;
}

static const struct salvor_row_code code[] = {
    {"delete-orphan-policies", run_delete_policies, check_delete_policies},
    {"delete-orphan-control-plane", run_delete_control_plane, check_delete_control_plane},
    {"keep-identity", run_keep_identity, check_keep_identity},
    {"deregister", run_deregister, check_deregister},
};

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return salvor_rows_run(code, sizeof code / sizeof *code, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return salvor_rows_check(code, sizeof code / sizeof *code, call, step, ret_answer);
}

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .post_resync = post_resync,
                                          .run_step = run_step,
                                          .check_step = check_step,
                                          .observe = observe};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "paper-post-resync",
    .version = "0.1",
    .summary = "post-resync on paper",
    .maintainer = "the salvor authors",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(finding, findings),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
