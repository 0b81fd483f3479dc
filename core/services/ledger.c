#include "services/ledger.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/beneath.h"
#include "services/run-paths.h"
#include "worker/call.h"

enum { ENTRY_SIZE = 16, SYNC_ENTRIES = 512, SYNC_MS = 250, READ_ENTRIES = 4096 };

struct salvor_ledger {
    char *name; /* "restore/stage/1/objects" */
    int fd;
    struct digest digest; /* of all entries */
    uint64_t entries;     /* written */
    uint64_t told;        /* entries that the last LEDGER frame spoke of */
    uint64_t next;        /* entry that next() gives */
    unsigned char window[READ_ENTRIES * ENTRY_SIZE];
    uint64_t window_begin; /* first entry in it */
    uint64_t window_end;
    /* shared with the thread that syncs */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    int has_thread;
    int closing;
    uint64_t durable; /* entries */
    uint64_t written; /* entries, as the thread may know */
    int error;        /* errno of a sync: what was not durable then may be lost */
};

/* ---- durability ------------------------------------------------------------------------------ */

/* With the lock held. A failed sync is final: the kernel may have dropped the bytes. */
static void sync_locked(struct salvor_ledger *ledger)
{
    uint64_t upto = ledger->written;
    if (ledger->durable == upto || ledger->error != 0)
        return;
    if (fdatasync(ledger->fd) == 0)
        ledger->durable = upto;
    else
        ledger->error = errno;
}

static void *sync_regularly(void *data)
{
    struct salvor_ledger *ledger = data;
    (void)pthread_setname_np(pthread_self(), "salvor-ledger");
    (void)pthread_mutex_lock(&ledger->lock);
    while (!ledger->closing) {
        struct timespec until;
        if (ledger->durable == ledger->written || ledger->error != 0) {
            (void)pthread_cond_wait(&ledger->wake, &ledger->lock);
            continue;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)SYNC_MS * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        int result = 0;
        while (result == 0 && !ledger->closing)
            result = pthread_cond_timedwait(&ledger->wake, &ledger->lock, &until);
        sync_locked(ledger);
    }
    (void)pthread_mutex_unlock(&ledger->lock);
    return NULL;
}

static int start_thread(struct salvor_ledger *ledger)
{
    pthread_condattr_t monotonic;
    (void)pthread_mutex_init(&ledger->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&ledger->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int result = pthread_create(&ledger->thread, NULL, sync_regularly, ledger);
    ledger->has_thread = result == 0;
    return result;
}

static salvor_status tell(struct worker_call *call, struct salvor_ledger *ledger, uint64_t durable)
{
    /* The digest is of all entries: it is told when all are durable. */
    if (durable != ledger->entries || durable == ledger->told)
        return SALVOR_OK;
    struct digest copy = ledger->digest;
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE];
    digest_end(&copy, hash);
    digest_text(hash, sha256);
    ledger->told = durable;
    call_send(call, FRAME_LEDGER,
              json_make("{s:s,s:I,s:s}", "name", ledger->name, "entries", (json_int_t)durable,
                        "sha256", sha256));
    return SALVOR_OK;
}

static salvor_status failed(struct worker_call *call, const struct salvor_ledger *ledger, int error)
{
    (void)call_fail(call, SALVOR_FAILED, "ledger '%s' cannot be written: %s", ledger->name,
                    strerror(error));
    return call_hint(call, SALVOR_FAILED, "see to the disk of the run's folder, then resume");
}

static salvor_status sync_now(struct worker_call *call, struct salvor_ledger *ledger)
{
    (void)pthread_mutex_lock(&ledger->lock);
    sync_locked(ledger);
    int error = ledger->error;
    uint64_t durable = ledger->durable;
    (void)pthread_mutex_unlock(&ledger->lock);
    return error != 0 ? failed(call, ledger, error) : tell(call, ledger, durable);
}

/* ---- open and close -------------------------------------------------------------------------- */

static void release(struct salvor_ledger *ledger)
{
    if (ledger->has_thread) {
        (void)pthread_mutex_lock(&ledger->lock);
        ledger->closing = 1;
        (void)pthread_cond_signal(&ledger->wake);
        (void)pthread_mutex_unlock(&ledger->lock);
        (void)pthread_join(ledger->thread, NULL);
        (void)pthread_cond_destroy(&ledger->wake);
        (void)pthread_mutex_destroy(&ledger->lock);
    }
    if (ledger->fd >= 0)
        (void)close(ledger->fd);
    free(ledger->name);
    free(ledger);
}

static void close_ledger(struct worker_call *call, void *handle)
{
    struct salvor_ledger *ledger = handle;
    (void)sync_now(call, ledger);
    release(ledger);
}

static uint32_t result_of(const unsigned char *entry)
{
    uint32_t result = 0;
    memcpy(&result, entry + 8, sizeof result);
    return le32toh(result);
}

static int read_fully(int fd, unsigned char *data, size_t size, uint64_t offset, size_t *ret_got)
{
    *ret_got = 0;
    while (*ret_got < size) {
        ssize_t got = pread(fd, data + *ret_got, size - *ret_got, (off_t)(offset + *ret_got));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        *ret_got += (size_t)got;
    }
    return 0;
}

/*
 * Takes over what an earlier attempt wrote. A machine that went down may have left half an entry or
 * a stretch of zeros at the end: no entry has the result 0, so the tail from the first such on
 * goes. An entry behind it would mean that bytes in the middle were lost.
 */
static int recover(struct salvor_ledger *ledger, struct error *reterr)
{
    int torn = 0;
    uint64_t offset = 0;
    for (size_t got = sizeof ledger->window; got == sizeof ledger->window; offset += got) {
        if (read_fully(ledger->fd, ledger->window, sizeof ledger->window, offset, &got) != 0)
            return error_errno(reterr, EXIT_FAILED, errno, "cannot read ledger '%s'", ledger->name);
        for (size_t at = 0; at + ENTRY_SIZE <= got; at += ENTRY_SIZE) {
            int empty = result_of(ledger->window + at) == 0;
            if (torn && !empty)
                return error_set(reterr, EXIT_FAILED,
                                 "ledger '%s' is damaged: entry %llu is missing", ledger->name,
                                 (unsigned long long)ledger->entries);
            torn |= empty;
            if (!torn) {
                digest_add(&ledger->digest, ledger->window + at, ENTRY_SIZE);
                ledger->entries++;
            }
        }
    }
    if (offset == ledger->entries * ENTRY_SIZE)
        return 0;
    if (ftruncate(ledger->fd, (off_t)(ledger->entries * ENTRY_SIZE)) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot mend ledger '%s'", ledger->name);
    return 0;
}

static int open_file(struct salvor_ledger *ledger, const char *folder, struct error *reterr)
{
    cleanup_close int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *last = NULL;
    cleanup_close int parent = -1;
    if (root >= 0 && beneath_make_parents(root, ledger->name) == 0)
        parent = beneath_open_parent(root, ledger->name, &last);
    if (parent >= 0)
        ledger->fd = openat(parent, last, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ledger->fd < 0 || fsync(parent) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open ledger '%s' in '%s'",
                           ledger->name, folder);
    if (flock(ledger->fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(reterr, EXIT_FAILED, "ledger '%s' is open already", ledger->name);
    /* What was read once must not vanish later: it is durable before it is offered. */
    if (recover(ledger, reterr) != 0)
        return -1;
    if (fdatasync(ledger->fd) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make ledger '%s' durable",
                           ledger->name);
    ledger->durable = ledger->written = ledger->told = ledger->entries;
    int result = start_thread(ledger);
    return result == 0
               ? 0
               : error_errno(reterr, EXIT_FAILED, result, "cannot open ledger '%s'", ledger->name);
}

static salvor_status ledger_open(salvor_call *public_call, const char *name,
                                 salvor_ledger **ret_ledger)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    const char *step = json_text(json_object_get(call->body, "step"), "instance");
    if (ret_ledger == NULL || name == NULL || strchr(name, '/') != NULL ||
        beneath_check(name, 1, NULL) != 0)
        return call_fail(call, SALVOR_BUG, "ledger name '%.120s' is not made of A-Z a-z 0-9 . _ -",
                         name != NULL ? name : "");
    *ret_ledger = NULL;
    if (step == NULL)
        return call_fail(call, SALVOR_BUG, "ledger '%s' is opened outside a step", name);
    const char *folder = run_folder(call, "ledger_folder");
    if (folder == NULL)
        return SALVOR_FAILED;
    struct salvor_ledger *ledger = memory_new(1, sizeof *ledger);
    ledger->fd = -1;
    ledger->name = text_format("%s/%s", step, name);
    digest_begin(&ledger->digest);
    if (open_file(ledger, folder, &err) != 0) {
        release(ledger);
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    call_register(call, ledger, close_ledger);
    *ret_ledger = ledger;
    return SALVOR_OK;
}

static void ledger_close(salvor_call *public_call, salvor_ledger *ledger)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, ledger, close_ledger))
        return;
    call_forget(call, ledger);
    close_ledger(call, ledger);
}

/* ---- put and sync ---------------------------------------------------------------------------- */

static int write_entry(struct salvor_ledger *ledger, const unsigned char entry[ENTRY_SIZE])
{
    off_t offset = (off_t)(ledger->entries * ENTRY_SIZE);
    ssize_t written = -1;
    do
        written = pwrite(ledger->fd, entry, ENTRY_SIZE, offset);
    while (written < 0 && errno == EINTR);
    if (written == ENTRY_SIZE)
        return 0;
    int saved = written < 0 ? errno : ENOSPC;
    /* Half an entry must not stand before the next one. */
    (void)!ftruncate(ledger->fd, offset);
    errno = saved;
    return -1;
}

static salvor_status ledger_put(salvor_call *public_call, salvor_ledger *ledger,
                                const struct salvor_ledger_entry *entry)
{
    struct worker_call *call = call_of(public_call);
    unsigned char bytes[ENTRY_SIZE];
    if (!call_owns(call, ledger, close_ledger) || entry == NULL || entry->result == 0)
        return call_fail(call, SALVOR_BUG,
                         "ledger.put: the ledger is not open in this call, or the result is 0");
    const uint64_t key = htole64(entry->key);
    const uint32_t result = htole32(entry->result);
    const uint32_t detail = htole32(entry->detail);
    memcpy(bytes, &key, 8);
    memcpy(bytes + 8, &result, 4);
    memcpy(bytes + 12, &detail, 4);
    (void)pthread_mutex_lock(&ledger->lock);
    int error = ledger->error;
    uint64_t durable = ledger->durable;
    if (error == 0 && write_entry(ledger, bytes) != 0)
        error = errno;
    if (error == 0) {
        if (ledger->written == durable)
            (void)pthread_cond_signal(&ledger->wake);
        ledger->entries++;
        ledger->written = ledger->entries;
        if (ledger->written - durable >= SYNC_ENTRIES)
            sync_locked(ledger);
        error = ledger->error;
        durable = ledger->durable;
    }
    (void)pthread_mutex_unlock(&ledger->lock);
    if (error != 0)
        return failed(call, ledger, error);
    digest_add(&ledger->digest, bytes, ENTRY_SIZE);
    return tell(call, ledger, durable);
}

static salvor_status ledger_sync(salvor_call *public_call, salvor_ledger *ledger)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, ledger, close_ledger))
        return call_fail(call, SALVOR_BUG, "ledger.sync: the ledger is not open in this call");
    return sync_now(call, ledger);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int load_window(struct salvor_ledger *ledger, uint64_t durable)
{
    size_t got = 0;
    uint64_t count = durable - ledger->next;
    if (count > READ_ENTRIES)
        count = READ_ENTRIES;
    if (read_fully(ledger->fd, ledger->window, (size_t)count * ENTRY_SIZE,
                   ledger->next * ENTRY_SIZE, &got) != 0)
        return -1;
    ledger->window_begin = ledger->next;
    ledger->window_end = ledger->next + got / ENTRY_SIZE;
    errno = EIO; /* durable entries that are not there */
    return ledger->window_end > ledger->next ? 0 : -1;
}

static salvor_status ledger_next(salvor_call *public_call, salvor_ledger *ledger,
                                 struct salvor_ledger_entry *ret_entry)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, ledger, close_ledger) || ret_entry == NULL)
        return call_fail(call, SALVOR_BUG, "ledger.next: the ledger is not open in this call");
    (void)pthread_mutex_lock(&ledger->lock);
    uint64_t durable = ledger->durable;
    (void)pthread_mutex_unlock(&ledger->lock);
    if (ledger->next >= durable)
        return SALVOR_END;
    if ((ledger->next < ledger->window_begin || ledger->next >= ledger->window_end) &&
        load_window(ledger, durable) != 0)
        return call_fail(call, SALVOR_FAILED, "cannot read ledger '%s': %s", ledger->name,
                         strerror(errno));
    const unsigned char *entry =
        ledger->window + (ledger->next - ledger->window_begin) * ENTRY_SIZE;
    uint64_t key = 0;
    uint32_t detail = 0;
    memcpy(&key, entry, 8);
    memcpy(&detail, entry + 12, 4);
    *ret_entry = (struct salvor_ledger_entry){le64toh(key), result_of(entry), le32toh(detail)};
    ledger->next++;
    return SALVOR_OK;
}

static salvor_status ledger_rewind(salvor_call *public_call, salvor_ledger *ledger)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, ledger, close_ledger))
        return call_fail(call, SALVOR_BUG, "ledger.rewind: the ledger is not open in this call");
    ledger->next = 0;
    ledger->window_begin = ledger->window_end = 0;
    return SALVOR_OK;
}

const struct salvor_ledgers ledger_table = {
    .struct_size = sizeof(struct salvor_ledgers),
    .version = 1,
    .open = ledger_open,
    .put = ledger_put,
    .sync = ledger_sync,
    .next = ledger_next,
    .rewind = ledger_rewind,
    .close = ledger_close,
};
