#include "worker/call.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/vocabulary.h"
#include "worker/call-life.h"
#include "worker/channel.h"

struct call_handle {
    struct call_handle *next;
    void *handle;
    void (*close_handle)(struct worker_call *call, void *handle);
};

struct kept_memory {
    struct kept_memory *next;
    max_align_t bytes[];
};

/* log, progress and cancelled may come from threads of the plugin. */
static pthread_mutex_t send_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t open_call; /* id of the call that may send; 0: none */

/* ---- life ------------------------------------------------------------------------------------ */

void call_begin(struct worker_call *call, struct worker_session *session, uint32_t id)
{
    *call = (struct worker_call){0};
    call->session = session;
    call->magic = WORKER_CALL_MAGIC;
    call->id = id;
    call->row = "-";
    (void)pthread_mutex_lock(&send_lock);
    open_call = id;
    (void)pthread_mutex_unlock(&send_lock);
}

void call_close_handles(struct worker_call *call)
{
    while (call->handles != NULL) {
        struct call_handle *handle = call->handles;
        call->handles = handle->next;
        handle->close_handle(call, handle->handle);
        free(handle);
    }
}

void call_finish(struct worker_call *call, json_t *last)
{
    cleanup_json json_t *body = last;
    (void)pthread_mutex_lock(&send_lock);
    open_call = 0;
    channel_send(FRAME_DONE, call->id, body);
    (void)pthread_mutex_unlock(&send_lock);
}

void call_end(struct worker_call *call)
{
    struct kept_memory *block = call->memory;
    while (block != NULL) {
        struct kept_memory *next = block->next;
        free(block);
        block = next;
    }
    error_clear(&call->error);
    error_clear(&call->reported);
    json_decref(call->told);
    json_decref(call->classes);
    json_decref(call->body);
    call->magic = 0;
}

/* ---- failures -------------------------------------------------------------------------------- */

salvor_status(call_fail)(struct worker_call *call, salvor_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    (void)error_set(&call->error, EXIT_FAILED, "%s", text);
    call->error_status = status;
    return status;
}

salvor_status(call_fail_error)(struct worker_call *call, salvor_status status, struct error *err)
{
    (void)error_move(&call->error, err);
    call->error_status = status;
    return status;
}

salvor_status(call_hint)(struct worker_call *call, salvor_status status, const char *format, ...)
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
    if (call->effect < SALVOR_EFFECT_CHANGE) {
        const char *effect = word_for(words_effect, call->effect);
        if (call->hook == HOOK_SERVICE)
            return call_fail(call, SALVOR_REFUSED,
                             "refusing to %s: this call of '%s' may only look", what,
                             call->hook_name);
        if (call->hook != HOOK_RUN_STEP)
            return call_fail(call, SALVOR_REFUSED, "refusing to %s: '%s' may only look", what,
                             call->hook_name);
        return call_fail(call, SALVOR_REFUSED, "refusing to %s: row '%s' declares effect '%s'",
                         what, call->row, effect != NULL ? effect : "none");
    }
    if (call->pre_image_needed) {
        (void)call_fail(call, SALVOR_REFUSED, "refusing to %s: row '%s' has saved no pre-image yet",
                        what, call->row);
        return call_hint(call, SALVOR_REFUSED,
                         "the plugin calls checkpoint() with what stands now before it changes it");
    }
    return SALVOR_OK;
}

/* ---- memory and handles ---------------------------------------------------------------------- */

void *call_keep(struct worker_call *call, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct kept_memory))
        out_of_memory();
    struct kept_memory *block = memory_new(1, sizeof *block + size);
    block->next = call->memory;
    call->memory = block;
    return block->bytes;
}

char *call_keep_text(struct worker_call *call, const char *data, size_t size)
{
    char *text = call_keep(call, size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
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
    for (const struct call_handle *at = call->handles; at != NULL; at = at->next) {
        if (at->handle == handle && at->close_handle == close_handle)
            return 1;
    }
    return 0;
}

/* ---- talking to the parent ------------------------------------------------------------------- */

void call_send(struct worker_call *call, enum frame_type type, json_t *body)
{
    cleanup_json json_t *own = body;
    (void)pthread_mutex_lock(&send_lock);
    if (open_call == call->id)
        channel_send(type, call->id, own);
    (void)pthread_mutex_unlock(&send_lock);
}

static salvor_status take_reply(struct worker_call *call, const json_t *request,
                                const json_t *reply, json_t **ret_reply)
{
    const json_t *failure = json_object_get(reply, "error");
    if (!json_is_object(failure)) {
        *ret_reply = json_clone(reply);
        return SALVOR_OK;
    }
    const char *message = json_text(failure, "message");
    const char *ask = json_text(request, "ask");
    (void)call_fail(call, SALVOR_FAILED, "%s", message != NULL ? message : ask != NULL ? ask : "");
    if (json_text(failure, "detail") != NULL)
        (void)error_detail(&call->error, "%s", json_text(failure, "detail"));
    if (json_text(failure, "hint") != NULL)
        (void)error_hint(&call->error, "%s", json_text(failure, "hint"));
    return SALVOR_FAILED;
}

/* 1 when the frame was a TELL of this call: it is kept until the call wants to hear of it. */
static int keep_told(struct worker_call *call, struct frame *frame)
{
    if (frame->type != FRAME_TELL)
        return 0;
    if (call->told == NULL)
        call->told = json_array();
    if (frame->call == call->id)
        json_add(call->told, take_pointer(frame->body));
    frame_clear(frame);
    return 1;
}

salvor_status call_ask(struct worker_call *call, json_t *request, json_t **ret_reply)
{
    static int64_t last_serial;
    cleanup_json json_t *own = request;
    const int64_t serial = ++last_serial;
    json_put(own, "serial", json_integer(serial));
    call_send(call, FRAME_REQUEST, json_incref(own));
    /* A cancelled call still waits: the parent answers at once or is gone, and whoever saves how
     * far it came must know whether that is durable. */
    struct frame frame = {0};
    do {
        if (channel_receive(&frame) == 0)
            channel_lost("salvor is gone");
    } while (keep_told(call, &frame));
    cleanup_json json_t *reply = frame.body;
    if (frame.type != FRAME_REPLY || frame.call != call->id ||
        json_whole(reply, "serial", 0) != serial)
        channel_lost("salvor did not answer what was asked");
    return take_reply(call, own, reply, ret_reply);
}

void call_evidence(struct worker_call *call, json_t *body)
{
    call_send(call, FRAME_EVIDENCE, body);
}

/* ---- waiting --------------------------------------------------------------------------------- */

int64_t call_time_left(const struct worker_call *call)
{
    const int64_t left = call->deadline - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

static salvor_status stopped(struct worker_call *call)
{
    if (call_time_left(call) == 0)
        return call_fail(call, SALVOR_TIMEOUT, "'%s' passed its deadline", call->hook_name);
    return call_fail(call, SALVOR_CANCELLED, "'%s' was asked to stop", call->hook_name);
}

salvor_status call_wait(struct worker_call *call, struct pollfd *fds, nfds_t count,
                        int64_t timeout_ms)
{
    const int64_t give_up = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
    struct pollfd few[16];
    cleanup_free struct pollfd *many = count >= 16 ? memory_new(count + 1, sizeof *many) : NULL;
    struct pollfd *watched = many != NULL ? many : few;
    for (;;) {
        for (nfds_t i = 0; i < count; i++)
            watched[i] = fds[i];
        watched[count] = (struct pollfd){call->session->cancel_fd, POLLIN, 0};
        const int64_t now = clock_monotonic_ms();
        int64_t wait = call_time_left(call);
        if (give_up <= now)
            wait = 0;
        else if (give_up - now < wait)
            wait = give_up - now;
        int ready = poll(watched, count + 1, wait > 60000 ? 60000 : (int)wait);
        if (ready < 0 && errno != EINTR)
            return call_fail(call, SALVOR_BUG, "cannot wait: %s", strerror(errno));
        if (ready < 0)
            continue;
        if (watched[count].revents != 0 || call_time_left(call) == 0)
            return stopped(call);
        if (ready > 0) {
            for (nfds_t i = 0; i < count; i++)
                fds[i].revents = watched[i].revents;
            return SALVOR_OK;
        }
        if (clock_monotonic_ms() >= give_up)
            return SALVOR_PENDING;
    }
}

/* ---- a call that goes on --------------------------------------------------------------------- */

salvor_status call_hear(struct worker_call *call, int64_t timeout_ms, json_t **ret_body)
{
    const int64_t give_up = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
    while (json_array_size(call->told) == 0) {
        struct frame frame = {0};
        if (!channel_take(&frame)) {
            struct pollfd socket = {call->session->socket, POLLIN, 0};
            const int64_t left = give_up - clock_monotonic_ms();
            salvor_status status = call_wait(call, &socket, 1, left > 0 ? left : 0);
            if (status != SALVOR_OK)
                return status;
            if (channel_receive(&frame) == 0)
                channel_lost("salvor is gone");
        }
        if (!keep_told(call, &frame))
            channel_lost("salvor sent what no call expects");
    }
    *ret_body = json_incref(json_array_get(call->told, 0));
    (void)json_array_remove(call->told, 0);
    return SALVOR_OK;
}

void call_state(struct worker_call *call, int64_t serial, json_t *state)
{
    if (serial == 0 && !channel_has_room()) {
        json_decref(state);
        return;
    }
    call_send(call, FRAME_STATE,
              json_make("{s:I, s:o}", "serial", (json_int_t)serial, "state", state));
}

/* ---- settings -------------------------------------------------------------------------------- */

const char *call_setting(const struct worker_call *call, const char *name)
{
    return json_text(call->session->open, name);
}

struct kept_numbers {
    int *values;
    size_t count;
};

static struct kept_numbers kept_descriptors;
static struct kept_numbers kept_children;

static void keep_number(struct kept_numbers *kept, int value)
{
    kept->values = memory_resize(kept->values, kept->count + 1, sizeof *kept->values);
    kept->values[kept->count++] = value;
}

static void forget_number(struct kept_numbers *kept, int value)
{
    for (size_t i = 0; i < kept->count; i++) {
        if (kept->values[i] == value) {
            kept->values[i] = kept->values[--kept->count];
            return;
        }
    }
}

static int keeps_number(const struct kept_numbers *kept, int value)
{
    for (size_t i = 0; i < kept->count; i++) {
        if (kept->values[i] == value)
            return 1;
    }
    return 0;
}

void worker_keep_descriptor(int fd)
{
    keep_number(&kept_descriptors, fd);
}

void worker_forget_descriptor(int fd)
{
    forget_number(&kept_descriptors, fd);
}

int worker_keeps_descriptor(int fd)
{
    return keeps_number(&kept_descriptors, fd);
}

void worker_keep_child(pid_t pid)
{
    keep_number(&kept_children, pid);
}

void worker_forget_child(pid_t pid)
{
    forget_number(&kept_children, pid);
}

int worker_keeps_child(pid_t pid)
{
    return pid == 0 ? kept_children.count > 0 : keeps_number(&kept_children, pid);
}
