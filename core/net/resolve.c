#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "net/loop.h"

enum { ADDRESSES = 16, STACK = 1 << 20 };

/* Shared by the thread and whoever asked; the last one frees it. */
struct question {
    pthread_mutex_t lock;
    int users;
    int done;
    char *host;
    char *addresses; /* or NULL */
    char *failure;
    int wake; /* the eventfd below, also a number in the thread's own table */
};

struct lookup {
    struct lookup *next;
    struct question *question;
    void (*ready)(void *owner);
    void *owner;
};

static struct {
    int wake; /* one eventfd for all, never closed; 0: not made yet */
    struct lookup *waiting;
} asked;

static void drop_question(struct question *question)
{
    (void)pthread_mutex_lock(&question->lock);
    const int last = --question->users == 0;
    (void)pthread_mutex_unlock(&question->lock);
    if (!last)
        return;
    (void)pthread_mutex_destroy(&question->lock);
    free(question->host);
    free(question->addresses);
    free(question->failure);
    free(question);
}

/* ---- in the thread --------------------------------------------------------------------------- */

static void add_address(struct buffer *list, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    const char *comma = list->size > 0 ? "," : "";
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        if (inet_ntop(AF_INET, &four->sin_addr, text, sizeof text) != NULL)
            (void)buffer_format(list, "%s%s", comma, text);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        if (inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text) != NULL)
            (void)buffer_format(list, "%s[%s]", comma, text);
    }
}

static char *ask(const struct question *question, char **ret_failure)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    struct buffer list = BUFFER_INIT((size_t)ADDRESSES * (INET6_ADDRSTRLEN + 3));
    const int code = getaddrinfo(question->host, NULL, &hints, &found);
    int count = 0;
    for (const struct addrinfo *each = code == 0 ? found : NULL; each != NULL && count < ADDRESSES;
         each = each->ai_next, count++)
        add_address(&list, each->ai_addr);
    if (code == 0)
        freeaddrinfo(found);
    if (list.size > 0)
        return buffer_take(&list);
    *ret_failure = text_copy(code == EAI_SYSTEM ? strerror(errno)
                             : code != 0        ? gai_strerror(code)
                                                : "no address");
    return NULL;
}

/* What getaddrinfo opens must not be taken for something that a plugin left open. */
static void leave_descriptors(int wake)
{
    if (unshare(CLONE_FILES) != 0)
        return;
    if (wake > 3)
        (void)close_range(3, (unsigned)wake - 1, 0);
    (void)close_range((unsigned)wake + 1, ~0U, 0);
}

static void *run(void *data)
{
    struct question *question = data;
    char *failure = NULL;
    (void)pthread_setname_np(pthread_self(), "salvor-resolve");
    leave_descriptors(question->wake);
    char *addresses = ask(question, &failure);
    (void)pthread_mutex_lock(&question->lock);
    question->addresses = addresses;
    question->failure = failure;
    question->done = 1;
    (void)pthread_mutex_unlock(&question->lock);
    const uint64_t one = 1;
    ssize_t told = write(question->wake, &one, sizeof one);
    (void)told; /* cannot fail: the counter holds 2^64 - 2 */
    drop_question(question);
    return NULL;
}

/* ---- the asker's side ------------------------------------------------------------------------ */

static int start_thread(struct question *question)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return -1;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK);
    int code = pthread_create(&thread, &attributes, run, question);
    (void)pthread_attr_destroy(&attributes);
    return code == 0 ? 0 : -1;
}

static void unlink_lookup(const struct lookup *lookup)
{
    for (struct lookup **at = &asked.waiting; *at != NULL; at = &(*at)->next) {
        if (*at == lookup) {
            *at = lookup->next;
            return;
        }
    }
}

static int is_done(const struct lookup *lookup)
{
    (void)pthread_mutex_lock(&lookup->question->lock);
    const int done = lookup->question->done;
    (void)pthread_mutex_unlock(&lookup->question->lock);
    return done;
}

static void wake_ready(struct loop_member *member, int fd, uint32_t events)
{
    uint64_t count = 0;
    (void)member;
    (void)events;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
    /* `ready` may drop its own lookup and begin others, so the list is walked anew each time. */
    for (struct lookup *lookup = asked.waiting; lookup != NULL;) {
        if (!is_done(lookup)) {
            lookup = lookup->next;
            continue;
        }
        unlink_lookup(lookup);
        lookup->ready(lookup->owner);
        lookup = asked.waiting;
    }
}

static int open_wake(void)
{
    static struct loop_member member = {wake_ready};
    if (asked.wake > 0)
        return 0;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -1;
    if (loop_put(fd, EPOLLIN, &member) != 0) {
        (void)close(fd);
        return -1;
    }
    worker_keep_descriptor(fd);
    asked.wake = fd;
    return 0;
}

/* What cannot even be asked is answered like any other failure, from the loop. */
static void answer_at_once(struct question *question, const char *failure)
{
    const uint64_t one = 1;
    question->users = 1;
    question->failure = text_copy(failure);
    question->done = 1;
    ssize_t told = write(asked.wake, &one, sizeof one);
    (void)told;
}

struct lookup *lookup_begin(const char *host, void (*ready)(void *owner), void *owner)
{
    if (open_wake() != 0)
        return NULL;
    struct lookup *lookup = memory_new(1, sizeof *lookup);
    struct question *question = memory_new(1, sizeof *question);
    *question = (struct question){.users = 2, .host = text_copy(host), .wake = asked.wake};
    (void)pthread_mutex_init(&question->lock, NULL);
    *lookup = (struct lookup){asked.waiting, question, ready, owner};
    asked.waiting = lookup;
    if (start_thread(question) != 0)
        answer_at_once(question, "no thread can be started");
    return lookup;
}

const char *lookup_addresses(const struct lookup *lookup, const char **ret_failure)
{
    *ret_failure = lookup->question->failure;
    return lookup->question->addresses;
}

void lookup_drop(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    unlink_lookup(lookup);
    drop_question(lookup->question);
    free(lookup);
}

int lookup_is_needless(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1 ||
           strcasecmp(host, "localhost") == 0 || text_ends(host, ".localhost");
}
