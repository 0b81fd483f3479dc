#include "host/service.h"

#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "host/client.h"
#include "host/redact.h"
#include "host/secrets.h"

struct service {
    struct client *client;
    struct secrets *desk;
    struct service_listener listener; /* of the call under way */
    json_t *result;                   /* that it gave so far, or NULL */
};

struct service *service_new(const struct service_settings *settings)
{
    struct service *service = memory_new(1, sizeof *service);
    cleanup_json json_t *open = settings->open != NULL ? json_clone(settings->open) : json_object();
    const struct client_settings client = {
        .open = open, .per_call = settings->per_call, .debug = settings->debug};
    service->client = client_new(&client);
    service->desk = secrets_new(settings->secrets, settings->run_folder);
    return service;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    client_free(service->client);
    secrets_free(service->desk);
    json_decref(service->result);
    free(service);
}

/* ---- what is heard ----------------------------------------------------------------------- */

static int on_frame(void *data, enum frame_type type, const json_t *borrowed, struct error *reterr)
{
    struct service *service = data;
    cleanup_json json_t *body = json_clone(borrowed);
    redact_json(body);
    switch (type) {
    case FRAME_RESULT:
        json_decref(service->result);
        service->result = json_incref(body);
        return 0;
    case FRAME_LOG:
    case FRAME_PROGRESS:
    case FRAME_ITEM:
    case FRAME_NOTE:
    case FRAME_ARTIFACT:
    case FRAME_EVIDENCE:
    case FRAME_LEDGER:
    case FRAME_STATE:
        return service->listener.frame != NULL
                   ? service->listener.frame(service->listener.data, type, body, reterr)
                   : 0;
    default:
        return error_set(reterr, EXIT_FAILED, "a '%s' frame, which no service sends",
                         frame_type_name(type));
    }
}

static json_t *on_request(void *data, const json_t *body, struct error *reterr)
{
    struct service *service = data;
    const char *ask = json_text(body, "ask");
    json_t *reply = NULL;
    if (secrets_answer(service->desk, body, &reply, reterr) == 0)
        (void)error_set(reterr, EXIT_FAILED, "the service worker asks for something unknown: '%s'",
                        ask != NULL ? ask : "");
    return reply;
}

static int on_tick(void *data)
{
    struct service *service = data;
    return service->listener.tick != NULL ? service->listener.tick(service->listener.data) : 0;
}

/* ---- calling ----------------------------------------------------------------------------- */

int service_begin(struct service *service, const struct service_request *request,
                  const struct service_listener *listener, struct error *reterr)
{
    const struct client_listener all = {service, on_frame, on_request, on_tick};
    cleanup_json json_t *nothing = json_object();
    cleanup_json json_t *body =
        json_make("{s:s, s:s, s:I, s:I, s:O}", "hook", "service", "name", request->name, "effect",
                  (json_int_t)request->effect, "deadline_ms", (json_int_t)request->deadline_ms,
                  "request", request->request != NULL ? request->request : nothing);
    if (!client_is_calling(service->client)) {
        service->listener = listener != NULL ? *listener : (struct service_listener){0};
        json_decref(take_pointer(service->result));
    }
    return client_begin(service->client, body, &all, reterr);
}

int service_pump(struct service *service, int64_t wait_ms)
{
    return client_pump(service->client, wait_ms);
}

int service_tell(struct service *service, const json_t *body, struct error *reterr)
{
    return client_tell(service->client, body, reterr);
}

int service_is_calling(const struct service *service)
{
    return client_is_calling(service->client);
}

static enum exit_code code_of(const struct client_outcome *outcome)
{
    if (outcome->end == CLIENT_CANCELLED)
        return EXIT_INTERRUPTED;
    if (outcome->end != CLIENT_DONE)
        return EXIT_FAILED;
    switch (outcome->status) {
    case SALVOR_REFUSED:
        return EXIT_REFUSED;
    case SALVOR_NEEDS_OPERATOR:
        return EXIT_WAITS;
    case SALVOR_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

int service_finish(struct service *service, json_t **ret_result, salvor_status *ret_status,
                   struct error *reterr)
{
    struct client_outcome outcome = {CLIENT_DONE, SALVOR_OK, 0, ERROR_INIT};
    client_finish(service->client, &outcome);
    service->listener = (struct service_listener){0};
    const int answered = outcome.end == CLIENT_DONE;
    if (ret_status != NULL)
        *ret_status = answered ? outcome.status : SALVOR_FAILED;
    if (answered && outcome.status == SALVOR_OK) {
        json_t *result = take_pointer(service->result);
        if (ret_result != NULL)
            *ret_result = result;
        else
            json_decref(result);
        return 0;
    }
    outcome.error.code = code_of(&outcome);
    return error_move(reterr, &outcome.error);
}

int service_call(struct service *service, const struct service_request *request,
                 const struct service_listener *listener, json_t **ret_result,
                 salvor_status *ret_status, struct error *reterr)
{
    if (ret_status != NULL)
        *ret_status = SALVOR_FAILED;
    if (service_begin(service, request, listener, reterr) != 0)
        return -1;
    while (!service_pump(service, INT32_MAX))
        continue;
    return service_finish(service, ret_result, ret_status, reterr);
}
