#include "net/pool.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum { KEPT_POOLS = 64, FDS_LOOK = 4096, BODY_BUFFER = 128 << 10 };

static struct net_pool *pools;

struct net_pool *pool_first(void)
{
    return pools;
}

/* ---- descriptors of libcurl ------------------------------------------------------------------ */

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)data;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    worker_keep_descriptor(fd);
    return fd;
}

static int close_socket(void *data, curl_socket_t fd)
{
    (void)data;
    loop_drop(fd);
    worker_forget_descriptor(fd);
    return close(fd);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
    struct net_pool *pool = data;
    (void)easy;
    (void)socket_data;
    uint32_t events = 0;
    if (what == CURL_POLL_REMOVE) {
        loop_drop(fd);
        return 0;
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EPOLLOUT;
    return loop_put(fd, events, &pool->member);
}

/* The descriptors that are open now, as a set. */
static void list_descriptors(unsigned char open_fds[FDS_LOOK])
{
    cleanup_dir DIR *folder = opendir("/proc/self/fd");
    memset(open_fds, 0, FDS_LOOK);
    for (const struct dirent *entry = NULL;
         folder != NULL && (entry = readdir(folder)) != NULL;) { // NOLINT(concurrency-mt-unsafe)
        int64_t fd = 0;
        if (text_parse_integer(entry->d_name, &fd) == 0 && fd < FDS_LOOK && fd != dirfd(folder))
            open_fds[fd] = 1;
    }
}

/* A multi handle has a pair of descriptors that no callback tells of. */
static CURLM *open_multi(struct net_pool *pool)
{
    unsigned char before[FDS_LOOK];
    unsigned char after[FDS_LOOK];
    list_descriptors(before);
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        out_of_memory();
    list_descriptors(after);
    for (int fd = 0; fd < FDS_LOOK && pool->own_fd_count < OWN_FDS; fd++) {
        if (before[fd] || !after[fd])
            continue;
        pool->own_fds[pool->own_fd_count++] = fd;
        worker_keep_descriptor(fd);
    }
    return multi;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void update_timer(struct net_pool *pool)
{
    pool->timer.due = pool->curl_due < pool->sweep_due ? pool->curl_due : pool->sweep_due;
}

static int set_timer(CURLM *multi, long timeout_ms, void *data)
{
    struct net_pool *pool = data;
    (void)multi;
    pool->curl_due = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
    update_timer(pool);
    return 0;
}

void pool_sweep_before(struct net_pool *pool, int64_t due)
{
    if (pool->running == NULL && pool->in_line == NULL)
        pool->sweep_due = INT64_MAX;
    if (due < pool->sweep_due)
        pool->sweep_due = due;
    update_timer(pool);
}

static void act(struct net_pool *pool, curl_socket_t fd, int events)
{
    int running = 0;
    pool->in_curl++;
    (void)curl_multi_socket_action(pool->multi, fd, events, &running);
    pool->in_curl--;
    pool->acted = 1;
    flight_note_sent(pool);
}

void pool_run_timers(struct net_pool *pool)
{
    if (pool->in_curl > 0)
        return;
    pool->curl_due = INT64_MAX; /* unless libcurl says otherwise now */
    update_timer(pool);
    act(pool, CURL_SOCKET_TIMEOUT, 0);
}

void pool_take_results(struct net_pool *pool)
{
    int left = 0;
    const CURLMsg *message = NULL;
    /* Those that are begun in place of those that ended may be answered at once. */
    while (pool->acted && pool->in_curl == 0) {
        pool->acted = 0;
        while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
            struct net_flight *flight = NULL;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &flight);
            if (message->msg == CURLMSG_DONE && flight != NULL)
                flight_end(flight, message->data.result);
        }
        flight_start_waiting(pool);
    }
}

static void socket_ready(struct loop_member *member, int fd, uint32_t events)
{
    struct net_pool *pool = (struct net_pool *)(void *)member; /* its first member */
    int what = 0;
    if ((events & EPOLLIN) != 0)
        what |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0)
        what |= CURL_CSELECT_OUT;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_ERR;
    act(pool, fd, what);
    pool_take_results(pool);
}

static void time_came(struct loop_timer *timer, int64_t now)
{
    struct net_pool *pool =
        (struct net_pool *)(void *)((char *)timer - offsetof(struct net_pool, timer));
    if (pool->curl_due <= now)
        pool_run_timers(pool);
    if (pool->sweep_due <= now)
        pool->sweep_due = flight_sweep(pool, now);
    update_timer(pool);
    pool_take_results(pool);
}

/* ---- addresses of the host ------------------------------------------------------------------- */

void pool_forget_addresses(struct net_pool *pool)
{
    lookup_drop(pool->lookup);
    pool->lookup = NULL;
    free(take_pointer(pool->resolve_entry));
}

/* Whom libcurl connects to by name. */
static const char *first_host(const struct net_pool *pool)
{
    return pool->settings.proxy != NULL ? pool->settings.proxy_host : pool->settings.host;
}

static const char *first_port(const struct net_pool *pool)
{
    const char *url = pool->settings.proxy != NULL ? pool->settings.proxy : pool->settings.origin;
    return strrchr(url, ':') + 1;
}

static void addresses_ready(void *owner)
{
    struct net_pool *pool = owner;
    const char *failure = NULL;
    const char *addresses = lookup_addresses(pool->lookup, &failure);
    if (addresses != NULL)
        pool->resolve_entry =
            text_format("%s:%s:%s", first_host(pool), first_port(pool), addresses);
    else
        flight_fail_waiting(pool, failure);
    lookup_drop(pool->lookup);
    pool->lookup = NULL;
    flight_start_waiting(pool);
}

int pool_knows_addresses(struct net_pool *pool)
{
    const char *host = first_host(pool);
    if (pool->resolve_entry != NULL || lookup_is_needless(host))
        return 1;
    if (pool->lookup == NULL)
        pool->lookup = lookup_begin(host, addresses_ready, pool);
    if (pool->lookup == NULL)
        flight_fail_waiting(pool, strerror(errno));
    return 0;
}

/* ---- handles --------------------------------------------------------------------------------- */

static void set_version(CURL *easy, const struct settings *settings)
{
    long version = CURL_HTTP_VERSION_1_1;
    if (settings->http == NET_HTTP_2 || (settings->http == NET_HTTP_2_ONLY && settings->is_https))
        version = CURL_HTTP_VERSION_2TLS;
    else if (settings->http == NET_HTTP_2_ONLY)
        version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    (void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, version != CURL_HTTP_VERSION_1_1 ? 1L : 0L);
}

static void set_tls(CURL *easy, struct net_pool *pool)
{
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, trust_checks_name(pool->trust) ? 2L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, trust_prepare);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, pool->trust);
}

CURL *pool_take_handle(struct net_pool *pool)
{
    const struct settings *settings = &pool->settings;
    if (pool->idle_count > 0)
        return pool->idle[--pool->idle_count];
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        out_of_memory();
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, settings->is_https ? "https" : "http");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "salvor/" SALVOR_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy != NULL ? settings->proxy : "");
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BODY_BUFFER);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BODY_BUFFER);
    (void)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    /* longer than libcurl would wait by itself: flight_sweep decides */
    (void)curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(settings->connect_ms < INT32_MAX ? settings->connect_ms : INT32_MAX));
    set_version(easy, settings);
    set_tls(easy, pool);
    return easy;
}

void pool_return_handle(struct net_pool *pool, CURL *easy)
{
    if (pool->idle_count < POOL_IDLE_HANDLES)
        pool->idle[pool->idle_count++] = easy;
    else
        curl_easy_cleanup(easy);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void close_pool(struct net_pool *pool)
{
    pool_forget_addresses(pool);
    while (pool->idle_count > 0)
        curl_easy_cleanup(pool->idle[--pool->idle_count]);
    if (pool->multi != NULL)
        (void)curl_multi_cleanup(pool->multi);
    for (size_t i = 0; i < pool->own_fd_count; i++)
        worker_forget_descriptor(pool->own_fds[i]);
    loop_remove_timer(&pool->timer);
    trust_close(pool->trust);
    settings_clear(&pool->settings);
    free(pool);
}

/* Among those that nobody holds, the one unused for longest goes when there are too many. */
static void make_room(void)
{
    struct net_pool **oldest = NULL;
    size_t count = 0;
    for (struct net_pool **at = &pools; *at != NULL; at = &(*at)->next, count++)
        if ((*at)->users == 0 && (oldest == NULL || (*at)->last_used < (*oldest)->last_used))
            oldest = at;
    if (count < KEPT_POOLS || oldest == NULL)
        return;
    struct net_pool *gone = *oldest;
    *oldest = gone->next;
    close_pool(gone);
}

static struct net_pool *find(const char *digest)
{
    for (struct net_pool *pool = pools; pool != NULL; pool = pool->next)
        if (text_equal(pool->settings.digest, digest))
            return pool;
    return NULL;
}

static int make(struct settings *settings, struct net_pool **ret_pool, struct error *reterr)
{
    struct net_pool *pool = memory_new(1, sizeof *pool);
    *pool = (struct net_pool){.member = {socket_ready},
                              .timer = {.due = INT64_MAX, .ring = time_came},
                              .settings = *settings,
                              .curl_due = INT64_MAX,
                              .sweep_due = INT64_MAX};
    *settings = (struct settings){0};
    loop_add_timer(&pool->timer);
    if (trust_open(&pool->settings, &pool->trust, reterr) != 0) {
        close_pool(pool);
        return -1;
    }
    const long most = (long)pool->settings.connections;
    pool->multi = open_multi(pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS, most);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, most);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    *ret_pool = pool;
    return 0;
}

static void prepare_libcurl(void)
{
    static int prepared;
    if (!prepared && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        out_of_memory();
    prepared = 1;
}

/* Whoever reads the report must see it, and whoever watches must see it now: once a worker. */
static void tell_insecure(struct worker_call *call, struct net_pool *pool)
{
    const char *origin = pool->settings.origin;
    if (!pool->settings.insecure || pool->told_insecure)
        return;
    pool->told_insecure = 1;
    cleanup_free char *text = text_format(
        "the certificate of '%s' is not checked (insecure-skip-verify): anybody could answer",
        origin);
    call_send(call, FRAME_LOG,
              json_make("{s:i,s:s}", "level", (int)SALVOR_LOG_WARNING, "text", text));
    call_evidence(call, json_make("{s:s,s:s,s:s,s:b,s:i}", "service", "tls", "what",
                                  "insecure-skip-verify", "url", origin, "insecure", 1,
                                  "duration_ms", 0));
}

salvor_status net_pool_open(struct worker_call *call, const struct net_pool_settings *given,
                            struct net_pool **ret_pool)
{
    cleanup_error struct error err = ERROR_INIT;
    struct settings settings = {0};
    prepare_libcurl();
    if (settings_take(given, &settings, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    struct net_pool *pool = find(settings.digest);
    if (pool == NULL) {
        make_room();
        if (make(&settings, &pool, &err) != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
        pool->next = pools;
        pools = pool;
    }
    settings_clear(&settings);
    tell_insecure(call, pool);
    pool->users++;
    *ret_pool = pool;
    return SALVOR_OK;
}

void net_pool_release(struct net_pool *pool)
{
    if (pool == NULL)
        return;
    pool->users--;
    pool->last_used = clock_monotonic_ms();
}

const char *net_pool_origin(const struct net_pool *pool)
{
    return pool->settings.origin;
}

const char *net_pool_key(const struct net_pool *pool)
{
    return pool->settings.digest;
}

int net_pool_insecure(const struct net_pool *pool)
{
    return pool->settings.insecure;
}

const char *net_pool_peer(const struct net_pool *pool)
{
    return trust_peer(pool->trust);
}
