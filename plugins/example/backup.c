#include <string.h>

#include "etcd.h"
#include "keys.h"
#include "procedures.h"
#include "snapshot-file.h"

enum { KEYS_TEXT_LIMIT = 512 << 20 };

salvor_status example_plan_backup(salvor_call *call, const struct salvor_request *request)
{
    const char *endpoint = salvor_option_text(call, "endpoint", NULL);
    struct salvor_step_plan save = {
        .row = "save-snapshot", .target = endpoint, .parameters = SALVOR_NO_PARAMETERS};
    struct salvor_step_plan record = {
        .row = "record-keys", .target = endpoint, .parameters = SALVOR_NO_PARAMETERS};
    (void)request;
    SALVOR_TRY(salvor_plan_of(call)->decide(call, "snapshot-save", "there is one way to back up"));
    SALVOR_TRY(salvor_plan_step(call, &save, NULL));
    return salvor_plan_step(call, &record, NULL);
}

static salvor_status is_stored(salvor_call *call, const char *name, uint32_t *ret_answer)
{
    salvor_stream_reader *reader = NULL;
    salvor_status status = salvor_stream_of(call)->open(call, name, 0, &reader);
    if (status == SALVOR_OK)
        salvor_stream_of(call)->close(call, reader);
    else if (status != SALVOR_NOT_FOUND)
        return status;
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static salvor_status save_snapshot(salvor_call *call, const struct salvor_step *step,
                                   json_t *parameters)
{
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(8192);
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    salvor_auto_json json_t *status = NULL;
    (void)parameters;
    /* a file of an attempt that was killed is not overwritten by etcdctl: a name an attempt */
    salvor_text_format(&path, "%s/saved-%u.db", salvor_exec_of(call)->scratch_folder(call),
                       (unsigned)step->attempt);
    SALVOR_TRY(salvor_text_check(call, &path, "the path of the snapshot"));
    SALVOR_TRY(etcd_save_snapshot(call, salvor_text_get(&path)));
    SALVOR_TRY(etcd_snapshot_status(call, salvor_text_get(&path), &status));
    SALVOR_TRY(salvor_stream_of(call)->adopt(call, salvor_text_get(&path), SNAPSHOT_ARTIFACT,
                                             "application/vnd.etcd.snapshot", 0, &artifact));
    return salvor_note(call, "snapshot of revision %lld, %lld keys and events",
                       (long long)etcd_number(status, "/revision", 0),
                       (long long)etcd_number(status, "/totalKey", 0));
}

static salvor_status snapshot_is_saved(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer)
{
    (void)step;
    (void)parameters;
    return is_stored(call, SNAPSHOT_ARTIFACT, ret_answer);
}

/* The revision is the snapshot's own, so that both say the same of the same moment. */
static salvor_status record_keys(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters)
{
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_auto_text struct salvor_text lines = SALVOR_TEXT_INIT(KEYS_TEXT_LIMIT);
    salvor_auto_json json_t *status = NULL;
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    salvor_stream_writer *writer = NULL;
    struct salvor_span answer = {NULL, 0};
    const char *path = NULL;
    int64_t count = 0;
    (void)step;
    (void)parameters;
    SALVOR_TRY(stream->materialize(call, SNAPSHOT_ARTIFACT, &path));
    SALVOR_TRY(etcd_snapshot_status(call, path, &status));
    SALVOR_TRY(etcd_get_all(call, etcd_number(status, "/revision", 0), &answer));
    SALVOR_TRY(keys_list(call, answer, &lines, &count));
    SALVOR_TRY(stream->create(call, KEYS_ARTIFACT, "text/plain", 0, &writer));
    salvor_status written =
        lines.size == 0 ? SALVOR_OK : stream->write(call, writer, lines.data, lines.size);
    if (written != SALVOR_OK) {
        stream->abort(call, writer);
        return written;
    }
    SALVOR_TRY(stream->commit(call, writer, &artifact));
    return salvor_note(call, "%lld keys recorded by digest", (long long)count);
}

static salvor_status keys_are_recorded(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer)
{
    (void)step;
    (void)parameters;
    return is_stored(call, KEYS_ARTIFACT, ret_answer);
}

const struct salvor_row_code backup_rows[] = {
    {"save-snapshot", save_snapshot, snapshot_is_saved},
    {"record-keys", record_keys, keys_are_recorded},
};
const size_t backup_row_count = sizeof backup_rows / sizeof *backup_rows;
