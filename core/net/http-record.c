#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "net/http.h"
#include "services/recorder.h"
#include "services/run-paths.h"

enum { TEXT_BODY = 4096 };

/* A body that a person can compare, or its digest. */
static json_t *body_key(const struct worker_call *call, struct salvor_span body)
{
    char digest[DIGEST_TEXT_SIZE];
    if (body.size == 0)
        return json_null();
    if (body.size <= TEXT_BODY && utf8_valid(body.data, (size_t)body.size))
        return run_paths_hide(call, body.data, (size_t)body.size);
    digest_text_of(body.data, (size_t)body.size, digest);
    return json_make("{s:s,s:I}", "sha256", digest, "size", (json_int_t)body.size);
}

/* Values of headers may be secrets, and other ones at replay: only their names tell requests apart.
 */
static json_t *header_key(const struct http_exchange *exchange)
{
    json_t *names = json_make("[]");
    for (size_t i = 0; i < exchange->own_headers; i++) {
        const char *header = exchange->headers[i];
        const char *colon = strchr(header, ':');
        if (header != exchange->client->authorization && colon != NULL)
            json_add(names, json_stringn(header, (size_t)(colon - header)));
    }
    return names;
}

json_t *http_record_key(const struct worker_call *call, const struct http_exchange *exchange)
{
    return json_make("{s:s,s:s,s:s,s:o,s:o}", "server", net_pool_origin(exchange->client->pool),
                     "method", exchange->transfer.method, "target", exchange->target, "headers",
                     header_key(exchange), "body", body_key(call, exchange->transfer.body));
}

salvor_status http_record(struct worker_call *call, const char *method,
                          const struct http_exchange *exchange, salvor_status status,
                          const struct http_answer *answer)
{
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_json json_t *key = http_record_key(call, exchange);
    return recorder_save(
        call, "http", method, key, status,
        json_make("{s:i,s:I,s:I,s:o,s:o}", "code", (int)answer->code, "certainty",
                  (json_int_t)answer->certainty, "attempts", (json_int_t)answer->attempts,
                  "headers",
                  run_paths_hide(call, answer->headers.data, (size_t)answer->headers.size), "body",
                  run_paths_hide(call, answer->body.data, (size_t)answer->body.size)),
        NULL);
}

static struct salvor_span take_span(struct worker_call *call, const json_t *hidden)
{
    size_t size = 0;
    cleanup_free char *data = run_paths_show(call, hidden, &size);
    return (struct salvor_span){call_keep_text(call, data, size), size};
}

salvor_status http_replay(struct worker_call *call, const char *method,
                          const struct http_exchange *exchange, struct http_answer *ret)
{
    cleanup_json json_t *key = http_record_key(call, exchange);
    cleanup_json json_t *answer = NULL;
    *ret = (struct http_answer){.certainty = SALVOR_CERTAINTY_NOT_SENT};
    const salvor_status status = recorder_replay(call, "http", method, key, NULL, &answer);
    if (answer == NULL)
        return status;
    ret->code = (int32_t)json_whole(answer, "code", 0);
    ret->certainty = (uint32_t)json_whole(answer, "certainty", SALVOR_CERTAINTY_NOT_SENT);
    ret->attempts = (uint32_t)json_whole(answer, "attempts", 1);
    ret->headers = take_span(call, json_object_get(answer, "headers"));
    ret->body = take_span(call, json_object_get(answer, "body"));
    return status;
}
