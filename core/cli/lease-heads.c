#include "cli/lease-heads.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/lock-target.h"
#include "host/service.h"

enum { DEADLINE_MS = 10000 };

static int ask(const json_t *target, json_t **ret_result, struct error *reterr)
{
    const struct service_settings settings = {.per_call = 1,
                                              .debug = getenv("SALVOR_DEBUG") != NULL};
    cleanup_json json_t *request = json_make("{s:O}", "target", target);
    const struct service_request call = {"lease.heads", SALVOR_EFFECT_READ, DEADLINE_MS, request};
    struct service *service = service_new(&settings);
    const int result = service_call(service, &call, NULL, ret_result, NULL, reterr);
    service_free(service);
    return result;
}

json_t *lease_heads_of(const json_t *report, struct error *reterr)
{
    const json_t *target = json_object_get(json_object_get(report, "lock"), "target");
    cleanup_json json_t *result = NULL;
    json_t *heads = json_array();
    size_t index = 0;
    const json_t *entry = NULL;
    if (!lock_target_is_lease(target))
        return heads;
    if (ask(target, &result, reterr) != 0) {
        json_decref(heads);
        return NULL;
    }
    cleanup_free char *from = lock_target_text(target);
    json_array_foreach (json_object_get(result, "heads"), index, entry) {
        if (text_equal(json_text(entry, "run"), json_text(report, "id")))
            json_add(heads,
                     json_make("{s:s?, s:s}", "head", json_text(entry, "head"), "from", from));
    }
    return heads;
}
