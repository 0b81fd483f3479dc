#include "capture.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static void redirect(struct capture *capture, int reader, int writer)
{
    capture->reader = reader;
    capture->size = 0;
    capture->saved = dup(STDERR_FILENO);
    if (capture->saved < 0 || dup2(writer, STDERR_FILENO) < 0 ||
        fcntl(reader, F_SETFL, O_NONBLOCK) != 0)
        abort();
    close(writer);
}

void capture_pipe(struct capture *capture)
{
    int ends[2];
    if (pipe(ends) != 0)
        abort();
    redirect(capture, ends[0], ends[1]);
}

void capture_terminal(struct capture *capture, int columns)
{
    int master = -1;
    int slave = -1;
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    struct termios modes;
    if (openpty(&master, &slave, NULL, NULL, &size) != 0 || tcgetattr(slave, &modes) != 0)
        abort();
    cfmakeraw(&modes); /* line feeds come as they were written */
    if (tcsetattr(slave, TCSANOW, &modes) != 0)
        abort();
    redirect(capture, master, slave);
}

const char *capture_text(struct capture *capture)
{
    capture->size = 0;
    for (;;) {
        ssize_t got = read(capture->reader, capture->text + capture->size,
                           sizeof capture->text - 1 - capture->size);
        if (got <= 0)
            break;
        capture->size += (size_t)got;
    }
    capture->text[capture->size] = '\0';
    return capture->text;
}

void capture_end(struct capture *capture)
{
    if (dup2(capture->saved, STDERR_FILENO) < 0)
        abort();
    close(capture->saved);
    close(capture->reader);
}
