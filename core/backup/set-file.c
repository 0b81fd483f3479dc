#include "backup/set-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

struct target {
    char *path;
    char *folder;    /* that it stands in */
    char *temporary; /* beside it */
    int fd;
};

static void clear_target(struct target *target)
{
    if (target->fd >= 0) {
        (void)close(target->fd);
        (void)unlink(target->temporary);
    }
    free(target->path);
    free(target->folder);
    free(target->temporary);
}

static int open_target(struct target *target, const char *folder, const char *name,
                       struct error *reterr)
{
    target->path = text_format("%s/%s", folder, name);
    const char *slash = strrchr(target->path, '/');
    target->folder = text_copy_span(target->path, (size_t)(slash - target->path));
    target->temporary = text_format("%s/.tmp-%d", target->folder, (int)getpid());
    if (file_make_folder(target->folder, reterr) != 0)
        return -1;
    target->fd =
        open(target->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (target->fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create '%s'", target->path);
    return 0;
}

static int write_piece(void *data, const void *bytes, size_t size, struct error *reterr)
{
    const struct target *target = data;
    if (file_write_all(target->fd, bytes, size) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", target->path);
    return 0;
}

static int finish_target(struct target *target, struct error *reterr)
{
    if (fsync(target->fd) != 0 || rename(target->temporary, target->path) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", target->path);
    (void)close(take_fd(&target->fd));
    return file_sync_folder(target->folder, reterr);
}

int set_file_write(struct store *store, const char *key, const json_t *artifact,
                   enum set_reading reading, const struct identity *identity, const char *folder,
                   struct error *reterr)
{
    __attribute__((cleanup(clear_target))) struct target target = {.fd = -1};
    const char *name = json_text(artifact, "name");
    if (open_target(&target, folder, name, reterr) != 0)
        return -1;
    if (set_read_artifact(store, key, artifact, reading, identity, write_piece, &target, reterr) !=
        0)
        return error_prefix(reterr, "artifact '%s'", name);
    return finish_target(&target, reterr);
}

int set_file_write_bare(struct store *store, const char *key, const char *folder, const char *name,
                        struct error *reterr)
{
    __attribute__((cleanup(clear_target))) struct target target = {.fd = -1};
    cleanup_free char *place = store_place(store, key);
    if (open_target(&target, folder, name, reterr) != 0)
        return -1;
    int found = store_get(store, key, write_piece, &target, reterr);
    if (found == STORE_ABSENT)
        return error_set(reterr, EXIT_USAGE, "there is nothing at '%s'", place);
    return found == 0 ? finish_target(&target, reterr) : -1;
}
