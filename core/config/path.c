#include "config/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

/* Value of a variable that must hold an absolute path; others are ignored, as the XDG rules ask. */
static const char *absolute_variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] == '/' ? value : NULL;
}

static char *join(const char *folder, const char *path)
{
    return text_format("%s%s%s", folder, text_ends(folder, "/") ? "" : "/", path);
}

char *path_absolute(const char *folder, const char *path)
{
    if (path[0] == '/')
        return text_copy(path);
    const char *home = absolute_variable("HOME");
    if (home != NULL && text_starts(path, "~/"))
        return join(home, path + 2);
    while (text_starts(path, "./")) {
        path += 2;
        while (*path == '/')
            path++;
    }
    cleanup_free char *start = NULL;
    if (folder != NULL && folder[0] == '/')
        return join(folder, path);
    start = getcwd(NULL, 0);
    if (start == NULL)
        start = text_copy("/"); /* the working directory is gone: nothing relative exists */
    if (folder == NULL)
        return join(start, path);
    cleanup_free char *base = join(start, folder);
    return join(base, path);
}

char *path_default_state_folder(void)
{
    const char *state = absolute_variable("XDG_STATE_HOME");
    if (state != NULL)
        return join(state, "salvor");
    const char *home = absolute_variable("HOME");
    if (geteuid() == 0 || home == NULL)
        return text_copy("/var/lib/salvor");
    return join(home, ".local/state/salvor");
}

char *path_user_config(void)
{
    const char *config = absolute_variable("XDG_CONFIG_HOME");
    if (config != NULL)
        return join(config, "salvor/salvor.yaml");
    const char *home = absolute_variable("HOME");
    return home != NULL ? join(home, ".config/salvor/salvor.yaml") : NULL;
}
