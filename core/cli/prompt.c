#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/message.h"

static int (*is_interrupted)(void);

void prompt_set_interrupted(int (*interrupted)(void))
{
    is_interrupted = interrupted;
}

/* A descriptor to ask at, owned by the caller; -1 without a person. */
static int open_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        return fd;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return -1;
    return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

int prompt_has_person(void)
{
    cleanup_close int fd = open_terminal();
    return fd >= 0;
}

/* 1 when a byte can be read, 0 when the waiting shall end. */
static int wait_for_input(int fd)
{
    enum { SLICE_MS = 100 }; /* a signal just before the waiting is seen this soon */
    struct pollfd poll_fd = {fd, POLLIN, 0};
    for (;;) {
        if (is_interrupted != NULL && is_interrupted())
            return 0;
        int ready = poll(&poll_fd, 1, SLICE_MS);
        if (ready > 0)
            return 1;
        if (ready < 0 && errno != EINTR)
            return 0;
    }
}

/*
 * One line without its end. 0 on end of input, interruption, or a line that is too long: what is
 * behind its limit is read and dropped, so that it does not answer the next question.
 */
static int read_line(int fd, char line[PROMPT_LINE_LIMIT])
{
    size_t size = 0;
    int too_long = 0;
    for (;;) {
        char byte = '\0';
        if (!wait_for_input(fd))
            return 0;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        if (byte == '\n' || byte == '\r')
            break;
        if (size == PROMPT_LINE_LIMIT - 1)
            too_long = 1;
        else
            line[size++] = byte;
    }
    line[size] = '\0';
    return !too_long && strlen(line) == size;
}

static enum prompt_answer ask(const char *question, const char *form,
                              int (*accepts)(const char *line, const char *expected),
                              const char *expected)
{
    cleanup_close int fd = open_terminal();
    if (fd < 0)
        return PROMPT_NOBODY;
    cleanup_free char *safe = display_safe(question, 1);
    cleanup_free char *shown = text_format("%s%s", safe, form);
    message_interlude_begin();
    (void)tcflush(fd, TCIFLUSH);
    enum prompt_answer answer = PROMPT_NO;
    char line[PROMPT_LINE_LIMIT];
    if (file_write_all(fd, shown, strlen(shown)) != 0)
        answer = PROMPT_NOBODY;
    else if (read_line(fd, line))
        answer = accepts(line, expected) ? PROMPT_YES : PROMPT_NO;
    else
        (void)file_write_all(fd, "\n", 1);
    message_interlude_end();
    return answer;
}

static int says_yes(const char *line, const char *expected)
{
    (void)expected;
    return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

static int is_exactly(const char *line, const char *expected)
{
    return text_equal(line, expected);
}

enum prompt_answer prompt_yes_no(const char *question)
{
    return ask(question, " [y/N] ", says_yes, NULL);
}

enum prompt_answer prompt_text(const char *question, const char *expected)
{
    return ask(question, ": ", is_exactly, expected);
}

/* ---- secrets --------------------------------------------------------------------------------- */

/* The terminal as it was; *ret_before is what to go back to. Suspending would leave it mute. */
static int make_mute(int fd, struct termios *ret_before)
{
    if (tcgetattr(fd, ret_before) != 0)
        return -1;
    struct termios mute = *ret_before;
    mute.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    mute.c_cc[VSUSP] = _POSIX_VDISABLE;
    return tcsetattr(fd, TCSAFLUSH, &mute);
}

/* Straight into the caller's memory: no copy is left here. */
static int read_secret(int fd, char *line, size_t size, size_t *ret_size)
{
    size_t used = 0;
    for (;;) {
        char byte = '\0';
        if (!wait_for_input(fd)) {
            errno = EINTR;
            return -1;
        }
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = EINTR;
            return -1;
        }
        if (byte == '\n' || byte == '\r')
            break;
        if (used < size)
            line[used] = byte;
        used++;
    }
    *ret_size = used;
    if (used <= size)
        return 0;
    errno = EFBIG;
    return -1;
}

int prompt_secret(const char *question, char *line, size_t size, size_t *ret_size)
{
    cleanup_close int fd = open_terminal();
    struct termios before;
    if (fd < 0) {
        errno = ENXIO;
        return -1;
    }
    cleanup_free char *safe = display_safe(question, 1);
    cleanup_free char *shown = text_format("%s: ", safe);
    message_interlude_begin();
    int result = -1;
    if (make_mute(fd, &before) != 0) {
        errno = ENXIO; /* what would be shown is not asked for */
    } else {
        if (file_write_all(fd, shown, strlen(shown)) == 0)
            result = read_secret(fd, line, size, ret_size);
        int saved = errno;
        (void)tcsetattr(fd, TCSAFLUSH, &before);
        (void)file_write_all(fd, "\n", 1);
        errno = saved;
    }
    int saved = errno;
    message_interlude_end();
    errno = saved;
    return result;
}
