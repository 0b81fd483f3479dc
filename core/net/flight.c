#include <ctype.h>
#include <string.h>

#include "base/banned.h"
#include "base/clock.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "net/flight-result.h"
#include "net/pool.h"

enum {
    HEADER_LINES_LIMIT = 256 << 10,
    HTTP_2_STREAMS = 100, /* at once on a connection; what servers commonly allow */
};

/* ---- lists ----------------------------------------------------------------------------------- */

void flight_move(struct net_flight *flight, struct net_flight **list)
{
    if (flight->link != NULL) {
        *flight->link = flight->next;
        if (flight->next != NULL)
            flight->next->link = flight->link;
    }
    flight->link = NULL;
    flight->next = NULL;
    if (list == NULL)
        return;
    while (*list != NULL)
        list = &(*list)->next;
    *list = flight;
    flight->link = list;
}

static void add_running(struct net_flight *flight)
{
    struct net_flight **list = &flight->pool->running;
    flight_move(flight, NULL);
    flight->next = *list;
    flight->link = list;
    if (*list != NULL)
        (*list)->link = &flight->next;
    *list = flight;
    flight->pool->running_count++;
}

void flight_free(struct net_flight *flight)
{
    for (size_t i = 0; i < flight->own_line_count; i++)
        free(flight->own_lines[i]);
    error_clear(&flight->reason);
    free(flight->connect_to_entry);
    free(flight->url);
    free(flight);
}

/* ---- deadlines ------------------------------------------------------------------------------- */

/* What the phase allows, and since when. */
static int64_t phase_limit(const struct net_flight *flight, int64_t *ret_since)
{
    const struct settings *settings = &flight->pool->settings;
    *ret_since = flight->active;
    if (flight->phase == FLIGHT_CONNECTING) {
        *ret_since = flight->began;
        return settings->connect_ms;
    }
    if (flight->phase == FLIGHT_IN_LINE && flight->pool->lookup != NULL) {
        *ret_since = flight->queued_at;
        return settings->connect_ms;
    }
    if ((flight->transfer->flags & NET_KEEP_ALIVE) != 0 || flight->paused)
        return INT64_MAX;
    if (flight->phase == FLIGHT_WAITING)
        return settings->first_byte_ms;
    return flight->phase == FLIGHT_RECEIVING ? settings->stall_ms : INT64_MAX;
}

/* When its patience ends, and how long it is in all. */
static int64_t due_of(const struct net_flight *flight, int64_t *ret_patience_ms)
{
    int64_t since = 0;
    const int64_t limit = phase_limit(flight, &since);
    const int64_t due = limit == INT64_MAX ? INT64_MAX : since + limit;
    *ret_patience_ms = due < flight->deadline ? limit : flight->deadline - flight->queued_at;
    return due < flight->deadline ? due : flight->deadline;
}

/* Each phase has its own patience. */
static void enter(struct net_flight *flight, enum flight_phase phase)
{
    flight->phase = phase;
    flight->active = clock_monotonic_ms();
    int64_t patience_ms = 0;
    pool_sweep_before(flight->pool, due_of(flight, &patience_ms));
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void set_reason(struct net_flight *flight, enum net_fault verdict, const char *why)
{
    flight->verdict = verdict;
    if (!error_is_set(&flight->reason))
        (void)error_set(&flight->reason, EXIT_FAILED, "%s", why);
}

static void begin_head(struct net_flight *flight, const char *line, size_t size)
{
    struct net_transfer *transfer = flight->transfer;
    const char *space = memchr(line, ' ', size);
    int code = 0;
    for (const char *at = space != NULL ? space + 1 : line; at < line + size && code < 1000; at++) {
        if (!isdigit((unsigned char)*at))
            break;
        code = code * 10 + (*at - '0');
    }
    transfer->code = code;
    transfer->http = line[5] == '2' ? 20 : size > 7 && line[7] == '0' ? 10 : 11;
    flight->pool->http = transfer->http;
    buffer_clear(&transfer->header_lines);
    buffer_clear(&transfer->trailer_lines);
    flight->head_complete = 0;
    if (flight->first_byte == 0)
        flight->first_byte = flight->active;
    enter(flight, FLIGHT_RECEIVING);
}

/* "Name: value" becomes "name: value\n"; a line that goes on joins the one before. */
static int add_header(struct buffer *lines, const char *line, size_t size)
{
    while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' ' ||
                        line[size - 1] == '\t'))
        size--;
    const int goes_on = size > 0 && (*line == ' ' || *line == '\t') && lines->size > 0;
    const char *colon = goes_on ? line : memchr(line, ':', size);
    if (goes_on)
        lines->data[lines->size - 1] = ' ';
    const size_t name_size = goes_on || colon == NULL ? 0 : (size_t)(colon - line);
    char *room = buffer_reserve(lines, name_size + 2);
    if (room == NULL)
        return -1;
    if (!goes_on && colon != NULL) {
        for (size_t i = 0; i < name_size; i++)
            room[i] = (char)tolower((unsigned char)line[i]);
        room[name_size] = ':';
        room[name_size + 1] = ' ';
        lines->size += name_size + 2;
        line = colon + 1;
        size -= name_size + 1;
    }
    for (; size > 0 && (*line == ' ' || *line == '\t'); line++)
        size--;
    return buffer_append(lines, line, size) == 0 ? buffer_append(lines, "\n", 1) : -1;
}

/* The head is whole: an answer that says that it is too large need not be read. */
static int check_length(struct net_flight *flight)
{
    struct net_transfer *transfer = flight->transfer;
    curl_off_t length = -1;
    (void)curl_easy_getinfo(flight->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length <= 0 || text_equal(transfer->method, "HEAD"))
        return 0;
    if (transfer->response_limit > 0 && (uint64_t)length > transfer->response_limit) {
        set_reason(flight, NET_FAULT_LIMIT, "it says so in its Content-Length");
        return -1;
    }
    if (transfer->sink.write == NULL && (transfer->flags & NET_GZIP) == 0)
        (void)buffer_reserve(&transfer->answer, (size_t)length);
    return 0;
}

static size_t take_header(char *line, size_t one, size_t size, void *data)
{
    struct net_flight *flight = data;
    struct net_transfer *transfer = flight->transfer;
    (void)one;
    flight->active = clock_monotonic_ms();
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0 && !flight->body_began) {
        begin_head(flight, line, size);
        return size;
    }
    const int is_last = size == 0 || *line == '\r' || *line == '\n';
    if (is_last && flight->head_complete)
        return size; /* behind the trailers */
    if (is_last) {
        flight->head_complete = transfer->code >= 200;
        return flight->head_complete && check_length(flight) != 0 ? 0 : size;
    }
    struct buffer *lines =
        flight->head_complete ? &transfer->trailer_lines : &transfer->header_lines;
    if (add_header(lines, line, size) == 0)
        return size;
    set_reason(flight, NET_FAULT_LIMIT, "its headers are");
    return 0;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *data)
{
    struct net_flight *flight = data;
    struct net_transfer *transfer = flight->transfer;
    (void)one;
    flight->active = clock_monotonic_ms();
    flight->body_began = 1;
    if (transfer->response_limit > 0 && size > transfer->response_limit - flight->body_bytes) {
        set_reason(flight, NET_FAULT_LIMIT, "it does not end");
        return CURL_WRITEFUNC_ERROR;
    }
    if (transfer->sink.write == NULL) {
        if (buffer_append(&transfer->answer, bytes, size) != 0)
            return CURL_WRITEFUNC_ERROR;
    } else {
        const int taken = transfer->sink.write(transfer->sink.data, bytes, size, &flight->reason);
        if (taken == NET_PAUSE) {
            flight->paused = 1;
            return CURL_WRITEFUNC_PAUSE;
        }
        if (taken != 0) {
            set_reason(flight, NET_FAULT_LOCAL, "the answer cannot be taken");
            return CURL_WRITEFUNC_ERROR;
        }
    }
    flight->body_bytes += size;
    return size;
}

/* ---- the request ----------------------------------------------------------------------------- */

static size_t give_body(char *room, size_t one, size_t size, void *data)
{
    struct net_flight *flight = data;
    const struct net_source *source = &flight->transfer->source;
    (void)one;
    flight->active = clock_monotonic_ms();
    const uint64_t left = source->size - flight->source_read;
    if (left == 0)
        return 0;
    const int64_t got =
        source->read(source->data, room, size < left ? size : (size_t)left, &flight->reason);
    if (got == NET_PAUSE) {
        flight->paused = 1;
        return CURL_READFUNC_PAUSE;
    }
    if (got <= 0 || (uint64_t)got > left) {
        set_reason(flight, NET_FAULT_LOCAL,
                   got == 0 ? "its body is shorter than announced" : "its body cannot be read");
        return CURL_READFUNC_ABORT;
    }
    flight->source_read += (uint64_t)got;
    return (size_t)got;
}

/* Right before each time that libcurl sends it: it would do so again by itself when a connection
 * dies that was used before. */
static int about_to_send(void *data,
                         char *peer, // NOLINT(readability-non-const-parameter): libcurl's type
                         char *own,  // NOLINT(readability-non-const-parameter)
                         int peer_port, int own_port)
{
    struct net_flight *flight = data;
    (void)peer;
    (void)own;
    (void)peer_port;
    (void)own_port;
    flight->tries++;
    if (flight->tries > 1) {
        set_reason(flight, NET_FAULT_CUT, "the connection was lost after it was sent");
        return CURL_PREREQFUNC_ABORT;
    }
    enter(flight, FLIGHT_WAITING);
    return CURL_PREREQFUNC_OK;
}

void flight_note_sent(const struct net_pool *pool)
{
#ifdef SALVOR_TEST_HOOKS
    for (struct net_flight *flight = pool->running; flight != NULL; flight = flight->next) {
        long size = 0;
        if (flight->sent || flight->tries == 0 ||
            curl_easy_getinfo(flight->easy, CURLINFO_REQUEST_SIZE, &size) != CURLE_OK || size == 0)
            continue;
        flight->sent = 1;
        kill_point(flight->call->row, "request-sent");
    }
#else
    (void)pool;
#endif
}

/* ---- begin ----------------------------------------------------------------------------------- */

static void begin(struct net_flight *flight)
{
    struct net_transfer *transfer = flight->transfer;
    CURL *easy = pool_take_handle(flight->pool);
    flight->easy = easy;
    flight->phase = FLIGHT_CONNECTING;
    flight->began = flight->active = clock_monotonic_ms();
    transfer->answer.limit = (size_t)transfer->response_limit;
    transfer->header_lines.limit = HEADER_LINES_LIMIT;
    transfer->trailer_lines.limit = HEADER_LINES_LIMIT;
    request_prepare(flight);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, flight->curl_error);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, flight);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, flight);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, flight);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, flight);
    add_running(flight);
    (void)curl_multi_add_handle(flight->pool->multi, easy);
}

static size_t room_of(const struct net_pool *pool)
{
    return pool->http == 20 ? (size_t)pool->settings.connections * HTTP_2_STREAMS
                            : (size_t)pool->settings.connections;
}

void flight_start_waiting(struct net_pool *pool)
{
    int started = 0;
    if (pool->in_curl > 0 || pool->in_line == NULL)
        return;
    while (pool->in_line != NULL && pool->running_count < room_of(pool) &&
           pool_knows_addresses(pool)) {
        begin(pool->in_line);
        started = 1;
    }
    pool_sweep_before(pool, flight_sweep(pool, clock_monotonic_ms()));
    if (started)
        pool_run_timers(pool);
}

/* ---- end ------------------------------------------------------------------------------------- */

void flight_end(struct net_flight *flight, CURLcode code)
{
    struct net_pool *pool = flight->pool;
    flight_judge(flight, code);
    const enum net_fault fault = flight->transfer->fault;
    if (fault == NET_FAULT_CONNECT || fault == NET_FAULT_NAME ||
        (fault == NET_FAULT_TIMEOUT && flight->phase == FLIGHT_CONNECTING))
        pool_forget_addresses(pool);
    if (flight->easy != NULL) {
        (void)curl_multi_remove_handle(pool->multi, flight->easy);
        (void)curl_easy_setopt(flight->easy, CURLOPT_ERRORBUFFER, NULL);
        (void)curl_easy_setopt(flight->easy, CURLOPT_PRIVATE, NULL);
        pool_return_handle(pool, flight->easy);
        flight->easy = NULL;
        pool->running_count--;
    }
    flight->phase = FLIGHT_ENDED;
    flight_move(flight, &pool->ended);
    pool_sweep_before(pool, INT64_MAX);
}

void flight_fail_waiting(struct net_pool *pool, const char *why)
{
    while (pool->in_line != NULL) {
        set_reason(pool->in_line, NET_FAULT_NAME, why);
        flight_end(pool->in_line, CURLE_OK);
    }
}

/* ---- out of time ----------------------------------------------------------------------------- */

static int64_t sweep(struct net_flight *first, int64_t now)
{
    int64_t next_look = INT64_MAX;
    for (struct net_flight *flight = first, *next = NULL; flight != NULL; flight = next) {
        next = flight->next;
        const int64_t due = due_of(flight, &flight->patience_ms);
        if (due > now) {
            next_look = due < next_look ? due : next_look;
            continue;
        }
        flight->verdict = NET_FAULT_TIMEOUT;
        flight_end(flight, CURLE_OPERATION_TIMEDOUT);
    }
    return next_look;
}

int64_t flight_sweep(struct net_pool *pool, int64_t now)
{
    const int64_t running = sweep(pool->running, now);
    const int64_t in_line = sweep(pool->in_line, now);
    return running < in_line ? running : in_line;
}
