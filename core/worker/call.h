/*
 * One call of one hook, as the worker sees it: what services need to do their work within the
 * call's effect, deadline and cancellation. Single thread, except where said.
 *
 * Services keep to this, because the worker looks after each hook for what a plugin left behind:
 * descriptors that stay open between calls are named with worker_keep_descriptor, child processes
 * that stay with worker_keep_child, and threads that stay are named "salvor-..."
 * (pthread_setname_np). SIGPIPE is ignored here; commands are started with it set back to its
 * default.
 */
#ifndef SALVOR_WORKER_CALL_H
#define SALVOR_WORKER_CALL_H

#include <jansson.h>
#include <poll.h>
#include <salvor/plugin.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/frame.h"

struct plugin_info;  /* plugin/plugin-info.h */
struct recorder;     /* services/recorder.h: record and replay, NULL when neither was asked for */
struct planning;     /* worker/plan.c: the stage being planned */
struct salvor_hooks; /* salvor/plugin.h */

/* What lives as long as the worker process; from the OPEN frame. */
struct worker_session {
    int socket;         /* to the parent */
    int cancel_fd;      /* eventfd, readable once the call shall stop; never read here */
    json_t *open;       /* body of the OPEN frame */
    json_t *descriptor; /* descriptor JSON of the loaded plugin; NULL in a service worker */
    const struct plugin_info *plugin; /* the same, typed; NULL in a service worker */
    const struct salvor_hooks *hooks; /* NULL in a service worker */
    struct recorder *recorder;
};

enum worker_hook {
    HOOK_DISCOVER,
    HOOK_VALIDATE,
    HOOK_BACKUP,
    HOOK_RESTORE,
    HOOK_POST_RESYNC,
    HOOK_RUN_STEP,
    HOOK_CHECK_STEP,
    HOOK_OBSERVE,
    HOOK_SERVICE /* a call of a service worker (service-calls.h) */
};

struct call_handle; /* what must be closed when the hook returns */

struct worker_call {
    salvor_call public; /* first: the plugin's view of the call */
    struct worker_session *session;
    uint32_t magic; /* WORKER_CALL_MAGIC while the hook runs */
    uint32_t id;
    enum worker_hook hook;
    const char *hook_name; /* "run_step"; of a service call: its name */
    json_t *body;          /* body of the CALL frame */
    const char *row;       /* id of the running row; "-" outside run_step and check_step */
    uint32_t effect;       /* most that services may do now, SALVOR_EFFECT_* */
    int pre_image_needed;  /* mutations are locked until a pre-image is durable */
    int64_t deadline;      /* monotonic ms */
    struct error error;    /* last failure of a host function */
    salvor_status error_status;
    struct error reported; /* what the hook said with report(); wins over `error` */
    struct call_handle *handles;
    void *memory;              /* what call_keep handed out */
    json_t *told;              /* TELL bodies that nobody has heard yet, or NULL */
    json_t *classes;           /* fact name -> class, of the facts put in this call */
    struct planning *planning; /* in plan hooks */
};

enum { WORKER_CALL_MAGIC = 0x43414c4c };

/* The worker's call behind the plugin's. */
static inline struct worker_call *call_of(salvor_call *call)
{
    return (struct worker_call *)(void *)call;
}

/* Records the text of a failure and returns `status`. */
salvor_status call_fail(struct worker_call *call, salvor_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same from an error (emptied); its exit code is not used. */
salvor_status call_fail_error(struct worker_call *call, salvor_status status, struct error *err);
/* Adds the next step to the failure just recorded; returns `status`. */
salvor_status call_hint(struct worker_call *call, salvor_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What the analyzer cannot see from another file. */
#ifdef __clang_analyzer__
static inline salvor_status call_returned(salvor_status result, salvor_status status)
{
    (void)result;
    return status;
}
#define call_fail(call, status, ...) call_returned((call_fail)(call, status, __VA_ARGS__), status)
#define call_fail_error(call, status, err) \
    call_returned((call_fail_error)(call, status, err), status)
#define call_hint(call, status, ...) call_returned((call_hint)(call, status, __VA_ARGS__), status)
#endif

/*
 * The gate before anything that changes the outside: OK when the running row's effect covers it and
 * its pre-image is durable; else REFUSED with a text naming `what` ("start job 'x'").
 */
salvor_status call_may_change(struct worker_call *call, const char *what);

/* Memory that lives until the hook returns; never NULL. */
void *call_keep(struct worker_call *call, size_t size);
char *call_keep_text(struct worker_call *call, const char *data, size_t size);

/* Registers `handle` to be closed with `close` when the hook returns; call_forget when it is closed
 * earlier. call_owns: 1 when the plugin gave back a live handle of this call with that closer. */
void call_register(struct worker_call *call, void *handle,
                   void (*close_handle)(struct worker_call *call, void *handle));
void call_forget(struct worker_call *call, const void *handle);
int call_owns(const struct worker_call *call, const void *handle,
              void (*close_handle)(struct worker_call *call, void *handle));

/* Sends a frame of this call; `body` is stolen. A parent that is gone ends the process. Any
 * thread; dropped once the hook has returned. A body that passes the frame's limit is the caller's
 * bug and ends the process. */
void call_send(struct worker_call *call, enum frame_type type, json_t *body);

/* REQUEST and its REPLY. `request` ({"ask":…}) is stolen; *ret_reply is owned by the caller. */
salvor_status call_ask(struct worker_call *call, json_t *request, json_t **ret_reply);

/*
 * For service calls that go on for long: the parent tells them what it wants (TELL), they tell how
 * they stand (STATE). call_hear waits at most `timeout_ms` for the next TELL: OK with *ret_body
 * ({"serial",…}, owned by the caller), PENDING when none came, else as call_wait. call_state
 * answers the TELL `serial`; with serial 0 it tells by itself, unless the parent has not read what
 * it was told before: then it hears of it when it asks. `state` (an object) is stolen.
 */
salvor_status call_hear(struct worker_call *call, int64_t timeout_ms, json_t **ret_body);
void call_state(struct worker_call *call, int64_t serial, json_t *state);

/* EVIDENCE of what a service did; `body` ({"service","what",…,"duration_ms"}) is stolen. */
void call_evidence(struct worker_call *call, json_t *body);

/*
 * poll() for services: returns OK when one of `fds` is ready (count may be 0: a sleep), PENDING
 * when `timeout_ms` passed (-1: none), CANCELLED or TIMEOUT when the call was cancelled or its
 * deadline passed.
 */
salvor_status call_wait(struct worker_call *call, struct pollfd *fds, nfds_t count,
                        int64_t timeout_ms);

/* Milliseconds left to the call, never negative. */
int64_t call_time_left(const struct worker_call *call);

/* A descriptor of a service that stays open between calls is not the plugin's leak. */
void worker_keep_descriptor(int fd);
void worker_forget_descriptor(int fd);
int worker_keeps_descriptor(int fd);

/* The same for a child process, which ends with this one. 0: any at all. */
void worker_keep_child(pid_t pid);
void worker_forget_child(pid_t pid);
int worker_keeps_child(pid_t pid);

/* Text member of the OPEN frame ("scratch_folder"), or NULL. */
const char *call_setting(const struct worker_call *call, const char *name);

#endif
