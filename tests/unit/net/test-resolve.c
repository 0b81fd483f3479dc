/* Looking up addresses, with the system's own resolver played here: it can be held up. */
#include "../unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/resolve.h"
#include "net/transport.h"
#include "practice-call.h"
#include "practice-server.h"

/* ---- the resolver of the system -------------------------------------------------------------- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static int gate_is_closed;
static int inside; /* threads that look up now */
static int asked;

static void set_gate(int closed)
{
    (void)pthread_mutex_lock(&gate_lock);
    gate_is_closed = closed;
    (void)pthread_cond_broadcast(&gate_moved);
    (void)pthread_mutex_unlock(&gate_lock);
}

static void pass_gate(void)
{
    (void)pthread_mutex_lock(&gate_lock);
    asked++;
    inside++;
    (void)pthread_cond_broadcast(&gate_moved);
    while (gate_is_closed)
        (void)pthread_cond_wait(&gate_moved, &gate_lock);
    inside--;
    (void)pthread_cond_broadcast(&gate_moved);
    (void)pthread_mutex_unlock(&gate_lock);
}

static void await_inside(int wanted)
{
    (void)pthread_mutex_lock(&gate_lock);
    while (inside != wanted)
        (void)pthread_cond_wait(&gate_moved, &gate_lock);
    (void)pthread_mutex_unlock(&gate_lock);
}

static struct addrinfo *make_address(const char *text, struct addrinfo *next)
{
    struct addrinfo *info = memory_new(1, sizeof *info);
    struct sockaddr_in *four = memory_new(1, sizeof(struct sockaddr_in6));
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)four;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
        four->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
        six->sin6_family = AF_INET6;
    info->ai_addr = (struct sockaddr *)(void *)four;
    info->ai_next = next;
    return info;
}

/* Stands before that of the C library. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    (void)service;
    (void)hints;
    /* what a real one opens meanwhile */
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    pass_gate();
    (void)close(fd);
    if (strcmp(host, "absent.example") == 0)
        return EAI_NONAME;
    *ret = strcmp(host, "two.example") == 0
               ? make_address("192.0.2.1", make_address("2001:db8::1", NULL))
               : make_address("127.0.0.1", NULL);
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_addr);
        free(list);
        list = next;
    }
}

/* ---- lookups --------------------------------------------------------------------------------- */

struct seen {
    struct lookup *lookup;
    int ready;
};

static void note_ready(void *owner)
{
    ((struct seen *)owner)->ready++;
}

static void await(struct practice *practice, const struct seen *seen)
{
    const int64_t end = clock_monotonic_ms() + 10000;
    while (!seen->ready && clock_monotonic_ms() < end)
        (void)net_wait(&practice->call, 50);
    assert_int_equal(seen->ready, 1);
}

static void answers_come_through_the_loop(void **state)
{
    struct practice *practice = *state;
    const char *failure = NULL;
    struct seen two = {0};
    struct seen absent = {0};
    two.lookup = lookup_begin("two.example", note_ready, &two);
    absent.lookup = lookup_begin("absent.example", note_ready, &absent);
    await(practice, &two);
    await(practice, &absent);
    assert_string_equal(lookup_addresses(two.lookup, &failure), "192.0.2.1,[2001:db8::1]");
    assert_null(failure);
    assert_null(lookup_addresses(absent.lookup, &failure));
    assert_string_equal(failure, "Name or service not known");
    lookup_drop(two.lookup);
    lookup_drop(absent.lookup);
    lookup_drop(NULL);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    cleanup_dir DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    return count;
}

static int is_thread_named(const char *wanted)
{
    cleanup_dir DIR *folder = opendir("/proc/self/task");
    for (const struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;) {
        char name[32] = "";
        cleanup_free char *path = text_format("/proc/self/task/%s/comm", entry->d_name);
        cleanup_file FILE *file = fopen(path, "re");
        if (file != NULL && fgets(name, sizeof name, file) != NULL && strstr(name, wanted) == name)
            return 1;
    }
    return 0;
}

/* The thread goes on, and nothing of it can be seen or closed by mistake. */
static void nobody_waits_for_one_that_hangs(void **state)
{
    struct practice *practice = *state;
    struct seen seen = {0};
    const size_t before = count_descriptors();
    set_gate(1);
    seen.lookup = lookup_begin("slow.example", note_ready, &seen);
    await_inside(1);
    assert_int_equal(count_descriptors(), before);
    assert_true(is_thread_named("salvor-resolve"));
    assert_int_equal(net_wait(&practice->call, 20), SALVOR_PENDING);
    lookup_drop(seen.lookup);
    set_gate(0);
    await_inside(0);
    (void)net_wait(&practice->call, 20);
    assert_int_equal(seen.ready, 0);
}

/* ---- transfers ------------------------------------------------------------------------------- */

static void answer(struct served *served, void *data)
{
    (void)data;
    (void)buffer_append_text(&served->out, "ok");
}

static void transfers_look_up_once(void **state)
{
    struct practice *practice = *state;
    struct practice_server *server =
        practice_server_start(&(struct practice_server_options){.answer = answer});
    cleanup_free char *origin =
        text_format("http://named.example:%s", strrchr(practice_server_url(server), ':') + 1);
    const struct net_pool_settings settings = {.origin = origin, .connect_ms = 200};
    struct net_pool *pool = NULL;
    struct net_transfer all[5];
    asked = 0;
    assert_int_equal(net_pool_open(&practice->call, &settings, &pool), SALVOR_OK);
    for (int i = 0; i < 5; i++) {
        all[i] = (struct net_transfer){.pool = pool, .method = "GET", .target = "/"};
        net_start(&practice->call, &all[i]);
    }
    for (int i = 0; i < 5; i++)
        while (!all[i].done)
            assert_int_equal(net_wait(&practice->call, 5000), SALVOR_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(all[i].status, SALVOR_OK);
        net_transfer_clear(&all[i]);
    }
    assert_int_equal(asked, 1);
    net_pool_release(pool);
    practice_server_stop(server);
}

static void a_lookup_counts_for_the_connection(void **state)
{
    struct practice *practice = *state;
    const struct net_pool_settings settings = {.origin = "http://hanging.example",
                                               .connect_ms = 80};
    struct net_pool *pool = NULL;
    assert_int_equal(net_pool_open(&practice->call, &settings, &pool), SALVOR_OK);
    struct net_transfer it = {.pool = pool, .method = "POST", .target = "/"};
    set_gate(1);
    assert_int_equal(net_perform(&practice->call, &it), SALVOR_TIMEOUT);
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_string_equal(it.error.message,
                        "cannot find host 'hanging.example': no answer within 80 ms");
    set_gate(0);
    await_inside(0);
    net_transfer_clear(&it);
    net_pool_release(pool);
}

static void what_needs_no_lookup(void **state)
{
    (void)state;
    assert_true(lookup_is_needless("127.0.0.1"));
    assert_true(lookup_is_needless("fd00::1"));
    assert_true(lookup_is_needless("localhost"));
    assert_true(lookup_is_needless("a.localhost"));
    assert_false(lookup_is_needless("example"));
    assert_false(lookup_is_needless("127.0.0.1.example"));
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        practised(answers_come_through_the_loop), practised(nobody_waits_for_one_that_hangs),
        practised(transfers_look_up_once),        practised(a_lookup_counts_for_the_connection),
        cmocka_unit_test(what_needs_no_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
