#include "services/ssh-connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/shim-spawn.h"
#include "services/shim-spec.h"
#include "services/shims.h"
#include "services/ssh-program.h"
#include "worker/call.h"

enum {
    CONNECTIONS_KEPT = 48, /* more are closed, the longest unused first */
    END_PATIENCE_MS = 2000,
    ERROR_TEXT = 16384,
    FAMILIES = 3, /* of host keys: another one is asked for when a pin does not fit */
    SOCKET_SUFFIX = 18
};

struct ssh_connection {
    struct ssh_connection *next;
    char *identity; /* connection key of the target and digest of the private key */
    struct ssh_target *target;
    struct ssh_key *key;         /* until it is ready */
    struct ssh_connection *jump; /* or NULL */
    struct ssh_waiter at_jump;
    enum ssh_connection_state state;
    struct shim shim;
    int words; /* memory file with its standard error */
    int inotify;
    int epoll;
    char *folder; /* removed by the shim once it runs */
    char *socket;
    char *without;       /* host key algorithms not to be asked for again */
    char *first_refusal; /* what ssh said when the first of several keys did not fit */
    int attempts;
    int64_t deadline; /* monotonic ms */
    struct error error;
    salvor_status status;
    size_t users;
    int dropped;
    int64_t used; /* when it was put back */
    struct ssh_waiter *waiters;
};

static struct ssh_connection *connections;

/* ---- the end --------------------------------------------------------------------------------- */

static void keep_shim(const struct ssh_connection *connection)
{
    worker_keep_descriptor(connection->shim.talk);
    worker_keep_descriptor(connection->words);
    worker_keep_child(connection->shim.pid);
}

static void end_master(struct ssh_connection *connection)
{
    if (connection->shim.pid > 0) {
        worker_forget_descriptor(connection->shim.talk);
        worker_forget_descriptor(connection->words);
        worker_forget_child(connection->shim.pid);
        shim_end(&connection->shim, END_PATIENCE_MS);
    }
    if (connection->folder != NULL)
        (void)file_remove_tree(connection->folder, NULL);
    free(connection->folder);
    free(connection->socket);
    connection->folder = connection->socket = NULL;
    int *const fds[] = {&connection->words, &connection->inotify};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (*fds[i] >= 0)
            (void)close(take_fd(fds[i]));
}

static void leave_jump(struct ssh_connection *connection)
{
    if (connection->jump == NULL)
        return;
    ssh_connection_forget(connection->jump, &connection->at_jump);
    ssh_connection_put(connection->jump);
    connection->jump = NULL;
}

static void unlist(const struct ssh_connection *connection)
{
    for (struct ssh_connection **at = &connections; *at != NULL; at = &(*at)->next) {
        if (*at == connection) {
            *at = connection->next;
            return;
        }
    }
}

static void destroy(struct ssh_connection *connection)
{
    unlist(connection);
    end_master(connection);
    leave_jump(connection);
    if (connection->epoll >= 0)
        (void)close(connection->epoll);
    ssh_key_put(connection->key);
    error_clear(&connection->error);
    free(connection->identity);
    free(connection->without);
    free(connection->first_refusal);
    ssh_target_put(connection->target);
    free(connection);
}

static void tell_waiters(struct ssh_connection *connection)
{
    struct ssh_waiter *waiters = take_pointer(connection->waiters);
    while (waiters != NULL) {
        struct ssh_waiter *waiter = waiters;
        waiters = waiter->next;
        waiter->next = NULL;
        waiter->wake(waiter);
    }
}

static void go_down(struct ssh_connection *connection, salvor_status status)
{
    connection->state = SSH_DOWN;
    connection->status = status;
    connection->dropped = 1;
    end_master(connection);
    leave_jump(connection);
    tell_waiters(connection);
}

static void fail_here(struct ssh_connection *connection, int errnum, const char *what)
{
    (void)error_errno(&connection->error, EXIT_FAILED, errnum, "cannot start ssh for '%s': %s",
                      connection->target->name, what);
    go_down(connection, SALVOR_FAILED);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int make_folder(struct ssh_connection *connection)
{
    cleanup_free char *base = NULL;
    if (memory_folder_base(&base, &connection->error) != 0)
        return -1;
    cleanup_free char *folder = text_format("%s/ssh-XXXXXX", base);
    if (mkdtemp(folder) == NULL)
        return error_errno(&connection->error, EXIT_FAILED, errno, "cannot create folder '%s'",
                           folder);
    connection->socket = text_format("%s/s", folder);
    connection->folder = take_pointer(folder);
    struct sockaddr_un address;
    if (strlen(connection->socket) + SOCKET_SUFFIX >= sizeof address.sun_path) {
        (void)error_set(&connection->error, EXIT_FAILED,
                        "folder '%s' has too long a name for sockets in it", base);
        return error_hint(&connection->error, "set XDG_RUNTIME_DIR to a shorter one, or unset it");
    }
    return 0;
}

static int watch(struct ssh_connection *connection)
{
    connection->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    connection->words = memfd_create("salvor-ssh-words", MFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    /* Appending, so that the reports of a later ssh do not overwrite those of an earlier one. */
    return connection->inotify < 0 || connection->words < 0 ||
                   fcntl(connection->words, F_SETFL, O_APPEND) != 0 ||
                   inotify_add_watch(connection->inotify, connection->folder,
                                     IN_CREATE | IN_MOVED_TO) < 0 ||
                   epoll_ctl(connection->epoll, EPOLL_CTL_ADD, connection->inotify, &event) != 0
               ? -1
               : 0;
}

static int spawn(struct ssh_connection *connection, const char *program)
{
    const struct ssh_call how = {
        .program = program,
        .socket = connection->socket,
        .with_key = connection->key != NULL,
        .without = connection->without,
        .through = connection->jump != NULL ? connection->jump->socket : NULL,
    };
    cleanup_json json_t *spec =
        json_make("{s:s,s:o,s:o,s:s,s:[],s:[],s:s}", "path", program, "argv",
                  ssh_master_argv(connection->target, &how), "env", ssh_master_env(), "folder", "/",
                  "keep", "files", "remove", connection->folder);
    cleanup_close int key = connection->key != NULL ? ssh_key_file(connection->key) : -1;
    if (connection->key != NULL && key < 0)
        return error_errno(&connection->error, EXIT_FAILED, errno, "cannot hand the key to ssh");
    const struct shim_fd fds[] = {{connection->words, 2}, {key, 0}};
    const struct shim_command shim = {EXEC_SHIM_COMMAND, NULL, NULL};
    return shim_spawn(&shim, spec, fds, key >= 0 ? 2 : 1, &connection->shim, &connection->error);
}

static void begin(struct ssh_connection *connection)
{
    cleanup_free char *program = ssh_find_program();
    if (program == NULL) {
        (void)error_set(&connection->error, EXIT_FAILED, "there is no program 'ssh' in PATH");
        (void)error_hint(&connection->error, "install the OpenSSH client");
        go_down(connection, SALVOR_FAILED);
        return;
    }
    if (make_folder(connection) != 0) {
        go_down(connection, SALVOR_FAILED);
        return;
    }
    if (watch(connection) != 0) {
        fail_here(connection, errno, "cannot watch it");
        return;
    }
    struct epoll_event event = {.events = EPOLLIN};
    if (spawn(connection, program) != 0) {
        go_down(connection, SALVOR_FAILED);
        return;
    }
    keep_shim(connection);
    if (epoll_ctl(connection->epoll, EPOLL_CTL_ADD, connection->shim.talk, &event) != 0)
        fail_here(connection, errno, "cannot watch it");
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* Newest ERROR_TEXT bytes of its standard error. */
static char *said(const struct ssh_connection *connection)
{
    struct stat status;
    char *text = memory_new(ERROR_TEXT + 1, 1);
    size_t used = 0;
    off_t from = 0;
    if (fstat(connection->words, &status) == 0 && status.st_size > ERROR_TEXT)
        from = status.st_size - ERROR_TEXT;
    while (used < ERROR_TEXT) {
        ssize_t got = pread(connection->words, text + used, ERROR_TEXT - used, from + (off_t)used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
    return text;
}

/* The pattern for all algorithms with keys of that type. */
static const char *family_of(const char *type)
{
    static const char *const families[] = {"ed25519", "ecdsa", "rsa", "dss"};
    static const char *const patterns[] = {"*ed25519*", "*ecdsa*", "*rsa*", "*dss*"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strstr(type, families[i]) != NULL)
            return patterns[i];
    return NULL;
}

/* A host has keys of several types, and the pinned one may not be what it shows first. 1: it is
 * asked for another one. */
static int try_another_key(struct ssh_connection *connection, const char *text)
{
    cleanup_free char *fingerprint = NULL;
    cleanup_free char *type = ssh_refused_key(text, &fingerprint);
    const char *family = type != NULL ? family_of(type) : NULL;
    if (family == NULL || ++connection->attempts >= FAMILIES ||
        (connection->without != NULL && strstr(connection->without, family) != NULL))
        return 0;
    if (connection->first_refusal == NULL)
        connection->first_refusal = text_copy(text);
    cleanup_free char *before = take_pointer(connection->without);
    connection->without =
        text_format("%s%s%s", before != NULL ? before : "", before != NULL ? "," : "", family);
    end_master(connection);
    begin(connection);
    return 1;
}

static void take_end(struct ssh_connection *connection)
{
    cleanup_free char *text = said(connection);
    if (try_another_key(connection, text))
        return;
    /* The reason is the first key that did not fit, not that there is no other. */
    int no_key_fits = connection->first_refusal != NULL &&
                      (ssh_shows_refused_key(text) || strstr(text, "no matching host key") != NULL);
    go_down(connection,
            ssh_explain(connection->target, no_key_fits ? connection->first_refusal : text,
                        &connection->error));
}

/* 1: the master ended, or never began. */
static int hear(struct ssh_connection *connection)
{
    for (;;) {
        struct shim_report report = {0};
        ssize_t got = recv(connection->shim.talk, &report, sizeof report, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got == (ssize_t)sizeof report && report.event == SHIM_STARTED)
            continue;
        report.text[sizeof report.text - 1] = '\0';
        if (got == (ssize_t)sizeof report && report.event == SHIM_NOT_STARTED)
            fail_here(connection, report.value, report.text);
        return 1;
    }
}

static void become_ready(struct ssh_connection *connection)
{
    connection->state = SSH_READY;
    (void)close(take_fd(&connection->inotify));
    (void)close(take_fd(&connection->epoll));
    ssh_key_put(take_pointer(connection->key));
    tell_waiters(connection);
}

static void step_jump(struct ssh_connection *connection)
{
    ssh_connection_step(connection->jump);
    switch (ssh_connection_state(connection->jump)) {
    case SSH_CONNECTING:
        return;
    case SSH_READY:
        (void)epoll_ctl(connection->epoll, EPOLL_CTL_DEL, ssh_connection_fd(connection->jump),
                        NULL);
        begin(connection);
        return;
    case SSH_DOWN:
        break;
    }
    salvor_status status = ssh_connection_failure(connection->jump, &connection->error);
    (void)error_prefix(&connection->error, "on the way to '%s'", connection->target->name);
    go_down(connection, status);
}

void ssh_connection_step(struct ssh_connection *connection)
{
    if (connection->state != SSH_CONNECTING)
        return;
    if (clock_monotonic_ms() >= connection->deadline) {
        (void)error_set(&connection->error, EXIT_FAILED, "cannot connect to '%s' within %lld ms",
                        connection->target->name, (long long)connection->target->connect_ms);
        (void)error_hint(&connection->error, "is the host up, and port %d reachable from here?",
                         connection->target->port);
        go_down(connection, SALVOR_RETRY);
        return;
    }
    if (connection->shim.pid <= 0) {
        if (connection->jump != NULL)
            step_jump(connection);
        return;
    }
    char events[4096];
    while (read(connection->inotify, events, sizeof events) > 0)
        continue;
    /* The socket gets its name once the user is let in. */
    if (access(connection->socket, F_OK) == 0)
        become_ready(connection);
    else if (hear(connection) && connection->state == SSH_CONNECTING)
        take_end(connection);
}

/* ---- the list -------------------------------------------------------------------------------- */

/* A ready one whose ssh ended meanwhile. */
static int has_ended(struct ssh_connection *connection)
{
    return connection->state == SSH_READY && hear(connection);
}

size_t ssh_connections_count(void)
{
    size_t count = 0;
    for (const struct ssh_connection *at = connections; at != NULL; at = at->next)
        count++;
    return count;
}

/* Of those that nobody uses, the one that was used longest ago; NULL: all are in use. */
static struct ssh_connection *idlest(void)
{
    struct ssh_connection *found = NULL;
    for (struct ssh_connection *at = connections; at != NULL; at = at->next)
        if (at->users == 0 && (found == NULL || at->used < found->used))
            found = at;
    return found;
}

static void make_room(void)
{
    struct ssh_connection *idle = NULL;
    while (ssh_connections_count() >= CONNECTIONS_KEPT && (idle = idlest()) != NULL)
        destroy(idle);
}

static void jump_is_there(struct ssh_waiter *waiter)
{
    struct ssh_connection *connection =
        (struct ssh_connection *)(void *)((char *)waiter -
                                          offsetof(struct ssh_connection, at_jump));
    /* Not from within the jump's own step: those who wait are told, and they step. */
    tell_waiters(connection);
}

static struct ssh_connection *make(struct ssh_target *target, struct ssh_key *key, char *identity)
{
    struct ssh_connection *connection = memory_new(1, sizeof *connection);
    *connection = (struct ssh_connection){
        .next = connections,
        .identity = text_copy(identity),
        .target = ssh_target_ref(target),
        .key = ssh_key_ref(key),
        .shim = {0, -1},
        .words = -1,
        .inotify = -1,
        .deadline = clock_monotonic_ms() + target->connect_ms,
        .users = 1,
    };
    connections = connection;
    connection->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (connection->epoll < 0) {
        fail_here(connection, errno, "cannot watch it");
        return connection;
    }
    if (target->jump == NULL) {
        begin(connection);
        return connection;
    }
    int reused = 0;
    connection->at_jump.wake = jump_is_there;
    connection->jump = ssh_connection_get(connection->target->jump, key, &reused);
    if (ssh_connection_state(connection->jump) == SSH_CONNECTING) {
        struct epoll_event event = {.events = EPOLLIN};
        (void)epoll_ctl(connection->epoll, EPOLL_CTL_ADD, ssh_connection_fd(connection->jump),
                        &event);
        ssh_connection_await(connection->jump, &connection->at_jump);
    } else {
        step_jump(connection);
    }
    return connection;
}

static struct ssh_connection *find(const char *identity)
{
    for (struct ssh_connection *at = connections; at != NULL; at = at->next)
        if (!at->dropped && text_equal(at->identity, identity))
            return at;
    return NULL;
}

struct ssh_connection *ssh_connection_get(struct ssh_target *target, struct ssh_key *key,
                                          int *ret_reused)
{
    cleanup_free char *identity = text_format("%s %s", target->connection_key, ssh_key_digest(key));
    struct ssh_connection *there = find(identity);
    if (there != NULL && has_ended(there)) {
        ssh_connection_drop(there);
        there = NULL;
    }
    if (there != NULL) {
        there->users++;
        *ret_reused = there->state == SSH_READY;
        return there;
    }
    make_room();
    *ret_reused = 0;
    return make(target, key, identity);
}

enum ssh_connection_state ssh_connection_state(const struct ssh_connection *connection)
{
    return connection->state;
}

int ssh_connection_fd(const struct ssh_connection *connection)
{
    return connection->epoll;
}

int64_t ssh_connection_due(const struct ssh_connection *connection)
{
    int64_t due = connection->deadline;
    if (connection->jump != NULL && connection->jump->state == SSH_CONNECTING &&
        connection->jump->deadline < due)
        due = connection->jump->deadline;
    return due;
}

void ssh_connection_await(struct ssh_connection *connection, struct ssh_waiter *waiter)
{
    waiter->next = connection->waiters;
    connection->waiters = waiter;
}

void ssh_connection_forget(struct ssh_connection *connection, const struct ssh_waiter *waiter)
{
    for (struct ssh_waiter **at = &connection->waiters; *at != NULL; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

const char *ssh_connection_socket(const struct ssh_connection *connection)
{
    return connection->socket;
}

salvor_status ssh_connection_failure(const struct ssh_connection *connection, struct error *reterr)
{
    const struct error *err = &connection->error;
    (void)error_set(reterr, err->code, "%s", err->message != NULL ? err->message : "no connection");
    if (err->detail != NULL)
        (void)error_detail(reterr, "%s", err->detail);
    if (err->hint != NULL)
        (void)error_hint(reterr, "%s", err->hint);
    return connection->status;
}

void ssh_connection_drop(struct ssh_connection *connection)
{
    connection->dropped = 1;
    if (connection->users == 0)
        destroy(connection);
}

void ssh_connection_put(struct ssh_connection *connection)
{
    if (connection == NULL || --connection->users > 0)
        return;
    connection->used = clock_monotonic_ms();
    if (connection->dropped || connection->state != SSH_READY)
        destroy(connection);
}

void ssh_connections_close(void)
{
    struct ssh_connection *idle = NULL;
    while ((idle = idlest()) != NULL)
        destroy(idle);
}
