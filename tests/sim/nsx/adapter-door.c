/* Where adapters connect: below /sim-adapter/, with the client certificate of their identity. */
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "change.h"
#include "control-planes.h"
#include "errors.h"
#include "groups.h"
#include "handlers.h"
#include "inventory.h"
#include "stream.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

struct nsx_stream {
    struct exchange *exchange;
    struct buffer pending;
    int has_ended;
    char *name;
};

void nsx_stream_send(struct nsx_stream *stream, const json_t *line)
{
    cleanup_free char *text = json_dumps(line, JSON_COMPACT);
    buffer_append_text(&stream->pending, text);
    buffer_append_text(&stream->pending, "\n");
}

void nsx_stream_end(struct nsx_stream *stream)
{
    stream->has_ended = 1;
}

int nsx_stream_is_ready(const struct nsx_stream *stream)
{
    return stream->has_ended || stream->pending.size > 0;
}

ssize_t nsx_stream_take(struct nsx_stream *stream, char *room, size_t size)
{
    if (stream->has_ended)
        return -1;
    if (size > stream->pending.size)
        size = stream->pending.size;
    memcpy(room, stream->pending.data == NULL ? "" : stream->pending.data, size);
    buffer_consume(&stream->pending, size);
    return (ssize_t)size;
}

struct nsx_stream *nsx_stream_bind(struct sim_nsx *sim, struct exchange *exchange)
{
    struct nsx_request *request = nsx_server_request(exchange);
    struct nsx_stream *stream = memory_new(1, sizeof *stream);
    *stream = (struct nsx_stream){.exchange = exchange,
                                  .pending = BUFFER_INIT(NSX_ANSWER_LIMIT),
                                  .name = text_copy(request->caller.name)};
    nsx_adapter_connect(sim, stream->name, nsx_query(request, "cluster_id"),
                        request->peer_fingerprint, stream);
    cleanup_json json_t *hello = json_make("{s:s, s:s}", "type", "hello", "name", stream->name);
    nsx_stream_send(stream, hello);
    return stream;
}

void nsx_stream_unbind(struct sim_nsx *sim, struct nsx_stream *stream)
{
    struct nsx_adapter *adapter = nsx_adapter_find(sim, stream->name);
    if (adapter != NULL && adapter->stream == stream) {
        adapter->stream = NULL;
        adapter->is_connected = 0;
    }
    buffer_clear(&stream->pending);
    free(stream->name);
    free(stream);
}

/* The adapter that the request is from; NULL after answering. */
static struct nsx_adapter *adapter_of(struct sim_nsx *sim, const struct nsx_request *request,
                                      struct nsx_answer *answer)
{
    struct nsx_adapter *adapter =
        request->caller.kind == NSX_PRINCIPAL ? nsx_adapter_find(sim, request->caller.name) : NULL;
    if (adapter != NULL && adapter->is_connected &&
        strcmp(adapter->fingerprint, request->peer_fingerprint) == 0)
        return adapter;
    nsx_error(answer, 403, 100, "sim-adapter", "There is no connection of this cluster.");
    return NULL;
}

void nsx_adapter_session(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    cleanup_free char *name = NULL;
    const char *cluster_id = nsx_query(request, "cluster_id");
    const char *refusal = nsx_adapter_refusal(sim, request->peer_fingerprint,
                                              cluster_id == NULL ? "" : cluster_id, &name);
    if (refusal != NULL) {
        nsx_error(answer, 403, 100, "sim-adapter", "%s", refusal);
        return;
    }
    answer->status = 200;
    answer->content_type = "application/x-ndjson";
    answer->outcome = NSX_STREAM;
}

void nsx_adapter_inventory(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    const json_t *report = nsx_body(request, answer);
    if (report == NULL)
        return;
    const struct nsx_adapter *adapter = adapter_of(sim, request, answer);
    if (adapter == NULL)
        return;
    nsx_inventory_report(sim, adapter->name, adapter->cluster_id, report,
                         nsx_query_is(request, "full", "true"));
    nsx_answer_empty(answer, 200);
}

/* {"policies": [{"policy", "version", "state", "message"}]} */
void nsx_adapter_realization(struct sim_nsx *sim, struct nsx_request *request,
                             struct nsx_answer *answer)
{
    const json_t *report = nsx_body(request, answer);
    if (report == NULL)
        return;
    struct nsx_adapter *adapter = adapter_of(sim, request, answer);
    if (adapter == NULL)
        return;
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(report, "policies"), i, entry) {
        const char *policy = json_text(entry, "policy");
        /* What was injected stays. */
        if (policy != NULL &&
            !text_equal(json_text(json_object_get(adapter->acks, policy), "version"), "*"))
            json_put(adapter->acks, policy, json_incref(entry));
    }
    nsx_answer_empty(answer, 200);
}

/*
 * The NSX half of the deregister job that has no documented call: resources of the cluster leave
 * the inventory, groups lose the criteria that name it. The control plane, and with it the spans,
 * is deleted by the documented call.
 */
void nsx_adapter_withdraw(struct sim_nsx *sim, struct nsx_request *request,
                          struct nsx_answer *answer)
{
    if (request->caller.kind != NSX_PRINCIPAL) {
        nsx_error_credentials(answer);
        return;
    }
    cleanup_json json_t *control_plane = nsx_control_plane(sim, request->caller.name);
    const char *cluster_id = json_text(control_plane, "node_id");
    nsx_groups_forget_cluster(sim, request->caller.name, cluster_id == NULL ? "" : cluster_id);
    nsx_inventory_forget(sim, request->caller.name);
    nsx_answer_empty(answer, 200);
}
