#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/message.h"

/* Opened the wrong way round: who writes a report to a closed descriptor shall hear of it. */
void terminal_open_standard(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode) != fd)
            abort();
    }
}

int terminal_is_smart(int fd)
{
    if (!isatty(fd))
        return 0;
    const char *kind = getenv("TERM");
    return kind != NULL && *kind != '\0' && !text_equal(kind, "dumb");
}

int terminal_has_colour(int fd)
{
    const char *no_colour = getenv("NO_COLOR");
    if (no_colour != NULL && *no_colour != '\0')
        return 0;
    return terminal_is_smart(fd);
}

int terminal_width(int fd)
{
    enum { LEAST = 20, USUAL = 80, MOST = 1000 };
    struct winsize size;
    int64_t width = 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
    } else {
        const char *columns = getenv("COLUMNS");
        if (columns == NULL || text_parse_integer(columns, &width) != 0 || width <= 0)
            width = USUAL;
    }
    if (width > MOST)
        width = MOST;
    return width < LEAST ? LEAST : (int)width;
}

int terminal_finish_output(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    int cause = errno;
    /* whoever closed the pipe (head, less) has seen enough */
    if (cause == EPIPE)
        return code;
    cleanup_error struct error err = ERROR_INIT;
    error_errno(&err, EXIT_FAILED, cause != 0 ? cause : EIO, "cannot write standard output");
    message_error(&err);
    return code == EXIT_DONE ? EXIT_FAILED : code;
}
