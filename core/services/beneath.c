#include "services/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static int part_is_strict(const char *part, size_t size)
{
    if (part[0] == '.')
        return 0;
    for (size_t i = 0; i < size; i++) {
        char c = part[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return 0;
    }
    return 1;
}

static int part_is_safe(const char *part, size_t size)
{
    return size > 0 && size < 256 && !(size == 1 && part[0] == '.') &&
           !(size == 2 && part[0] == '.' && part[1] == '.');
}

int beneath_check(const char *name, int strict, struct error *reterr)
{
    if (name == NULL || *name == '\0')
        return error_set(reterr, EXIT_FAILED, "a file name is empty");
    if (strlen(name) > BENEATH_NAME_LIMIT)
        return error_set(reterr, EXIT_FAILED, "file name '%.60s...' is longer than %d bytes", name,
                         BENEATH_NAME_LIMIT);
    for (const char *part = name;; part++) {
        size_t size = strcspn(part, "/");
        if (!part_is_safe(part, size))
            return error_set(reterr, EXIT_FAILED,
                             "file name '%s' is not a relative path without '..'", name);
        if (strict && !part_is_strict(part, size))
            return error_set(reterr, EXIT_FAILED,
                             "name '%s' has other characters than A-Z a-z 0-9 . _ -, or begins "
                             "with a dot",
                             name);
        part += size;
        if (*part == '\0')
            return 0;
    }
}

const char *beneath_relative(const char *folder, const char *path)
{
    if (*path != '/')
        return path;
    size_t size = strlen(folder);
    while (size > 0 && folder[size - 1] == '/')
        size--;
    if (strncmp(path, folder, size) != 0 || path[size] != '/')
        return NULL;
    return path + size + 1;
}

int beneath_open_parent(int folder, const char *name, const char **ret_last)
{
    if (beneath_check(name, 0, NULL) != 0) {
        errno = EINVAL;
        return -1;
    }
    int at = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    const char *part = name;
    for (const char *slash = strchr(part, '/'); at >= 0 && slash != NULL;
         slash = strchr(part, '/')) {
        cleanup_free char *step = text_copy_span(part, (size_t)(slash - part));
        int next = openat(at, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int saved = errno;
        (void)close(at);
        errno = saved;
        at = next;
        part = slash + 1;
    }
    *ret_last = part;
    return at;
}

int beneath_open(int folder, const char *name, int flags, mode_t mode)
{
    const char *last = NULL;
    cleanup_close int parent = beneath_open_parent(folder, name, &last);
    if (parent < 0)
        return -1;
    return openat(parent, last, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

int beneath_make_parents(int folder, const char *name)
{
    if (beneath_check(name, 0, NULL) != 0) {
        errno = EINVAL;
        return -1;
    }
    cleanup_close int at = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    const char *part = name;
    for (const char *slash = strchr(part, '/'); at >= 0 && slash != NULL;
         slash = strchr(part, '/')) {
        cleanup_free char *step = text_copy_span(part, (size_t)(slash - part));
        if (mkdirat(at, step, 0700) != 0 && errno != EEXIST)
            return -1;
        int next = openat(at, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -1;
        (void)close(at);
        at = next;
        part = slash + 1;
    }
    return at < 0 ? -1 : 0;
}
