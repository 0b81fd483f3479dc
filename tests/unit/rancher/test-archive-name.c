#include "../unit.h"

#include "archive-name.h"

#define UID "d0436c16-6494-4e8f-aa6c-099ffff253d2"

static void reads_the_operators_names(void **state)
{
    static const struct {
        const char *path;
        const char *backup;
        const char *time;
        int64_t seconds;
        int encrypted;
    } rows[] = {
        {"nightly-" UID "-2026-01-02T03-04-05Z.tar.gz", "nightly", "2026-01-02T03:04:05Z",
         1767323045, 0},
        {"/a/b/x-y-" UID "-2026-01-02T03-04-05-07-00.tar.gz.enc", "x-y",
         "2026-01-02T03:04:05-07:00", 1767323045 + 7 * 3600, 1},
        {"a-" UID "-2026-01-02T03-04-05+05-30.tar.gz", "a", "2026-01-02T03:04:05+05:30",
         1767323045 - 330 * 60, 0},
        {"old-" UID "-2021-01-02T03#04#05Z.tar.gz", "old", "2021-01-02T03:04:05Z", 1609556645, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct archive_name name;
        archive_name_read(rows[i].path, &name);
        assert_true(name.is_archive && name.is_known);
        assert_string_equal(name.backup, rows[i].backup);
        assert_string_equal(name.cluster_uid, UID);
        assert_string_equal(name.time, rows[i].time);
        assert_int_equal(name.seconds, rows[i].seconds);
        assert_int_equal(name.encrypted, rows[i].encrypted);
    }
}

static void takes_no_other_name_for_one(void **state)
{
    static const char *const archives[] = {
        "ours.tar.gz",
        "-" UID "-2026-01-02T03-04-05Z.tar.gz",
        "a-" UID "-2026-01-02.tar.gz",
        "a-D0436c16-6494-4e8f-aa6c-099ffff253d2-2026-01-02T03-04-05Z.tar.gz",
        "a-" UID "2026-01-02T03-04-05Z.tar.gz",
        "a-" UID "-x026-01-02T03-04-05Z.tar.gz",
    };
    struct archive_name name;
    (void)state;
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
        archive_name_read(archives[i], &name);
        assert_true(name.is_archive);
        assert_false(name.is_known);
    }
    archive_name_read("snapshot.db", &name);
    assert_false(name.is_archive);
    archive_name_read("a.enc", &name);
    assert_false(name.is_archive);
}

static void writes_what_it_reads(void **state)
{
    char text[400];
    struct archive_name name;
    (void)state;
    assert_int_equal(archive_name_write("nightly", UID, 1767323045, 1, text, sizeof text), 0);
    assert_string_equal(text, "nightly-" UID "-2026-01-02T03-04-05Z.tar.gz.enc");
    archive_name_read(text, &name);
    assert_int_equal(name.seconds, 1767323045);
    assert_int_equal(archive_name_write("nightly", UID, 1767323045, 1, text, 20), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_operators_names),
        cmocka_unit_test(takes_no_other_name_for_one),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
