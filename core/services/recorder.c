#include "services/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "host/redact.h"

enum { RECORDING_LIMIT = 64 << 20, TIMES_LIMIT = 1000000, KEY_DIGITS = 12 };

struct recorder {
    char *folder;
    char *counters; /* folder in the run's that keeps counts across workers; NULL: in memory */
    json_t *counts; /* key -> times asked */
    int replays;
};

int recorder_records(const struct recorder *recorder)
{
    return recorder != NULL && !recorder->replays;
}

int recorder_replays(const struct recorder *recorder)
{
    return recorder != NULL && recorder->replays;
}

int recorder_open(const json_t *open, struct recorder **ret_recorder, struct error *reterr)
{
    const char *record = json_text(open, "record");
    const char *replay = json_text(open, "replay");
    const char *run = json_text(open, "run_folder");
    struct stat status;
    *ret_recorder = NULL;
    if (record == NULL && replay == NULL)
        return 0;
    if (record != NULL && replay != NULL)
        return error_set(reterr, EXIT_USAGE, "cannot record to '%s' and replay from '%s' at once",
                         record, replay);
    if (record != NULL && file_make_folder(record, reterr) != 0)
        return -1;
    if (replay != NULL && (stat(replay, &status) != 0 || !S_ISDIR(status.st_mode))) {
        (void)error_set(reterr, EXIT_USAGE, "cannot replay from '%s': it is not a folder", replay);
        return error_hint(reterr, "make recordings with --record DIR first");
    }
    struct recorder *recorder = memory_new(1, sizeof *recorder);
    recorder->folder = text_copy(record != NULL ? record : replay);
    recorder->counters =
        run != NULL ? text_format("%s/%s", run, record != NULL ? "recorded" : "replayed") : NULL;
    recorder->counts = json_make("{}");
    recorder->replays = replay != NULL;
    *ret_recorder = recorder;
    return 0;
}

void recorder_close(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    free(recorder->folder);
    free(recorder->counters);
    json_decref(recorder->counts);
    free(recorder);
}

/* ---- names and counts ------------------------------------------------------------------------ */

/* "exec.run-0f3a52c1b7de" */
static char *key_of(const char *service, const char *method, const json_t *request)
{
    char digest[DIGEST_TEXT_SIZE];
    json_digest(request, digest);
    return text_format("%s.%s-%.*s", service, method, KEY_DIGITS, digest);
}

/* How many times `key` was asked, this one counted. Kept with the run, since a resume asks on. */
static int next_time(struct recorder *recorder, const char *key, int64_t *ret, struct error *reterr)
{
    int64_t before = json_whole(recorder->counts, key, 0);
    cleanup_free char *path =
        recorder->counters != NULL ? text_format("%s/%s", recorder->counters, key) : NULL;
    cleanup_free char *text = NULL;
    if (path != NULL && file_read(path, 32, &text, NULL, NULL) == 0)
        (void)text_parse_integer(text, &before);
    if (before >= TIMES_LIMIT)
        return error_set(reterr, EXIT_FAILED, "'%s' was asked more than %d times", key,
                         TIMES_LIMIT);
    *ret = before + 1;
    json_put(recorder->counts, key, json_integer(*ret));
    if (path == NULL)
        return 0;
    cleanup_free char *count = text_format("%lld", (long long)*ret);
    if (file_make_folder(recorder->counters, reterr) != 0)
        return -1;
    return file_write_atomic(path, count, strlen(count), 0600, reterr);
}

/* ---- record ---------------------------------------------------------------------------------- */

static json_t *error_json(const struct error *err)
{
    json_t *json = json_make("{}");
    json_put_text(json, "message", err->message);
    json_put_text(json, "detail", err->detail);
    json_put_text(json, "hint", err->hint);
    return json;
}

/* Copies a file by name, giving its size and digest. */
static int copy_file(const char *from, const char *to, json_t **ret_about, struct error *reterr)
{
    cleanup_close int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    cleanup_close int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (in < 0 || out < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot copy '%s' to '%s'", from, to);
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char hash_text[DIGEST_TEXT_SIZE];
    int64_t size = 0;
    digest_begin(&digest);
    for (;;) {
        char chunk[65536];
        ssize_t got = read(in, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || file_write_all(out, chunk, (size_t)(got > 0 ? got : 0)) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot copy '%s' to '%s'", from, to);
        if (got == 0)
            break;
        digest_add(&digest, chunk, (size_t)got);
        size += got;
    }
    digest_end(&digest, hash);
    digest_text(hash, hash_text);
    *ret_about = json_make("{s:I,s:s}", "size", (json_int_t)size, "sha256", hash_text);
    return 0;
}

static int save(struct worker_call *call, const char *service, const char *method,
                const json_t *request, salvor_status status, json_t *answer, const char *path,
                struct error *reterr)
{
    struct recorder *recorder = call->session->recorder;
    cleanup_json json_t *own = answer;
    cleanup_free char *key = key_of(service, method, request);
    int64_t time = 0;
    int64_t sequence = 0;
    if (next_time(recorder, key, &time, reterr) != 0 ||
        next_time(recorder, "sequence", &sequence, reterr) != 0)
        return -1;
    cleanup_json json_t *recording =
        json_make("{s:i,s:I,s:s,s:s,s:o,s:i,s:o}", "recording", 1, "sequence", (json_int_t)sequence,
                  "service", service, "method", method, "request", json_clone(request), "status",
                  (int)status, "answer", own != NULL ? json_clone(own) : json_null());
    json_put(recording, "error", status != SALVOR_OK ? error_json(&call->error) : json_null());
    redact_json(recording);
    cleanup_json json_t *file = json_null();
    if (path != NULL && access(path, F_OK) == 0) {
        cleanup_free char *name = text_format("%s-%lld.out", key, (long long)time);
        cleanup_free char *to = text_format("%s/%s", recorder->folder, name);
        if (copy_file(path, to, &file, reterr) != 0)
            return -1;
        json_put_text(file, "name", name);
    }
    json_put(recording, "file", json_incref(file));
    cleanup_free char *to = text_format("%s/%s-%lld.json", recorder->folder, key, (long long)time);
    cleanup_free char *text = json_dumps(recording, JSON_INDENT(2) | JSON_SORT_KEYS);
    cleanup_free char *line = text_format("%s\n", text != NULL ? text : "");
    if (text == NULL)
        out_of_memory();
    return file_write_atomic(to, line, strlen(line), 0600, reterr);
}

salvor_status recorder_save(struct worker_call *call, const char *service, const char *method,
                            const json_t *request, salvor_status status, json_t *answer,
                            const char *path)
{
    cleanup_error struct error err = ERROR_INIT;
    if (save(call, service, method, request, status, answer, path, &err) == 0)
        return status;
    (void)error_prefix(&err, "recording");
    return call_fail_error(call, SALVOR_FAILED, &err);
}

static int hide_in(const char *path, struct error *reterr)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (file_read(path, RECORDING_LIMIT, &text, &size, reterr) != 0)
        return -1;
    cleanup_json json_t *recording = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_whole(recording, "recording", 0) != 1)
        return 0; /* not one of ours */
    redact_json(recording);
    cleanup_free char *hidden = json_dumps(recording, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (hidden == NULL)
        out_of_memory();
    cleanup_free char *line = text_format("%s\n", hidden);
    if (text_equal(line, text))
        return 0;
    return file_write_atomic(path, line, strlen(line), 0600, reterr);
}

int recorder_hide_again(const struct recorder *recorder, struct error *reterr)
{
    if (!recorder_records(recorder))
        return 0;
    cleanup_dir DIR *entries = opendir(recorder->folder);
    if (entries == NULL)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read folder '%s'", recorder->folder);
    for (struct dirent *entry = NULL; (entry = readdir(entries)) != NULL;) {
        cleanup_free char *path = text_format("%s/%s", recorder->folder, entry->d_name);
        if (text_ends(entry->d_name, ".json") && hide_in(path, reterr) != 0)
            return -1;
    }
    return 0;
}

/* ---- replay ---------------------------------------------------------------------------------- */

static json_t *load(const char *folder, const char *name, struct error *reterr)
{
    cleanup_free char *path = text_format("%s/%s", folder, name);
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (file_read(path, RECORDING_LIMIT, &text, &size, reterr) != 0)
        return NULL;
    json_t *recording = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(recording) && json_whole(recording, "recording", 0) == 1)
        return recording;
    json_decref(recording);
    (void)error_set(reterr, EXIT_FAILED, "'%s' is not a recording of version 1", path);
    return NULL;
}

/* Bytes of a common beginning and end: requests that differ in one word are near. */
static size_t likeness(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    size_t shorter = a_size < b_size ? a_size : b_size;
    size_t front = 0;
    size_t back = 0;
    while (front < shorter && a[front] == b[front])
        front++;
    while (back < shorter - front && a[a_size - 1 - back] == b[b_size - 1 - back])
        back++;
    return front + back;
}

/* The recorded request of the same method that looks most like `wanted`; owned by the caller. */
static char *nearest(const char *folder, const char *service, const char *method,
                     const char *wanted)
{
    cleanup_dir DIR *entries = opendir(folder);
    cleanup_free char *prefix = text_format("%s.%s-", service, method);
    cleanup_free char *best = NULL;
    size_t best_likeness = 0;
    for (struct dirent *entry = NULL; entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (!text_starts(entry->d_name, prefix) || !text_ends(entry->d_name, ".json"))
            continue;
        cleanup_json json_t *recording = load(folder, entry->d_name, NULL);
        cleanup_free char *text = json_canonical(json_object_get(recording, "request"));
        size_t like = recording != NULL ? likeness(wanted, text) : 0;
        if (best == NULL || like > best_likeness ||
            (like == best_likeness && strcmp(text, best) < 0)) {
            free(best);
            best = take_pointer(text);
            best_likeness = like;
        }
    }
    return take_pointer(best);
}

static salvor_status missing(struct worker_call *call, const char *service, const char *method,
                             const json_t *request, int64_t time)
{
    const struct recorder *recorder = call->session->recorder;
    cleanup_free char *wanted = json_canonical(request);
    cleanup_free char *near = nearest(recorder->folder, service, method, wanted);
    if (time > 1)
        (void)call_fail(call, SALVOR_FAILED,
                        "'%s' has fewer than %lld recordings of %s.%s of '%.600s'",
                        recorder->folder, (long long)time, service, method, wanted);
    else
        (void)call_fail(call, SALVOR_FAILED, "'%s' has no recording of %s.%s of '%.600s'",
                        recorder->folder, service, method, wanted);
    if (near == NULL)
        return call_hint(call, SALVOR_FAILED, "nothing of %s.%s is recorded there", service,
                         method);
    return call_hint(call, SALVOR_FAILED, "nearest recorded request: %.600s", near);
}

static int restore_file(const struct recorder *recorder, const json_t *recording, const char *path,
                        struct error *reterr)
{
    const json_t *file = json_object_get(recording, "file");
    const char *name = json_text(file, "name");
    if (path == NULL || name == NULL)
        return 0;
    cleanup_json json_t *about = NULL;
    cleanup_free char *from = text_format("%s/%s", recorder->folder, name);
    if (strchr(name, '/') != NULL)
        return error_set(reterr, EXIT_FAILED, "recorded file name '%s' leaves its folder", name);
    if (copy_file(from, path, &about, reterr) != 0)
        return -1;
    if (!text_equal(json_text(about, "sha256"), json_text(file, "sha256")))
        return error_set(reterr, EXIT_FAILED, "recorded file '%s' is not what was recorded", from);
    return 0;
}

static salvor_status take_error(struct worker_call *call, const json_t *recording,
                                salvor_status status)
{
    const json_t *err = json_object_get(recording, "error");
    const char *message = json_text(err, "message");
    if (status == SALVOR_OK)
        return status;
    (void)call_fail(call, status, "%s", message != NULL ? message : "a recorded failure");
    if (json_text(err, "hint") != NULL)
        return call_hint(call, status, "%s", json_text(err, "hint"));
    return status;
}

salvor_status recorder_replay(struct worker_call *call, const char *service, const char *method,
                              const json_t *request, const char *path, json_t **ret_answer)
{
    struct recorder *recorder = call->session->recorder;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *key = key_of(service, method, request);
    int64_t time = 0;
    *ret_answer = NULL;
    if (next_time(recorder, key, &time, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    cleanup_free char *name = text_format("%s-%lld.json", key, (long long)time);
    cleanup_free char *file = text_format("%s/%s", recorder->folder, name);
    if (access(file, F_OK) != 0)
        return missing(call, service, method, request, time);
    cleanup_json json_t *recording = load(recorder->folder, name, &err);
    if (recording == NULL || restore_file(recorder, recording, path, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    json_t *answer = json_object_get(recording, "answer");
    *ret_answer = json_is_object(answer) ? json_incref(answer) : NULL;
    return take_error(call, recording,
                      (salvor_status)json_whole(recording, "status", SALVOR_FAILED));
}
