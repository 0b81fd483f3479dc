#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/elf-note.h"
#include "plugin/loader.h"
#include "plugin/search.h"

static const struct interface_version offered[] = {{SALVOR_PLAN, 1}};
static const struct salvor_host host = {.struct_size = sizeof host};

static int load_file(const char *path, const char *name, int inspect,
                     const struct loaded_plugin **ret_plugin, struct error *err)
{
    const struct loader_request request = {.path = path,
                                           .name = name,
                                           .host = &host,
                                           .interfaces = offered,
                                           .interface_count = 1,
                                           .inspect = inspect};
    return loader_load(&request, ret_plugin, err);
}

static char *mock_path(const char *name)
{
    cleanup_free char *file_name = plugin_file_name(name);
    return text_format("%s/%s", SALVOR_TEST_REFUSALS, file_name);
}

static void assert_text(const char *name, const char *part, const char *got, const char *wanted)
{
    if (!text_equal(got, wanted))
        fail_msg("%s: %s is\n  %s\nnot\n  %s", name, part, got != NULL ? got : "(none)",
                 wanted != NULL ? wanted : "(none)");
}

#define DAMAGED(name) "plugin '" name "' has a damaged descriptor"
#define REBUILD "rebuild the plugin with the headers of this salvor"
#define UNKNOWN(name) "plugin '" name "' uses features this salvor does not know"
#define UPGRADE "install a newer salvor, or an older release of the plugin"
#define FILE_OF(module) SALVOR_TEST_REFUSALS "/salvor_" module ".so"

static const struct {
    const char *name, *message, *detail, *hint;
} cases[] = {
    {"sound", NULL, NULL, NULL},
    {"zero-tail", NULL, NULL, NULL},
    {"no-note", NULL, NULL, NULL},
    {"no-entry", "'" FILE_OF("no_entry") "' is not a salvor plugin",
     "it exports no function 'salvor_plugin_v1'",
     "a plugin ends with SALVOR_REGISTER_PLUGIN(descriptor)"},
    {"later-entry", "plugin 'later-entry' needs plugin ABI 2, this salvor provides 0.1", NULL,
     "install a newer salvor"},
    {"later-major", "plugin 'later-major' needs plugin ABI 2, this salvor provides 0.1", NULL,
     "install a newer salvor"},
    {"later-minor", "plugin 'later-minor' was built for plugin ABI 0.7, this salvor provides 0.1",
     "before ABI 1.0 plugin and salvor must have the same minor version",
     "install the plugin's release for plugin ABI 0.1, or rebuild it"},
    {"other-tag", "plugin 'other-tag' was built for 'acme-salvor', not 'salvor'", NULL,
     "build the plugin with the headers of 'salvor'"},
    {"wrong-magic", DAMAGED("wrong-magic"), "it begins with 0xdeadbeef instead of 0x53414c56",
     REBUILD},
    {"other-order", DAMAGED("other-order"), "its magic number has the other byte order", REBUILD},
    {"short-descriptor", DAMAGED("short-descriptor"),
     "it says that it has 64 bytes, at least 176 are needed", REBUILD},
    {"odd-descriptor", DAMAGED("odd-descriptor"), "its size of 180 bytes is not a multiple of 8",
     REBUILD},
    {"huge-descriptor", DAMAGED("huge-descriptor"),
     "it says that it has 4294967288 bytes, more than 65536", REBUILD},
    {"null-descriptor", "plugin 'null-descriptor' refused to start",
     "its entry function returned no descriptor", NULL},
    {"crooked-descriptor", DAMAGED("crooked-descriptor"), "its address is not aligned", REBUILD},
    {"null-name", DAMAGED("null-name"), "it has no name", REBUILD},
    {"no-hooks", DAMAGED("no-hooks"), "it has no hooks", REBUILD},
    {"hostile-count", DAMAGED("hostile-count"),
     "it says that it has 4294967295 elements of kind row, more than 256", REBUILD},
    {"null-array", DAMAGED("null-array"),
     "it says that it has 1 elements of kind finding, but they are missing", REBUILD},
    {"small-stride", DAMAGED("small-stride"),
     "it says that an element of kind option has 8 bytes, not 64", REBUILD},
    {"set-tail", UNKNOWN("set-tail"), "byte 192 of the descriptor", UPGRADE},
    {"unknown-flag", UNKNOWN("unknown-flag"), "flags 0x10 of the descriptor", UPGRADE},
    {"reserved-field", UNKNOWN("reserved-field"), "reserved field of the descriptor is 0x1",
     UPGRADE},
    {"later-effect", UNKNOWN("later-effect"), "effect of a row 3500", UPGRADE},
    {"missing-service",
     "plugin 'missing-service' needs 'salvor.telepathy' 1, this salvor does not offer it", NULL,
     UPGRADE},
    {"later-service", "plugin 'later-service' needs 'salvor.plan' 1000, this salvor offers 1", NULL,
     UPGRADE},
    {"other-name", "plugin file 'salvor_other_name.so' declares name 'third-name'",
     "plugin 'other-name' was asked for and found at '" FILE_OF("other_name") "'",
     "the file of plugin 'a-b' must be named 'salvor_a_b.so'"},
    {"missing-library",
     "cannot load plugin 'missing-library': libabsent-library.so: cannot open shared object file: "
     "No such file or directory",
     NULL, "a library that it needs is missing: 'ldd " FILE_OF("missing_library") "' names it"},
    {"undefined-function",
     "cannot load plugin 'undefined-function': " FILE_OF(
         "undefined_function") ": undefined symbol: "
                               "salvor_absent_function",
     NULL,
     "it was built for other libraries than this machine has: rebuild it here, or install its "
     "package for this system"},
    {"other-note", "note of plugin 'other-note' differs from its descriptor", "at 'summary'",
     "rebuild it, or write its note anew: 'salvor plugin note " FILE_OF("other_note") "'"},
};

static void each_file_has_its_own_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_free char *path = mock_path(cases[i].name);
        cleanup_error struct error err = ERROR_INIT;
        const struct loaded_plugin *plugin = NULL;
        int result = load_file(path, cases[i].name, 0, &plugin, &err);
        assert_text(cases[i].name, "message", err.message, cases[i].message);
        assert_text(cases[i].name, "detail", err.detail, cases[i].detail);
        assert_text(cases[i].name, "hint", err.hint, cases[i].hint);
        assert_int_equal(result, cases[i].message == NULL ? 0 : -1);
        assert_int_equal(plugin != NULL, cases[i].message == NULL);
        if (plugin == NULL) {
            assert_int_equal(err.code, EXIT_USAGE);
            continue;
        }
        assert_string_equal(plugin->name, cases[i].name);
        assert_string_equal(json_text(plugin->descriptor, "name"), cases[i].name);
        assert_int_equal(strlen(plugin->build_id), 40);
        assert_non_null(plugin->hooks.restore);
        assert_null(plugin->notice);
    }
}

/* A plugin that waits for its library again after it came, and one that is asked for twice. */
static void the_same_file_is_the_same_plugin(void **state)
{
    (void)state;
    char folder[] = "/tmp/salvor-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    cleanup_free char *path = mock_path("sound");
    cleanup_free char *link_path = text_format("%s/salvor_sound.so", folder);
    cleanup_free char *copy_path = text_format("%s/copy.so", folder);
    const struct loaded_plugin *plugin = NULL;
    const struct loaded_plugin *again = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(load_file(path, "sound", 0, &plugin, &err), 0);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(load_file(link_path, "sound", 0, &again, &err), 0);
    assert_ptr_equal(plugin, again);

    cleanup_free char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, 16 << 20, &bytes, &size, NULL), 0);
    assert_int_equal(file_write_atomic(copy_path, bytes, size, 0755, NULL), 0);
    again = NULL;
    assert_int_equal(load_file(copy_path, "sound", 0, &again, &err), -1);
    cleanup_free char *message = text_format("plugin 'sound' already loaded from '%s'", path);
    assert_string_equal(err.message, message);
    assert_null(again);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

static void what_is_no_plugin_file_is_refused_before_it_is_mapped(void **state)
{
    (void)state;
    char folder[] = "/tmp/salvor-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    cleanup_free char *path = text_format("%s/salvor_x.so", folder);
    cleanup_error struct error err = ERROR_INIT;
    const struct loaded_plugin *plugin = NULL;
    assert_int_equal(load_file("salvor_x.so", "x", 0, &plugin, &err), -1);
    assert_string_equal(err.message, "cannot load plugin 'x': path 'salvor_x.so' is not absolute");
    assert_int_equal(load_file(folder, "x", 0, &plugin, &err), -1);
    assert_string_equal(err.detail, "it is a folder");
    assert_int_equal(file_write_atomic(path, "#!/bin/sh\n", 10, 0755, NULL), 0);
    assert_int_equal(load_file(path, "x", 0, &plugin, &err), -1);
    assert_string_equal(err.detail, "it is not an ELF file");
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(load_file(path, "x", 0, &plugin, &err), -1);
    assert_non_null(strstr(err.message, "is writable by group or others"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load_file(path, "x", 1, &plugin, &err), -1);
    cleanup_free char *message =
        text_format("cannot open plugin file '%s': No such file or directory", path);
    assert_string_equal(err.message, message);
    assert_null(plugin);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

/* The author's view: a note that lies and a folder that is open are no obstacle. */
static void an_author_may_look_at_unfinished_files(void **state)
{
    (void)state;
    cleanup_free char *path = mock_path("other-note");
    const struct loaded_plugin *plugin = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(load_file(path, "other-note", 1, &plugin, &err), 0);
    assert_string_equal(json_text(plugin->descriptor, "summary"), "a plugin for tests");
    cleanup_free char *broken = mock_path("broken-rule");
    assert_int_equal(load_file(broken, "broken-rule", 1, &plugin, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_has_its_own_answer),
        cmocka_unit_test(the_same_file_is_the_same_plugin),
        cmocka_unit_test(what_is_no_plugin_file_is_refused_before_it_is_mapped),
        cmocka_unit_test(an_author_may_look_at_unfinished_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
