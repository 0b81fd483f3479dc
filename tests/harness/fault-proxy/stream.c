#include "fault-proxy/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"

/* 0 when something can be read (or the stream ended), -1 when everything ends. */
static int await_input(const struct stream *stream)
{
    struct pollfd polled[2] = {{.fd = stream->fd, .events = POLLIN},
                               {.fd = stream->stop_fd, .events = POLLIN}};
    while (poll(polled, 2, -1) < 0)
        if (errno != EINTR)
            return -1;
    return polled[1].revents != 0 ? -1 : 0;
}

ssize_t stream_read(struct stream *stream, void *data, size_t size)
{
    ssize_t got;
    if ((stream->ssl == NULL || !SSL_has_pending(stream->ssl)) && await_input(stream) != 0)
        return -1;
    if (stream->ssl != NULL) {
        size_t taken;
        if (SSL_read_ex(stream->ssl, data, size, &taken))
            return (ssize_t)taken;
        return SSL_get_error(stream->ssl, 0) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
    do {
        got = recv(stream->fd, data, size, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}

int stream_write(struct stream *stream, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent;
        if (stream->ssl != NULL) {
            size_t taken;
            sent = SSL_write_ex(stream->ssl, at, size, &taken) ? (ssize_t)taken : -1;
        } else {
            sent = send(stream->fd, at, size, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR)
                continue;
        }
        if (sent <= 0)
            return -1;
        at += sent;
        size -= (size_t)sent;
    }
    return 0;
}

int stream_wait(const struct stream *stream, long ms)
{
    struct pollfd polled[2] = {{.fd = stream->fd, .events = POLLRDHUP},
                               {.fd = stream->stop_fd, .events = POLLIN}};
    int ready;
    do {
        ready = poll(polled, 2, ms == 0 ? -1 : (int)ms);
    } while (ready < 0 && errno == EINTR);
    return ready == 0;
}

void stream_close(struct stream *stream)
{
    if (stream->ssl != NULL) {
        (void)SSL_shutdown(stream->ssl);
        SSL_free(stream->ssl);
    }
    if (stream->fd >= 0)
        (void)close(stream->fd);
    stream->fd = -1;
    stream->ssl = NULL;
}

void stream_reset(struct stream *stream)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (stream->ssl != NULL)
        SSL_free(stream->ssl); /* without its goodbye */
    if (stream->fd >= 0) {
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        (void)close(stream->fd);
    }
    stream->fd = -1;
    stream->ssl = NULL;
}
