/*
 * Paper plugin: an external etcd is restored in place over ssh: reconcilers paused, static pods
 * moved away, the snapshot put on every member and restored there by detached remote jobs, all
 * members started together. Compiled only; it shows whether remote jobs and fan-out read naturally.
 */
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

#define MINUTES(count) ((uint64_t)(count)*60u * 1000u)

static const struct salvor_option options[] = {
    {"cluster", "NAME", NULL, "cluster to restore", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_REQUIRED, SALVOR_ON_ALL, 0},
    {"ssh-user", NULL, "ec2-user", "user on the nodes", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     SALVOR_ON_RESTORE, 0},
    {"ssh-key", NULL, NULL, "private key for the nodes", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_SECRET, SALVOR_ON_RESTORE, 0},
    {"known-hosts", "FILE", NULL, "host keys of the nodes", NULL, "0.1", SALVOR_OPTION_PATH, 0,
     SALVOR_ON_RESTORE, 0},
};

static const struct salvor_row quiesce_rows[] = {
    {.id = "pause-reconcilers",
     .title = "pause the reconcilers, the product's own annotation first",
     .statements = "EKSA-087 EKSA-088",
     .undo = "unpause",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(5),
     .attempts = 3,
     .backoff_ms = 2000},
    {.id = "stop-control-plane",
     .title = "move the static pod manifests away on every control plane node",
     .statements = "EKSA-089",
     .undo = "start-control-plane",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(10),
     .attempts = 2,
     .backoff_ms = 5000},
};

static const struct salvor_row etcd_rows[] = {
    {.id = "copy-snapshot",
     .title = "copy the snapshot to every etcd machine",
     .statements = "EKSA-090",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(30),
     .attempts = 3,
     .backoff_ms = 5000},
    {.id = "restore-member",
     .title = "make a new data directory from the snapshot",
     .statements = "EKSA-086",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_JOB,
     .deadline_ms = MINUTES(60),
     .attempts = 1,
     .check_every_ms = 2000},
    {.id = "swap-data",
     .title = "stop etcd and put the new data directory in place",
     .statements = "EKSA-086",
     .undo = "swap-back",
     .effect = SALVOR_EFFECT_DESTRUCTIVE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(10),
     .attempts = 1},
    {.id = "start-etcd",
     .title = "start etcd on all machines together",
     .statements = "EKSA-091",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(10),
     .attempts = 3,
     .backoff_ms = 5000},
};

static const struct salvor_stage stages[] = {
    {"quiesce", "stop everything that writes", quiesce_rows, SALVOR_ARRAY(quiesce_rows)},
    {"etcd", "restore the members", etcd_rows, SALVOR_ARRAY(etcd_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"etcd-in-place", "restore the external etcd in place", "External etcd backup and restore",
     "0.18 to 0.24", stages, SALVOR_ARRAY(stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_declared_read declared_reads[] = {
    {"member-env", "cat /etc/etcd/etcd.env", "prints the configuration of the member", NULL},
    {"data-listing", "ls -A **", "lists a folder", NULL},
    {"service-state", "systemctl is-active *", "asks for the state of a unit", NULL},
};

static const struct salvor_need needs[] = {
    {SALVOR_SSH, 1, 1},       {SALVOR_KUBE, 1, 1},   {SALVOR_BATCH, 1, 1}, {SALVOR_STREAM, 1, 1},
    {SALVOR_INVENTORY, 1, 1}, {SALVOR_SECRET, 1, 1}, {SALVOR_PLAN, 1, 1},
};

/* ---- nodes ---------------------------------------------------------------------------------- */

static salvor_status open_node(salvor_call *call, const char *address, salvor_ssh_host **ret_host)
{
    salvor_secret *key = NULL;
    salvor_auto_json json_t *where = NULL;
    salvor_auto_release char *text = NULL;
    const salvor_status status = salvor_secrets_of(call)->open(call, "ssh-key", &key);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND) /* not given: the agent */
        return status;
    where = salvor_json_build(call, "{s:s,s:s,s:s*,s:b}", "host", address, "user",
                              salvor_option_text(call, "ssh-user", "ec2-user"), "known_hosts",
                              salvor_option_text(call, "known-hosts", NULL), "sudo", 1);
    text = where != NULL ? salvor_json_write(where) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "the address of a node");
    return salvor_ssh_of(call)->host_open(call, text, key, ret_host);
}

/* Runs a command there and wants exit status 0. */
static salvor_status run_there(salvor_call *call, salvor_ssh_host *host, const char *address,
                               const char *const *argv, uint32_t argc,
                               struct salvor_exec_result *ret_result)
{
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = argc, .argv = argv};
    ret_result->struct_size = sizeof *ret_result;
    SALVOR_TRY(salvor_ssh_of(call)->run(call, host, &request, ret_result));
    if (ret_result->exit_status != 0)
        return salvor_fail_detail(
            call, SALVOR_FAILED, ret_result->err.size > 0 ? ret_result->err.data : NULL, NULL,
            "'%s' on '%s' ended with %d", argv[0], address, (int)ret_result->exit_status);
    return SALVOR_OK;
}

/* The same command on all nodes at once; the first failure counts after all have answered. */
static salvor_status run_everywhere(salvor_call *call, const json_t *addresses,
                                    const char *const *argv, uint32_t argc)
{
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = argc, .argv = argv};
    const struct salvor_batches *batches = salvor_batches_of(call);
    struct salvor_batch_result result = {.struct_size = sizeof result};
    salvor_batch *batch = NULL;
    size_t failed = 0;
    salvor_status status;
    SALVOR_TRY(batches->open(call, "{\"in_flight\":16,\"class\":\"nodes\"}", &batch));
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        salvor_ssh_host *host = NULL;
        SALVOR_TRY(open_node(call, json_string_value(json_array_get(addresses, i)), &host));
        SALVOR_TRY(salvor_ssh_of(call)->submit(call, batch, host, i, &request));
    }
    while ((status = batches->next(call, batch, &result)) == SALVOR_OK) {
        if (result.status == SALVOR_OK && result.code == 0)
            continue;
        failed++;
        (void)salvor_fail_detail(call, SALVOR_FAILED, result.err.size > 0 ? result.err.data : NULL,
                                 NULL, "'%s' failed on '%s'", argv[0],
                                 json_string_value(json_array_get(addresses, (size_t)result.tag)));
    }
    batches->close(call, batch);
    if (status != SALVOR_END)
        return status;
    return failed == 0 ? SALVOR_OK : SALVOR_FAILED;
}

/* ---- looking and planning ------------------------------------------------------------------- */

static salvor_status discover(salvor_call *call)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    salvor_kube_client *client = NULL;
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_auto_json json_t *members = json_array();
    salvor_status status;
    SALVOR_TRY(kube->client_open(call, "{}", &client));
    SALVOR_TRY(kube->list_open(call, client,
                               "{\"group\":\"cluster.x-k8s.io\",\"version\":\"v1beta1\","
                               "\"resource\":\"machines\",\"namespace\":\"eksa-system\","
                               "\"labelSelector\":\"cluster.x-k8s.io/etcd-cluster\"}",
                               &list));
    while ((status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        for (uint32_t i = 0; i < page.item_count; i++) {
            struct salvor_object machine;
            struct salvor_token address;
            struct salvor_span value;
            char name[254];
            char text[64];
            if (salvor_object_read(page.items[i], &machine, NULL) != SALVOR_OK ||
                salvor_span_copy(machine.name, name, sizeof name) != SALVOR_OK ||
                salvor_scan_find(page.items[i], "/status/addresses/0/address", &address, &value,
                                 NULL) != SALVOR_OK ||
                salvor_token_decode(&address, text, sizeof text) != SALVOR_OK)
                continue;
            SALVOR_TRY(salvor_inventory_of(call)->item(call, "etcd machine", name, "{}"));
            if (json_array_append_new(members, json_string(text)) != 0)
                return salvor_fail_memory(call, "the members");
        }
    }
    if (status != SALVOR_END)
        return status;
    return salvor_observed(call, "etcd-members", SALVOR_FACT_IDENTITY, json_incref(members));
}

static salvor_status observe(salvor_call *call, const char *names)
{
    (void)names;
    return discover(call);
}

static salvor_status plan_members(salvor_call *call)
{
    const struct salvor_plan *plan = salvor_plan_of(call);
    static const char *const rows[] = {"copy-snapshot", "restore-member", "swap-data"};
    salvor_auto_json json_t *members = NULL;
    uint32_t index = 0;
    SALVOR_TRY(salvor_fact(call, "etcd-members", &members));
    /* All members go through a row before any goes through the next. */
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (size_t i = 0; i < json_array_size(members); i++) {
            const char *address = json_string_value(json_array_get(members, i));
            SALVOR_TRY(salvor_plan_step(
                call,
                &(struct salvor_step_plan){
                    .row = rows[row],
                    .target = address,
                    .parameters =
                        salvor_json_build(call, "{s:s,s:s,s:s}", "snapshot", "snapshot.db", "token",
                                          "salvor-restore-1", "data", "/var/lib/etcd"),
                    .consequence =
                        row == 2 ? "the present data of this member is set aside" : NULL},
                &index));
            if (row == 2)
                SALVOR_TRY(plan->object(call, index, "/var/lib/etcd/member"));
        }
    }
    return salvor_plan_step(call,
                            &(struct salvor_step_plan){
                                .row = "start-etcd",
                                .target = "all members",
                                .parameters = salvor_json_build(call, "{s:O}", "members", members)},
                            NULL);
}

static salvor_status restore(salvor_call *call, const struct salvor_request *request)
{
    const struct salvor_plan *plan = salvor_plan_of(call);
    const char *cluster = NULL;
    if (request->stage != NULL && strcmp(request->stage, "etcd") == 0)
        return plan_members(call);
    SALVOR_TRY(salvor_option_need(call, "cluster", &cluster));
    SALVOR_TRY(plan->decide(call, "etcd-in-place", "no machine was replaced since the snapshot"));
    SALVOR_TRY(salvor_plan_step(call,
                                &(struct salvor_step_plan){.row = "pause-reconcilers",
                                                           .target = cluster,
                                                           .parameters = salvor_json_build(
                                                               call, "{s:s}", "cluster", cluster)},
                                NULL));
    return plan->next_stage(call, "etcd");
}

/* ---- rows ----------------------------------------------------------------------------------- */

static salvor_status run_copy_snapshot(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters)
{
    const char *snapshot = salvor_json_text(parameters, "/snapshot", "");
    salvor_ssh_host *host = NULL;
    SALVOR_TRY(open_node(call, step->target, &host));
    SALVOR_TRY(salvor_nothing_before(call));
    return salvor_ssh_of(call)->put(call, host, snapshot, "/var/lib/salvor-restore/snapshot.db",
                                    0600);
}

static salvor_status check_copy_snapshot(salvor_call *call, const struct salvor_step *step,
                                         json_t *parameters, uint32_t *ret_answer)
{
    static const char *const argv[] = {"ls", "-A", "/var/lib/salvor-restore"};
    struct salvor_exec_result result;
    salvor_ssh_host *host = NULL;
    (void)parameters;
    SALVOR_TRY(open_node(call, step->target, &host));
    SALVOR_TRY(run_there(call, host, step->target, argv, 3, &result));
    *ret_answer = result.out.size > 0 && strstr(result.out.data, "snapshot.db") != NULL
                      ? SALVOR_CHECK_DONE
                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

/* The long part of each member runs detached there, under the id that the plan froze. */
static salvor_status run_restore_member(salvor_call *call, const struct salvor_step *step,
                                        json_t *parameters)
{
    const char *const argv[] = {"etcdutl",
                                "snapshot",
                                "restore",
                                "/var/lib/salvor-restore/snapshot.db",
                                "--data-dir",
                                "/var/lib/salvor-restore/restored",
                                "--initial-cluster-token",
                                salvor_json_text(parameters, "/token", "")};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = sizeof argv / sizeof *argv, .argv = argv};
    salvor_ssh_host *host = NULL;
    SALVOR_TRY(open_node(call, step->target, &host));
    SALVOR_TRY(salvor_nothing_before(call));
    return salvor_ssh_of(call)->job_start(call, host, step->job_id, &request);
}

static salvor_status check_restore_member(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer)
{
    struct salvor_job_state job = {.struct_size = sizeof job};
    salvor_ssh_host *host = NULL;
    (void)parameters;
    SALVOR_TRY(open_node(call, step->target, &host));
    SALVOR_TRY(salvor_ssh_of(call)->job_poll(call, host, step->job_id, &job));
    *ret_answer = salvor_job_answer(&job, SALVOR_CHECK_DONE);
    if (job.state == SALVOR_JOB_ENDED && job.exit_status != 0)
        return salvor_note(call, "etcdutl ended with %d on '%s'", (int)job.exit_status,
                           step->target);
    return SALVOR_OK;
}

static salvor_status run_swap_data(salvor_call *call, const struct salvor_step *step,
                                   json_t *parameters)
{
    const char *data = salvor_json_text(parameters, "/data", "/var/lib/etcd");
    char member[256];
    char aside[256];
    (void)snprintf(member, sizeof member, "%s/member", data);
    (void)snprintf(aside, sizeof aside, "%s/member.%s", data, step->job_id);
    const char *const stop[] = {"systemctl", "stop", "etcd.service"};
    const char *const away[] = {"mv", "-nT", member, aside};
    const char *const place[] = {"mv", "-nT", "/var/lib/salvor-restore/restored/member", member};
    struct salvor_exec_result result;
    salvor_ssh_host *host = NULL;
    SALVOR_TRY(open_node(call, step->target, &host));
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                                 salvor_json_build(call, "{s:s}", "set-aside", aside)));
    SALVOR_TRY(run_there(call, host, step->target, stop, 3, &result));
    SALVOR_TRY(run_there(call, host, step->target, away, 4, &result));
    return run_there(call, host, step->target, place, 4, &result);
}

/* Set aside and in place: done. Neither: not started. The one without the other: goes on. */
static salvor_status check_swap_data(salvor_call *call, const struct salvor_step *step,
                                     json_t *parameters, uint32_t *ret_answer)
{
    const char *const argv[] = {"ls", "-A", salvor_json_text(parameters, "/data", "/var/lib/etcd")};
    struct salvor_exec_result result;
    salvor_ssh_host *host = NULL;
    char aside[256];
    SALVOR_TRY(open_node(call, step->target, &host));
    SALVOR_TRY(run_there(call, host, step->target, argv, 3, &result));
    (void)snprintf(aside, sizeof aside, "member.%s\n", step->job_id);
    const char *listing = result.out.size > 0 ? result.out.data : "";
    const int set_aside = strstr(listing, aside) != NULL;
    const int in_place = strstr(listing, "member\n") != NULL;
    *ret_answer = !set_aside ? SALVOR_CHECK_NOT_STARTED
                  : in_place ? SALVOR_CHECK_DONE
                             : SALVOR_CHECK_PARTIAL;
    return SALVOR_OK;
}

static salvor_status run_start_etcd(salvor_call *call, const struct salvor_step *step,
                                    json_t *parameters)
{
    static const char *const argv[] = {"systemctl", "start", "etcd.service"};
    (void)step;
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                                 salvor_json_build(call, "{s:s}", "etcd", "stopped")));
    return run_everywhere(call, salvor_json_at(parameters, "/members"), argv, 3);
}

static salvor_status check_start_etcd(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer)
{
    static const char *const argv[] = {"systemctl", "is-active", "etcd.service"};
    (void)step;
    const salvor_status status =
        run_everywhere(call, salvor_json_at(parameters, "/members"), argv, 3);
    if (status != SALVOR_OK && status != SALVOR_FAILED)
        return status;
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_PARTIAL;
    return SALVOR_OK;
}

static const struct salvor_row_code code[] = {
    {"copy-snapshot", run_copy_snapshot, check_copy_snapshot},
    {"restore-member", run_restore_member, check_restore_member},
    {"swap-data", run_swap_data, check_swap_data},
    {"start-etcd", run_start_etcd, check_start_etcd},
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
                                          .restore = restore,
                                          .run_step = run_step,
                                          .check_step = check_step,
                                          .observe = observe};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "paper-remote",
    .version = "0.1",
    .summary = "remote restore on paper",
    .maintainer = "the salvor authors",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(declared_read, declared_reads),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
