#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "practice-call.h"
#include "services/ledger.h"

static salvor_ledger *opened(struct practice *practice)
{
    salvor_ledger *ledger = NULL;
    if (ledger_table.open(practice_call(practice), "objects", &ledger) != SALVOR_OK)
        fail_msg("%s", practice->call.error.message);
    return ledger;
}

static salvor_status put(struct practice *practice, salvor_ledger *ledger, uint64_t key)
{
    const struct salvor_ledger_entry entry = {key, (uint32_t)(key % 7) + 1, (uint32_t)key * 3};
    return ledger_table.put(practice_call(practice), ledger, &entry);
}

/* How many entries next() gives, each checked against put(). */
static uint64_t counted(struct practice *practice, salvor_ledger *ledger)
{
    struct salvor_ledger_entry entry;
    uint64_t count = 0;
    for (;;) {
        salvor_status status = ledger_table.next(practice_call(practice), ledger, &entry);
        if (status == SALVOR_END)
            return count;
        assert_int_equal(status, SALVOR_OK);
        assert_int_equal(entry.key, count);
        assert_int_equal(entry.result, count % 7 + 1);
        assert_int_equal(entry.detail, (uint32_t)count * 3);
        count++;
    }
}

static char *file_of(const struct practice *practice)
{
    return text_format("%s/ledger/restore/stage/1/objects", practice->folder);
}

static void entries_come_back_in_order(void **state)
{
    struct practice *practice = *state;
    salvor_ledger *ledger = opened(practice);
    for (uint64_t key = 0; key < 10000; key++)
        assert_int_equal(put(practice, ledger, key), SALVOR_OK);
    assert_int_equal(ledger_table.sync(practice_call(practice), ledger), SALVOR_OK);
    assert_int_equal(counted(practice, ledger), 10000);
    assert_int_equal(ledger_table.rewind(practice_call(practice), ledger), SALVOR_OK);
    assert_int_equal(counted(practice, ledger), 10000);
    const json_t *frame = practice_frame(practice, FRAME_LEDGER);
    cleanup_free char *path = file_of(practice);
    cleanup_free char *bytes = NULL;
    size_t size = 0;
    char sha256[DIGEST_TEXT_SIZE];
    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), 0);
    assert_int_equal(size, 160000);
    digest_text_of(bytes, size, sha256);
    assert_string_equal(json_text(frame, "name"), "restore/stage/1/objects");
    assert_int_equal(json_whole(frame, "entries", 0), 10000);
    assert_string_equal(json_text(frame, "sha256"), sha256);
    assert_true(practice_frame_count(practice, FRAME_LEDGER) >= 10000 / 512);
    practice_next_call(practice, SALVOR_EFFECT_CHANGE);
    ledger = opened(practice);
    assert_int_equal(counted(practice, ledger), 10000);
    assert_int_equal(put(practice, ledger, 10000), SALVOR_OK);
    ledger_table.close(practice_call(practice), ledger);
    ledger = opened(practice);
    assert_int_equal(counted(practice, ledger), 10001);
}

static void durable_soon_without_being_asked(void **state)
{
    struct practice *practice = *state;
    salvor_ledger *ledger = opened(practice);
    struct salvor_ledger_entry entry;
    assert_int_equal(put(practice, ledger, 0), SALVOR_OK);
    assert_int_equal(ledger_table.next(practice_call(practice), ledger, &entry), SALVOR_END);
    salvor_status status = SALVOR_END;
    for (int i = 0; i < 1000 && status == SALVOR_END; i++) {
        (void)poll(NULL, 0, 10);
        status = ledger_table.next(practice_call(practice), ledger, &entry);
    }
    assert_int_equal(status, SALVOR_OK);
}

static void a_killed_worker_loses_nothing(void **state)
{
    struct practice *practice = *state;
    pid_t worker = fork();
    if (worker == 0) {
        salvor_ledger *ledger = opened(practice);
        for (uint64_t key = 0; key < 700; key++)
            (void)put(practice, ledger, key);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    assert_int_equal(counted(practice, opened(practice)), 700);
}

static void torn_tails_are_mended(void **state)
{
    struct practice *practice = *state;
    cleanup_free char *path = file_of(practice);
    cleanup_free char *bytes = NULL;
    size_t size = 0;
    salvor_ledger *ledger = opened(practice);
    for (uint64_t key = 0; key < 6000; key++)
        (void)put(practice, ledger, key);
    ledger_table.close(practice_call(practice), ledger);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), 0);
    for (size_t cut = size; cut > size - 40; cut--) {
        assert_int_equal(file_write_atomic(path, bytes, cut, 0600, NULL), 0);
        ledger = opened(practice);
        assert_int_equal(counted(practice, ledger), cut / 16);
        assert_int_equal(put(practice, ledger, cut / 16), SALVOR_OK);
        ledger_table.close(practice_call(practice), ledger);
        ledger = opened(practice);
        assert_int_equal(counted(practice, ledger), cut / 16 + 1);
        ledger_table.close(practice_call(practice), ledger);
    }
    memset(bytes + size - 112, 0, 112); /* what a file system leaves of sectors it did not write */
    assert_int_equal(file_write_atomic(path, bytes, size, 0600, NULL), 0);
    ledger = opened(practice);
    assert_int_equal(counted(practice, ledger), (size - 112) / 16);
    ledger_table.close(practice_call(practice), ledger);
    bytes[size - 8] = 1; /* the last one is there, some before it are not */
    assert_int_equal(file_write_atomic(path, bytes, size, 0600, NULL), 0);
    assert_int_equal(ledger_table.open(practice_call(practice), "objects", &ledger), SALVOR_FAILED);
    assert_non_null(strstr(practice->call.error.message, "is damaged: entry"));
}

static void bad_requests(void **state)
{
    struct practice *practice = *state;
    salvor_ledger *ledger = NULL;
    salvor_call *call = practice_call(practice);
    static const char *const names[] = {"", "a/b", "..", ".a", "a b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(ledger_table.open(call, names[i], &ledger), SALVOR_BUG);
    ledger = opened(practice);
    salvor_ledger *second = NULL;
    assert_int_equal(ledger_table.open(call, "objects", &second), SALVOR_FAILED);
    const struct salvor_ledger_entry none = {1, 0, 0};
    assert_int_equal(ledger_table.put(call, ledger, &none), SALVOR_BUG);
    ledger_table.close(call, ledger);
    ledger_table.close(call, ledger);
    assert_int_equal(put(practice, ledger, 0), SALVOR_BUG);
    json_put(practice->call.body, "step", json_null());
    assert_int_equal(ledger_table.open(call, "objects", &ledger), SALVOR_BUG);
}

static void a_full_disk_is_an_error_and_keeps_whole_entries(void **state)
{
    struct practice *practice = *state;
    cleanup_free char *folder = text_format("%s/ledger", practice->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=64k,mode=700") != 0) {
        print_message("cannot mount a small tmpfs here\n");
        skip();
    }
    salvor_ledger *ledger = opened(practice);
    uint64_t key = 0;
    while (key < 100000 && put(practice, ledger, key) == SALVOR_OK)
        key++;
    cleanup_free char *text = text_copy(practice->call.error.message);
    salvor_status again = put(practice, ledger, key);
    practice_next_call(practice, SALVOR_EFFECT_CHANGE);
    ledger = opened(practice);
    uint64_t kept = counted(practice, ledger);
    ledger_table.close(practice_call(practice), ledger);
    assert_int_equal(umount(folder), 0);
    assert_true(key > 1000 && key < 10000);
    assert_non_null(strstr(text, "No space left"));
    assert_int_equal(again, SALVOR_FAILED);
    assert_int_equal(kept, key);
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        practised(entries_come_back_in_order),
        practised(durable_soon_without_being_asked),
        practised(a_killed_worker_loses_nothing),
        practised(torn_tails_are_mended),
        practised(bad_requests),
        practised(a_full_disk_is_an_error_and_keeps_whole_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
