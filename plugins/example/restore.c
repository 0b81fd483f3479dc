#include <stdio.h>
#include <string.h>

#include "etcd.h"
#include "keys.h"
#include "paths.h"
#include "procedures.h"
#include "snapshot-file.h"

enum { PATH_LIMIT = 8192, KEYS_TEXT_LIMIT = 512 << 20 };

/* ---- planning ---------------------------------------------------------------------------- */

static salvor_status path_beside(salvor_call *call, const char *data_dir, const char *suffix,
                                 struct salvor_text *ret_path)
{
    salvor_text_format(ret_path, "%s.%s", data_dir, suffix);
    return salvor_text_check(call, ret_path, "a path beside the data dir");
}

static salvor_status plan_first_stage(salvor_call *call, const struct salvor_request *request)
{
    static const char *const guards[] = {FACT_DATA_DIR_STATE, NULL};
    const char *data_dir = NULL;
    const char *endpoint = salvor_option_text(call, "endpoint", NULL);
    const char *member = salvor_option_text(call, "member", NULL);
    salvor_auto_text struct salvor_text fresh = SALVOR_TEXT_INIT(PATH_LIMIT);
    salvor_auto_text struct salvor_text aside = SALVOR_TEXT_INIT(PATH_LIMIT);
    char state[64] = "absent";
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, "name it with '--from latest|SET|FILE'",
                           "there is no backup to restore from");
    SALVOR_TRY(salvor_option_need(call, "data-dir", &data_dir));
    SALVOR_TRY(salvor_fact_text(call, FACT_DATA_DIR_STATE, state, sizeof state));
    SALVOR_TRY(path_beside(call, data_dir, "restored", &fresh));
    SALVOR_TRY(path_beside(call, data_dir, "before-restore", &aside));
    int there = strcmp(state, "absent") != 0;

    SALVOR_TRY(salvor_plan_of(call)->decide(call, "snapshot-restore",
                                            "an etcd cluster is restored from a snapshot"));
    struct salvor_step_plan steps[] = {
        {.row = "stop-member", .target = endpoint, .parameters = SALVOR_NO_PARAMETERS},
        {.row = "restore-snapshot",
         .target = member,
         .parameters = salvor_json_build(call, "{s:s, s:s}", "data-dir", salvor_text_get(&fresh),
                                         "peer-url", salvor_option_text(call, "peer-url", NULL))},
        {.row = "switch-data-dir",
         .target = data_dir,
         .parameters = salvor_json_build(call, "{s:s, s:s?}", "from", salvor_text_get(&fresh),
                                         "keep-as", there ? salvor_text_get(&aside) : NULL),
         .guards = guards},
        {.row = "start-member", .target = endpoint, .parameters = SALVOR_NO_PARAMETERS},
        {.row = "verify-keys", .target = endpoint, .parameters = SALVOR_NO_PARAMETERS},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        SALVOR_TRY(salvor_plan_step(call, &steps[i], NULL));
    return salvor_plan_of(call)->next_stage(call, "compact");
}

/* What the first stage found decides how far the history goes. */
static salvor_status plan_second_stage(salvor_call *call, const struct salvor_request *request)
{
    salvor_auto_json json_t *found = NULL;
    salvor_auto_text struct salvor_text object = SALVOR_TEXT_INIT(256);
    uint32_t index = 0;
    SALVOR_TRY(salvor_result_of(call, request->results, "verify-keys", NULL, &found));
    int64_t revision = salvor_json_integer(found, "/revision", 0);
    struct salvor_step_plan step = {
        .row = "compact-history",
        .target = salvor_option_text(call, "endpoint", NULL),
        .parameters = salvor_json_build(call, "{s:I}", "revision", (json_int_t)revision),
        .consequence = "older revisions of the keys; watches from before the restore are told to "
                       "read anew",
    };
    SALVOR_TRY(salvor_plan_step(call, &step, &index));
    salvor_text_format(&object, "history before revision %lld", (long long)revision);
    SALVOR_TRY(salvor_text_check(call, &object, "the name of the history"));
    return salvor_plan_of(call)->object(call, index, salvor_text_get(&object));
}

salvor_status example_plan_restore(salvor_call *call, const struct salvor_request *request)
{
    if (request->stage != NULL && strcmp(request->stage, "compact") == 0)
        return plan_second_stage(call, request);
    return plan_first_stage(call, request);
}

/* ---- stop-member, start-member ----------------------------------------------------------- */

static salvor_status keep_state(salvor_call *call)
{
    struct etcd_status status;
    SALVOR_TRY(etcd_ask_status(call, &status));
    return salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                             salvor_json_build(call, "{s:b, s:I}", "reachable", status.reachable,
                                               "revision", (json_int_t)status.revision));
}

static salvor_status stop_member(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters)
{
    (void)step;
    (void)parameters;
    SALVOR_TRY(keep_state(call));
    return etcd_site_command(call, "stop", salvor_option_text(call, "data-dir", ""));
}

static salvor_status member_is_stopped(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer)
{
    struct etcd_status status;
    (void)step;
    (void)parameters;
    SALVOR_TRY(etcd_ask_status(call, &status));
    *ret_answer = status.reachable ? SALVOR_CHECK_NOT_STARTED : SALVOR_CHECK_DONE;
    return SALVOR_OK;
}

static salvor_status start_member(salvor_call *call, const struct salvor_step *step,
                                  json_t *parameters)
{
    (void)step;
    (void)parameters;
    SALVOR_TRY(keep_state(call));
    return etcd_site_command(call, "start", salvor_option_text(call, "data-dir", ""));
}

static salvor_status member_is_healthy(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer)
{
    int healthy = 0;
    (void)step;
    (void)parameters;
    SALVOR_TRY(etcd_ask_health(call, &healthy));
    *ret_answer = healthy ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

/* ---- restore-snapshot -------------------------------------------------------------------- */

static salvor_status local_snapshot(salvor_call *call, const struct salvor_step *step,
                                    const char **ret_path)
{
    const char *name = NULL;
    SALVOR_TRY(snapshot_name(call, step->source, &name));
    return salvor_stream_of(call)->materialize(call, name, ret_path);
}

/* A job an attempt: a failed one is never mistaken for the one that follows it. */
static salvor_status job_id(salvor_call *call, const struct salvor_step *step,
                            struct salvor_text *ret_id)
{
    salvor_text_format(ret_id, "%s-%u", step->job_id, (unsigned)step->attempt);
    return salvor_text_check(call, ret_id, "the id of the job");
}

static salvor_status start_restore_job(salvor_call *call, const struct salvor_step *step,
                                       const char *snapshot, const char *data_dir,
                                       const char *peer_url)
{
    const char *member = salvor_option_text(call, "member", NULL);
    static const char *const env[] = {"ETCDCTL_API=3"};
    salvor_auto_text struct salvor_text id = SALVOR_TEXT_INIT(PATH_LIMIT);
    salvor_auto_text struct salvor_text cluster = SALVOR_TEXT_INIT(PATH_LIMIT);
    SALVOR_TRY(job_id(call, step, &id));
    salvor_text_format(&cluster, "%s=%s", member, peer_url);
    SALVOR_TRY(salvor_text_check(call, &cluster, "the cluster"));
    const char *const argv[] = {salvor_option_text(call, "etcdctl", "etcdctl"),
                                "snapshot",
                                "restore",
                                snapshot,
                                "--data-dir",
                                data_dir,
                                "--name",
                                member,
                                "--initial-cluster",
                                salvor_text_get(&cluster),
                                "--initial-advertise-peer-urls",
                                peer_url};
    struct salvor_exec_request request = {
        .struct_size = sizeof request,
        .argc = (uint32_t)(sizeof argv / sizeof *argv),
        .argv = argv,
        .env = env,
        .env_count = 1,
    };
    return salvor_exec_of(call)->job_start(call, salvor_text_get(&id), &request);
}

/* The pre-image says that nothing stood there before: what is there now is an attempt's of ours. */
static salvor_status clear_own_remains(salvor_call *call, const char *data_dir)
{
    const char *const argv[] = {"rm", "--recursive", "--force", "--", data_dir, NULL};
    struct salvor_exec_result result;
    return etcd_run(call, argv, &result);
}

static salvor_status restore_snapshot(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters)
{
    const char *peer_url = salvor_json_text(parameters, "/peer-url", "");
    const char *data_dir = salvor_json_text(parameters, "/data-dir", "");
    const char *snapshot = NULL;
    int began = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL;
    int there = 0;
    SALVOR_TRY(path_exists(call, data_dir, &there));
    if (there && !began)
        return salvor_fail(call, SALVOR_REFUSED, "move it away, then resume",
                           "'%s' is in the way of the restored data", data_dir);
    if (!began)
        SALVOR_TRY(salvor_checkpoint(
            call, SALVOR_CHECKPOINT_PRE_IMAGE,
            salvor_json_build(call, "{s:s, s:b}", "data-dir", data_dir, "exists", 0)));
    if (there)
        SALVOR_TRY(clear_own_remains(call, data_dir));
    SALVOR_TRY(local_snapshot(call, step, &snapshot));
    return start_restore_job(call, step, snapshot, data_dir, peer_url);
}

static salvor_status snapshot_is_restored(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer)
{
    const char *data_dir = salvor_json_text(parameters, "/data-dir", "");
    salvor_auto_text struct salvor_text id = SALVOR_TEXT_INIT(PATH_LIMIT);
    struct salvor_job_state state = {.struct_size = sizeof state};
    SALVOR_TRY(job_id(call, step, &id));
    SALVOR_TRY(salvor_exec_of(call)->job_poll(call, salvor_text_get(&id), &state));
    int began = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL;
    int there = 0;
    SALVOR_TRY(path_exists(call, data_dir, &there));
    switch (state.state) {
    case SALVOR_JOB_RUNNING:
        *ret_answer = SALVOR_CHECK_IN_PROGRESS;
        return SALVOR_OK;
    case SALVOR_JOB_ABSENT:
        *ret_answer = there && began ? SALVOR_CHECK_PARTIAL : SALVOR_CHECK_NOT_STARTED;
        return SALVOR_OK;
    case SALVOR_JOB_ENDED:
        if (state.exit_status == 0) {
            *ret_answer = there ? SALVOR_CHECK_DONE : SALVOR_CHECK_CONFLICT;
            return SALVOR_OK;
        }
        break;
    default:
        break;
    }
    *ret_answer = SALVOR_CHECK_PARTIAL;
    return salvor_note(call, "etcdctl could not restore to '%s': exit status %d%s%s", data_dir,
                       state.exit_status, state.err.size > 0 ? ": " : "",
                       state.err.size > 0 ? state.err.data : "");
}

/* ---- switch-data-dir --------------------------------------------------------------------- */

static salvor_status move(salvor_call *call, const char *from, const char *to)
{
    const char *const argv[] = {"mv", "--no-target-directory", "--", from, to, NULL};
    struct salvor_exec_result result;
    return etcd_run(call, argv, &result);
}

/* What stands at the three names of the data: the restored, the member's, the kept. */
struct data_dirs {
    int fresh, present, kept;
};

static salvor_status look_at_data_dirs(salvor_call *call, const struct salvor_step *step,
                                       const json_t *parameters, struct data_dirs *ret)
{
    const char *keep_as = salvor_json_text(parameters, "/keep-as", NULL);
    ret->kept = 0;
    SALVOR_TRY(path_exists(call, salvor_json_text(parameters, "/from", ""), &ret->fresh));
    SALVOR_TRY(path_exists(call, step->target, &ret->present));
    return keep_as != NULL ? path_exists(call, keep_as, &ret->kept) : SALVOR_OK;
}

static salvor_status switch_data_dir(salvor_call *call, const struct salvor_step *step,
                                     json_t *parameters)
{
    const char *from = salvor_json_text(parameters, "/from", "");
    const char *keep_as = salvor_json_text(parameters, "/keep-as", NULL);
    salvor_auto_json json_t *before = NULL;
    struct data_dirs dirs;
    SALVOR_TRY(look_at_data_dirs(call, step, parameters, &dirs));
    if (salvor_last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE, &before) != SALVOR_OK)
        SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                                     salvor_json_build(call, "{s:s, s:b}", "data-dir", step->target,
                                                       "exists", dirs.present)));
    if (keep_as != NULL && dirs.present && !dirs.kept)
        SALVOR_TRY(move(call, step->target, keep_as));
    return move(call, from, step->target);
}

/* The three names tell how far it came; nothing else may have made them. */
static salvor_status data_dir_is_switched(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer)
{
    int keeps = salvor_json_text(parameters, "/keep-as", NULL) != NULL;
    struct data_dirs dirs;
    SALVOR_TRY(look_at_data_dirs(call, step, parameters, &dirs));
    if (!dirs.fresh && dirs.present && dirs.kept == keeps)
        *ret_answer = SALVOR_CHECK_DONE;
    else if (dirs.fresh && !dirs.kept && dirs.present == keeps)
        *ret_answer = SALVOR_CHECK_NOT_STARTED;
    else if (dirs.fresh && !dirs.present && dirs.kept)
        *ret_answer = SALVOR_CHECK_PARTIAL;
    else
        *ret_answer = SALVOR_CHECK_CONFLICT;
    return SALVOR_OK;
}

/* ---- verify-keys ------------------------------------------------------------------------- */

static salvor_status compare_with_backup(salvor_call *call, const struct salvor_step *step,
                                         int64_t *ret_revision, int64_t *ret_count)
{
    salvor_auto_text struct salvor_text before = SALVOR_TEXT_INIT(KEYS_TEXT_LIMIT);
    salvor_auto_text struct salvor_text now = SALVOR_TEXT_INIT(KEYS_TEXT_LIMIT);
    salvor_auto_json json_t *snapshot = NULL;
    struct salvor_span answer = {NULL, 0};
    struct keys_difference difference;
    const char *path = NULL;
    SALVOR_TRY(local_snapshot(call, step, &path));
    SALVOR_TRY(etcd_snapshot_status(call, path, &snapshot));
    *ret_revision = etcd_number(snapshot, "/revision", 0);
    SALVOR_TRY(etcd_get_all(call, *ret_revision, &answer));
    SALVOR_TRY(keys_list(call, answer, &now, ret_count));
    salvor_status loaded = keys_load(call, &before);
    if (loaded == SALVOR_NOT_FOUND)
        return salvor_note(call, "%lld keys at revision %lld; no list of keys to compare with",
                           (long long)*ret_count, (long long)*ret_revision);
    SALVOR_TRY(loaded);
    keys_compare(before.data != NULL ? before.data : "", now.data != NULL ? now.data : "",
                 &difference);
    if (difference.missing + difference.changed + difference.added > 0)
        return salvor_fail(call, SALVOR_FAILED,
                           "keep the old data dir, and compare the keys with the backup",
                           "the restored keys are not those of the backup: %lld missing, "
                           "%lld changed, %lld more; the first is '%s' (base64)",
                           (long long)difference.missing, (long long)difference.changed,
                           (long long)difference.added, difference.first);
    return salvor_note(call, "all %lld keys are back, each with its digest, at revision %lld",
                       (long long)*ret_count, (long long)*ret_revision);
}

static salvor_status verify_keys(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters)
{
    int64_t revision = 0;
    int64_t count = 0;
    struct etcd_status status;
    (void)parameters;
    SALVOR_TRY(etcd_ask_status(call, &status));
    if (!status.reachable)
        return salvor_fail(call, SALVOR_RETRY, NULL, "the member does not answer");
    SALVOR_TRY(compare_with_backup(call, step, &revision, &count));
    SALVOR_TRY(salvor_result(
        call, salvor_json_build(call, "{s:I, s:I, s:I}", "revision", (json_int_t)revision, "keys",
                                (json_int_t)count, "db_size", (json_int_t)status.db_size)));
    return salvor_checkpoint(call, SALVOR_CHECKPOINT_CURSOR,
                             salvor_json_build(call, "{s:I}", "verified", (json_int_t)revision));
}

/* A comparison leaves nothing behind but that it was made. */
static salvor_status keys_are_verified(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer)
{
    (void)parameters;
    (void)step;
    *ret_answer = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR) != NULL
                      ? SALVOR_CHECK_DONE
                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

/* ---- compact-history --------------------------------------------------------------------- */

static salvor_status compact_history(salvor_call *call, const struct salvor_step *step,
                                     json_t *parameters)
{
    (void)step;
    SALVOR_TRY(keep_state(call));
    return etcd_compact(call, salvor_json_integer(parameters, "/revision", 0));
}

static salvor_status history_is_compacted(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer)
{
    struct etcd_status status;
    (void)step;
    SALVOR_TRY(etcd_ask_status(call, &status));
    if (!status.reachable)
        return salvor_fail(call, SALVOR_FAILED, NULL, "the member does not answer");
    *ret_answer = status.compact_revision >= salvor_json_integer(parameters, "/revision", 0)
                      ? SALVOR_CHECK_DONE
                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

const struct salvor_row_code restore_rows[] = {
    {"stop-member", stop_member, member_is_stopped},
    {"restore-snapshot", restore_snapshot, snapshot_is_restored},
    {"switch-data-dir", switch_data_dir, data_dir_is_switched},
    {"start-member", start_member, member_is_healthy},
    {"verify-keys", verify_keys, keys_are_verified},
    {"compact-history", compact_history, history_is_compacted},
};
const size_t restore_row_count = sizeof restore_rows / sizeof *restore_rows;
