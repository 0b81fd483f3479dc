#include "net/kube-status.h"

#include <salvor/scan.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/utf8.h"

enum { MESSAGE_LENGTH = 2000, TOKEN_LENGTH = 8192 };

/* Text at `path` of a Status; NULL for anything else. */
static char *member(struct salvor_span body, const char *path, size_t limit)
{
    struct salvor_token token;
    cleanup_free char *text = memory_new(limit, 1);
    if (salvor_scan_find(body, "/kind", &token, NULL, NULL) != SALVOR_OK ||
        !salvor_token_is(&token, "Status") ||
        salvor_scan_find(body, path, &token, NULL, NULL) != SALVOR_OK ||
        token.type != SALVOR_TOKEN_STRING || token.text.size == 0 ||
        salvor_token_decode(&token, text, limit) != SALVOR_OK)
        return NULL;
    return take_pointer(text);
}

char *kube_status_continue(struct salvor_span body)
{
    return member(body, "/metadata/continue", TOKEN_LENGTH);
}

int kube_status_is_foreign(struct salvor_span body)
{
    static const char unserved[] = "404 page not found";
    struct salvor_token token;
    /* what an API server says of a path that it does not serve at all */
    if (body.size >= sizeof unserved - 1 && memcmp(body.data, unserved, sizeof unserved - 1) == 0)
        return 0;
    return salvor_scan_check(body, NULL) != SALVOR_OK ||
           salvor_scan_find(body, "/kind", &token, NULL, NULL) != SALVOR_OK ||
           !salvor_token_is(&token, "Status");
}

char *kube_status_reason(struct salvor_span body)
{
    return member(body, "/reason", MESSAGE_LENGTH);
}

static const char *code_text(int32_t code)
{
    static const struct {
        int32_t code;
        const char *text;
    } texts[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {415, "Unsupported Media Type"},
        {422, "Invalid"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].code == code)
            return texts[i].text;
    }
    return "unexpected answer";
}

static const char *hint_for(int32_t code)
{
    switch (code) {
    case 401:
        return "the server does not accept these credentials: 'kubectl auth whoami' shows them";
    case 403:
        return "give the user of this context the right, or choose another context";
    case 404:
        return "it may have been deleted, or the server does not serve this type";
    case 429:
    case 502:
    case 503:
    case 504:
        return "try again when the API server is less busy or ready";
    default:
        return NULL;
    }
}

salvor_status kube_status_failed(struct worker_call *call, const char *what, int32_t code,
                                 struct salvor_span body)
{
    const int passes = code == 429 || (code >= 500 && code <= 504);
    const salvor_status status = code == 404 ? SALVOR_NOT_FOUND
                                 : passes    ? SALVOR_RETRY
                                             : SALVOR_FAILED;
    cleanup_free char *message = member(body, "/message", MESSAGE_LENGTH);
    (void)call_fail(call, status, "cannot %s: %d %s", what, (int)code, code_text(code));
    if (message != NULL) {
        (void)error_detail(&call->error, "%s", message);
    } else if (body.size > 0) {
        const size_t size = body.size < 300 ? (size_t)body.size : 300;
        cleanup_free char *text = utf8_clean(body.data, size);
        (void)error_detail(&call->error, "%s", text);
    }
    return hint_for(code) != NULL ? call_hint(call, status, "%s", hint_for(code)) : status;
}
