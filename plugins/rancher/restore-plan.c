#include <stdio.h>
#include <string.h>

#include "controllers.h"
#include "findings.h"
#include "procedures.h"
#include "prune.h"
#include "restore-bulk.h"
#include "restore-context.h"

/* At most so many objects in one step, whose parameters have 64 KiB. */
enum { PRUNE_BATCH = 150, RELEASE_POLL_MS = 500 };

#define PRESENT_BACKUP "before-restore"
#define FACT_CONTROLLERS "controllers" /* with the replicas that they shall have in the end */

struct planner {
    salvor_call *call;
    const struct salvor_request *request;
    struct restore_context context;
    struct site site;
    const char *procedure; /* once it is decided */
};

/* ---- deciding ---------------------------------------------------------------------------------
 */

static salvor_status refuse_all(struct planner *planner, const struct path_choice *choice)
{
    salvor_auto_text struct salvor_text reasons = SALVOR_TEXT_INIT(4096);
    for (unsigned i = 0; i < RESTORE_PATHS; i++) {
        if (procedure_exists(path_name((enum restore_path)i)))
            salvor_text_format(&reasons, "%s%s: %s", i > 0 ? "; " : "",
                               path_name((enum restore_path)i), choice->ruled_out[i]);
    }
    SALVOR_TRY(salvor_text_check(planner->call, &reasons, "a finding"));
    SALVOR_TRY(salvor_plan_of(planner->call)
                   ->decide(planner->call,
                            path_name(planner->site.has_rancher ? PATH_IN_PLACE : PATH_FRESH),
                            choice->reason));
    return salvor_raise(planner->call, FINDING_NO_PATH, planner->context.artifact, "%s",
                        salvor_text_get(&reasons));
}

static salvor_status decide(struct planner *planner)
{
    const struct salvor_plan *plan = salvor_plan_of(planner->call);
    const struct path_evidence evidence =
        restore_evidence(&planner->context.survey, &planner->site);
    const struct path_choice choice = path_choose(&evidence);
    const char *asked = planner->request->procedure;
    if (asked != NULL) {
        const char *objection = path_objection(path_by_name(asked), &evidence);
        if (objection != NULL)
            SALVOR_TRY(salvor_raise(planner->call, FINDING_PATH_REFUSED, asked, "%s", objection));
        planner->procedure = asked;
        return plan->decide(planner->call, asked, "it was asked for");
    }
    if (choice.path == PATH_NONE)
        return refuse_all(planner, &choice);
    planner->procedure = path_name(choice.path);
    SALVOR_TRY(plan->decide(planner->call, planner->procedure, choice.reason));
    for (unsigned i = 0; i < RESTORE_PATHS; i++) {
        /* only what the plugin has can be ruled out */
        if (choice.ruled_out[i] != NULL && procedure_exists(path_name((enum restore_path)i)))
            SALVOR_TRY(plan->rule_out(planner->call, path_name((enum restore_path)i),
                                      choice.ruled_out[i]));
    }
    return SALVOR_OK;
}

/* ---- prune rule -------------------------------------------------------------------------------
 */

/* 1: this restore prunes. Raises what stands against it. */
static salvor_status prune_rule(struct planner *planner, int *ret_prune)
{
    const char *wanted = salvor_option_text(planner->call, "prune", "auto");
    const enum restore_path path = path_by_name(planner->procedure);
    const struct path_evidence evidence =
        restore_evidence(&planner->context.survey, &planner->site);
    const char *archived = planner->context.survey.install_uuid;
    const int in_place = path == PATH_IN_PLACE || path == PATH_ROLLBACK;
    *ret_prune = strcmp(wanted, "auto") == 0 ? in_place : strcmp(wanted, "yes") == 0;
    if (in_place && !*ret_prune)
        return salvor_raise(planner->call, FINDING_PRUNE_NEEDED, planner->procedure,
                            "--prune no was given");
    if (!*ret_prune)
        return SALVOR_OK;
    if (evidence.cluster != CLUSTER_SAME)
        return salvor_raise(planner->call, FINDING_PRUNE_REFUSED, planner->procedure,
                            "the archive is not known to be of cluster %s",
                            planner->site.cluster_uid);
    if (planner->site.install_uuid[0] != '\0' && strcmp(archived, planner->site.install_uuid) != 0)
        return salvor_raise(planner->call, FINDING_PRUNE_REFUSED, planner->procedure,
                            "install-uuid is %s here, and %s in the archive",
                            planner->site.install_uuid, *archived != '\0' ? archived : "unknown");
    return SALVOR_OK;
}

/* ---- stage 'secure' ----------------------------------------------------------------------------
 */

static salvor_status plan_secure(struct planner *planner)
{
    char row[96];
    int prune = 0;
    SALVOR_TRY(decide(planner));
    if (planner->procedure == NULL)
        return SALVOR_OK;
    SALVOR_TRY(prune_rule(planner, &prune));
    const struct salvor_step_plan step = {
        .row = restore_row(planner->procedure, "gather-present", row),
        .target = planner->site.cluster_uid,
        .parameters = salvor_json_build(planner->call, "{s:s, s:s}", "backup", PRESENT_BACKUP,
                                        "archive", planner->context.artifact)};
    SALVOR_TRY(salvor_plan_step(planner->call, &step, NULL));
    return salvor_plan_of(planner->call)->next_stage(planner->call, "restore");
}

/* ---- stage 'restore' ---------------------------------------------------------------------------
 */

/* What the first stage kept: {"archive","sha256"}. */
static salvor_status present_backup(struct planner *planner, json_t **ret_present)
{
    char row[96];
    salvor_auto_json json_t *result = NULL;
    const salvor_status status =
        salvor_result_of(planner->call, planner->request->results,
                         restore_row(planner->procedure, "gather-present", row), NULL, &result);
    if (status == SALVOR_NOT_FOUND)
        return salvor_fail(planner->call, SALVOR_REFUSED, "start the restore again",
                           "there is no backup of what stands now");
    SALVOR_TRY(status);
    *ret_present = salvor_json_build(planner->call, "{s:O?, s:O?}", "archive",
                                     json_object_get(result, "archive"), "sha256",
                                     json_object_get(result, "sha256"));
    return *ret_present != NULL ? SALVOR_OK : SALVOR_FAILED;
}

static salvor_status plan_stop(struct planner *planner)
{
    static const char *const guards[] = {FACT_REPLICAS, NULL};
    salvor_auto_json json_t *controllers = NULL;
    size_t index = 0;
    const json_t *one = NULL;
    char row[96];
    SALVOR_TRY(controllers_find(planner->call, planner->context.client, planner->context.survey.set,
                                &controllers));
    json_array_foreach (controllers, index, one) {
        if (salvor_json_integer(one, "/live", 0) == 0)
            SALVOR_TRY(salvor_raise(planner->call, FINDING_AT_ZERO,
                                    salvor_json_text(one, "/name", ""),
                                    "it will be started with %lld",
                                    (long long)salvor_json_integer(one, "/replicas", 0)));
    }
    if (json_array_size(controllers) == 0)
        return SALVOR_OK;
    SALVOR_TRY(
        salvor_frozen(planner->call, FACT_CONTROLLERS, SALVOR_FACT_INFO, json_incref(controllers)));
    const struct salvor_step_plan step = {
        .row = restore_row(planner->procedure, "stop-rancher", row),
        .target = RANCHER_NAMESPACE "/rancher",
        .parameters = salvor_json_build(planner->call, "{s:O}", "controllers", controllers),
        .guards = guards};
    return salvor_plan_step(planner->call, &step, NULL);
}

struct naming {
    uint32_t index[3]; /* of the step, by phase */
    int planned[3];
};

/* Every object by its path: the archive is read once more. */
static salvor_status name_objects(struct planner *planner, const struct naming *naming)
{
    auto_archive_reader archive_reader *reader = NULL;
    const struct archive_survey *survey = &planner->context.survey;
    struct archive_member member;
    salvor_status status =
        archive_reader_open(planner->call, survey->artifact, planner->context.config, &reader);
    while (status == SALVOR_OK && (status = archive_reader_next(reader, &member)) == SALVOR_OK) {
        char shown[SHOWN_SIZE];
        if (member.role != MEMBER_OBJECT)
            continue;
        const struct index_object *object =
            object_index_object(survey->index, (uint32_t)member.number);
        for (int phase = PHASE_DEFINITIONS; phase <= PHASE_NAMESPACED; phase++) {
            if (naming->planned[phase] &&
                restore_is_in_phase(survey, object, (enum restore_phase)phase))
                status = salvor_plan_of(planner->call)
                             ->object(planner->call, naming->index[phase],
                                      shown_name(salvor_span_of(member.path), shown));
        }
    }
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status plan_phases(struct planner *planner, json_t *present)
{
    static const struct {
        const char *row;
        const char *consequence;
    } rows[] = {
        [PHASE_DEFINITIONS] = {"definitions",
                               "definitions that stand there become those of the archive, with the "
                               "live versions that it lacks"},
        [PHASE_CLUSTER] = {"cluster-scoped",
                           "objects that stand there become those of the archive"},
        [PHASE_NAMESPACED] = {"namespaced", "objects that stand there become those of the archive"},
    };
    struct naming naming;
    memset(&naming, 0, sizeof naming);
    for (int phase = PHASE_DEFINITIONS; phase <= PHASE_NAMESPACED; phase++) {
        const struct object_index *index = planner->context.survey.index;
        char row[96];
        int any = 0;
        for (uint32_t i = 0; !any && i < index->objects.count; i++)
            any = restore_is_in_phase(&planner->context.survey, object_index_object(index, i),
                                      (enum restore_phase)phase);
        if (!any)
            continue;
        const struct salvor_step_plan step = {
            .row = restore_row(planner->procedure, rows[phase].row, row),
            .target = planner->context.artifact,
            .parameters = salvor_json_build(planner->call, "{s:s, s:O}", "archive",
                                            planner->context.artifact, "present", present),
            .consequence = rows[phase].consequence};
        SALVOR_TRY(salvor_plan_step(planner->call, &step, &naming.index[phase]));
        naming.planned[phase] = 1;
    }
    return name_objects(planner, &naming);
}

static salvor_status plan_restore(struct planner *planner)
{
    salvor_auto_json json_t *present = NULL;
    int prune = 0;
    SALVOR_TRY(present_backup(planner, &present));
    SALVOR_TRY(prune_rule(planner, &prune));
    SALVOR_TRY(plan_stop(planner));
    SALVOR_TRY(plan_phases(planner, present));
    return salvor_plan_of(planner->call)
        ->next_stage(planner->call, path_by_name(planner->procedure) == PATH_MIGRATION ? "install"
                                    : prune                                            ? "prune"
                                                                                       : "start");
}

/* ---- stage 'prune' -----------------------------------------------------------------------------
 */

struct batch_of_prune {
    struct planner *planner;
    json_t *present;
    json_t *objects;
    uint32_t count; /* of batches */
    const char *row_name;
    const char *consequence;
};

static salvor_status plan_batch(struct batch_of_prune *batch)
{
    struct planner *planner = batch->planner;
    char row[96];
    char target[64];
    uint32_t step_index = 0;
    size_t index = 0;
    const json_t *one = NULL;
    if (json_array_size(batch->objects) == 0)
        return SALVOR_OK;
    (void)snprintf(target, sizeof target, "batch %u", ++batch->count);
    const struct salvor_step_plan step = {
        .row = restore_row(planner->procedure, batch->row_name, row),
        .target = target,
        .parameters = salvor_json_build(planner->call, "{s:O, s:O}", "objects", batch->objects,
                                        "present", batch->present),
        .consequence = batch->consequence};
    SALVOR_TRY(salvor_plan_step(planner->call, &step, &step_index));
    json_array_foreach (batch->objects, index, one)
        SALVOR_TRY(salvor_plan_of(planner->call)
                       ->object(planner->call, step_index, salvor_json_text(one, "/path", "")));
    (void)json_array_clear(batch->objects);
    return SALVOR_OK;
}

static salvor_status add_to_batch(void *data, const char *path, const char *uid)
{
    struct batch_of_prune *batch = data;
    json_t *one = salvor_json_build(batch->planner->call, "{s:s, s:s}", "path", path, "uid", uid);
    if (one == NULL || json_array_append_new(batch->objects, one) != 0)
        return salvor_fail_memory(batch->planner->call, "the objects to prune");
    return json_array_size(batch->objects) >= PRUNE_BATCH ? plan_batch(batch) : SALVOR_OK;
}

static salvor_status plan_prune(struct planner *planner)
{
    salvor_auto_json json_t *present = NULL;
    salvor_auto_json json_t *objects = json_array();
    struct prune_summary summary;
    SALVOR_TRY(present_backup(planner, &present));
    struct batch_of_prune batch = {
        .planner = planner,
        .present = present,
        .objects = objects,
        .row_name = "prune",
        .consequence = "each of these objects; of a namespace all that is in it, of a definition "
                       "all objects of its type"};
    SALVOR_TRY(prune_find(&planner->context, add_to_batch, &batch, &summary));
    SALVOR_TRY(plan_batch(&batch));
    if (summary.spared > 0)
        SALVOR_TRY(salvor_raise(planner->call, FINDING_SPARED, OPERATOR_NAMESPACE, "%llu Secrets",
                                (unsigned long long)summary.spared));
    return salvor_plan_of(planner->call)
        ->next_stage(planner->call, batch.count > 0 ? "release" : "start");
}

/* ---- stage 'release' ---------------------------------------------------------------------------
 */

/* All objects that the steps of the last stage deleted. */
static salvor_status pruned_objects(struct planner *planner, json_t **ret_objects)
{
    salvor_auto_json json_t *results = NULL;
    json_t *objects = json_array();
    size_t index = 0;
    const json_t *one = NULL;
    char row[96];
    SALVOR_TRY(salvor_json_parse_text(planner->call, planner->request->results,
                                      "the results of the steps", &results));
    (void)restore_row(planner->procedure, "prune", row);
    json_array_foreach (results, index, one) {
        if (strcmp(salvor_json_text(one, "/row", ""), row) == 0)
            (void)json_array_extend(objects, salvor_json_at(one, "/result/objects"));
    }
    *ret_objects = objects;
    return SALVOR_OK;
}

/* Objects get the time of the option to be finished by those who hold them. */
static salvor_status await_deletion(struct planner *planner, json_t **objects)
{
    const int64_t patience = salvor_option_integer(planner->call, "delete-timeout", 10000);
    const int64_t began = planner->call->host->monotonic_ms(planner->call);
    for (;;) {
        json_t *left = NULL;
        uint64_t deleting = 0;
        SALVOR_TRY(
            prune_still_there(planner->call, planner->context.client, *objects, &left, &deleting));
        json_decref(*objects);
        *objects = left;
        if (json_array_size(left) == 0 ||
            planner->call->host->monotonic_ms(planner->call) - began >= patience)
            return SALVOR_OK;
        SALVOR_TRY(planner->call->host->sleep_ms(planner->call, RELEASE_POLL_MS));
    }
}

static salvor_status plan_release(struct planner *planner)
{
    salvor_auto_json json_t *present = NULL;
    salvor_auto_json json_t *left = NULL;
    salvor_auto_json json_t *objects = json_array();
    size_t index = 0;
    const json_t *one = NULL;
    SALVOR_TRY(present_backup(planner, &present));
    SALVOR_TRY(pruned_objects(planner, &left));
    SALVOR_TRY(await_deletion(planner, &left));
    struct batch_of_prune batch = {.planner = planner,
                                   .present = present,
                                   .objects = objects,
                                   .row_name = "release",
                                   .consequence = "these objects without the cleaning up that "
                                                  "their finalizers stand for"};
    json_array_foreach (left, index, one)
        SALVOR_TRY(add_to_batch(&batch, salvor_json_text(one, "/path", ""),
                                salvor_json_text(one, "/uid", "")));
    SALVOR_TRY(plan_batch(&batch));
    return salvor_plan_of(planner->call)->next_stage(planner->call, "start");
}

/* ---- stage 'start' -----------------------------------------------------------------------------
 */

/* With the replicas that were noted before anything was stopped. */
static salvor_status plan_start(struct planner *planner)
{
    salvor_auto_json json_t *controllers = NULL;
    char row[96];
    const salvor_status status = salvor_fact(planner->call, FACT_CONTROLLERS, &controllers);
    if (status == SALVOR_NOT_FOUND)
        return SALVOR_OK; /* there was nothing to stop */
    SALVOR_TRY(status);
    const struct salvor_step_plan step = {
        .row = restore_row(planner->procedure, "start-rancher", row),
        .target = RANCHER_NAMESPACE "/rancher",
        .parameters = salvor_json_build(planner->call, "{s:O}", "controllers", controllers)};
    return salvor_plan_step(planner->call, &step, NULL);
}

/* ---- stage 'install' of a migration -------------------------------------------------------------
 */

static salvor_status plan_install(struct planner *planner)
{
    const struct archive_survey *survey = &planner->context.survey;
    char row[96];
    const struct salvor_step_plan step = {
        .row = restore_row(planner->procedure, "install-rancher", row),
        .target = RANCHER_NAMESPACE "/rancher",
        .parameters = salvor_json_build(
            planner->call, "{s:s, s:s}", "version",
            survey->rancher.known ? survey->rancher.text : "of the backup", "server_url",
            survey->server_url[0] != '\0' ? survey->server_url : "the old installation")};
    return salvor_plan_step(planner->call, &step, NULL);
}

/* ---- the hook ----------------------------------------------------------------------------------
 */

static salvor_status plan_stage(struct planner *planner, const char *stage)
{
    static const struct {
        const char *stage;
        salvor_status (*plan)(struct planner *planner);
    } stages[] = {{"restore", plan_restore},
                  {"prune", plan_prune},
                  {"release", plan_release},
                  {"start", plan_start},
                  {"install", plan_install}};
    planner->procedure = planner->request->procedure;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if (strcmp(stages[i].stage, stage) == 0)
            return stages[i].plan(planner);
    }
    return salvor_fail(planner->call, SALVOR_BUG, NULL, "there is no stage '%s'", stage);
}

static salvor_status plan(struct planner *planner)
{
    const char *stage = planner->request->stage;
    SALVOR_TRY(restore_context_open(planner->call, 0, &planner->context));
    SALVOR_TRY(restore_context_survey(&planner->context, NULL));
    SALVOR_TRY(site_look(planner->call, planner->context.client, &planner->site));
    if (stage == NULL || strcmp(stage, "secure") == 0)
        return plan_secure(planner);
    return plan_stage(planner, stage);
}

salvor_status rancher_plan_restore(salvor_call *call, const struct salvor_request *request)
{
    struct planner planner = {.call = call, .request = request};
    planner.context.call = call;
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, "name it with '--from latest|SET|FILE'",
                           "there is no backup to restore from");
    const salvor_status status = plan(&planner);
    restore_context_close(&planner.context);
    return status;
}
