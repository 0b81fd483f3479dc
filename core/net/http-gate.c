#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/http.h"
#include "plugin/declared-read.h"

static int is_read(const char *method)
{
    return text_equal(method, "GET") || text_equal(method, "HEAD") || text_equal(method, "OPTIONS");
}

/* A declared read is written like a command: "POST /session/create". What a query adds can be
 * another action altogether, so it must be declared, too: "POST /search?" is the same path with any
 * query. */
static int is_declared(const struct worker_call *call, const char *method, const char *target)
{
    const size_t before_query = strcspn(target, "?");
    cleanup_free char *path =
        text_copy_span(target, before_query + (target[before_query] == '?' ? 1 : 0));
    const char *words[] = {method, path};
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (json_object_get(call->session->descriptor, "declared_reads"), index,
                        entry) {
        const char *pattern = json_text(entry, "pattern");
        if (pattern != NULL && declared_read_matches(pattern, words, 2, NULL))
            return 1;
    }
    return 0;
}

salvor_status http_gate(struct worker_call *call, const struct salvor_http_client *client,
                        const char *method, const char *target, uint32_t flags)
{
    const int listed = (flags & SALVOR_HTTP_READ) != 0 && is_declared(call, method, target);
    if (is_read(method) || (listed && call->effect >= SALVOR_EFFECT_DECLARED_READ))
        return SALVOR_OK;
    cleanup_free char *path = text_copy_span(target, strcspn(target, "?"));
    cleanup_free char *request =
        text_format("%s '%s%s%s'", method, net_pool_origin(client->pool), client->base, path);
    const salvor_status status = call_may_change(call, request);
    if (status == SALVOR_OK || (flags & SALVOR_HTTP_READ) == 0)
        return status;
    if (listed)
        return call_hint(call, status, "the plugin declares effect 'declared-read' for the row");
    return call_hint(call, status, "the plugin lists '%s %s%s' under declared_reads", method, path,
                     strchr(target, '?') != NULL ? "?" : "");
}
