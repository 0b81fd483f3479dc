#include "../unit.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "base/json.h"
#include "plugin/elf-note.h"
#include "plugin/plugin-find.h"
#include "plugin/plugin-list.h"
#include "sample.h"
#include "scratch.h"

#define NOTE_OF(name, abi)                                                                    \
    "{\"abi\":\"" abi "\",\"hooks\":[\"discover\"],\"license\":\"MIT\",\"maintainer\":\"m\"," \
    "\"name\":\"" name "\",\"summary\":\"s\",\"version\":\"1\"}"

/* A shared object with that note at `name` below the scratch folder. */
static char *plugin_at(const char *name, const char *note)
{
    char *path = scratch_path(name);
    assert_int_equal(note_write(SALVOR_TEST_OBJECT, path, note, NULL), 0);
    return path;
}

static struct plugin_file *find(const char *name, const char *folder, struct error *err)
{
    const char *folders[] = {folder, NULL};
    struct plugin_file *file = NULL;
    int result = plugin_find(name, folders, &file, err);
    assert_int_equal(result, file != NULL ? 0 : -1);
    return file;
}

static void a_plugin_is_found_by_its_name(void **state)
{
    (void)state;
    cleanup_free char *path = plugin_at("salvor_sample.so", SAMPLE_JSON);
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *file = find("sample", scratch, &err);
    assert_non_null(file);
    assert_string_equal(file->path, path);
    assert_string_equal(file->info->name, "sample");
    assert_int_equal(strlen(file->build_id), 40);
    char digest[DIGEST_TEXT_SIZE];
    char again[DIGEST_TEXT_SIZE];
    assert_int_equal(plugin_file_digest(file, digest, &err), 0);
    cleanup_free char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, 16 << 20, &bytes, &size, NULL), 0);
    digest_text_of(bytes, size, again);
    assert_string_equal(digest, again);
    plugin_file_free(file);
}

static void links_are_followed_and_their_targets_judged(void **state)
{
    (void)state;
    cleanup_free char *folder = scratch_folder("real");
    cleanup_free char *real = plugin_at("real/salvor_sample.so.1", SAMPLE_JSON);
    cleanup_free char *link_path = scratch_path("salvor_sample.so");
    assert_int_equal(symlink("real/salvor_sample.so.1", link_path), 0);
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *file = find("sample", scratch, &err);
    assert_string_equal(file->path, real);
    plugin_file_free(file);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_null(find("sample", scratch, &err));
    assert_non_null(strstr(err.message, "is writable by group or others"));
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(unlink(real), 0);
    assert_null(find("sample", scratch, &err));
    cleanup_free char *message =
        text_format("cannot open plugin file '%s': No such file or directory", link_path);
    assert_string_equal(err.message, message);
}

static void what_is_not_there_says_where_it_was_sought(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    assert_null(find("eksb", scratch, &err));
    assert_string_equal(err.message, "cannot find plugin 'eksb'");
    cleanup_free char *start = text_format("searched in '%s'", scratch);
    assert_true(text_starts(err.detail, start));
    assert_non_null(strstr(err.hint, "'salvor-plugin-eksb'"));
    assert_int_equal(err.code, EXIT_USAGE);
    assert_null(find("../x", scratch, &err));
    assert_string_equal(err.message, "'../x' cannot be the name of a plugin");
}

static void the_nearest_file_decides_even_when_unusable(void **state)
{
    (void)state;
    cleanup_free char *near_folder = scratch_folder("near");
    cleanup_free char *far_folder = scratch_folder("far");
    cleanup_free char *near_file = plugin_at("near/salvor_sample.so", SAMPLE_JSON);
    free(plugin_at("far/salvor_sample.so", SAMPLE_JSON));
    const char *folders[] = {near_folder, far_folder, NULL};
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    assert_int_equal(plugin_find("sample", folders, &file, &err), 0);
    assert_string_equal(file->path, near_file);
    plugin_file_free(file);
    file = NULL;
    assert_int_equal(chmod(near_file, 0666), 0);
    assert_int_equal(plugin_find("sample", folders, &file, &err), -1);
    cleanup_free char *message =
        text_format("refusing plugin 'sample': '%s' is writable by group or others", near_file);
    assert_string_equal(err.message, message);
    assert_null(file);
}

static void unusable_notes_have_their_own_errors(void **state)
{
    (void)state;
    const struct {
        const char *note, *message, *detail;
    } cases[] = {
        {"{\"abi\":", NULL, "its note is not JSON: "},
        {"{\"abi\":\"0.1\",\"abi\":\"0.1\"}", NULL, "its note is not JSON: duplicate object key"},
        {"[]", NULL, "its note names no ABI"},
        {"{\"abi\":\"0.1\"}", NULL, "its note names no plugin"},
        {NOTE_OF("x", "70000.1"), NULL, "its note names no ABI"},
        {NOTE_OF("x", "0"), NULL, "its note names no ABI"},
        {NOTE_OF("x", "2.0"), "plugin 'x' needs plugin ABI 2, this salvor provides 0.1", NULL},
        {NOTE_OF("x", "0.9"), "plugin 'x' was built for plugin ABI 0.9, this salvor provides 0.1",
         "before ABI 1.0 plugin and salvor must have the same minor version"},
        {NOTE_OF("y", "0.1"), "plugin file 'salvor_x.so' declares name 'y'",
         "plugin 'x' was asked for"},
        {"{\"abi\":\"0.1\",\"name\":\"x\"}",
         "plugin 'x' breaks the rules of a descriptor: the descriptor: version is missing",
         "and 3 more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_free char *path = plugin_at("salvor_x.so", cases[i].note);
        cleanup_free char *not_one = text_format("'%s' is not a salvor plugin", path);
        cleanup_error struct error err = ERROR_INIT;
        assert_null(find("x", scratch, &err));
        assert_string_equal(err.message, cases[i].message != NULL ? cases[i].message : not_one);
        if (cases[i].detail == NULL)
            assert_null(err.detail);
        else if (!text_starts(err.detail, cases[i].detail))
            fail_msg("case %zu: %s", i, err.detail);
        assert_int_equal(err.code, EXIT_USAGE);
    }
}

/* Root reads everything, so that this needs a process that is not root. */
static void a_file_that_may_not_be_read(void **state)
{
    (void)state;
    cleanup_free char *path = plugin_at("salvor_sample.so", SAMPLE_JSON);
    assert_int_equal(chmod(path, 0000), 0);
    assert_int_equal(chmod(scratch, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        cleanup_error struct error err = ERROR_INIT;
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        cleanup_free char *message =
            text_format("cannot open plugin file '%s': Permission denied", path);
        const char *folders[] = {scratch, NULL};
        struct plugin_file *file = NULL;
        int refused = plugin_find("sample", folders, &file, &err) != 0 && file == NULL;
        _exit(refused && text_equal(err.message, message) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_file_is_judged_by_its_path_too(void **state)
{
    (void)state;
    cleanup_free char *path = plugin_at("salvor_sample.so", SAMPLE_JSON);
    cleanup_free char *other = plugin_at("libsample.so", SAMPLE_JSON);
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    assert_int_equal(plugin_find_file(path, 0, &file, &err), 0);
    assert_string_equal(file->path, path);
    plugin_file_free(file);
    file = NULL;
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(plugin_find_file(path, 0, &file, &err), -1);
    assert_int_equal(plugin_find_file(path, 1, &file, &err), 0);
    plugin_file_free(file);
    assert_int_equal(plugin_find_file(other, 0, &file, &err), -1);
    cleanup_free char *message = text_format("'%s' is not named as a plugin file", other);
    assert_string_equal(err.message, message);
}

static void all_plugins_are_listed_with_the_unusable_ones(void **state)
{
    (void)state;
    cleanup_free char *near_folder = scratch_folder("near");
    cleanup_free char *far_folder = scratch_folder("far");
    char *paths[] = {plugin_at("near/salvor_b_c.so", NOTE_OF("b-c", "0.1")),
                     plugin_at("near/salvor_a.so", NOTE_OF("a", "0.1")),
                     plugin_at("far/salvor_a.so", NOTE_OF("a", "0.1")),
                     plugin_at("far/salvor_sample.so", SAMPLE_JSON),
                     plugin_at("far/salvor_old.so", NOTE_OF("old", "0.0")),
                     scratch_file("far/salvor_text.so", "text"),
                     scratch_file("far/salvor_X.so", "text"),
                     scratch_file("far/readme", "text")};
    const char *folders[] = {near_folder, far_folder, NULL};
    struct plugin_file **files = NULL;
    json_t *problems = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(plugin_find_all(folders, &files, &problems, &err), 0);
    const char *usable[] = {paths[1], paths[0], NULL, NULL, paths[3], NULL};
    for (size_t i = 0; i < 6; i++) {
        assert_non_null(files[i]);
        assert_int_equal(files[i]->info != NULL, usable[i] != NULL);
        if (usable[i] != NULL)
            assert_string_equal(files[i]->path, usable[i]);
    }
    assert_null(files[6]);
    const char *messages[] = {"is not named as a plugin file",
                              "plugin 'old' was built for plugin ABI 0.0",
                              "is not a salvor plugin"};
    const size_t places[] = {6, 4, 5};
    assert_int_equal(json_array_size(problems), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *problem = json_array_get(problems, i);
        assert_non_null(strstr(json_text(problem, "message"), messages[i]));
        assert_string_equal(json_text(problem, "path"), paths[places[i]]);
    }
    json_decref(problems);
    plugin_files_free(files);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        free(paths[i]);
}

static void a_listing_reads_identities_only(void **state)
{
    (void)state;
    cleanup_free char *near_folder = scratch_folder("near");
    cleanup_free char *far_folder = scratch_folder("far");
    free(plugin_at("near/salvor_b.so", NOTE_OF("b", "0.1")));
    free(plugin_at("far/salvor_b.so", NOTE_OF("b", "0.1")));
    free(plugin_at("far/salvor_c.so", "{\"abi\":\"0.1\",\"name\":\"c\",\"options\":5}"));
    free(plugin_at("far/salvor_d.so", NOTE_OF("d", "0.7")));
    free(plugin_at("far/salvor_e.so", "{\"abi\":"));
    free(scratch_file("far/salvor_E.so", ""));
    const char *folders[] = {near_folder, far_folder, NULL};
    cleanup_json json_t *rows = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(plugin_list(folders, &rows, &err), 0);
    const struct {
        const char *name, *version, *summary, *message;
    } wanted[] = {{"b", "1", "s", NULL},
                  {NULL, NULL, NULL, "is not named as a plugin file"},
                  {"c", "", "", NULL},
                  {"d", NULL, NULL, "was built for plugin ABI 0.7"},
                  {"e", NULL, NULL, "is not a salvor plugin"}};
    assert_int_equal(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *row = json_array_get(rows, i);
        assert_true(text_equal(json_text(row, "name"), wanted[i].name));
        assert_true(text_equal(json_text(row, "version"), wanted[i].version));
        assert_true(text_equal(json_text(row, "summary"), wanted[i].summary));
        assert_int_equal(json_flag(row, "usable"), wanted[i].message == NULL);
        assert_non_null(strstr(json_text(row, "path"), i == 0 ? "/near/" : "/far/"));
        if (wanted[i].message != NULL)
            assert_non_null(strstr(json_text(row, "message"), wanted[i].message));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_plugin_is_found_by_its_name),
        scratch_test(links_are_followed_and_their_targets_judged),
        scratch_test(what_is_not_there_says_where_it_was_sought),
        scratch_test(the_nearest_file_decides_even_when_unusable),
        scratch_test(unusable_notes_have_their_own_errors),
        scratch_test(a_file_that_may_not_be_read),
        scratch_test(a_file_is_judged_by_its_path_too),
        scratch_test(a_listing_reads_identities_only),
        scratch_test(all_plugins_are_listed_with_the_unusable_ones),
    };
    /* to valgrind, what the child of that test holds at _exit is lost */
    if (getenv("SALVOR_UNDER_VALGRIND") != NULL)
        cmocka_set_skip_filter("a_file_that_may_not_be_read");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
