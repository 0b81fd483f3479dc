/* The capture: what the managers and the clusters have, beside the vendor's own backup, so that
 * what a restore rolls back can be shown, and put back (facts, section 4). */
#include <salvor/helpers.h>
#include <string.h>

#include "classify.h"
#include "gather.h"
#include "picture.h"
#include "procedures.h"

salvor_status nsx_plan_backup(salvor_call *call, const struct salvor_request *request)
{
    struct manager manager;
    (void)request;
    /* nothing to decide from: but whoever cannot log in hears it before a run is begun */
    SALVOR_TRY(manager_open(call, &manager));
    SALVOR_TRY(salvor_plan_of(call)->decide(
        call, "capture", "what a restore would roll back is captured beside the vendor's backup"));
    return salvor_plan_step(call,
                            &(struct salvor_step_plan){.row = "capture",
                                                       .target = manager.url,
                                                       .parameters = SALVOR_NO_PARAMETERS},
                            NULL);
}

static salvor_status write_artifact(salvor_call *call, const char *name, const json_t *json)
{
    const struct salvor_stream *streams = salvor_stream_of(call);
    salvor_stream_writer *writer = NULL;
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    salvor_auto_release char *text = salvor_json_write(json);
    if (text == NULL)
        return salvor_fail_memory(call, "the capture");
    SALVOR_TRY(streams->create(call, name, "application/json", 0, &writer));
    const salvor_status status = streams->write(call, writer, text, strlen(text));
    if (status != SALVOR_OK) {
        streams->abort(call, writer);
        return status;
    }
    return streams->commit(call, writer, &artifact);
}

static salvor_status run_capture(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters)
{
    cleanup_site struct site site = {.picture = NULL};
    (void)step;
    (void)parameters;
    SALVOR_TRY(gather(call, GATHER_COUNTS | GATHER_RULES, &site));
    if (json_object_set_new(site.picture, "taken", json_integer(call->host->realtime_ms(call))) !=
        0)
        return salvor_fail_memory(call, "the capture");
    SALVOR_TRY(write_artifact(call, CAPTURE_ARTIFACT, site.picture));
    return salvor_result(
        call,
        json_pack("{s:I, s:I, s:I, s:I}", "clusters",
                  (json_int_t)salvor_json_count(site.picture, "/clusters"), "control_planes",
                  (json_int_t)salvor_json_count(site.picture, "/managers/control_planes"),
                  "policies",
                  (json_int_t)json_object_size(salvor_json_at(site.picture, "/rule_set/policies")),
                  "groups",
                  (json_int_t)json_object_size(salvor_json_at(site.picture, "/rule_set/groups"))));
}

static salvor_status check_capture(salvor_call *call, const struct salvor_step *step,
                                   json_t *parameters, uint32_t *ret_answer)
{
    salvor_auto_json json_t *capture = NULL;
    (void)step;
    (void)parameters;
    const salvor_status status = read_capture(call, &capture);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

const struct salvor_row_code backup_rows[] = {
    {"capture", run_capture, check_capture},
};
const size_t backup_row_count = sizeof backup_rows / sizeof *backup_rows;
