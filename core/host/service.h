/*
 * The parent's side of a service worker: the same program without a plugin, which does what needs
 * no plugin but may crash, hang or take its time (stores, the Lease). Started by the first call,
 * replaced after a crash, a cancel or a deadline; one a command is enough, except where something
 * goes on beside other calls.
 *
 * Frames are validated, redacted and handed on; secrets are answered here. What a call is named and
 * what its request and result hold stands with the service (worker/service-calls.h).
 */
#ifndef SALVOR_HOST_SERVICE_H
#define SALVOR_HOST_SERVICE_H

#include <jansson.h>
#include <salvor/types.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/frame.h"

struct service;

struct service_settings {
    const json_t *open;    /* OPEN body without "protocol", "plugin", "name"; NULL: nothing in it */
    const json_t *secrets; /* name -> reference, what a call may ask for by name; or NULL */
    const char *run_folder; /* or NULL: nothing can be sealed */
    int per_call;           /* SALVOR_WORKER=per-call */
    int debug;
};

struct service_request {
    const char *name; /* "backups.verify" */
    uint32_t effect;  /* SALVOR_EFFECT_*: the most that the call may do */
    int64_t deadline_ms;
    const json_t *request; /* an object, or NULL */
};

/* What is heard meanwhile; members may be NULL. */
struct service_listener {
    void *data;
    /* LOG, PROGRESS, ITEM, NOTE, ARTIFACT, EVIDENCE, LEDGER, STATE; body redacted and borrowed.
     * Non-zero ends the worker with *reterr as the reason. */
    int (*frame)(void *data, enum frame_type type, const json_t *body, struct error *reterr);
    /* At least every 100 ms. 1: cancel the call; 2: kill the worker now. */
    int (*tick)(void *data);
};

/* Nothing is started yet. `settings` is copied. */
struct service *service_new(const struct service_settings *settings);

/* Ends the worker (a call under way is killed). NULL is fine. */
void service_free(struct service *service);

/*
 * Makes one call and waits for its end. 0: it went well, *ret_result (may be NULL) is the caller's
 * or NULL when the service gave none. -1: *reterr, with exit code 130 when the tick stopped it, 5
 * when the service refused, 4 when it needs a person, else 1; *ret_status (may be NULL) tells what
 * the service answered: SALVOR_OK in the first case, SALVOR_FAILED when it did not come to answer.
 */
int service_call(struct service *service, const struct service_request *request,
                 const struct service_listener *listener, json_t **ret_result,
                 salvor_status *ret_status, struct error *reterr);

/*
 * The same in pieces, for what goes on beside other work: service_begin starts the call (waiting
 * only for a new worker to be ready); service_pump, from the tick of another conversation or from
 * any wait, answers 1 once it is over, waiting at most `wait_ms` for that; service_finish then
 * takes the result. Nothing is heard, and no deadline is enforced, between two pumps; the worker
 * goes on by itself.
 */
int service_begin(struct service *service, const struct service_request *request,
                  const struct service_listener *listener, struct error *reterr);
int service_pump(struct service *service, int64_t wait_ms);
int service_finish(struct service *service, json_t **ret_result, salvor_status *ret_status,
                   struct error *reterr);
/*
 * A call that goes on can be told something: `body` ({"serial",…}, borrowed) reaches it with the
 * next pump, and what it says of itself comes as STATE frames: {"serial": of the body that it
 * answers, or 0, "state":{…}}. A call that ended meanwhile hears nothing of it.
 */
int service_tell(struct service *service, const json_t *body, struct error *reterr);
/* 1 between service_begin and service_finish. */
int service_is_calling(const struct service *service);

#endif
