#include "fault-proxy/spoil.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static const struct {
    int status;
    const char *phrase, *reason, *message;
} answers[] = {
    {400, "Bad Request", "BadRequest", "the request is refused by the fault proxy"},
    {401, "Unauthorized", "Unauthorized", "Unauthorized"},
    {403, "Forbidden", "Forbidden", "forbidden: the fault proxy says so"},
    {404, "Not Found", "NotFound", "the server could not find the requested resource"},
    {409, "Conflict", "Conflict", "Operation cannot be fulfilled: the object has been modified"},
    {410, "Gone", "Expired", "too old resource version"},
    {500, "Internal Server Error", "InternalError", "Internal error occurred"},
    {503, "Service Unavailable", "ServiceUnavailable", "the server is currently unable"},
    {504, "Gateway Timeout", "Timeout", "the server was unable to return a response in time"},
};

static const char gateway_page[] = "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n"
                                   "<center><h1>%d %s</h1></center>\r\n</body>\r\n</html>\r\n";

int spoil_status(const struct fault_rule *rule, struct stream *client)
{
    const char *phrase = "Fault", *reason = "Unknown", *message = "the fault proxy answers";
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].status == rule->status) {
            phrase = answers[i].phrase;
            reason = answers[i].reason;
            message = answers[i].message;
        }
    const char *media = "application/json";
    cleanup_free char *body = NULL;
    if (rule->status == 429) {
        phrase = "Too Many Requests";
        media = "text/plain; charset=utf-8";
        body = text_copy("Too many requests, please try again later.\n");
    } else if (rule->status == 502) {
        phrase = "Bad Gateway";
        media = "text/html";
        body = text_format(gateway_page, 502, phrase, 502, phrase);
    } else {
        body = text_format("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                           "\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"%s\","
                           "\"code\":%d}\n",
                           message, reason, rule->status);
    }
    cleanup_free char *retry = rule->retry_after < 0
                                   ? text_copy("")
                                   : text_format("Retry-After: %d\r\n", rule->retry_after);
    cleanup_free char *head =
        text_format("HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n",
                    rule->status, phrase, media, retry, strlen(body));
    return stream_write(client, head, strlen(head)) != 0 ||
                   stream_write(client, body, strlen(body)) != 0
               ? -1
               : 0;
}

/* The head without Content-Length and Transfer-Encoding and without its empty line. */
static void write_head(struct buffer *out, const struct message *answer)
{
    const char *at = answer->head.data;
    while (*at != '\r' && *at != '\0') {
        size_t size = strcspn(at, "\n") + 1;
        if (strncasecmp(at, "Content-Length:", 15) != 0 &&
            strncasecmp(at, "Transfer-Encoding:", 18) != 0)
            buffer_append(out, at, size);
        at += size;
    }
}

/* The body with a length that differs from the one in the head by `difference`. */
static void wrong_length(const struct message *answer, struct buffer *out, int too_long)
{
    cleanup_buffer struct buffer body = BUFFER_INIT(MESSAGE_LIMIT);
    message_plain_body(answer, &body);
    /* Told half: the client sees a truncated document; told more: it waits for what never comes. */
    size_t told = too_long ? body.size / 2 : body.size + 100;
    write_head(out, answer);
    buffer_format(out, "Content-Length: %zu\r\n\r\n", told);
    buffer_append(out, body.data == NULL ? "" : body.data, body.size);
}

static void bad_chunk(const struct message *answer, struct buffer *out)
{
    cleanup_buffer struct buffer body = BUFFER_INIT(MESSAGE_LIMIT);
    message_plain_body(answer, &body);
    size_t half = body.size / 2;
    write_head(out, answer);
    buffer_append_text(out, "Transfer-Encoding: chunked\r\n\r\n");
    if (half > 0) {
        buffer_format(out, "%zx\r\n", half);
        buffer_append(out, body.data, half);
        buffer_append_text(out, "\r\n");
    }
    buffer_append_text(out, "no number\r\n");
    buffer_append(out, body.size > half ? body.data + half : "", body.size - half);
}

/* A string of `bytes` in a document that is fine otherwise. */
static void oversized(const struct fault_rule *rule, struct stream *client)
{
    static const char begin[] = "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"padding\":\"",
                      end[] = "\"}\n";
    enum { BLOCK = 64 << 10 };
    char *block = memory_new(BLOCK, 1);
    memset(block, 'x', BLOCK);
    cleanup_free char *head =
        text_format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %lld"
                    "\r\n\r\n%s",
                    (long long)(rule->bytes + (int64_t)(strlen(begin) + strlen(end))), begin);
    int failed = stream_write(client, head, strlen(head));
    for (int64_t left = rule->bytes; left > 0 && failed == 0; left -= BLOCK)
        failed = stream_write(client, block, left < BLOCK ? (size_t)left : (size_t)BLOCK);
    if (failed == 0)
        (void)stream_write(client, end, strlen(end));
    free(block);
}

static void drip(const struct fault_rule *rule, const struct buffer *raw, struct stream *client)
{
    for (size_t at = 0; at < raw->size; at += (size_t)rule->bytes) {
        size_t left = raw->size - at;
        size_t part = (int64_t)left < rule->bytes ? left : (size_t)rule->bytes;
        if (stream_write(client, raw->data + at, part) != 0 ||
            (rule->ms > 0 && !stream_wait(client, (long)rule->ms)))
            return;
    }
}

void spoil_answer(const struct fault_rule *rule, const struct message *answer,
                  struct stream *client)
{
    cleanup_buffer struct buffer out = BUFFER_INIT(2 * MESSAGE_LIMIT);
    size_t size;
    switch (rule->fault) {
    case FAULT_CUT:
    case FAULT_DRIP:
        buffer_append(&out, answer->head.data, answer->head.size);
        buffer_append(&out, answer->body.data == NULL ? "" : answer->body.data, answer->body.size);
        if (rule->fault == FAULT_DRIP) {
            drip(rule, &out, client);
            return;
        }
        size = (int64_t)out.size < rule->bytes ? out.size : (size_t)rule->bytes;
        (void)stream_write(client, out.data, size);
        return;
    case FAULT_BAD_STATUS_LINE:
        buffer_append_text(&out, "KUBE/9 fine\r\nContent-Length: 2\r\n\r\n{}");
        break;
    case FAULT_BAD_CHUNK:
        bad_chunk(answer, &out);
        break;
    case FAULT_SHORT_BODY:
    case FAULT_LONG_BODY:
        wrong_length(answer, &out, rule->fault == FAULT_LONG_BODY);
        break;
    case FAULT_OVERSIZED:
        oversized(rule, client);
        return;
    default:
        return;
    }
    (void)stream_write(client, out.data, out.size);
}
