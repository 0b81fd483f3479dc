#include "plugin/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static int check_one(const char *name, const char *path, struct error *reterr)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return error_errno(reterr, EXIT_USAGE, errno, "refusing plugin '%s': cannot look at '%s'",
                           name, path);
    const char *folder = S_ISDIR(status.st_mode) ? "folder " : "";
    if (status.st_uid != 0 && status.st_uid != geteuid()) {
        error_set(reterr, EXIT_USAGE,
                  "refusing plugin '%s': %s'%s' belongs to user %lu, not to root or to you", name,
                  folder, path, (unsigned long)status.st_uid);
        return error_hint(reterr, "install the plugin as root, or run salvor as that user");
    }
    int sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || sticky_folder)
        return 0;
    error_set(reterr, EXIT_USAGE, "refusing plugin '%s': %s'%s' is writable by group or others",
              name, folder, path);
    return error_hint(reterr, "'chmod go-w %s' after making sure that its content is right", path);
}

int trust_check(const char *name, const char *path, struct error *reterr)
{
    cleanup_free char *part = text_copy(path);
    for (;;) {
        if (check_one(name, part, reterr) != 0)
            return -1;
        if (strcmp(part, "/") == 0)
            return 0;
        char *slash = strrchr(part, '/');
        slash[slash == part ? 1 : 0] = '\0';
    }
}
