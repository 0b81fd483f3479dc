#include "scale.h"

#include <string.h>

#include "json-text.h"
#include "json-tree.h"
#include "object.h"
#include "patch.h"
#include "status.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"

static json_t *scale_of(const json_t *object)
{
    json_t *scale = json_pack("{s:s, s:s, s:{}, s:{}, s:{s:I}}", "kind", "Scale", "apiVersion",
                              "autoscaling/v1", "metadata", "spec", "status", "replicas",
                              tree_integer(object, "status.replicas", 0));
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion",
                                       "creationTimestamp"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        json_t *value = json_object_get(json_object_get(object, "metadata"), kept[i]);
        if (value != NULL)
            json_object_set(json_object_get(scale, "metadata"), kept[i], value);
    }
    json_int_t replicas = tree_integer(object, "spec.replicas", 0);
    if (replicas != 0)
        tree_set(scale, "spec.replicas", json_integer(replicas));
    return scale;
}

/* The Scale that the body asks for; NULL after answering. */
static json_t *wanted(const struct sim_request *request, struct sim_answer *answer,
                      const json_t *object)
{
    cleanup_free char *message = NULL;
    cleanup_json json_t *body = json_text_read(request->body.data == NULL ? "" : request->body.data,
                                               request->body.size, &message);
    if (!json_is_object(body)) {
        answer_status(answer, status_bad_request("%s", message == NULL ? "no object" : message));
        return NULL;
    }
    if (strcmp(request->route.verb, "update") == 0)
        return take_pointer(body);
    if (request->content_type == NULL ||
        !text_starts(request->content_type, "application/merge-patch+json")) {
        answer_status(answer, status_unsupported_media("application/merge-patch+json"));
        return NULL;
    }
    json_t *scale = scale_of(object);
    patch_merge(scale, body);
    return scale;
}

void scale_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct store_object *live = object_find(request, answer);
    if (live == NULL)
        return;
    cleanup_json json_t *old = store_object_tree(live);
    if (strcmp(request->route.verb, "get") == 0) {
        answer_json(answer, 200, scale_of(old));
        return;
    }
    cleanup_json json_t *scale = wanted(request, answer, old);
    if (scale == NULL)
        return;
    json_t *object = json_deep_copy(old);
    tree_set(object, "spec.replicas", json_integer(tree_integer(scale, "spec.replicas", 0)));
    const char *version = tree_text(scale, "metadata.resourceVersion");
    if (version != NULL)
        tree_set_text(object, "metadata.resourceVersion", version);
    struct sim_route route = request->route;
    static char none[] = "";
    request->route.subresource = none;
    object_replace(sim, request, answer, old, object);
    request->route = route;
    if (answer->status != 200)
        return;
    buffer_clear(&answer->body);
    cleanup_free char *key = route_key(&route);
    cleanup_json json_t *now = store_object_tree(store_get(route.type->table, key));
    answer_json(answer, 200, scale_of(now));
}
