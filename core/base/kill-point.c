#include "base/kill-point.h"

#ifdef SALVOR_TEST_HOOKS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

struct reached {
    struct reached *next;
    unsigned ordinal;
    char key[];
};

static const char *own_role = "parent";
static pid_t peer_pid;
static struct reached *all_reached;

void kill_point_identify(const char *role, pid_t peer)
{
    own_role = role;
    peer_pid = peer;
}

static unsigned count(const char *key)
{
    struct reached *entry = all_reached;
    while (entry != NULL && !text_equal(entry->key, key))
        entry = entry->next;
    if (entry == NULL) {
        entry = memory_new(1, sizeof *entry + strlen(key) + 1);
        memcpy(entry->key, key, strlen(key) + 1);
        entry->next = all_reached;
        all_reached = entry;
    }
    return ++entry->ordinal;
}

static void append_to_log(const char *path, const char *key)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    cleanup_free char *line = text_format("%s\n", key);
    if (fd < 0 || file_write_all(fd, line, strlen(line)) != 0)
        perror(path);
}

void kill_point(const char *row, const char *event)
{
    const char *log = getenv("SALVOR_KILL_LOG");
    const char *at = getenv("SALVOR_KILL_AT");
    if (log == NULL && at == NULL)
        return;
    cleanup_free char *place = text_format("%s:%s:%s", own_role, row, event);
    cleanup_free char *key = text_format("%s:%u", place, count(place));
    if (log != NULL)
        append_to_log(log, key);
    const char *colon = at != NULL ? strchr(at, ':') : NULL;
    if (colon == NULL || !text_equal(colon + 1, key))
        return;
    int in_parent = text_equal(own_role, "parent");
    int both = text_starts(at, "both:");
    int own = both || (text_starts(at, "parent:") ? in_parent : !in_parent);
    if (both || !own) {
        if (peer_pid > 1)
            (void)kill(peer_pid, SIGKILL);
    }
    if (own)
        (void)kill(getpid(), SIGKILL);
}

#endif
