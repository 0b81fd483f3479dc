#include "services/job-unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "services/exec-command.h"

enum { CGROUP_LIMIT = 65536 };

/* Below this folder the system looks as a test wants it. */
static const char *root(void)
{
#ifdef SALVOR_TEST_HOOKS
    const char *other = getenv("SALVOR_SYSTEMD_ROOT");
    if (other != NULL)
        return other;
#endif
    return "";
}

static int is_booted_with_systemd(void)
{
    cleanup_free char *path = text_format("%s/run/systemd/system", root());
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- which unit ------------------------------------------------------------------------------ */

/* The path of the cgroup that systemd keeps its units in: version 2, else the named hierarchy. */
static char *path_of(const char *cgroups)
{
    static const char *const marks[] = {"0::", ":name=systemd:"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        for (const char *line = cgroups; *line != '\0'; line += *line == '\n') {
            size_t size = strcspn(line, "\n");
            cleanup_free char *text = text_copy_span(line, size);
            const char *mark = strstr(text, marks[i]);
            line += size;
            if (mark == NULL || (i == 0 && mark != text))
                continue;
            const char *path = mark + strlen(marks[i]);
            if (strstr(path, ".service") != NULL || strstr(path, ".scope") != NULL)
                return text_copy(path);
        }
    }
    return NULL;
}

char *job_unit_of(const char *cgroups, unsigned uid, int *ret_user)
{
    cleanup_free char *path = path_of(cgroups);
    cleanup_free char *manager = text_format("user@%u.service", uid);
    char *unit = NULL;
    char *rest = path;
    *ret_user = 0;
    for (char *part = NULL; rest != NULL && (part = strsep(&rest, "/")) != NULL;) {
        if (!text_ends(part, ".service") && !text_ends(part, ".scope"))
            continue;
        *ret_user = *ret_user || (unit != NULL && text_equal(unit, manager));
        free(unit);
        unit = text_copy(part);
    }
    return unit;
}

/* ---- what to do about it --------------------------------------------------------------------- */

/* The scope of a login session goes with the session only where an administrator wants it so; for
 * anybody but root the only other place would be a manager that ends with the session for sure. */
static int another_unit_helps(const char *unit, int user)
{
    int session = text_starts(unit, "session-") && text_ends(unit, ".scope");
    return user || geteuid() == 0 || !session;
}

void job_unit_find(const char *description, struct job_unit *ret_unit)
{
    cleanup_free char *cgroup_path =
        *root() != '\0' ? text_format("%s/cgroup", root()) : text_copy("/proc/self/cgroup");
    cleanup_free char *cgroups = NULL;
    int user = 0;
    *ret_unit = (struct job_unit){NULL, NULL, NULL};
    if (!is_booted_with_systemd() ||
        file_read(cgroup_path, CGROUP_LIMIT, &cgroups, NULL, NULL) != 0)
        return;
    ret_unit->inside = job_unit_of(cgroups, (unsigned)getuid(), &user);
    if (ret_unit->inside == NULL || !another_unit_helps(ret_unit->inside, user))
        return;
    char *program = exec_find_program("systemd-run", getenv("PATH"));
    if (program == NULL) {
        ret_unit->why_not = "systemd-run is not installed";
        return;
    }
    char **words = memory_new(8, sizeof *words);
    size_t count = 0;
    words[count++] = program;
    words[count++] = text_copy(user ? "--user" : "--system");
    words[count++] = text_copy("--scope");
    words[count++] = text_copy("--collect"); /* a failed one is not kept for anybody to reset */
    words[count++] = text_copy("--no-ask-password");
    words[count++] = text_format("--description=%s", description);
    words[count++] = text_copy("--");
    ret_unit->wrapper = words;
}

void job_unit_clear(struct job_unit *unit)
{
    for (size_t i = 0; unit->wrapper != NULL && unit->wrapper[i] != NULL; i++)
        free(unit->wrapper[i]);
    free(unit->wrapper);
    free(unit->inside);
    *unit = (struct job_unit){NULL, NULL, NULL};
}
