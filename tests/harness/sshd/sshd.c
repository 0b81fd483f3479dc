#include "sshd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

extern char **environ;

enum { PAIRS = 64, PIECE = 65536, LOOK_MS = 20 };

static void die(const char *what)
{
    fprintf(stderr, "sshd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- programs -------------------------------------------------------------------------------- */

static int run(const char *const *argv, char **ret_text)
{
    int ends[2];
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, (char **)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    struct buffer text = BUFFER_INIT(1 << 20);
    char chunk[4096];
    ssize_t got = 0;
    while (failed == 0 && (got = read(ends[0], chunk, sizeof chunk)) > 0)
        (void)buffer_append(&text, chunk, (size_t)got);
    (void)close(ends[0]);
    int status = -1;
    if (failed == 0)
        (void)waitpid(pid, &status, 0);
    *ret_text = buffer_take(&text);
    return failed != 0 || status != 0 ? -1 : 0;
}

static void make_key(const char *type, const char *path)
{
    const char *const argv[] = {"ssh-keygen", "-q", "-t", type, "-N", "",
                                "-C",         "e",  "-f", path, NULL};
    cleanup_free char *text = NULL;
    if (run(argv, &text) != 0)
        die("ssh-keygen");
}

static char *read_text(const char *path)
{
    char *text = NULL;
    if (file_read(path, 1 << 20, &text, NULL, NULL) != 0)
        die(path);
    return text;
}

static const char *sshd_path(void)
{
    static const char *const places[] = {"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* ---- the server ------------------------------------------------------------------------------ */

struct way {
    int from;
    int to;
    char bytes[PIECE];
    size_t begin;
    size_t end;
    int64_t passed;
    int closed; /* nothing more comes */
};

struct pair {
    int used;
    int stalled;
    int64_t number;
    struct way up;
    struct way down;
};

static struct pair pairs[PAIRS];

static void end_pair(struct pair *pair, int reset)
{
    const struct linger now = {1, 0};
    if (reset)
        (void)setsockopt(pair->up.from, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(pair->up.from);
    (void)close(pair->up.to);
    pair->used = 0;
}

/* How many bytes may pass now; -1 when it is time to cut. */
static int64_t allowed(const struct sshd_rules *rules, const struct pair *pair,
                       const struct way *way)
{
    const int64_t limit = way == &pair->up ? rules->cut_up : rules->cut_down;
    if (rules->cut == SSHD_CUT_NONE || limit < 0 ||
        (rules->cut_connection != 0 && rules->cut_connection != pair->number))
        return PIECE;
    return way->passed >= limit ? -1 : limit - way->passed;
}

/* 0: the pair is gone. */
static int carry(struct sshd_rules *rules, struct pair *pair, struct way *way)
{
    if (way->begin == way->end && !way->closed) {
        ssize_t got = read(way->from, way->bytes, sizeof way->bytes);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            way->closed = 1;
        way->begin = 0;
        way->end = got > 0 ? (size_t)got : 0;
    }
    while (way->begin < way->end && !pair->stalled) {
        int64_t most = allowed(rules, pair, way);
        if (most < 0) {
            if (rules->cut == SSHD_CUT_STALL) {
                pair->stalled = 1;
                return 1;
            }
            end_pair(pair, rules->cut == SSHD_CUT_RESET);
            return 0;
        }
        size_t size = way->end - way->begin;
        if ((int64_t)size > most)
            size = (size_t)most;
        ssize_t sent = send(way->to, way->bytes + way->begin, size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return 1;
        if (sent < 0) {
            end_pair(pair, 0);
            return 0;
        }
        way->begin += (size_t)sent;
        way->passed += sent;
        *(way == &pair->up ? &rules->up : &rules->down) = way->passed;
    }
    if (way->closed && way->begin == way->end) {
        end_pair(pair, 0);
        return 0;
    }
    return 1;
}

static void take_connection(struct sshd_rules *rules, int listener, const char *sshd,
                            const char *config)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct pair *pair = NULL;
    int ends[2];
    const int at_once = 1;
    if (client < 0)
        return;
    /* As sshd would: with small answers held back each one takes 40 ms. */
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    rules->connections++;
    for (size_t i = 0; i < PAIRS && pair == NULL; i++)
        if (!pairs[i].used)
            pair = &pairs[i];
    if (rules->refuse || pair == NULL ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        (void)close(client);
        return;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_t actions;
    const char *const argv[] = {sshd, "-i", "-e", "-f", config, NULL};
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    pid_t pid = -1;
    if (posix_spawn(&pid, sshd, &actions, NULL, (char **)argv, environ) != 0)
        die("sshd");
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *pair = (struct pair){.used = 1, .number = rules->connections};
    pair->up.from = pair->down.to = client;
    pair->up.to = pair->down.from = ends[0];
}

static void serve(struct sshd_rules *rules, int listener, const char *sshd, const char *config)
{
    for (;;) {
        struct pollfd fds[1 + 2 * PAIRS] = {{listener, POLLIN, 0}};
        for (size_t i = 0; i < PAIRS; i++) {
            const struct pair *pair = &pairs[i];
            short client = 0;
            short server = 0;
            if (pair->used && !pair->stalled) {
                client |= pair->up.begin == pair->up.end ? POLLIN : 0;
                server |= pair->up.begin < pair->up.end ? POLLOUT : 0;
                server |= pair->down.begin == pair->down.end ? POLLIN : 0;
                client |= pair->down.begin < pair->down.end ? POLLOUT : 0;
            }
            fds[1 + 2 * i] = (struct pollfd){client != 0 ? pair->up.from : -1, client, 0};
            fds[2 + 2 * i] = (struct pollfd){server != 0 ? pair->up.to : -1, server, 0};
        }
        if (poll(fds, 1 + 2 * PAIRS, LOOK_MS) < 0 && errno != EINTR)
            die("poll");
        if (rules->cut_all) {
            for (size_t i = 0; i < PAIRS; i++)
                if (pairs[i].used)
                    end_pair(&pairs[i], 0);
            rules->cut_all = 0;
            continue;
        }
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (fds[0].revents != 0)
            take_connection(rules, listener, sshd, config);
        for (size_t i = 0; i < PAIRS; i++)
            if (pairs[i].used && !pairs[i].stalled && carry(rules, &pairs[i], &pairs[i].up))
                (void)carry(rules, &pairs[i], &pairs[i].down);
    }
}

/* ---- start and stop -------------------------------------------------------------------------- */

static int listen_there(const char *address, int *ret_port)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        die("listen");
    *ret_port = ntohs(name.sin_port);
    return fd;
}

static void write_text(const char *path, const char *text)
{
    if (file_write_atomic(path, text, strlen(text), 0600, NULL) != 0)
        die(path);
}

static void make_host_keys(struct sshd *host, const char *types, struct buffer *config)
{
    cleanup_free char *list = text_copy(types);
    char *rest = NULL;
    struct buffer known = BUFFER_INIT(65536);
    for (char *type = strtok_r(list, " ", &rest); type != NULL; type = strtok_r(NULL, " ", &rest)) {
        cleanup_free char *path = text_format("%s/host-%s", host->folder, type);
        cleanup_free char *public = text_format("%s.pub", path);
        make_key(type, path);
        cleanup_free char *text = read_text(public);
        (void)buffer_format(config, "HostKey %s\n", path);
        (void)buffer_format(&known, "[%s]:%d %s", host->address, host->port, text);
    }
    cleanup_free char *lines = buffer_take(&known);
    write_text(host->known_hosts, lines);
}

static int can_run(const char *sshd, const char *config)
{
    const char *const argv[] = {sshd, "-t", "-f", config, NULL};
    cleanup_free char *text = NULL;
    if (geteuid() == 0)
        (void)mkdir("/run/sshd", 0755);
    return run(argv, &text) == 0;
}

struct sshd *sshd_start(const struct sshd_settings *settings)
{
    const char *sshd = sshd_path();
    const char *base = getenv("TMPDIR");
    const struct passwd *user = getpwuid(geteuid());
    if (sshd == NULL || user == NULL)
        return NULL;
    struct sshd *host = memory_new(1, sizeof *host);
    host->folder = text_format("%s/ssh-host-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(host->folder) == NULL)
        die(host->folder);
    host->address = text_copy(settings->address != NULL ? settings->address : "127.0.0.1");
    host->user = text_copy(user->pw_name);
    host->home = text_format("%s/home", host->folder);
    host->known_hosts = text_format("%s/known_hosts", host->folder);
    host->key_file = text_format("%s/client", host->folder);
    if (mkdir(host->home, 0700) != 0)
        die(host->home);
    make_key("ed25519", host->key_file);
    host->key = read_text(host->key_file);
    int listener = listen_there(host->address, &host->port);
    struct buffer config = BUFFER_INIT(65536);
    make_host_keys(host, settings->host_keys != NULL ? settings->host_keys : "ed25519", &config);
    /* Of a line that stands twice the first one counts. */
    (void)buffer_format(&config,
                        "%s\nAuthorizedKeysFile %s.pub\nPidFile none\nStrictModes no\n"
                        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                        "PermitRootLogin prohibit-password\nMaxSessions 200\nUsePAM no\n"
                        "LogLevel QUIET\nSetEnv HOME=%s\n",
                        settings->configured != NULL ? settings->configured : "", host->key_file,
                        host->home);
    cleanup_free char *path = text_format("%s/sshd_config", host->folder);
    cleanup_free char *text = buffer_take(&config);
    write_text(path, text);
    host->rules =
        mmap(NULL, sizeof *host->rules, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (host->rules == MAP_FAILED)
        die("mmap");
    *host->rules = (struct sshd_rules){.cut_up = -1, .cut_down = -1};
    host->server = can_run(sshd, path) ? fork() : -1;
    if (host->server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        serve(host->rules, listener, sshd, path);
    }
    (void)close(listener);
    if (host->server > 0)
        return host;
    sshd_stop(host);
    return NULL;
}

void sshd_stop(struct sshd *host)
{
    if (host == NULL)
        return;
    if (host->server > 0) {
        (void)kill(host->server, SIGTERM);
        (void)waitpid(host->server, NULL, 0);
    }
    (void)munmap(host->rules, sizeof *host->rules);
    (void)file_remove_tree(host->folder, NULL);
    free(host->folder);
    free(host->home);
    free(host->known_hosts);
    free(host->key_file);
    free(host->key);
    free(host->user);
    free(host->address);
    free(host);
}

char *sshd_fingerprint(const struct sshd *host, const char *type)
{
    cleanup_free char *path = text_format("%s/host-%s.pub", host->folder, type);
    const char *const argv[] = {"ssh-keygen", "-l", "-f", path, NULL};
    cleanup_free char *text = NULL;
    if (run(argv, &text) != 0)
        die("ssh-keygen");
    const char *at = strstr(text, "SHA256:");
    return text_copy_span(at, strcspn(at, " \n"));
}

char *sshd_options(const struct sshd *host, const char *more)
{
    return text_format("{\"host\":\"%s\",\"port\":%d,\"user\":\"%s\",\"known_hosts\":\"%s\","
                       "\"connect_ms\":10000%s}",
                       host->address, host->port, host->user, host->known_hosts, more);
}
