#include "journal/run-folder.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "journal/lock-file.h"

#include "base/banned.h"

enum { STAMP_SIZE = 15, COMMAND_MAX = 32, CREATE_ATTEMPTS = 100, SHOWN_CANDIDATES = 5 };

struct site_lock {
    int fd;
};

/* ---- ids ------------------------------------------------------------------------------------- */

static int is_command(const char *text, size_t size)
{
    if (size == 0 || size > COMMAND_MAX || text[0] == '-' || text[size - 1] == '-')
        return 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] != '-' && (text[i] < 'a' || text[i] > 'z'))
            return 0;
    return 1;
}

int run_id_is_valid(const char *id)
{
    size_t size = strnlen(id, STAMP_SIZE + COMMAND_MAX + 8);
    if (size < STAMP_SIZE + 7 || size >= STAMP_SIZE + COMMAND_MAX + 8)
        return 0;
    for (size_t i = 0; i < STAMP_SIZE; i++)
        if (i == 8 ? id[i] != '-' : id[i] < '0' || id[i] > '9')
            return 0;
    const char *random = id + size - 4;
    return id[STAMP_SIZE] == '-' && random[-1] == '-' && strspn(random, "0123456789abcdef") == 4 &&
           is_command(id + STAMP_SIZE + 1, size - STAMP_SIZE - 6);
}

static char *new_id(const char *command)
{
    time_t seconds = (time_t)(clock_realtime_ms() / 1000);
    struct tm parts;
    char stamp[STAMP_SIZE + 1];
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts) != STAMP_SIZE)
        (void)snprintf(stamp, sizeof stamp, "19700101-000000");
    return text_format("%s-%s-%04x", stamp, command, (unsigned)randombytes_uniform(0x10000));
}

/* ---- the state folder ------------------------------------------------------------------------ */

static int hint_state_folder(struct error *reterr)
{
    return error_hint(reterr, "choose a folder that can be written with --state-dir");
}

/* What lies there decides what a resume does: nobody else may write it. */
static int check_state_folder(const char *folder, struct error *reterr)
{
    struct stat status;
    if (stat(folder, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot use state folder '%s'", folder);
    if (status.st_uid != geteuid()) {
        (void)error_set(reterr, EXIT_FAILED,
                        "cannot use state folder '%s': it belongs to user %u, this is user %u",
                        folder, (unsigned)status.st_uid, (unsigned)geteuid());
        return hint_state_folder(reterr);
    }
    if ((status.st_mode & 022) != 0) {
        (void)error_set(reterr, EXIT_FAILED, "cannot use state folder '%s': others can write to it",
                        folder);
        return error_hint(reterr, "chmod 700 '%s'", folder);
    }
    return 0;
}

/* A folder below the state folder, made when needed. Owned by the caller. */
static char *state_subfolder(const char *state_folder, const char *name, struct error *reterr)
{
    cleanup_free char *folder = text_format("%s/%s", state_folder, name);
    if (file_make_folder(folder, reterr) != 0) {
        (void)hint_state_folder(reterr);
        return NULL;
    }
    if (check_state_folder(state_folder, reterr) != 0)
        return NULL;
    return take_pointer(folder);
}

static struct run_folder *folder_new(const char *state_folder, const char *id)
{
    struct run_folder *folder = memory_new(1, sizeof *folder);
    folder->id = text_copy(id);
    folder->path = text_format("%s/runs/%s", state_folder, id);
    folder->lock = -1;
    return folder;
}

static int take_run_lock(struct run_folder *folder, struct error *reterr)
{
    cleanup_free char *path = text_format("%s/lock", folder->path);
    struct lock_holder holder;
    int result = lock_file_take(path, folder->id, &folder->lock, &holder, reterr);
    if (result != LOCK_HELD_BY_OTHER)
        return result;
    cleanup_free char *who = lock_holder_text(&holder);
    (void)error_set(reterr, EXIT_REFUSED, "run '%s' is being worked on by %s", folder->id, who);
    return error_hint(reterr,
                      "wait for it to end, or stop it with Ctrl-C there; 'salvor report %s' "
                      "shows where it stands",
                      folder->id);
}

int run_folder_create(const char *state_folder, const char *command, struct run_folder **ret_folder,
                      struct error *reterr)
{
    if (!is_command(command, strlen(command)))
        return error_set(reterr, EXIT_FAILED, "'%s' cannot be part of a run id", command);
    cleanup_free char *runs = state_subfolder(state_folder, "runs", reterr);
    if (runs == NULL)
        return -1;
    for (int attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
        cleanup_free char *id = new_id(command);
        struct run_folder *folder = folder_new(state_folder, id);
        if (mkdir(folder->path, 0700) == 0) {
            if (file_sync_folder(runs, reterr) != 0 || take_run_lock(folder, reterr) != 0) {
                (void)file_remove_tree(folder->path, NULL);
                run_folder_close(folder);
                return -1;
            }
            *ret_folder = folder;
            return 0;
        }
        int errnum = errno;
        cleanup_free char *path = text_copy(folder->path);
        run_folder_close(folder);
        if (errnum != EEXIST) {
            (void)error_errno(reterr, EXIT_FAILED, errnum, "cannot create run folder '%s'", path);
            return errnum == ENOSPC || errnum == EDQUOT
                       ? error_hint(reterr, "free space on the file system of '%s'", state_folder)
                       : hint_state_folder(reterr);
        }
    }
    return error_set(reterr, EXIT_FAILED, "cannot create a run folder in '%s': every id is taken",
                     runs);
}

void run_folder_close(struct run_folder *folder)
{
    if (folder == NULL)
        return;
    if (folder->lock >= 0)
        (void)close(folder->lock);
    free(folder->id);
    free(folder->path);
    free(folder);
}

char *run_folder_journal(const struct run_folder *folder)
{
    return text_format("%s/journal.db", folder->path);
}

/* ---- finding --------------------------------------------------------------------------------- */

struct found_run {
    char *id;
    int64_t born_ns; /* 0 where the file system does not keep it */
};

/* Ids tell the second; of two in the same one the folder that was made later is the newer. */
static int newest_first(const void *a, const void *b)
{
    enum { STAMP = sizeof "YYYYMMDD-HHMMSS" - 1 };
    const struct found_run *one = a;
    const struct found_run *other = b;
    int order = strncmp(other->id, one->id, STAMP);
    if (order == 0 && one->born_ns != other->born_ns)
        return one->born_ns < other->born_ns ? 1 : -1;
    return order != 0 ? order : strcmp(other->id, one->id);
}

static int64_t born(int runs, const char *name)
{
    struct statx status;
    if (statx(runs, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) != 0 ||
        (status.stx_mask & STATX_BTIME) == 0)
        return 0;
    return (int64_t)status.stx_btime.tv_sec * 1000000000 + (int64_t)status.stx_btime.tv_nsec;
}

static int is_run_folder(int runs, const char *name)
{
    struct stat status;
    return run_id_is_valid(name) && fstatat(runs, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

int run_folder_list(const char *state_folder, char ***ret_ids, size_t *ret_count,
                    struct error *reterr)
{
    cleanup_free char *runs = text_format("%s/runs", state_folder);
    cleanup_dir DIR *folder = opendir(runs);
    if (folder == NULL && errno != ENOENT)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", runs);
    struct found_run *found = memory_new(1, sizeof *found);
    size_t count = 0;
    errno = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL; errno = 0) {
        if (!is_run_folder(dirfd(folder), entry->d_name))
            continue;
        found = memory_resize(found, count + 1, sizeof *found);
        found[count].born_ns = born(dirfd(folder), entry->d_name);
        found[count++].id = text_copy(entry->d_name);
    }
    const int errnum = folder != NULL ? errno : 0;
    char **ids = memory_new(count + 1, sizeof *ids);
    qsort(found, count, sizeof *found, newest_first);
    for (size_t i = 0; i < count; i++)
        ids[i] = found[i].id;
    free(found);
    if (errnum != 0) {
        run_ids_free(ids);
        return error_errno(reterr, EXIT_FAILED, errnum, "cannot read '%s'", runs);
    }
    *ret_ids = ids;
    *ret_count = count;
    return 0;
}

void run_ids_free(char **ids)
{
    for (size_t i = 0; ids != NULL && ids[i] != NULL; i++)
        free(ids[i]);
    free(ids);
}

static int none_found(const char *name, char *const *ids, size_t count, struct error *reterr)
{
    (void)error_set(reterr, EXIT_USAGE, "there is no run '%s'", name);
    if (count == 0)
        return error_hint(reterr, "no run was recorded yet; another state folder is chosen with "
                                  "--state-dir");
    const char *nearest = text_nearest(name, (const char *const *)ids);
    if (nearest != NULL)
        return error_hint(reterr, "did you mean '%s'?", nearest);
    return error_hint(reterr, "'salvor runs' lists them; the newest is '%s'", ids[0]);
}

static int several_found(const char *name, char *const *ids, size_t count, struct error *reterr)
{
    cleanup_buffer struct buffer list = BUFFER_INIT(4096);
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        if (!text_starts(ids[i], name))
            continue;
        if (shown++ < SHOWN_CANDIDATES)
            (void)buffer_format(&list, "%s'%s'", shown == 1 ? "" : ", ", ids[i]);
    }
    (void)error_set(reterr, EXIT_USAGE, "'%s' is the beginning of %zu runs", name, shown);
    (void)error_detail(reterr, "%s%s", list.data, shown > SHOWN_CANDIDATES ? ", …" : "");
    return error_hint(reterr, "give more of the id");
}

int run_folder_find(const char *state_folder, const char *name, struct run_folder **ret_folder,
                    struct error *reterr)
{
    char **ids = NULL;
    size_t count = 0;
    if (run_folder_list(state_folder, &ids, &count, reterr) != 0)
        return -1;
    const char *found = text_equal(name, "last") && count > 0 ? ids[0] : NULL;
    size_t matches = found != NULL;
    /* A whole id is meant even where it begins another one. */
    for (size_t i = 0; matches == 0 && i < count; i++)
        if (text_equal(ids[i], name)) {
            found = ids[i];
            matches = 1;
        }
    for (size_t i = 0; found == NULL && name[0] != '\0' && i < count; i++)
        if (text_starts(ids[i], name))
            matches++;
    for (size_t i = 0; found == NULL && matches == 1 && i < count; i++)
        if (text_starts(ids[i], name))
            found = ids[i];
    int result = 0;
    if (matches == 1)
        *ret_folder = folder_new(state_folder, found);
    else if (matches == 0)
        result = none_found(name, ids, count, reterr);
    else
        result = several_found(name, ids, count, reterr);
    run_ids_free(ids);
    return result;
}

int run_folder_open(const char *state_folder, const char *name, struct run_folder **ret_folder,
                    struct error *reterr)
{
    struct run_folder *folder = NULL;
    if (run_folder_find(state_folder, name, &folder, reterr) != 0)
        return -1;
    if (check_state_folder(state_folder, reterr) != 0 || take_run_lock(folder, reterr) != 0) {
        run_folder_close(folder);
        return -1;
    }
    *ret_folder = folder;
    return 0;
}

/* ---- lock of a site -------------------------------------------------------------------------- */

/* Letters, digits, '.', '_' and '-' stay, all else is %XX: any site name becomes one file name. */
static void append_encoded(struct buffer *buffer, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        int plain = isalnum((unsigned char)*c) || *c == '_' || *c == '-' || (*c == '.' && c > text);
        (void)buffer_format(buffer, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
}

int site_lock_take(const char *state_folder, const char *provider, const char *site,
                   const char *run, struct site_lock **ret_lock, struct error *reterr)
{
    cleanup_buffer struct buffer name = BUFFER_INIT(1 << 12);
    append_encoded(&name, provider);
    (void)buffer_append_text(&name, "-");
    append_encoded(&name, site != NULL ? site : "");
    (void)buffer_append_text(&name, ".lock");
    cleanup_free char *folder = state_subfolder(state_folder, "locks", reterr);
    if (folder == NULL)
        return -1;
    cleanup_free char *path = text_format("%s/%s", folder, name.data);
    struct lock_holder holder;
    int fd = -1;
    int result = lock_file_take(path, run, &fd, &holder, reterr);
    if (result == LOCK_HELD_BY_OTHER) {
        cleanup_free char *who = lock_holder_text(&holder);
        int named = site != NULL && site[0] != '\0';
        (void)error_set(reterr, EXIT_REFUSED,
                        "%s%s%s of provider '%s' is being changed by run '%s'",
                        named ? "site '" : "the unnamed site", named ? site : "", named ? "'" : "",
                        provider, holder.run[0] != '\0' ? holder.run : "unknown");
        (void)error_detail(reterr, "the lock '%s' is held by %s", path, who);
        return error_hint(reterr, "wait for that run to end; 'salvor runs' shows where it stands");
    }
    if (result != 0)
        return -1;
    *ret_lock = memory_new(1, sizeof **ret_lock);
    (*ret_lock)->fd = fd;
    return 0;
}

void site_lock_release(struct site_lock *lock)
{
    if (lock == NULL)
        return;
    (void)close(lock->fd);
    free(lock);
}
