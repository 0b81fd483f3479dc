#include "net/flight-result.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { RETRY_AFTER_MOST_S = 86400 };

/* ---- Retry-After ----------------------------------------------------------------------------- */

int64_t retry_after_parse(struct salvor_span value, int64_t realtime_ms)
{
    int64_t seconds = 0;
    if (value.size == 0 || value.size > 60)
        return -1;
    cleanup_free char *text = text_copy_span(value.data, (size_t)value.size);
    if (text_parse_integer(text, &seconds) != 0) {
        const time_t date = curl_getdate(text, NULL);
        if (date < 0)
            return -1;
        seconds = (int64_t)date - realtime_ms / 1000;
        seconds = seconds < 0 ? 0 : seconds;
    }
    if (seconds < 0)
        return -1;
    return (seconds < RETRY_AFTER_MOST_S ? seconds : RETRY_AFTER_MOST_S) * 1000;
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* A server that refuses our certificate under TLS 1.3 says so after the handshake. */
static int is_certificate_alert(const char *text)
{
    return strstr(text, "alert") != NULL &&
           (strstr(text, "certificate") != NULL || strstr(text, "unknown ca") != NULL);
}

static enum net_fault fault_of(const struct net_flight *flight, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return NET_FAULT_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return NET_FAULT_NAME;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return NET_FAULT_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
        return NET_FAULT_TRUST;
    case CURLE_SSL_CONNECT_ERROR:
        return is_certificate_alert(flight->curl_error) ? NET_FAULT_TRUST : NET_FAULT_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return NET_FAULT_TIMEOUT;
    case CURLE_RECV_ERROR:
        /* Before the answer began, a broken chunk is none. */
        if (strstr(flight->curl_error, "chunk") != NULL ||
            strstr(flight->curl_error, "hexadecimal") != NULL)
            return NET_FAULT_MALFORMED;
        if (flight->phase == FLIGHT_CONNECTING)
            return NET_FAULT_CONNECT; /* the proxy */
        return is_certificate_alert(flight->curl_error) ? NET_FAULT_TRUST : NET_FAULT_CUT;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return NET_FAULT_CUT;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
        return NET_FAULT_MALFORMED;
    default:
        return NET_FAULT_LOCAL;
    }
}

/* What libcurl takes for success although the answer is not whole. */
static enum net_fault fault_of_success(struct net_flight *flight)
{
    const struct net_transfer *transfer = flight->transfer;
    if (!flight->head_complete) {
        (void)error_set(&flight->reason, EXIT_FAILED, "it ends within its head");
        return NET_FAULT_CUT;
    }
    if (flight->pool->settings.http == NET_HTTP_2_ONLY && transfer->http != 20) {
        (void)error_set(&flight->reason, EXIT_FAILED, "the server does not speak HTTP/2");
        return NET_FAULT_MALFORMED;
    }
    if ((transfer->flags & NET_WANT_TRAILERS) != 0 && transfer->trailer_lines.size == 0) {
        (void)error_set(&flight->reason, EXIT_FAILED, "it ends without its trailers");
        return NET_FAULT_CUT;
    }
    return NET_FAULT_NONE;
}

static salvor_status status_of(enum net_fault fault)
{
    switch (fault) {
    case NET_FAULT_NONE:
        return SALVOR_OK;
    case NET_FAULT_BUG:
        return SALVOR_BUG;
    case NET_FAULT_TIMEOUT:
        return SALVOR_TIMEOUT;
    case NET_FAULT_CANCELLED:
        return SALVOR_CANCELLED;
    case NET_FAULT_NAME:
    case NET_FAULT_CONNECT:
    case NET_FAULT_TLS:
    case NET_FAULT_CUT:
        return SALVOR_RETRY;
    default:
        return SALVOR_FAILED;
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

/* "GET 'https://host:port/path'": the query may hold what nobody should read. */
static char *describe(const struct net_flight *flight)
{
    const char *target = flight->transfer->target != NULL ? flight->transfer->target : "";
    return text_format("%s '%s%.*s'", flight->transfer->method, flight->pool->settings.origin,
                       (int)strcspn(target, "?"), target);
}

static const char *connected_host(const struct net_flight *flight)
{
    const struct settings *settings = &flight->pool->settings;
    return settings->proxy != NULL ? settings->proxy_host : settings->host;
}

static void describe_timeout(struct net_flight *flight, struct error *err)
{
    const char *origin = flight->pool->settings.origin;
    cleanup_free char *request = describe(flight);
    const long long ms = (long long)flight->patience_ms;
    if (flight->phase == FLIGHT_IN_LINE && flight->pool->lookup != NULL)
        (void)error_set(err, EXIT_FAILED, "cannot find host '%s': no answer within %lld ms",
                        connected_host(flight), ms);
    else if (flight->phase == FLIGHT_CONNECTING)
        (void)error_set(err, EXIT_FAILED, "cannot connect to '%s' within %lld ms", origin, ms);
    else if (flight->phase == FLIGHT_IN_LINE)
        (void)error_set(err, EXIT_FAILED, "%s found no free connection within %lld ms", request,
                        ms);
    else if (flight->phase == FLIGHT_WAITING)
        (void)error_set(err, EXIT_FAILED, "%s was not answered within %lld ms", request, ms);
    else
        (void)error_set(err, EXIT_FAILED, "the answer to %s did not end within %lld ms", request,
                        ms);
}

static void describe_trust(struct net_flight *flight, struct error *err)
{
    const char *origin = flight->pool->settings.origin;
    const char *refusal = trust_refusal(flight->pool->trust);
    const char *peer = trust_peer(flight->pool->trust);
    if (refusal != NULL)
        (void)error_set(err, EXIT_FAILED, "the certificate of '%s' is not trusted: %s", origin,
                        refusal);
    else if (strstr(flight->curl_error, "alert") != NULL)
        (void)error_set(err, EXIT_FAILED, "'%s' does not accept the client's certificate", origin);
    else
        (void)error_set(err, EXIT_FAILED, "the certificate of '%s' is for another name", origin);
    if (*peer != '\0')
        (void)error_detail(err, "%s%sits fingerprint is sha256 %s", flight->curl_error,
                           flight->curl_error[0] != '\0' ? "; " : "", peer);
    else if (flight->curl_error[0] != '\0')
        (void)error_detail(err, "%s", flight->curl_error);
}

static void describe_connect(const struct net_flight *flight, struct error *err)
{
    const struct settings *settings = &flight->pool->settings;
    long number = 0;
    if (flight->easy != NULL)
        (void)curl_easy_getinfo(flight->easy, CURLINFO_OS_ERRNO, &number);
    if (settings->proxy != NULL)
        (void)error_set(err, EXIT_FAILED, "cannot connect to '%s' through proxy '%s'",
                        settings->origin, settings->proxy_host);
    else if (number != 0)
        (void)error_errno(err, EXIT_FAILED, (int)number, "cannot connect to '%s'",
                          settings->origin);
    else
        (void)error_set(err, EXIT_FAILED, "cannot connect to '%s'", settings->origin);
}

static void describe_fault(struct net_flight *flight, enum net_fault fault, struct error *err)
{
    cleanup_free char *request = describe(flight);
    const struct settings *settings = &flight->pool->settings;
    switch (fault) {
    case NET_FAULT_NAME:
        (void)error_set(err, EXIT_FAILED, "cannot find host '%s'", connected_host(flight));
        break;
    case NET_FAULT_CONNECT:
        describe_connect(flight, err);
        break;
    case NET_FAULT_TRUST:
        describe_trust(flight, err);
        return;
    case NET_FAULT_TLS:
        (void)error_set(err, EXIT_FAILED, "the TLS handshake with '%s' failed", settings->origin);
        break;
    case NET_FAULT_TIMEOUT:
        describe_timeout(flight, err);
        break;
    case NET_FAULT_CUT:
        (void)error_set(err, EXIT_FAILED, "%s%s %s",
                        flight->transfer->code != 0 ? "the answer to " : "", request,
                        flight->transfer->code != 0 ? "is not whole"
                                                    : "lost its connection before the answer");
        break;
    case NET_FAULT_MALFORMED:
        (void)error_set(err, EXIT_FAILED, "the answer to %s is not the HTTP that was asked for",
                        request);
        break;
    case NET_FAULT_LIMIT:
        (void)error_set(err, EXIT_FAILED, "the answer to %s is larger than allowed", request);
        break;
    case NET_FAULT_CANCELLED:
        (void)error_set(err, EXIT_FAILED, "%s was given up", request);
        break;
    default:
        (void)error_set(err, EXIT_FAILED, "%s failed", request);
        break;
    }
    if (error_is_set(&flight->reason))
        (void)error_detail(err, "%s", flight->reason.message);
    else if (flight->curl_error[0] != '\0')
        (void)error_detail(err, "%s", flight->curl_error);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static uint32_t certainty_of(const struct net_flight *flight, enum net_fault fault)
{
    long sent = 0;
    if (fault == NET_FAULT_NONE ||
        (flight->head_complete && (fault == NET_FAULT_LIMIT || fault == NET_FAULT_LOCAL)))
        return SALVOR_CERTAINTY_ANSWERED;
    /* What was said to a proxy, or in a handshake, is no request. */
    if (flight->easy != NULL && flight->tries > 0)
        (void)curl_easy_getinfo(flight->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0 || flight->tries > 1 || flight->transfer->code != 0 ? SALVOR_CERTAINTY_SENT
                                                                        : SALVOR_CERTAINTY_NOT_SENT;
}

static void take_numbers(struct net_flight *flight, struct net_transfer *transfer)
{
    curl_off_t bytes = 0;
    long connections = 0;
    const int64_t now = clock_monotonic_ms();
    const int64_t began = flight->began != 0 ? flight->began : now;
    transfer->queued_ms = began - flight->queued_at;
    transfer->first_byte_ms = flight->first_byte != 0 ? flight->first_byte - began : -1;
    transfer->total_ms = now - began;
    transfer->retry_after_ms =
        retry_after_parse(net_header(&transfer->header_lines, "retry-after"), clock_realtime_ms());
    if (flight->easy == NULL)
        return;
    (void)curl_easy_getinfo(flight->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    (void)curl_easy_getinfo(flight->easy, CURLINFO_NUM_CONNECTS, &connections);
    transfer->answer_bytes = (int64_t)bytes;
    transfer->new_connection = connections > 0;
}

void flight_judge(struct net_flight *flight, CURLcode code)
{
    struct net_transfer *transfer = flight->transfer;
    enum net_fault fault = flight->verdict;
    if (fault == NET_FAULT_NONE)
        fault = fault_of(flight, code);
    if (fault == NET_FAULT_NONE)
        fault = fault_of_success(flight);
    transfer->fault = fault;
    transfer->certainty = certainty_of(flight, fault);
    transfer->status = status_of(fault);
    take_numbers(flight, transfer);
    if (fault == NET_FAULT_BUG)
        (void)error_move(&transfer->error, &flight->reason);
    else if (fault != NET_FAULT_NONE)
        describe_fault(flight, fault, &transfer->error);
}
