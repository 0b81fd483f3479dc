#include "engine/process-identity.h"

#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process-start.h"
#include "base/text.h"

/* First line of a small file; "" when there is none. Owned by the caller. */
static char *line_of(const char *path)
{
    char *text = NULL;
    if (file_read(path, 4096, &text, NULL, NULL) != 0)
        return text_copy("");
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* As others ask of users of /etc/machine-id: a digest of it that is only for this use. */
static char *machine(void)
{
    static const char purpose[] = "salvor lease ";
    unsigned char hash[DIGEST_SIZE];
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;
    cleanup_free char *id = line_of("/etc/machine-id");
    if (*id == '\0')
        return text_copy("");
    digest_begin(&digest);
    digest_add(&digest, purpose, sizeof purpose - 1);
    digest_add(&digest, id, strlen(id));
    digest_end(&digest, hash);
    digest_text(hash, text);
    return text_copy_span(text, 16);
}

json_t *process_identity(void)
{
    char host[256] = "";
    char pids[128];
    cleanup_free char *boot = line_of("/proc/sys/kernel/random/boot_id");
    cleanup_free char *id = machine();
    (void)gethostname(host, sizeof host - 1);
    ssize_t size = readlink("/proc/self/ns/pid", pids, sizeof pids - 1);
    pids[size > 0 ? size : 0] = '\0';
    return json_make("{s:s, s:s, s:s, s:s, s:I, s:I}", "host", host, "machine", id, "boot", boot,
                     "pids", pids, "pid", (json_int_t)getpid(), "started",
                     (json_int_t)process_started(getpid()));
}
