/*
 * The control socket of an ssh master, spoken to directly: OpenSSH's multiplexing protocol, version
 * 4 since 2010 (PROTOCOL.mux of its source). A process of ssh a command would cost four times as
 * much as the command, and would hide whether a session was opened and whether 255 was its status.
 */
#ifndef SALVOR_SERVICES_SSH_MUX_H
#define SALVOR_SERVICES_SSH_MUX_H

#include <stdint.h>

#include "base/buffer.h"

enum { SSH_MUX_PACKET = 65536 };

struct ssh_mux {
    int fd;
    int greeted; /* its version was seen */
    struct buffer in;
    char reason[200]; /* of a refusal, or of what was broken */
    int32_t exit_status;
};

#define SSH_MUX_INIT                                    \
    {                                                   \
        -1, 0, BUFFER_INIT(SSH_MUX_PACKET + 4), {0}, -1 \
    }

enum ssh_mux_event {
    SSH_MUX_NOTHING, /* yet */
    SSH_MUX_OPENED,  /* the session is there */
    SSH_MUX_REFUSED, /* it is not: see reason */
    SSH_MUX_EXITED,  /* the command ended: see exit_status; its output may still come */
    SSH_MUX_CLOSED,  /* all is over */
    SSH_MUX_BROKEN   /* not the protocol: see reason */
};

/* Connects to a master's socket, non-blocking. -1 with errno; EAGAIN: try again soon. */
int ssh_mux_connect(struct ssh_mux *mux, const char *path);

/* Asks for a session that runs `command`, with these as its standard descriptors. -1 with errno.
 * The descriptors can be closed afterwards. */
int ssh_mux_ask_session(const struct ssh_mux *mux, const char *command, const int fds[3]);

/* Reads what is there; call again until it says SSH_MUX_NOTHING or ends. */
enum ssh_mux_event ssh_mux_hear(struct ssh_mux *mux);

void ssh_mux_close(struct ssh_mux *mux);

#endif
