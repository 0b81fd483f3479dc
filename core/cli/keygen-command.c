#include "cli/keygen-command.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/message.h"
#include "cli/table.h"
#include "seal/identity.h"

/* A key that is overwritten takes every backup made to it along: only a new file will do. */
static int write_key(const char *path, const char *text, struct error *reterr)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder = slash == NULL   ? text_copy(".")
                                : slash == path ? text_copy("/")
                                                : text_copy_span(path, (size_t)(slash - path));
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST) {
        (void)error_set(reterr, EXIT_USAGE, "'%s' is there already, and a key is never overwritten",
                        path);
        return error_hint(reterr, "name a file that does not exist");
    }
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s'", path);
    if (fchmod(fd, 0600) != 0 || file_write_all(fd, text, strlen(text)) != 0 || fsync(fd) != 0) {
        int saved = errno;
        (void)unlink(path);
        return error_errno(reterr, EXIT_FAILED, saved, "cannot write '%s'", path);
    }
    return file_sync_folder(folder, reterr);
}

int keygen_command(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {
        {"RECIPIENT", "recipient", 0}, {"FILE", "file", 0}, {NULL, NULL, 0}};
    const char *path = arguments->operands[0];
    char recipient[KEY_TEXT_SIZE];
    char *text = NULL;
    identity_generate(&text, recipient);
    int result = write_key(path, text, reterr);
    sodium_free(text);
    if (result != 0)
        return -1;
    cleanup_json json_t *rows = json_make("[{s:s, s:s}]", "recipient", recipient, "file", path);
    table_print(stdout, arguments->output, columns, "recipient", rows, NULL);
    message(MESSAGE_INFO,
            "give the recipient to machines that back up ('recipients' in salvor.yaml), and keep "
            "'%s' away from them; without it nobody can read what is encrypted to it",
            path);
    return EXIT_DONE;
}
