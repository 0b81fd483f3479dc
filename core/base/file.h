/* Whole files and folders, written so that a crash leaves the old or the new, never a half. */
#ifndef SALVOR_BASE_FILE_H
#define SALVOR_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* Reads at most `limit` bytes into *ret_text (owned by the caller, NUL-terminated). */
int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_size,
              struct error *reterr);

/* Temporary file beside `path`, fsync, rename, fsync of the folder. Mode as given. */
int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode,
                      struct error *reterr);

/* Writes all, retrying short writes and EINTR; -1 with errno. */
int file_write_all(int fd, const void *data, size_t size);

/* Makes `path` and missing parents, mode 0700; an existing folder is left as it is. */
int file_make_folder(const char *path, struct error *reterr);

/* Makes the rename or creation of an entry in `folder` durable. */
int file_sync_folder(const char *folder, struct error *reterr);

/* Removes a file or a folder with all below it, never following links; absent is success. */
int file_remove_tree(const char *path, struct error *reterr);

#endif
