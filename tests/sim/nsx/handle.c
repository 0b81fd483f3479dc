/* One request through the layers of a manager: services, faults, identity, limits, rights, route.
 */
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "audit.h"
#include "errors.h"
#include "faults.h"
#include "rate-limit.h"
#include "route.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"

const char *nsx_query(const struct nsx_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

int nsx_query_is(const struct nsx_request *request, const char *name, const char *value)
{
    const char *given = nsx_query(request, name);
    return given != NULL && strcasecmp(given, value) == 0;
}

json_t *nsx_body(struct nsx_request *request, struct nsx_answer *answer)
{
    json_error_t error = {.text = "there is none"};
    if (request->json == NULL && request->body.size > 0)
        request->json = json_loadb(request->body.data, request->body.size, 0, &error);
    if (json_is_object(request->json))
        return request->json;
    nsx_error(answer, 400, 222, "common-services", "Invalid JSON in the request body: %s.",
              error.text);
    return NULL;
}

void nsx_answer_json(struct nsx_answer *answer, int status, json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    buffer_clear(&answer->body);
    buffer_append_text(&answer->body, text);
    answer->status = status;
    answer->content_type = "application/json";
    free(text);
    json_decref(tree);
}

void nsx_answer_empty(struct nsx_answer *answer, int status)
{
    buffer_clear(&answer->body);
    answer->status = status;
    answer->content_type = NULL;
}

void nsx_answer_text(struct nsx_answer *answer, int status, const char *content_type,
                     const char *text)
{
    buffer_clear(&answer->body);
    buffer_append_text(&answer->body, text);
    answer->status = status;
    answer->content_type = content_type;
}

void nsx_answer_deleted(const struct sim_nsx *sim, struct nsx_answer *answer)
{
    nsx_answer_empty(answer, nsx_switch_is(sim, SW_DELETE_STATUS, "204") ? 204 : 200);
}

/* While services restart, the gateway in front of them answers in its own ways. */
static int services_answer(const struct sim_nsx *sim, struct nsx_answer *answer, int always)
{
    if (sim->service == NSX_SERVICE_GATEWAY)
        nsx_answer_text(answer, 502, "text/html",
                        "<html><head><title>502 Bad Gateway</title></head><body>"
                        "<center><h1>502 Bad Gateway</h1></center></body></html>\n");
    else if (sim->service == NSX_SERVICE_STARTING && !always)
        nsx_error(answer, 503, 98, "common-services",
                  "Some appliance components are not functioning properly.");
    else
        return 1;
    return 0;
}

static void dispatch(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    struct nsx_answer unknown = {.body = BUFFER_INIT(NSX_ANSWER_LIMIT)};
    const struct nsx_route *route = nsx_route(sim, request, &unknown);
    int always = route != NULL && (route->flags & NSX_WHILE_RESTORING) != 0;
    if (!services_answer(sim, answer, always) ||
        ((route == NULL || route->feature != NSX_FREE) &&
         nsx_identify(sim, request, answer) != 0) ||
        nsx_limit(sim, request, answer) != 0) {
        buffer_clear(&unknown.body);
        return;
    }
    if (route == NULL) {
        buffer_clear(&answer->body);
        *answer = unknown;
        answer->cut_at = -1;
        return;
    }
    if (route->feature == NSX_FREE || nsx_authorize(sim, request, route->feature, answer) == 0)
        route->handler(sim, request, answer);
}

/* What plays a cluster that a partition keeps away gets no answer. */
static int is_cut_off(const struct sim_nsx *sim, const struct nsx_request *request)
{
    return request->peer_name != NULL && request->user_agent != NULL &&
           text_starts(request->user_agent, NSX_PLAYER_AGENT) &&
           nsx_is_partitioned(sim, request->peer_name);
}

void nsx_handle(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    answer->cut_at = -1;
    sim->current = request;
    if (sim->clock.per_request_ms > 0)
        nsx_clock_advance(sim, sim->clock.per_request_ms);
    nsx_clock_run(sim);
    const struct nsx_fault *fault = nsx_fault_for(sim, request);
    if (fault != NULL && nsx_fault_expires(fault))
        nsx_expire_sessions(sim, -1);
    if (is_cut_off(sim, request))
        answer->outcome = NSX_CLOSED;
    else if (request->body.size > NSX_REQUEST_LIMIT)
        nsx_error(answer, 400, 255, "common-services", "The request body is too large.");
    else if (fault == NULL || nsx_fault_acts(fault))
        dispatch(sim, request, answer);
    if (sim->must_check)
        nsx_adapters_check(sim);
    if (fault != NULL)
        nsx_fault_apply(sim, fault, request, answer);
    sim->current = NULL;
    if (answer->stall_ms == 0 && sim->latency_ms > 0)
        answer->stall_ms = sim->latency_ms;
    nsx_audit_write(sim, request, answer);
}
