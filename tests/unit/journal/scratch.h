/* A folder of its own for each test, and small journals in it. */
#ifndef SALVOR_TESTS_JOURNAL_SCRATCH_H
#define SALVOR_TESTS_JOURNAL_SCRATCH_H

#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "journal/journal.h"

static inline int make_scratch(void **state)
{
    /* Thousands of small files are opened and synced: in memory where that can be had. */
    char memory[] = "/dev/shm/salvor-test-journal-XXXXXX";
    char disk[] = "/tmp/salvor-test-journal-XXXXXX";
    const char *folder = mkdtemp(memory);
    if (folder == NULL)
        folder = mkdtemp(disk);
    *state = folder != NULL ? text_copy(folder) : NULL;
    return folder != NULL ? 0 : -1;
}

static inline int drop_scratch(void **state)
{
    int result = file_remove_tree(*state, NULL);
    free(*state);
    return result;
}

static inline char *in_scratch(void **state, const char *name)
{
    return text_format("%s/%s", (char *)*state, name);
}

static inline void assert_ok(int result, const struct error *err)
{
    if (result != 0)
        fail_msg("%s", err->message != NULL ? err->message : "failed without a message");
}

static inline void cleanup_journal_at(struct journal **journal)
{
    journal_close(*journal);
}
#define cleanup_journal __attribute__((cleanup(cleanup_journal_at)))

#define test_in_scratch(function) \
    cmocka_unit_test_setup_teardown(function, make_scratch, drop_scratch)

/* A journal with `count` durable records {"n":1…count,"text":some}. */
static inline void write_journal(const char *path, int count, size_t text_size)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *journal = NULL;
    cleanup_free char *text = memory_new(text_size + 1, 1);
    memset(text, 'x', text_size);
    assert_ok(journal_create(path, &journal, &err), &err);
    for (int i = 1; i <= count; i++)
        assert_ok(journal_append(journal, "note", json_pack("{s:i, s:s}", "n", i, "text", text),
                                 JOURNAL_DURABLE, &err),
                  &err);
}

#endif
