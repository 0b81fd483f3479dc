#include "services/ssh-mux.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

enum {
    VERSION = 4,
    MSG_HELLO = 0x00000001,
    C_NEW_SESSION = 0x10000002,
};

/* Above what an enum holds. */
static const uint32_t s_permission_denied = 0x80000002U;
static const uint32_t s_failure = 0x80000003U;
static const uint32_t s_exit_message = 0x80000004U;
static const uint32_t s_session_opened = 0x80000006U;
static const uint32_t no_escape = 0xffffffffU;

/* ---- writing --------------------------------------------------------------------------------- */

static void put_number(struct buffer *out, uint32_t value)
{
    const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};
    (void)buffer_append(out, bytes, sizeof bytes);
}

static void put_text(struct buffer *out, const char *text)
{
    size_t size = strlen(text);
    put_number(out, (uint32_t)size);
    (void)buffer_append(out, text, size);
}

/* One packet; the socket has room for far more than we ever send. */
static int send_packet(int fd, const struct buffer *body)
{
    cleanup_buffer struct buffer packet = BUFFER_INIT((size_t)4 * SSH_MUX_PACKET);
    put_number(&packet, (uint32_t)body->size);
    if (buffer_append(&packet, body->data, body->size) != 0) {
        errno = EMSGSIZE;
        return -1;
    }
    for (size_t sent = 0; sent < packet.size;) {
        ssize_t got = send(fd, packet.data + sent, packet.size - sent, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        sent += (size_t)got;
    }
    return 0;
}

static int send_descriptor(int fd, int given)
{
    char byte = 0;
    struct iovec data = {&byte, 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &given, sizeof given);
    ssize_t sent = -1;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == 1 ? 0 : -1;
}

int ssh_mux_connect(struct ssh_mux *mux, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    *mux = (struct ssh_mux)SSH_MUX_INIT;
    mux->fd = take_fd(&fd);
    return 0;
}

int ssh_mux_ask_session(const struct ssh_mux *mux, const char *command, const int fds[3])
{
    cleanup_buffer struct buffer hello = BUFFER_INIT(64);
    cleanup_buffer struct buffer session = BUFFER_INIT((size_t)3 * SSH_MUX_PACKET);
    put_number(&hello, MSG_HELLO);
    put_number(&hello, VERSION);
    put_number(&session, C_NEW_SESSION);
    put_number(&session, 0); /* number of the request: there is one a socket */
    put_text(&session, "");
    for (int flag = 0; flag < 4; flag++) /* terminal, X11, agent, subsystem: none */
        put_number(&session, 0);
    put_number(&session, no_escape);
    put_text(&session, "");
    put_text(&session, command);
    if (send_packet(mux->fd, &hello) != 0 || send_packet(mux->fd, &session) != 0)
        return -1;
    for (int i = 0; i < 3; i++)
        if (send_descriptor(mux->fd, fds[i]) != 0)
            return -1;
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static uint32_t number_at(const char *data)
{
    const unsigned char *bytes = (const unsigned char *)data;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static enum ssh_mux_event broken(struct ssh_mux *mux, const char *why)
{
    (void)snprintf(mux->reason, sizeof mux->reason, "%s", why);
    return SSH_MUX_BROKEN;
}

static void take_reason(struct ssh_mux *mux, const char *body, size_t size)
{
    size_t length = size >= 12 ? number_at(body + 8) : 0;
    if (length == 0 || length > size - 12)
        (void)snprintf(mux->reason, sizeof mux->reason, "no reason given");
    else
        (void)snprintf(mux->reason, sizeof mux->reason, "%.*s", (int)length, body + 12);
}

static enum ssh_mux_event understand(struct ssh_mux *mux, const char *body, size_t size)
{
    uint32_t type = size >= 4 ? number_at(body) : 0;
    if (!mux->greeted) {
        if (size < 8 || type != MSG_HELLO)
            return broken(mux, "the control socket of ssh does not greet");
        if (number_at(body + 4) != VERSION)
            return broken(mux, "this ssh speaks another version of its control protocol than 4");
        mux->greeted = 1;
        return SSH_MUX_NOTHING;
    }
    if (type == s_session_opened)
        return SSH_MUX_OPENED;
    if (type == s_exit_message && size >= 12) {
        mux->exit_status = (int32_t)number_at(body + 8);
        return SSH_MUX_EXITED;
    }
    if (type == s_permission_denied || type == s_failure) {
        take_reason(mux, body, size);
        return SSH_MUX_REFUSED;
    }
    return SSH_MUX_NOTHING; /* of later versions, or about terminals */
}

/* A whole packet in the buffer: its size, with the head; 0: not yet, -1: it cannot be one. */
static int64_t packet_size(const struct ssh_mux *mux)
{
    if (mux->in.size < 4)
        return 0;
    uint32_t size = number_at(mux->in.data);
    if (size > SSH_MUX_PACKET)
        return -1;
    return mux->in.size - 4 >= size ? (int64_t)size + 4 : 0;
}

enum ssh_mux_event ssh_mux_hear(struct ssh_mux *mux)
{
    for (;;) {
        int64_t size = packet_size(mux);
        if (size < 0)
            return broken(mux, "the control socket of ssh says what it should not");
        if (size > 0) {
            enum ssh_mux_event event = understand(mux, mux->in.data + 4, (size_t)size - 4);
            buffer_consume(&mux->in, (size_t)size);
            if (event != SSH_MUX_NOTHING)
                return event;
            continue;
        }
        char chunk[512];
        ssize_t got = recv(mux->fd, chunk, sizeof chunk, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return SSH_MUX_NOTHING;
        if (got <= 0)
            return SSH_MUX_CLOSED;
        if (buffer_append(&mux->in, chunk, (size_t)got) != 0)
            return broken(mux, "the control socket of ssh says what it should not");
    }
}

void ssh_mux_close(struct ssh_mux *mux)
{
    if (mux->fd >= 0)
        (void)close(take_fd(&mux->fd));
    buffer_clear(&mux->in);
}
