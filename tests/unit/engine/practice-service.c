/* A service worker that plays the keeper of a Lease inside the test program. */
#include "practice.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "host/service.h"

struct practice_keeper keeper;

struct service {
    struct service_listener listener;
    int calling;
    int told_held;
    int64_t asked[64]; /* serials to be answered */
    int asked_count;
};

void practice_keeper_reset(void)
{
    json_decref(keeper.request);
    free(keeper.head);
    memset(&keeper, 0, sizeof keeper);
    keeper.lasts_ms = 60000;
    keeper.cluster = "uid-hub";
}

struct service *service_new(const struct service_settings *settings)
{
    (void)settings;
    return memory_new(1, sizeof(struct service));
}

void service_free(struct service *service)
{
    if (service != NULL && service->calling)
        keeper.killed = 1;
    free(service);
}

int service_is_calling(const struct service *service)
{
    return service->calling;
}

int service_begin(struct service *service, const struct service_request *request,
                  const struct service_listener *listener, struct error *reterr)
{
    (void)reterr;
    keeper.begun++;
    json_decref(keeper.request);
    keeper.request = json_make("{s:s, s:I, s:O}", "name", request->name, "effect",
                               (json_int_t)request->effect, "request", request->request);
    service->listener = *listener;
    service->calling = 1;
    service->told_held = 0;
    service->asked_count = 0;
    return 0;
}

static void tell(const struct service *service, int64_t serial, const char *phase)
{
    if (keeper.trouble == NULL)
        keeper.valid_until = clock_boottime_ms() + keeper.lasts_ms;
    json_t *body =
        json_make("{s:I, s:{s:s, s:I, s:s?, s:s?, s:s?, s:i, s:i, s:i}}", "serial",
                  (json_int_t)serial, "state", "phase", phase, "valid_until",
                  (json_int_t)keeper.valid_until, "cluster", keeper.cluster, "from", keeper.from,
                  "trouble", keeper.trouble, "renewals", 3, "failures", 1, "longest_gap_ms", 7);
    (void)service->listener.frame(service->listener.data, FRAME_STATE, body, NULL);
    json_decref(body);
}

int service_pump(struct service *service, int64_t wait_ms)
{
    if (wait_ms > 0)
        (void)poll(NULL, 0, 1);
    if (!service->calling || keeper.lost != NULL || keeper.released || keeper.crashes > 0)
        return 1;
    if (service->listener.tick != NULL && service->listener.tick(service->listener.data) == 1) {
        keeper.cancelled = 1;
        return 1;
    }
    if (!service->told_held && keeper.waits > 0) {
        keeper.waits--;
        tell(service, 0, "waiting");
        return 0;
    }
    if (!service->told_held) {
        service->told_held = 1;
        tell(service, 0, "held");
    }
    for (int i = 0; i < service->asked_count && !keeper.silent; i++)
        tell(service, service->asked[i], "held");
    if (!keeper.silent)
        service->asked_count = 0;
    return 0;
}

int service_tell(struct service *service, const json_t *body, struct error *reterr)
{
    const char *what = json_text(body, "do");
    if (!service->calling)
        return error_set(reterr, EXIT_FAILED, "not in a call");
    keeper.renewed += text_equal(what, "renew");
    if (json_text(body, "head") != NULL) {
        free(keeper.head);
        keeper.head = text_copy(json_text(body, "head"));
        keeper.heads++;
    }
    if (text_equal(what, "release"))
        keeper.released = 1;
    else if (service->asked_count < 64)
        service->asked[service->asked_count++] = json_whole(body, "serial", 0);
    return 0;
}

int service_finish(struct service *service, json_t **ret_result, salvor_status *ret_status,
                   struct error *reterr)
{
    salvor_status status = SALVOR_OK;
    service->calling = 0;
    if (keeper.cancelled)
        status = SALVOR_CANCELLED;
    else if (keeper.crashes > 0)
        status = SALVOR_FAILED;
    else if (keeper.lost != NULL)
        status = SALVOR_REFUSED;
    if (ret_status != NULL)
        *ret_status = status;
    if (status == SALVOR_OK) {
        if (ret_result != NULL)
            *ret_result = json_make("{s:b, s:s?}", "released", keeper.not_released == NULL, "why",
                                    keeper.not_released);
        keeper.released = 0;
        keeper.releases++;
        return 0;
    }
    if (status == SALVOR_FAILED) {
        keeper.crashes--;
        return error_set(reterr, EXIT_FAILED, "the service worker crashed in 'lease.keep'");
    }
    if (status == SALVOR_CANCELLED)
        return error_set(reterr, EXIT_INTERRUPTED, "stopped");
    (void)error_set(reterr, EXIT_REFUSED, "%s", keeper.lost);
    (void)error_detail(reterr, "the detail");
    return error_hint(reterr, "the hint");
}
