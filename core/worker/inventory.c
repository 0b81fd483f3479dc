#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/vocabulary.h"
#include "worker/argument.h"
#include "worker/output-tables.h"

enum {
    FACT_LIMIT = 131072,
    HOOKS_THAT_LOOK = HOOK_BIT(HOOK_DISCOVER) | HOOK_BIT(HOOK_VALIDATE) | HOOK_BIT(HOOK_OBSERVE)
};

static salvor_status item(salvor_call *plugin_call, const char *kind, const char *name,
                          const char *json)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "inventory.item";
    json_t *details = NULL;
    salvor_status status = argument_hook(call, function, HOOKS_THAT_LOOK);
    if (status == SALVOR_OK)
        status = argument_text(call, function, "kind", kind, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = argument_text(call, function, "name", name, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = argument_json(call, function, "json", json != NULL ? json : "{}", FACT_LIMIT, 1,
                               &details);
    if (status == SALVOR_OK)
        call_send(call, FRAME_ITEM,
                  json_make("{s:s, s:s, s:o}", "kind", kind, "name", name, "details", details));
    return status;
}

const char *fact_class_of(const struct worker_call *call, const char *name)
{
    const char *now = json_text(call->classes, name);
    const json_t *frozen = json_object_get(json_object_get(call->body, "facts"), name);
    return now != NULL ? now : json_text(frozen, "class");
}

salvor_status fact_put(struct worker_call *call, const char *function, int planned,
                       const char *name, uint32_t fact_class, const char *json)
{
    json_t *parsed = NULL;
    salvor_status status = argument_text(call, function, "name", name, ARGUMENT_NAME_LIMIT);
    if (status != SALVOR_OK)
        return status;
    const char *class_word = word_for(words_fact, fact_class);
    if (class_word == NULL)
        return call_fail(call, SALVOR_BUG, "%s: fact '%s' has the unknown class %u", function, name,
                         fact_class);
    const char *before = fact_class_of(call, name);
    if (before != NULL && !text_equal(before, class_word))
        return call_fail(call, SALVOR_BUG, "%s: fact '%s' is of class '%s', not '%s'", function,
                         name, before, class_word);
    status = argument_json(call, function, "json", json, FACT_LIMIT, 0, &parsed);
    if (status != SALVOR_OK)
        return status;
    if (call->classes == NULL)
        call->classes = json_object();
    json_put_text(call->classes, name, class_word);
    json_t *body = json_make("{s:s, s:s, s:o}", "name", name, "class", class_word, "value", parsed);
    if (planned)
        json_put_text(body, "do", "fact");
    call_send(call, planned ? FRAME_PLAN : FRAME_FACT, body);
    return SALVOR_OK;
}

static salvor_status fact(salvor_call *plugin_call, const char *name, uint32_t fact_class,
                          const char *json)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "inventory.fact";
    salvor_status status = argument_hook(call, function, HOOKS_THAT_LOOK);
    return status == SALVOR_OK ? fact_put(call, function, 0, name, fact_class, json) : status;
}

const struct salvor_inventory inventory_table = {
    .struct_size = sizeof inventory_table,
    .version = INVENTORY_VERSION,
    .item = item,
    .fact = fact,
};
