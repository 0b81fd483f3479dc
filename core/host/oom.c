#include "host/oom.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

enum { VMSTAT_LIMIT = 1 << 20 };

static const char *vmstat_path(void)
{
#ifdef SALVOR_TEST_HOOKS
    const char *other = getenv("SALVOR_VMSTAT");
    if (other != NULL)
        return other;
#endif
    return "/proc/vmstat";
}

int64_t oom_kills(void)
{
    static const char key[] = "oom_kill ";
    cleanup_free char *text = NULL;
    if (file_read(vmstat_path(), VMSTAT_LIMIT, &text, NULL, NULL) != 0)
        return -1;
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!text_starts(line, key))
            continue;
        char *end = line + strcspn(line, "\n");
        int64_t count = 0;
        *end = '\0';
        return text_parse_integer(line + strlen(key), &count) == 0 ? count : -1;
    }
    return -1;
}
