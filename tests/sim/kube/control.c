#include "control.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "json-text.h"
#include "json-tree.h"
#include "status.h"
#include "watch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

void control_clear_faults(struct sim_kube *sim)
{
    for (size_t i = 0; i < sim->fault_count; i++) {
        free(sim->faults[i].method);
        free(sim->faults[i].path);
    }
    free(sim->faults);
    sim->faults = NULL;
    sim->fault_count = 0;
}

static void add_fault(struct sim_kube *sim, const json_t *fault)
{
    const char *method = tree_text(fault, "method"), *path = tree_text(fault, "path");
    sim->faults = memory_resize(sim->faults, sim->fault_count + 1, sizeof *sim->faults);
    sim->faults[sim->fault_count++] =
        (struct sim_fault){.method = text_copy(method == NULL ? "" : method),
                           .path = text_copy(path == NULL ? "*" : path),
                           .skip = tree_integer(fault, "skip", 0),
                           .count = tree_integer(fault, "count", 1),
                           .status = (int)tree_integer(fault, "status", 429),
                           .retry_after = (int)tree_integer(fault, "retryAfter", 0)};
}

int control_fault(struct sim_kube *sim, const struct sim_request *request,
                  struct sim_answer *answer)
{
    for (size_t i = 0; i < sim->fault_count; i++) {
        struct sim_fault *fault = &sim->faults[i];
        if ((fault->method[0] != '\0' && strcmp(fault->method, request->method) != 0) ||
            fnmatch(fault->path, request->path, 0) != 0)
            continue;
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        if (fault->count == 0)
            continue;
        fault->count--;
        answer->retry_after = fault->retry_after;
        if (fault->status == 429)
            answer_text(answer, 429, "Too many requests, please try again later.\n");
        else
            answer_status(answer, status_failure(fault->status,
                                                 fault->status == 503 ? "ServiceUnavailable"
                                                                      : "InternalError",
                                                 NULL, "injected by the simulator's user"));
        return 1;
    }
    return 0;
}

static json_t *state_of(const struct sim_kube *sim)
{
    size_t objects = 0, watches = 0;
    for (size_t i = 0; i < sim->store->table_count; i++)
        objects += sim->store->tables[i]->live;
    for (const struct watch *watch = sim->watches; watch != NULL; watch = watch->next)
        watches++;
    return json_pack("{s:I, s:I, s:I, s:I, s:i}", "revision", (json_int_t)sim->store->revision,
                     "compacted", (json_int_t)sim->store->compacted, "objects", (json_int_t)objects,
                     "watches", (json_int_t)watches, "pid", (int)getpid());
}

static void take_faults(struct sim_kube *sim, const json_t *body)
{
    size_t i;
    json_t *fault;
    if (json_is_object(body))
        add_fault(sim, body);
    json_array_foreach ((json_t *)(uintptr_t)body, i, fault)
        add_fault(sim, fault);
}

void control_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const char *what = request->path + strlen(CONTROL_PREFIX);
    int posts = strcmp(request->method, "POST") == 0;
    cleanup_json json_t *body = request->body.size == 0
                                    ? json_object()
                                    : json_text_read(request->body.data, request->body.size, NULL);
    answer->status = 200;
    if (body == NULL) {
        answer_status(answer, status_bad_request("the body is no JSON"));
    } else if (strcmp(what, "state") == 0) {
        answer_json(answer, 200, state_of(sim));
    } else if (strcmp(what, "kubeconfig") == 0) {
        cleanup_free char *text = sim_kube_kubeconfig(sim);
        answer_text(answer, 200, text);
    } else if (posts && strcmp(what, "stop") == 0) {
        sim_kube_stop(sim);
        answer_json(answer, 200, json_object());
    } else if (posts && strcmp(what, "compact") == 0) {
        store_compact(sim->store, tree_integer(body, "revision", sim->store->revision));
        answer_json(answer, 200, state_of(sim));
    } else if (posts && strcmp(what, "faults") == 0) {
        take_faults(sim, body);
        answer_json(answer, 200, json_object());
    } else if (strcmp(request->method, "DELETE") == 0 && strcmp(what, "faults") == 0) {
        control_clear_faults(sim);
        answer_json(answer, 200, json_object());
    } else if (posts && strcmp(what, "guards") == 0) {
        guard_add(sim, body);
        answer_json(answer, 200, json_object());
    } else if (strcmp(request->method, "DELETE") == 0 && strcmp(what, "guards") == 0) {
        guards_clear(sim);
        answer_json(answer, 200, json_object());
    } else if (posts && strcmp(what, "tokens") == 0 && tree_text(body, "token") != NULL &&
               tree_text(body, "user") != NULL) {
        const char *groups = tree_text(body, "groups");
        sim_kube_add_token(sim, tree_text(body, "token"), tree_text(body, "user"),
                           groups == NULL ? "" : groups);
        answer_json(answer, 200, json_object());
    } else if (posts && strcmp(what, "snapshot") == 0) {
        answer->snapshot = 1;
    } else {
        answer_no_page(answer);
    }
}
