#include "practice-call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

struct call_handle {
    struct call_handle *next;
    void *handle;
    void (*close_handle)(struct worker_call *call, void *handle);
};

struct kept {
    struct kept *next;
    max_align_t bytes[];
};

static struct practice *practice_of(struct worker_call *call)
{
    return (struct practice *)(void *)((char *)call - offsetof(struct practice, call));
}

/* ---- life ------------------------------------------------------------------------------------ */

static void begin_call(struct practice *practice, uint32_t effect)
{
    practice->call = (struct worker_call){
        .session = &practice->session,
        .id = 1,
        .body = json_make("{s:{s:s,s:s,s:s}}", "step", "instance", "restore/stage/1", "row", "row",
                          "job_id", "job-1"),
        .row = "row",
        .effect = effect,
        .deadline = clock_monotonic_ms() + 60000,
    };
}

static void end_call(struct practice *practice)
{
    struct worker_call *call = &practice->call;
    while (call->handles != NULL) {
        struct call_handle *handle = call->handles;
        call->handles = handle->next;
        handle->close_handle(call, handle->handle);
        free(handle);
    }
    for (struct kept *block = call->memory; block != NULL;) {
        struct kept *next = block->next;
        free(block);
        block = next;
    }
    error_clear(&call->error);
    json_decref(call->body);
}

void practice_begin(struct practice *practice)
{
    char pattern[] = "/tmp/salvor-test-services-XXXXXX";
    *practice = (struct practice){0};
    if (mkdtemp(pattern) == NULL)
        abort();
    practice->folder = text_copy(pattern);
    practice->scratch = text_format("%s/scratch", pattern);
    cleanup_free char *jobs = text_format("%s/jobs", pattern);
    cleanup_free char *ledger = text_format("%s/ledger", pattern);
    cleanup_free char *artifacts = text_format("%s/artifacts", pattern);
    practice->session.open = json_make(
        "{s:s,s:s,s:s,s:s,s:s,s:n}", "run_folder", pattern, "scratch_folder", practice->scratch,
        "jobs_folder", jobs, "ledger_folder", ledger, "artifact_folder", artifacts, "source");
    practice->session.descriptor = json_make("{}");
    practice->session.cancel_fd = eventfd(0, EFD_CLOEXEC);
    practice->frames = json_make("[]");
    if (file_make_folder(practice->scratch, NULL) != 0)
        abort();
    begin_call(practice, SALVOR_EFFECT_CHANGE);
}

void practice_next_call(struct practice *practice, uint32_t effect)
{
    end_call(practice);
    begin_call(practice, effect);
}

void practice_end(struct practice *practice)
{
    end_call(practice);
    json_decref(practice->session.open);
    json_decref(practice->session.descriptor);
    (void)close(practice->session.cancel_fd);
    json_decref(practice->frames);
    if (file_remove_tree(practice->folder, NULL) != 0)
        abort();
    free(practice->folder);
    free(practice->scratch);
}

int practice_setup(void **state)
{
    struct practice *practice = memory_new(1, sizeof *practice);
    practice_begin(practice);
    *state = practice;
    return 0;
}

int practice_teardown(void **state)
{
    practice_end(*state);
    free(*state);
    return 0;
}

/* ---- frames ---------------------------------------------------------------------------------- */

const json_t *practice_frame(const struct practice *practice, enum frame_type type)
{
    for (size_t i = json_array_size(practice->frames); i > 0; i--) {
        const json_t *frame = json_array_get(practice->frames, i - 1);
        if (json_whole(frame, "type", 0) == type)
            return json_object_get(frame, "body");
    }
    return NULL;
}

size_t practice_frame_count(const struct practice *practice, enum frame_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(practice->frames); i++)
        count += json_whole(json_array_get(practice->frames, i), "type", 0) == type;
    return count;
}

void practice_forget_frames(struct practice *practice)
{
    (void)json_array_clear(practice->frames);
}

void call_send(struct worker_call *call, enum frame_type type, json_t *body)
{
    json_add(practice_of(call)->frames, json_make("{s:i,s:o}", "type", (int)type, "body", body));
}

void call_evidence(struct worker_call *call, json_t *body)
{
    call_send(call, FRAME_EVIDENCE, body);
}

salvor_status call_ask(struct worker_call *call, json_t *request, json_t **ret_reply)
{
    struct practice *practice = practice_of(call);
    cleanup_json json_t *own = request;
    *ret_reply = practice->answer != NULL ? practice->answer(practice, own) : NULL;
    return *ret_reply != NULL ? SALVOR_OK : call_fail(call, SALVOR_FAILED, "the parent refuses");
}

/* ---- failures -------------------------------------------------------------------------------- */

salvor_status call_fail(struct worker_call *call, salvor_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    (void)error_set(&call->error, EXIT_FAILED, "%s", text);
    return status;
}

salvor_status call_fail_error(struct worker_call *call, salvor_status status, struct error *err)
{
    (void)error_move(&call->error, err);
    return status;
}

salvor_status call_hint(struct worker_call *call, salvor_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    (void)error_hint(&call->error, "%s", text);
    return status;
}

salvor_status call_may_change(struct worker_call *call, const char *what)
{
    if (call->effect < SALVOR_EFFECT_CHANGE || call->pre_image_needed)
        return call_fail(call, SALVOR_REFUSED, "refusing to %s", what);
    return SALVOR_OK;
}

/* ---- memory and handles ---------------------------------------------------------------------- */

void *call_keep(struct worker_call *call, size_t size)
{
    struct kept *block = memory_new(1, sizeof *block + size);
    block->next = call->memory;
    call->memory = block;
    return block->bytes;
}

char *call_keep_text(struct worker_call *call, const char *data, size_t size)
{
    char *text = call_keep(call, size + 1);
    if (size > 0)
        memcpy(text, data, size);
    return text;
}

void call_register(struct worker_call *call, void *handle,
                   void (*close_handle)(struct worker_call *call, void *handle))
{
    struct call_handle *entry = memory_new(1, sizeof *entry);
    *entry = (struct call_handle){call->handles, handle, close_handle};
    call->handles = entry;
}

void call_forget(struct worker_call *call, const void *handle)
{
    for (struct call_handle **at = &call->handles; *at != NULL; at = &(*at)->next) {
        if ((*at)->handle == handle) {
            struct call_handle *gone = *at;
            *at = gone->next;
            free(gone);
            return;
        }
    }
}

int call_owns(const struct worker_call *call, const void *handle,
              void (*close_handle)(struct worker_call *call, void *handle))
{
    for (const struct call_handle *at = call->handles; at != NULL; at = at->next)
        if (at->handle == handle && at->close_handle == close_handle)
            return 1;
    return 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

int64_t call_time_left(const struct worker_call *call)
{
    const int64_t left = call->deadline - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

salvor_status call_wait(struct worker_call *call, struct pollfd *fds, nfds_t count,
                        int64_t timeout_ms)
{
    struct practice *practice = practice_of(call);
    if (practice->interrupt != SALVOR_OK && practice->interrupt_after-- <= 0)
        return call_fail(call, practice->interrupt, "interrupted");
    const int64_t end = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
    for (;;) {
        int64_t wait = call_time_left(call);
        int64_t own = end - clock_monotonic_ms();
        if (own < 0)
            own = 0;
        int ready = poll(fds, count, (int)(own < wait ? own : wait));
        if (ready > 0)
            return SALVOR_OK;
        if (ready < 0 && errno == EINTR)
            continue;
        if (call_time_left(call) == 0)
            return call_fail(call, SALVOR_TIMEOUT, "the deadline passed");
        if (clock_monotonic_ms() >= end)
            return SALVOR_PENDING;
    }
}

const char *call_setting(const struct worker_call *call, const char *name)
{
    return json_text(call->session->open, name);
}

void worker_keep_descriptor(int fd)
{
    (void)fd;
}

void worker_forget_descriptor(int fd)
{
    (void)fd;
}

void worker_keep_child(pid_t pid)
{
    (void)pid;
}

void worker_forget_child(pid_t pid)
{
    (void)pid;
}
