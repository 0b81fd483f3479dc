/*
 * A plugin that does with salvor.kube what it is told to, for tests against real servers and for
 * measurements: in a step what its parameters say, in discover what the file of the option "script"
 * says, which restore makes the parameters of its step.
 *
 *   {"do":[{"op":"open","options":{…}},
 *          {"op":"request","verb","group","version","resource","subresource","namespace","name",
 *           "query","patch_type","dry_run":bool,"body":any},
 *          {"op":"discovery","resource":NAME},
 *          {"op":"list","options":{…},"hold_after":pages,"held":file made then,
 *           "hold_until":file awaited},
 *          {"op":"wait","object":{as in request},"condition":{…},"timeout_ms"},
 *          {"op":"create-many","namespace","count","size","in_flight"},
 *          {"op":"memory"}]}
 *
 * Each operation is answered with {"op","status",…,"error"}: a note of the step, in discover an
 * item.
 */
#include <salvor/helpers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static salvor_kube_client *client;
static unsigned told; /* operations answered in discover */
static int is_looking;

static const char *text(const json_t *json, const char *path)
{
    return salvor_json_text(json, path, NULL);
}

/* Takes `answer` over. */
static salvor_status tell(salvor_call *call, const json_t *op, salvor_status status, json_t *answer)
{
    salvor_auto_json json_t *own = answer != NULL ? answer : json_object();
    (void)json_object_set(own, "op", salvor_json_at(op, "/op"));
    (void)json_object_set_new(own, "status", json_integer((json_int_t)status));
    if (status != SALVOR_OK && status != SALVOR_END)
        (void)json_object_set_new(own, "error", json_string(call->host->last_error(call)));
    char *line = salvor_json_write(own);
    char name[32];
    (void)snprintf(name, sizeof name, "%u", ++told);
    const salvor_status said = is_looking
                                   ? salvor_inventory_of(call)->item(call, "operation", name, line)
                                   : salvor_plan_of(call)->note(call, line);
    salvor_release(line);
    return said;
}

/* ---- single requests ------------------------------------------------------------------------- */

static struct salvor_kube_request request_of(const json_t *op, char **ret_body)
{
    const json_t *body = salvor_json_at(op, "/body");
    *ret_body = body != NULL ? salvor_json_write(body) : NULL;
    const struct salvor_kube_request request = {
        .struct_size = sizeof request,
        .verb = salvor_json_text(op, "/verb", "get"),
        .group = salvor_json_text(op, "/group", ""),
        .version = salvor_json_text(op, "/version", "v1"),
        .resource = text(op, "/resource"),
        .subresource = text(op, "/subresource"),
        .ns = text(op, "/namespace"),
        .name = text(op, "/name"),
        .query = text(op, "/query"),
        .patch_type = text(op, "/patch_type"),
        .dry_run = (uint32_t)salvor_json_flag(op, "/dry_run", 0),
        .body = salvor_span_of(*ret_body),
    };
    return request;
}

static json_t *body_json(struct salvor_span body)
{
    json_t *json = json_loadb(body.data != NULL ? body.data : "", (size_t)body.size, 0, NULL);
    return json != NULL ? json
                        : json_stringn(body.data != NULL ? body.data : "", (size_t)body.size);
}

static salvor_status do_request(salvor_call *call, const json_t *op)
{
    char *sent = NULL;
    const struct salvor_kube_request request = request_of(op, &sent);
    struct salvor_span body = {NULL, 0};
    int32_t code = 0;
    const salvor_status status =
        salvor_kube_of(call)->request(call, client, &request, &code, &body);
    salvor_release(sent);
    return tell(call, op, status,
                json_pack("{s:i, s:o}", "code", (int)code, "body", body_json(body)));
}

static salvor_status do_wait(salvor_call *call, const json_t *op)
{
    char *sent = NULL;
    const struct salvor_kube_request request = request_of(salvor_json_at(op, "/object"), &sent);
    char *condition = salvor_json_write(salvor_json_at(op, "/condition"));
    struct salvor_span body = {NULL, 0};
    const salvor_status status = salvor_kube_of(call)->wait(
        call, client, &request, condition, salvor_json_integer(op, "/timeout_ms", 10000), &body);
    salvor_release(sent);
    salvor_release(condition);
    return tell(call, op, status, json_pack("{s:o}", "body", body_json(body)));
}

static salvor_status do_discovery(salvor_call *call, const json_t *op)
{
    struct salvor_span json = {NULL, 0};
    const salvor_status status = salvor_kube_of(call)->discovery(call, client, &json);
    salvor_auto_json json_t *found = body_json(json);
    const char *wanted = text(op, "/resource");
    json_t *answer =
        json_pack("{s:I}", "resources", (json_int_t)salvor_json_count(found, "/resources"));
    size_t index = 0;
    json_t *entry = NULL;
    if (salvor_json_at(found, "/unavailable") != NULL)
        (void)json_object_set(answer, "unavailable", salvor_json_at(found, "/unavailable"));
    json_array_foreach (salvor_json_at(found, "/resources"), index, entry) {
        if (wanted != NULL && strcmp(salvor_json_text(entry, "/resource", ""), wanted) == 0)
            (void)json_object_set(answer, "found", entry);
    }
    return tell(call, op, status, answer);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static salvor_status hold(salvor_call *call, const char *held, const char *file)
{
    salvor_status status = SALVOR_OK;
    FILE *made = fopen(held, "we");
    if (made == NULL || fclose(made) != 0)
        return salvor_fail(call, SALVOR_FAILED, NULL, "cannot make '%s'", held);
    while (status == SALVOR_OK && access(file, F_OK) != 0)
        status = call->host->sleep_ms(call, 20);
    return status;
}

static salvor_status do_list(salvor_call *call, const json_t *op)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    char *options = salvor_json_write(salvor_json_at(op, "/options"));
    int64_t pages = 0;
    int64_t items = 0;
    int64_t bytes = 0;
    int inconsistent = 0;
    const int64_t began = call->host->monotonic_ms(call);
    salvor_status status = kube->list_open(call, client, options, &list);
    while (status == SALVOR_OK && (status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        pages++;
        items += page.item_count;
        bytes += (int64_t)page.body.size;
        inconsistent |= (int)page.inconsistent;
        if (pages == salvor_json_integer(op, "/hold_after", 0))
            status = hold(call, salvor_json_text(op, "/held", "/dev/null"),
                          salvor_json_text(op, "/hold_until", "/"));
    }
    salvor_release(options);
    json_t *answer =
        json_pack("{s:I, s:I, s:I, s:b, s:I}", "pages", (json_int_t)pages, "items",
                  (json_int_t)items, "bytes", (json_int_t)bytes, "inconsistent", inconsistent, "ms",
                  (json_int_t)(call->host->monotonic_ms(call) - began));
    if (pages > 0 && status == SALVOR_END) {
        (void)json_object_set_new(answer, "kind", json_string(page.list_kind));
        (void)json_object_set_new(answer, "resource_version", json_string(page.resource_version));
    }
    if (list != NULL)
        kube->list_close(call, list);
    return tell(call, op, status, answer);
}

/* ---- many ------------------------------------------------------------------------------------ */

struct many {
    int64_t created;
    int64_t other;
    int64_t attempts;
};

static salvor_status take(salvor_call *call, salvor_batch *batch, struct many *many)
{
    struct salvor_batch_result result = {.struct_size = sizeof result};
    SALVOR_TRY(salvor_batches_of(call)->next(call, batch, &result));
    many->attempts += result.attempts;
    if (result.status == SALVOR_OK && result.code == 201)
        many->created++;
    else
        many->other++;
    return SALVOR_OK;
}

static salvor_status create_all(salvor_call *call, const json_t *op, salvor_batch *batch,
                                struct many *many)
{
    const int64_t count = salvor_json_integer(op, "/count", 1);
    const int64_t size = salvor_json_integer(op, "/size", 2048);
    char *body = salvor_allocate((size_t)size + 512);
    char *filling = salvor_allocate((size_t)size + 1);
    salvor_status status = body != NULL && filling != NULL ? SALVOR_OK : SALVOR_FAILED;
    if (filling != NULL) {
        memset(filling, 'x', (size_t)size);
        filling[size] = '\0';
    }
    for (int64_t i = 0; i < count && status == SALVOR_OK; i++) {
        const int length = snprintf(body, (size_t)size + 512,
                                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":"
                                    "{\"name\":\"%s-%lld\"},\"data\":{\"a\":\"%s\"}}",
                                    salvor_json_text(op, "/prefix", "map"), (long long)i, filling);
        const struct salvor_kube_request request = {.struct_size = sizeof request,
                                                    .verb = "create",
                                                    .group = "",
                                                    .version = "v1",
                                                    .resource = "configmaps",
                                                    .ns = text(op, "/namespace"),
                                                    .body = {body, (uint64_t)length}};
        while ((status = salvor_kube_of(call)->submit(call, batch, client, (uint64_t)i,
                                                      &request)) == SALVOR_FULL) {
            status = take(call, batch, many);
            if (status != SALVOR_OK)
                break;
        }
    }
    while (status == SALVOR_OK)
        status = take(call, batch, many);
    salvor_release(body);
    salvor_release(filling);
    return status;
}

static salvor_status do_create_many(salvor_call *call, const json_t *op)
{
    char options[128];
    salvor_batch *batch = NULL;
    struct many many = {0, 0, 0};
    const int64_t began = call->host->monotonic_ms(call);
    (void)snprintf(options, sizeof options, "{\"in_flight\":%lld,\"class\":\"many\"}",
                   (long long)salvor_json_integer(op, "/in_flight", 32));
    salvor_status status = salvor_batches_of(call)->open(call, options, &batch);
    if (status == SALVOR_OK)
        status = create_all(call, op, batch, &many);
    json_t *answer = json_pack("{s:I, s:I, s:I, s:I}", "created", (json_int_t)many.created, "other",
                               (json_int_t)many.other, "attempts", (json_int_t)many.attempts, "ms",
                               (json_int_t)(call->host->monotonic_ms(call) - began));
    if (batch != NULL)
        salvor_batches_of(call)->close(call, batch);
    return tell(call, op, status, answer);
}

/* Of the whole process, at its most: KiB. */
static salvor_status do_memory(salvor_call *call, const json_t *op)
{
    long long most = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            most = strtoll(line + 6, NULL, 10);
    if (status != NULL)
        (void)fclose(status);
    return tell(call, op, SALVOR_OK, json_pack("{s:I}", "most_kib", (json_int_t)most));
}

/* ---- the step -------------------------------------------------------------------------------- */

static salvor_status do_open(salvor_call *call, const json_t *op)
{
    char *options = salvor_json_write(salvor_json_at(op, "/options"));
    const salvor_status status = salvor_kube_of(call)->client_open(call, options, &client);
    salvor_release(options);
    return tell(call, op, status, NULL);
}

static const struct {
    const char *name;
    salvor_status (*act)(salvor_call *call, const json_t *op);
} operations[] = {
    {"open", do_open},           {"request", do_request}, {"wait", do_wait},
    {"discovery", do_discovery}, {"list", do_list},       {"create-many", do_create_many},
    {"memory", do_memory},
};

static salvor_status act(salvor_call *call, const json_t *op)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(salvor_json_text(op, "/op", ""), operations[i].name) == 0)
            return operations[i].act(call, op);
    }
    return salvor_fail(call, SALVOR_FAILED, NULL, "there is no operation '%s'",
                       salvor_json_text(op, "/op", ""));
}

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    salvor_auto_json json_t *parameters = NULL;
    size_t index = 0;
    json_t *op = NULL;
    client = NULL;
    is_looking = 0;
    SALVOR_TRY(salvor_json_parse_text(call, step->parameters, "the step", &parameters));
    if (!salvor_json_flag(parameters, "/no_pre_image", 0))
        SALVOR_TRY(salvor_nothing_before(call));
    json_array_foreach (salvor_json_at(parameters, "/do"), index, op)
        SALVOR_TRY(act(call, op));
    return SALVOR_OK;
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    (void)step;
    *ret_answer = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL
                      ? SALVOR_CHECK_DONE
                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

/* What the file of the option says; the caller owns *ret_script, NULL when there is none. */
static salvor_status read_script(salvor_call *call, json_t **ret_script)
{
    const char *path = salvor_option_text(call, "script", NULL);
    *ret_script = NULL;
    if (path == NULL)
        return SALVOR_OK;
    *ret_script = json_load_file(path, 0, NULL);
    return *ret_script != NULL ? SALVOR_OK
                               : salvor_fail(call, SALVOR_FAILED, NULL, "'%s' is no script", path);
}

static salvor_status discover(salvor_call *call)
{
    salvor_auto_json json_t *script = NULL;
    size_t index = 0;
    json_t *op = NULL;
    client = NULL;
    told = 0;
    SALVOR_TRY(read_script(call, &script));
    is_looking = 1;
    json_array_foreach (salvor_json_at(script, "/look"), index, op)
        SALVOR_TRY(act(call, op));
    return SALVOR_OK;
}

static salvor_status restore(salvor_call *call, const struct salvor_request *request)
{
    salvor_auto_json json_t *script = NULL;
    (void)request;
    SALVOR_TRY(read_script(call, &script));
    SALVOR_TRY(salvor_plan_of(call)->decide(call, "probe", "the script says so"));
    return salvor_plan_step(
        call,
        &(struct salvor_step_plan){
            .row = "change",
            .target = "the cluster",
            .parameters = salvor_json_build(call, "{s:O}", "do", salvor_json_at(script, "/do"))},
        NULL);
}

static const struct salvor_row rows[] = {
    {.id = "look",
     .title = "look",
     .statements = "PROBE-1",
     .effect = SALVOR_EFFECT_READ,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = 600000,
     .attempts = 1},
    {.id = "change",
     .title = "change",
     .statements = "PROBE-2",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = 600000,
     .attempts = 1},
};

static const struct salvor_stage stages[] = {{"only", "all there is", rows, SALVOR_ARRAY(rows)}};

static const struct salvor_procedure procedures[] = {
    {"probe", "probe", "none", "all", stages, SALVOR_ARRAY(stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_need needs[] = {
    {SALVOR_KUBE, 1, 1}, {SALVOR_BATCH, 1, 1}, {SALVOR_INVENTORY, 1, 1}, {SALVOR_PLAN, 1, 1}};

static const struct salvor_option options[] = {
    {"script", "FILE", NULL, "what to ask", NULL, "0.1", SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL, 0},
};

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .restore = restore,
                                          .run_step = run_step,
                                          .check_step = check_step};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "kube-probe",
    .version = "0.1",
    .summary = "asks a Kubernetes API what it is told to",
    .maintainer = "the salvor authors",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
