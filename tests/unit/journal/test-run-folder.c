#include "scratch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/lock-file.h"
#include "journal/run-folder.h"

static void only_well_formed_ids_are_ids(void **state)
{
    (void)state;
    static const char *const good[] = {
        "20261121-031502-restore-a1b2",
        "20261121-031502-post-resync-0000",
        "20261121-031502-restore-abcd-1234",
    };
    static const char *const bad[] = {
        "",
        "..",
        "last",
        "20261121-031502-restore-a1b",
        "20261121-031502-restore-A1B2",
        "20261121-031502--a1b2",
        "20261121-031502-a1b2",
        "20261121-031502-../../x-a1b2",
        "20261121-031502-re/store-a1b2",
        "20261121-031502-restore-a1b2/",
        "20261121-031502-Restore-a1b2",
        "20261121-031502--restore-a1b2",
        "20261121-031502-restore--a1b2",
        "2026112a-031502-restore-a1b2",
        "20261121_031502-restore-a1b2",
        "20261121-031502-abcdefghijklmnopqrstuvwxyzabcdefg-a1b2",
        " 20261121-031502-restore-a1b2",
        "20261121-031502-restore-a1b2\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(run_id_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (run_id_is_valid(bad[i]))
            fail_msg("'%s' passes", bad[i]);
}

static void a_new_folder_is_private_named_by_time_and_locked(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *folder_path = in_scratch(state, "deep/state");
    struct run_folder *folder = NULL;
    struct run_folder *second = NULL;
    assert_ok(run_folder_create(folder_path, "post-resync", &folder, &err), &err);
    assert_true(run_id_is_valid(folder->id));
    assert_non_null(strstr(folder->id, "-post-resync-"));
    struct stat status;
    assert_int_equal(stat(folder->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(run_folder_open(folder_path, folder->id, &second, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    cleanup_free char *own = text_format("process %d on ", (int)getpid());
    assert_non_null(strstr(err.message, own));
    assert_ok(run_folder_find(folder_path, folder->id, &second, &err), &err);
    assert_string_equal(second->path, folder->path);
    assert_int_equal(second->lock, -1);
    run_folder_close(second);
    run_folder_close(folder);
    assert_ok(run_folder_open(folder_path, "last", &folder, &err), &err);
    run_folder_close(folder);
    assert_int_equal(run_folder_create(folder_path, "../x", &folder, &err), -1);
}

static void the_lock_of_a_killed_process_is_free(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    struct run_folder *folder = NULL;
    int ready[2];
    assert_ok(run_folder_create(*state, "restore", &folder, &err), &err);
    cleanup_free char *lock = text_format("%s/lock", folder->path);
    run_folder_close(folder);
    assert_int_equal(lock_file_is_held(lock, NULL), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte = (char)run_folder_open(*state, "last", &folder, NULL);
        if (write(ready[1], &byte, 1) == 1)
            (void)pause();
        _exit(1);
    }
    char byte = 1;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 0);
    struct lock_holder holder;
    assert_int_equal(lock_file_is_held(lock, &holder), 1);
    assert_int_equal(holder.pid, child);
    assert_int_equal(run_folder_open(*state, "last", &folder, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ready[0]);
    (void)close(ready[1]);
    assert_int_equal(lock_file_is_held(lock, &holder), 0);
    assert_ok(run_folder_open(*state, "last", &folder, &err), &err);
    run_folder_close(folder);
}

static void make_run(void **state, const char *id)
{
    cleanup_free char *path = text_format("%s/runs/%s", (char *)*state, id);
    assert_int_equal(file_make_folder(path, NULL), 0);
}

static void runs_are_found_by_id_unique_beginning_or_last(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    struct run_folder *folder = NULL;
    char **ids = NULL;
    size_t count = 7;
    assert_ok(run_folder_list(*state, &ids, &count, &err), &err);
    assert_int_equal(count, 0);
    run_ids_free(ids);
    assert_int_equal(run_folder_find(*state, "last", &folder, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
    assert_non_null(strstr(err.hint, "no run was recorded yet"));

    make_run(state, "20261121-031502-restore-abcd");
    make_run(state, "20261121-031502-restore-abcd-0000");
    make_run(state, "20261120-110000-discover-ffff");
    make_run(state, "20261122-000000-drill-0001");
    make_run(state, "not-a-run");
    cleanup_free char *link_path =
        text_format("%s/runs/20261123-000000-drill-0001", (char *)*state);
    assert_int_equal(symlink("/etc", link_path), 0);
    cleanup_free char *file_path =
        text_format("%s/runs/20261124-000000-drill-0001", (char *)*state);
    assert_ok(file_write_atomic(file_path, "", 0, 0600, &err), &err);

    assert_ok(run_folder_list(*state, &ids, &count, &err), &err);
    assert_int_equal(count, 4);
    assert_string_equal(ids[0], "20261122-000000-drill-0001");
    assert_string_equal(ids[3], "20261120-110000-discover-ffff");
    assert_null(ids[4]);
    run_ids_free(ids);

    static const struct {
        const char *name;
        const char *id;
    } found[] = {
        {"last", "20261122-000000-drill-0001"},
        {"20261120", "20261120-110000-discover-ffff"},
        {"20261121-031502-restore-abcd", "20261121-031502-restore-abcd"},
        {"20261121-031502-restore-abcd-", "20261121-031502-restore-abcd-0000"},
    };
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        assert_ok(run_folder_find(*state, found[i].name, &folder, &err), &err);
        assert_string_equal(folder->id, found[i].id);
        run_folder_close(folder);
    }
    folder = NULL;
    assert_int_equal(run_folder_find(*state, "20261121", &folder, &err), -1);
    assert_non_null(strstr(err.message, "is the beginning of 2 runs"));
    assert_non_null(strstr(err.detail, "'20261121-031502-restore-abcd-0000'"));
    assert_int_equal(run_folder_find(*state, "20261122-000000-drill-0002", &folder, &err), -1);
    assert_string_equal(err.hint, "did you mean '20261122-000000-drill-0001'?");
    static const char *const tricks[] = {"", "../..", "/etc", ".", "20261123", "not-a-run", "*"};
    for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
        assert_int_equal(run_folder_find(*state, tricks[i], &folder, &err), -1);
        assert_int_equal(err.code, EXIT_USAGE);
    }
    assert_null(folder);
}

/* Birth of the run's folder in ns; 0 where the file system does not keep it. */
static int64_t born(void **state, const char *id)
{
    cleanup_free char *path = text_format("%s/runs/%s", (char *)*state, id);
    struct statx status;
    assert_int_equal(statx(AT_FDCWD, path, 0, STATX_BTIME, &status), 0);
    return (status.stx_mask & STATX_BTIME) == 0
               ? 0
               : (int64_t)status.stx_btime.tv_sec * 1000000000 + (int64_t)status.stx_btime.tv_nsec;
}

static void of_one_second_the_one_made_later_is_the_last(void **state)
{
    static const char first[] = "20261121-031502-restore-0001";
    static const char second[] = "20261121-031502-backup-0001";
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/runs/%s", (char *)*state, second);
    struct run_folder *folder = NULL;
    make_run(state, first);
    if (born(state, first) == 0)
        skip();
    make_run(state, second);
    while (born(state, second) == born(state, first)) { /* the clock of files is a coarse one */
        assert_int_equal(rmdir(path), 0);
        make_run(state, second);
    }
    assert_ok(run_folder_find(*state, "last", &folder, &err), &err);
    assert_string_equal(folder->id, second);
    run_folder_close(folder);
}

static void a_state_folder_that_others_can_write_is_refused(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    struct run_folder *folder = NULL;
    make_run(state, "20261121-031502-restore-a1b2");
    assert_int_equal(chmod(*state, 0770), 0);
    assert_int_equal(run_folder_create(*state, "restore", &folder, &err), -1);
    assert_non_null(strstr(err.message, "others can write to it"));
    assert_non_null(strstr(err.hint, "chmod 700"));
    assert_int_equal(run_folder_open(*state, "last", &folder, &err), -1);
    assert_ok(run_folder_find(*state, "last", &folder, &err), &err);
    run_folder_close(folder);
    assert_int_equal(run_folder_create("/proc/self", "restore", &folder, &err), -1);
    assert_non_null(strstr(err.hint, "--state-dir"));
}

static void one_run_at_a_time_changes_a_site(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    struct site_lock *first = NULL;
    struct site_lock *second = NULL;
    assert_ok(site_lock_take(*state, "acme", "prod/../eu 1", "20261121-031502-restore-a1b2", &first,
                             &err),
              &err);
    cleanup_free char *path = in_scratch(state, "locks/acme-prod%2F..%2Feu%201.lock");
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(site_lock_take(*state, "acme", "prod/../eu 1", "20261121-031502-restore-ffff",
                                    &second, &err),
                     -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_string_equal(err.message, "site 'prod/../eu 1' of provider 'acme' is being changed by "
                                     "run '20261121-031502-restore-a1b2'");
    assert_non_null(strstr(err.detail, "held by process "));
    assert_ok(site_lock_take(*state, "acme", NULL, "20261121-031502-restore-ffff", &second, &err),
              &err);
    site_lock_release(second);
    site_lock_release(first);
    assert_ok(site_lock_take(*state, "acme", "prod/../eu 1", "20261121-031502-restore-ffff", &first,
                             &err),
              &err);
    site_lock_release(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_ids_are_ids),
        test_in_scratch(a_new_folder_is_private_named_by_time_and_locked),
        test_in_scratch(the_lock_of_a_killed_process_is_free),
        test_in_scratch(runs_are_found_by_id_unique_beginning_or_last),
        test_in_scratch(of_one_second_the_one_made_later_is_the_last),
        test_in_scratch(a_state_folder_that_others_can_write_is_refused),
        test_in_scratch(one_run_at_a_time_changes_a_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
