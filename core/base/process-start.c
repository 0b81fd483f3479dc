#include "base/process-start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { STATE = 3, START = 22 }; /* fields of /proc/PID/stat, from 1 */

/* Field `number` behind the command name, which in its parentheses may hold anything. */
static const char *field(const char *stat, int number)
{
    const char *at = strrchr(stat, ')');
    for (int i = STATE - 1; at != NULL && i < number; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at;
}

int64_t process_started(pid_t pid)
{
    char stat[1024];
    cleanup_free char *path = text_format("/proc/%d/stat", (int)pid);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    ssize_t size = read(fd, stat, sizeof stat - 1);
    if (size <= 0)
        return errno == ESRCH ? 0 : -1;
    stat[size] = '\0';
    const char *state = field(stat, STATE);
    const char *start = field(stat, START);
    if (state == NULL || start == NULL)
        return -1;
    if (*state == 'Z' || *state == 'X')
        return 0;
    return strtoll(start, NULL, 10);
}
