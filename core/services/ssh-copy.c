#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "services/artifact.h"
#include "services/recorder.h"
#include "services/run-paths.h"
#include "services/ssh-command.h"
#include "services/ssh-script.h"
#include "services/ssh-session.h"
#include "services/ssh.h"
#include "services/stream.h"

enum { MODE_DEFAULT = 0600, MODE_MOST = 07777, PATH_LIMIT = 4096, DIFFERENT = 3, TAG_DIGITS = 16 };

/* One file on its way. */
struct copy {
    struct worker_call *call;
    const struct ssh_host *host;
    const char *artifact;
    const char *path;
    char mode[8];
    salvor_stream_reader *reader;
    salvor_stream_writer *writer;
    struct digest digest; /* of what went over */
    uint64_t size;
    char sha256[DIGEST_TEXT_SIZE];
    salvor_status local; /* what the artifact's side says, unless OK */
    char *words;         /* standard error of the last session */
};

static void release(struct copy *copy)
{
    if (copy->reader != NULL)
        stream_close(&copy->call->public, copy->reader);
    if (copy->writer != NULL)
        stream_abort(&copy->call->public, copy->writer);
    free(copy->words);
}

#define cleanup_copy __attribute__((cleanup(release)))

static salvor_status check_place(struct copy *copy)
{
    struct worker_call *call = copy->call;
    const char *path = copy->path;
    if (path == NULL || copy->artifact == NULL)
        return call_fail(call, SALVOR_BUG, "ssh: an argument is missing");
    if (copy->host->target->windows)
        return call_fail(call, SALVOR_UNSUPPORTED,
                         "files cannot be copied to or from '%s', whose shell is 'windows'",
                         copy->host->target->name);
    size_t size = strnlen(path, PATH_LIMIT);
    if (size == PATH_LIMIT || *path != '/' || path[size - 1] == '/' || !utf8_valid(path, size))
        return call_fail(call, SALVOR_BUG, "'%.200s' is no absolute path of a file on a host",
                         path);
    return SALVOR_OK;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static const char *last_line(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && strchr("\r\n", text[size - 1]) != NULL)
        text[--size] = '\0';
    const char *newline = strrchr(text, '\n');
    return newline != NULL ? newline + 1 : text;
}

static salvor_status explain_refusal(struct copy *copy, const char *word)
{
    static const char *const texts[][2] = {{"nofile", "it is no plain file"},
                                           {"unreadable", "the user may not read it"},
                                           {"isfolder", "there is a folder of that name"}};
    const char *host = copy->host->target->name;
    if (text_equal(word, "missing"))
        return call_fail(copy->call, SALVOR_NOT_FOUND, "there is no file '%s' on '%s'", copy->path,
                         host);
    const char *why = last_line(copy->words);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (text_equal(word, texts[i][0]))
            why = texts[i][1];
    return call_fail(copy->call, SALVOR_FAILED, "cannot copy '%s' on '%s': %s", copy->path, host,
                     why);
}

/* OK with the script's status in *ret_exit, else the failure is recorded. */
static salvor_status talk(struct copy *copy, enum ssh_script which, const char *const *parameters,
                          const struct ssh_session_request *streams, int32_t *ret_exit)
{
    struct worker_call *call = copy->call;
    cleanup_ssh_script char *script = ssh_script_make(which, parameters);
    struct ssh_session_request request = *streams;
    request.target = copy->host->target;
    request.key = copy->host->key;
    request.row = call->row;
    request.script = script;
    request.data = copy;
    cleanup_ssh_session struct ssh_session *session = ssh_session_start(&request);
    salvor_status status = ssh_session_wait(call, session);
    const struct ssh_outcome *outcome = ssh_session_outcome(session);
    free(copy->words);
    copy->words = text_copy_span(outcome->err.data, (size_t)outcome->err.size);
    *ret_exit = outcome->exit_status;
    if (copy->local != SALVOR_OK) /* the words for it are recorded */
        return copy->local;
    if (*outcome->refusal != '\0')
        return explain_refusal(copy, outcome->refusal);
    return status;
}

static const struct ssh_session_request no_streams;

/* ---- put ------------------------------------------------------------------------------------- */

static int64_t give(void *data, char *buffer, size_t size, struct error *reterr)
{
    struct copy *copy = data;
    uint64_t got = 0;
    salvor_status status = stream_read(&copy->call->public, copy->reader, buffer, size, &got);
    if (status == SALVOR_END)
        return 0;
    if (status != SALVOR_OK) {
        copy->local = status;
        return error_move(reterr, &copy->call->error);
    }
    digest_add(&copy->digest, buffer, (size_t)got);
    copy->size += got;
    return (int64_t)got;
}

static void end_digest(struct copy *copy)
{
    unsigned char hash[DIGEST_SIZE];
    digest_end(&copy->digest, hash);
    digest_text(hash, copy->sha256);
}

/* Whether it is there already, when that can be told without reading the artifact. */
static salvor_status look_there(struct copy *copy, int *ret_there)
{
    struct artifact artifact = {0};
    int32_t status_there = -1;
    *ret_there = 0;
    salvor_status status = artifact_find(copy->call, copy->artifact, &artifact);
    if (status != SALVOR_OK || artifact.encrypted || artifact.maybe_encrypted ||
        artifact.left_out || artifact.sha256[0] == '\0')
        return status;
    const char *const parameters[] = {"path", copy->path,      "mode", copy->mode,
                                      "sum",  artifact.sha256, NULL};
    status = talk(copy, SSH_SCRIPT_HAVE, parameters, &no_streams, &status_there);
    if (status == SALVOR_OK && status_there == 0) {
        *ret_there = 1;
        copy->size = artifact.size >= 0 ? (uint64_t)artifact.size : 0;
        memcpy(copy->sha256, artifact.sha256, sizeof copy->sha256);
    }
    return status;
}

static salvor_status not_written(struct copy *copy)
{
    return call_fail(copy->call, SALVOR_FAILED, "cannot write '%s' on '%s': %s", copy->path,
                     copy->host->target->name, last_line(copy->words));
}

/* The bytes go beside the file; only when both sides have the same digest does it get the name. */
static salvor_status send_it(struct copy *copy)
{
    char path_digest[DIGEST_TEXT_SIZE];
    int32_t exit_status = -1;
    salvor_status status = stream_open(&copy->call->public, copy->artifact, 0, &copy->reader);
    if (status != SALVOR_OK)
        return status;
    digest_text_of(copy->path, strlen(copy->path), path_digest);
    cleanup_free char *tag = text_format("salvor-put-%.*s", TAG_DIGITS, path_digest);
    const char *const parameters[] = {"path", copy->path, "tag", tag, NULL};
    digest_begin(&copy->digest);
    status = talk(copy, SSH_SCRIPT_PUT, parameters, &(struct ssh_session_request){.give = give},
                  &exit_status);
    if (status != SALVOR_OK)
        return status;
    if (exit_status != 0)
        return not_written(copy);
    end_digest(copy);
    cleanup_free char *from = text_copy(last_line(copy->words));
    const char *const commit[] = {"path",       copy->path, "mode", copy->mode, "sum",
                                  copy->sha256, "from",     from,   NULL};
    status = talk(copy, SSH_SCRIPT_COMMIT, commit, &no_streams, &exit_status);
    if (status == SALVOR_OK && exit_status == DIFFERENT)
        return call_fail(copy->call, SALVOR_RETRY,
                         "'%s' arrived damaged on '%s': its SHA-256 is not that of artifact '%s'",
                         copy->path, copy->host->target->name, copy->artifact);
    return status == SALVOR_OK && exit_status != 0 ? not_written(copy) : status;
}

static json_t *make_key(const struct copy *copy)
{
    return json_make("{s:s,s:b,s:o,s:s,s:s}", "host", copy->host->target->name, "sudo",
                     copy->host->target->sudo, "path", run_paths_hide_text(copy->call, copy->path),
                     "artifact", copy->artifact, "mode", copy->mode);
}

static void tell(const struct copy *copy, const char *what, salvor_status status, int64_t began)
{
    json_t *members = json_make("{s:s,s:s,s:b,s:I}", "path", copy->path, "artifact", copy->artifact,
                                "done", status == SALVOR_OK, "bytes", (json_int_t)copy->size);
    if (status == SALVOR_OK && copy->sha256[0] != '\0')
        json_put_text(members, "sha256", copy->sha256);
    ssh_evidence(copy->call, copy->host->target, what, members, clock_monotonic_ms() - began);
}

static salvor_status put_it(struct copy *copy)
{
    int there = 0;
    const int64_t began = clock_monotonic_ms();
    salvor_status status = look_there(copy, &there);
    if (status == SALVOR_OK && !there)
        status = send_it(copy);
    tell(copy, "put", status, began);
    return status;
}

salvor_status ssh_put(salvor_call *public_call, salvor_ssh_host *handle, const char *artifact,
                      const char *path, uint32_t mode)
{
    struct worker_call *call = call_of(public_call);
    cleanup_copy struct copy copy = {
        .call = call, .host = ssh_host_of(call, handle), .artifact = artifact, .path = path};
    if (copy.host == NULL)
        return SALVOR_BUG;
    if (mode > MODE_MOST)
        return call_fail(call, SALVOR_BUG, "ssh.put: %o is no mode of a file", mode);
    (void)snprintf(copy.mode, sizeof copy.mode, "%o", mode != 0 ? mode : (uint32_t)MODE_DEFAULT);
    salvor_status status = check_place(&copy);
    if (status != SALVOR_OK)
        return status;
    cleanup_free char *what = text_format("write '%s' on '%s'", path, copy.host->target->name);
    status = call_may_change(call, what);
    if (status != SALVOR_OK)
        return status;
    cleanup_json json_t *key = make_key(&copy);
    if (recorder_replays(call->session->recorder)) {
        cleanup_json json_t *answer = NULL;
        return recorder_replay(call, "ssh", "put", key, NULL, &answer);
    }
    status = put_it(&copy);
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    return recorder_save(call, "ssh", "put", key, status, NULL, NULL);
}

/* ---- get ------------------------------------------------------------------------------------- */

static int take(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct copy *copy = data;
    salvor_status status = stream_write(&copy->call->public, copy->writer, bytes, size);
    if (status != SALVOR_OK) {
        copy->local = status;
        return error_move(reterr, &copy->call->error);
    }
    digest_add(&copy->digest, bytes, size);
    copy->size += size;
    return 0;
}

static salvor_status fetch(struct copy *copy, const char *media_type, uint32_t flags)
{
    struct worker_call *call = copy->call;
    const char *host = copy->host->target->name;
    int32_t exit_status = -1;
    salvor_status status =
        stream_create(&call->public, copy->artifact, media_type, flags, &copy->writer);
    if (status != SALVOR_OK)
        return status;
    const char *const parameters[] = {"path", copy->path, NULL};
    digest_begin(&copy->digest);
    status = talk(copy, SSH_SCRIPT_GET, parameters, &(struct ssh_session_request){.take = take},
                  &exit_status);
    if (status != SALVOR_OK)
        return status;
    if (exit_status == DIFFERENT)
        return call_fail(call, SALVOR_RETRY, "'%s' on '%s' changed while it was read", copy->path,
                         host);
    if (exit_status != 0)
        return call_fail(call, SALVOR_FAILED, "cannot read '%s' on '%s': %s", copy->path, host,
                         last_line(copy->words));
    end_digest(copy);
    if (!text_equal(last_line(copy->words), copy->sha256))
        return call_fail(call, SALVOR_RETRY,
                         "'%s' of '%s' arrived damaged: its SHA-256 is not the one there",
                         copy->path, host);
    return stream_commit(&call->public, take_pointer(copy->writer), NULL);
}

/* As it was kept, so that a recording of a compressed artifact holds the compressed bytes. */
static char *kept_file(const struct copy *copy)
{
    const char *folder = call_setting(copy->call, "artifact_folder");
    return folder != NULL ? text_format("%s/%s", folder, copy->artifact) : NULL;
}

static salvor_status replay_get(struct copy *copy, const char *media_type, const json_t *key)
{
    struct worker_call *call = copy->call;
    cleanup_json json_t *answer = NULL;
    const char *scratch = run_scratch_folder(call);
    if (scratch == NULL)
        return SALVOR_FAILED;
    cleanup_free char *path = text_format("%s/.replayed", scratch);
    (void)unlink(path);
    salvor_status status = recorder_replay(call, "ssh", "get", key, path, &answer);
    if (status != SALVOR_OK)
        return status;
    if (access(path, F_OK) != 0)
        return call_fail(call, SALVOR_FAILED,
                         "what '%s' on '%s' holds was not recorded: it is sensitive", copy->path,
                         copy->host->target->name);
    return stream_adopt(&call->public, path, copy->artifact, media_type, 0, NULL);
}

salvor_status ssh_get(salvor_call *public_call, salvor_ssh_host *handle, const char *path,
                      const char *artifact, const char *media_type, uint32_t flags)
{
    struct worker_call *call = call_of(public_call);
    const int64_t began = clock_monotonic_ms();
    cleanup_copy struct copy copy = {
        .call = call, .host = ssh_host_of(call, handle), .artifact = artifact, .path = path};
    if (copy.host == NULL)
        return SALVOR_BUG;
    salvor_status status = check_place(&copy);
    if (status != SALVOR_OK)
        return status;
    (void)snprintf(copy.mode, sizeof copy.mode, "%u", flags);
    cleanup_json json_t *key = make_key(&copy);
    if (recorder_replays(call->session->recorder))
        return replay_get(&copy, media_type, key);
    status = fetch(&copy, media_type, flags);
    tell(&copy, "get", status, began);
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    const int is_sensitive = (flags & SALVOR_STREAM_SENSITIVE) != 0;
    cleanup_free char *kept = status == SALVOR_OK && !is_sensitive ? kept_file(&copy) : NULL;
    return recorder_save(call, "ssh", "get", key, status, NULL, kept);
}
