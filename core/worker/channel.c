#include "worker/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"

enum { ROOM = 2 * (FRAME_HEADER_SIZE + FRAME_PAYLOAD_LIMIT), LOST_STATUS = 70 };

static struct {
    int socket;
    dev_t device;
    ino_t inode;
    struct buffer in;
    struct buffer out;
    struct frame_parts parts;
} channel = {-1, 0, 0, BUFFER_INIT(ROOM), BUFFER_INIT(ROOM), {BUFFER_INIT(FRAME_PARTS_LIMIT), 0}};

_Noreturn void channel_lost(const char *reason)
{
    static const char prefix[] = "salvor worker: ";
    /* dprintf would allocate, and the heap may be what is broken. */
    if (write(STDERR_FILENO, prefix, sizeof prefix - 1) < 0 ||
        write(STDERR_FILENO, reason, strlen(reason)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(LOST_STATUS);
    _exit(LOST_STATUS);
}

void channel_open(int socket)
{
    struct stat status;
    if (fstat(socket, &status) != 0 || !S_ISSOCK(status.st_mode))
        channel_lost("not started by salvor");
    channel.socket = socket;
    channel.device = status.st_dev;
    channel.inode = status.st_ino;
}

static void check_socket(void)
{
    struct stat status;
    if (fstat(channel.socket, &status) != 0)
        channel_lost("the plugin closed the worker's connection to salvor");
    if (status.st_dev != channel.device || status.st_ino != channel.inode)
        channel_lost("the plugin replaced the worker's connection to salvor");
}

void channel_send(enum frame_type type, uint32_t call, const json_t *body)
{
    cleanup_error struct error err = ERROR_INIT;
    channel.out.size = 0;
    if (frame_encode(&channel.out, type, call, body, &err) != 0)
        channel_lost(err.message);
    check_socket();
    const char *next = channel.out.data;
    size_t left = channel.out.size;
    while (left > 0) {
        ssize_t sent = send(channel.socket, next, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            channel_lost("salvor is gone");
        next += sent;
        left -= (size_t)sent;
    }
}

int channel_has_room(void)
{
    check_socket();
    struct pollfd fd = {channel.socket, POLLOUT, 0};
    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0;
}

int channel_take(struct frame *ret_frame)
{
    for (;;) {
        cleanup_error struct error err = ERROR_INIT;
        int got = frame_decode(&channel.in, ret_frame, &err);
        if (got == 0)
            return 0;
        if (got > 0)
            got = frame_join(&channel.parts, ret_frame, &err);
        if (got < 0)
            channel_lost(err.message);
        if (got > 0)
            return 1;
    }
}

int channel_receive(struct frame *ret_frame)
{
    enum { CHUNK = 65536 };
    while (!channel_take(ret_frame)) {
        char *room = buffer_reserve(&channel.in, CHUNK);
        if (room == NULL)
            channel_lost("salvor sent more than a frame");
        check_socket();
        ssize_t count = recv(channel.socket, room, CHUNK, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        channel.in.size += (size_t)count;
    }
    return 1;
}
