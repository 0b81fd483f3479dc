#include <string.h>

#include "etcd.h"
#include "paths.h"
#include "procedures.h"

salvor_status example_plan_post_resync(salvor_call *call, const struct salvor_request *request)
{
    const char *data_dir = NULL;
    salvor_auto_text struct salvor_text old = SALVOR_TEXT_INIT(8192);
    SALVOR_TRY(salvor_option_need(call, "data-dir", &data_dir));
    salvor_text_format(&old, "%s.before-restore", data_dir);
    SALVOR_TRY(salvor_text_check(call, &old, "the path of the old data dir"));
    if (request->stage == NULL) {
        int kept = 0;
        SALVOR_TRY(path_exists(call, salvor_text_get(&old), &kept));
        struct salvor_step_plan health = {.row = "member-health",
                                          .target = salvor_option_text(call, "endpoint", NULL),
                                          .parameters = SALVOR_NO_PARAMETERS};
        SALVOR_TRY(salvor_plan_of(call)->decide(call, "after-restore",
                                                "the member runs on restored data"));
        SALVOR_TRY(salvor_plan_step(call, &health, NULL));
        return kept ? salvor_plan_of(call)->next_stage(call, "old-data") : SALVOR_OK;
    }
    uint32_t index = 0;
    struct salvor_step_plan remove = {
        .row = "remove-old-data-dir",
        .target = salvor_text_get(&old),
        .parameters = SALVOR_NO_PARAMETERS,
        .consequence = "all that was written between the backup and the restore, and every way "
                       "back to it",
    };
    SALVOR_TRY(salvor_plan_step(call, &remove, &index));
    return salvor_plan_of(call)->object(call, index, salvor_text_get(&old));
}

static salvor_status look_at_health(salvor_call *call, const struct salvor_step *step,
                                    json_t *parameters)
{
    (void)call;
    (void)step;
    (void)parameters;
    return SALVOR_OK; /* waiting for the goal is the engine's part */
}

static salvor_status member_serves(salvor_call *call, const struct salvor_step *step,
                                   json_t *parameters, uint32_t *ret_answer)
{
    struct etcd_status status;
    int healthy = 0;
    (void)step;
    (void)parameters;
    SALVOR_TRY(etcd_ask_status(call, &status));
    SALVOR_TRY(etcd_ask_health(call, &healthy));
    *ret_answer = status.reachable && healthy ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return salvor_note(call, "the member %s, revision %lld",
                       healthy ? "is healthy" : "does not commit", (long long)status.revision);
}

static salvor_status remove_old_data_dir(salvor_call *call, const struct salvor_step *step,
                                         json_t *parameters)
{
    const char *const argv[] = {"rm", "--recursive", "--", step->target, NULL};
    struct salvor_exec_result result;
    (void)parameters;
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                                 salvor_json_build(call, "{s:s}", "removes", step->target)));
    return etcd_run(call, argv, &result);
}

static salvor_status old_data_dir_is_gone(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer)
{
    int began = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL;
    int there = 0;
    (void)parameters;
    SALVOR_TRY(path_exists(call, step->target, &there));
    *ret_answer = !there  ? SALVOR_CHECK_DONE
                  : began ? SALVOR_CHECK_PARTIAL
                          : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

const struct salvor_row_code post_resync_rows[] = {
    {"member-health", look_at_health, member_serves},
    {"remove-old-data-dir", remove_old_data_dir, old_data_dir_is_gone},
};
const size_t post_resync_row_count = sizeof post_resync_rows / sizeof *post_resync_rows;
