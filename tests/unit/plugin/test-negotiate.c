#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "plugin/negotiate.h"

#define MAGIC 0x53414c56u

/* One row of the table of refusals: what the plugin has that the sound one has not. */
struct row {
    const char *title;
    uint16_t host_major, host_minor;
    struct negotiate_plugin plugin;
    const char *message; /* NULL: it loads */
    const char *detail;
    const char *hint;
    const char *notice; /* when it loads */
};

static const struct interface_version offered[] = {{"salvor.exec", 1}, {"salvor.ssh", 1}};
static const struct negotiate_need needs_ssh_2[] = {{"salvor.exec", 1, 1}, {"salvor.ssh", 2, 1}};
static const struct negotiate_need needs_kube[] = {{"salvor.kube", 1, 1}};
static const struct negotiate_need wants_kube[] = {{"salvor.kube", 1, 0}, {"salvor.exec", 1, 1}};

#define FILE_PATH "/usr/lib/salvor/plugins/salvor_x.so"
#define HEAD .requested = "x", .path = FILE_PATH, .entry_major = 1, .head_read = 1
#define SOUND HEAD, .magic = MAGIC, .size = 200, .tag = "salvor", .body_read = 1, .name = "x"
#define ABI(plugin_major, plugin_minor, needed_minor) \
    .major = (plugin_major), .minor = (plugin_minor), .min_host_minor = (needed_minor)

static const struct row rows[] = {
    {"no entry symbol",
     1,
     7,
     {.requested = "x", .path = FILE_PATH, .entry_major = -1},
     "'" FILE_PATH "' is not a salvor plugin",
     "it exports no function 'salvor_plugin_v1'",
     "a plugin ends with SALVOR_REGISTER_PLUGIN(descriptor)",
     NULL},
    {"entry of a later major only",
     1,
     7,
     {.requested = "x", .path = FILE_PATH, .entry_major = 2},
     "plugin 'x' needs plugin ABI 2, this salvor provides 1.7",
     NULL,
     "install a newer salvor",
     NULL},
    {"later major in the descriptor",
     1,
     7,
     {SOUND, ABI(2, 0, 0)},
     "plugin 'x' needs plugin ABI 2, this salvor provides 1.7",
     NULL,
     "install a newer salvor",
     NULL},
    {"plugin of the unstable time on 1.x",
     1,
     7,
     {SOUND, ABI(0, 1, 1)},
     "plugin 'x' needs plugin ABI 0, this salvor provides 1.7",
     NULL,
     "install a release of the plugin for plugin ABI 1",
     NULL},
    {"tag of a fork",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 200, .tag = "acme-salvor"},
     "plugin 'x' was built for 'acme-salvor', not 'salvor'",
     NULL,
     "build the plugin with the headers of 'salvor'",
     NULL},
    {"magic and tag of a fork",
     1,
     7,
     {HEAD, ABI(3, 7, 7), .magic = 7, .tag = "acme-salvor"},
     "plugin 'x' was built for 'acme-salvor', not 'salvor'",
     NULL,
     "build the plugin with the headers of 'salvor'",
     NULL},
    {"wrong magic",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = 0xdeadbeef, .size = 200, .tag = "salvor"},
     "plugin 'x' has a damaged descriptor",
     "it begins with 0xdeadbeef instead of 0x53414c56",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"magic of the other byte order",
     1,
     7,
     {HEAD, .magic = 0x564c4153, .size = 200, .tag = "salvor"},
     "plugin 'x' has a damaged descriptor",
     "its magic number has the other byte order",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"tag that is not text",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 200, .tag = "\x01"},
     "plugin 'x' has a damaged descriptor",
     "its ABI tag is not text",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"tag without an end",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 200,
      .tag = {'s', 'a', 'l', 'v', 'o', 'r', '-', '-', '-', '-', '-', '-', '-', '-', '-', '-'}},
     "plugin 'x' was built for 'salvor----------', not 'salvor'",
     NULL,
     "build the plugin with the headers of 'salvor'",
     NULL},
    {"too small",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 192, .tag = "salvor"},
     "plugin 'x' has a damaged descriptor",
     "it says that it has 192 bytes, at least 200 are needed",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"too large",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 1u << 31, .tag = "salvor"},
     "plugin 'x' has a damaged descriptor",
     "it says that it has 2147483648 bytes, more than 65536",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"odd size",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 204, .tag = "salvor"},
     "plugin 'x' has a damaged descriptor",
     "its size of 204 bytes is not a multiple of 8",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"needs more than it was built with",
     1,
     7,
     {SOUND, ABI(1, 3, 5)},
     "plugin 'x' has a damaged descriptor",
     "it was built for ABI 1.3 and says that it needs 1.5",
     "rebuild the plugin with the headers of this salvor",
     NULL},
    {"same minor", 1, 7, {SOUND, ABI(1, 7, 7)}, NULL, NULL, NULL, NULL},
    {"older plugin",
     1,
     7,
     {SOUND, ABI(1, 0, 0)},
     NULL,
     NULL,
     NULL,
     "plugin 'x' was built for ABI 1.0, running with 1.7"},
    {"newer plugin that gets by",
     1,
     7,
     {SOUND, ABI(1, 9, 7)},
     NULL,
     NULL,
     NULL,
     "plugin 'x' was built for ABI 1.9, running with 1.7"},
    {"newer plugin that needs a newer host",
     1,
     7,
     {SOUND, ABI(1, 9, 9)},
     "plugin 'x' needs plugin ABI 1.9, this salvor provides 1.7",
     NULL,
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"newer plugin that needs a little more",
     1,
     7,
     {SOUND, ABI(1, 9, 8)},
     "plugin 'x' needs plugin ABI 1.8, this salvor provides 1.7",
     NULL,
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"other minor in the unstable time",
     0,
     1,
     {SOUND, ABI(0, 2, 0)},
     "plugin 'x' was built for plugin ABI 0.2, this salvor provides 0.1",
     "before ABI 1.0 plugin and salvor must have the same minor version",
     "install the plugin's release for plugin ABI 0.1, or rebuild it",
     NULL},
    {"older minor in the unstable time",
     0,
     2,
     {SOUND, ABI(0, 1, 1)},
     "plugin 'x' was built for plugin ABI 0.1, this salvor provides 0.2",
     "before ABI 1.0 plugin and salvor must have the same minor version",
     "install the plugin's release for plugin ABI 0.2, or rebuild it",
     NULL},
    {"same minor in the unstable time", 0, 1, {SOUND, ABI(0, 1, 1)}, NULL, NULL, NULL, NULL},
    {"1.x plugin on a 0.x host",
     0,
     1,
     {SOUND, ABI(1, 0, 0)},
     "plugin 'x' needs plugin ABI 1, this salvor provides 0.1",
     NULL,
     "install a newer salvor",
     NULL},
    {"unknown non-zero tail",
     1,
     7,
     {SOUND, ABI(1, 9, 7), .unknown = "byte 208 of the descriptor"},
     "plugin 'x' uses features this salvor does not know",
     "byte 208 of the descriptor",
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"unknown hook",
     1,
     7,
     {SOUND, ABI(1, 9, 7), .unknown = "hook 8"},
     "plugin 'x' uses features this salvor does not know",
     "hook 8",
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"unknown flag",
     1,
     7,
     {SOUND, ABI(1, 9, 7), .flags = 0x8000000004},
     "plugin 'x' uses features this salvor does not know",
     "flags 0x8000000004 of the descriptor",
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"reserved field in use",
     1,
     7,
     {SOUND, ABI(1, 9, 7), .reserved = 3},
     "plugin 'x' uses features this salvor does not know",
     "reserved field of the descriptor is 0x3",
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"service too old",
     1,
     7,
     {SOUND, ABI(1, 7, 7), .needs = needs_ssh_2, .need_count = 2},
     "plugin 'x' needs 'salvor.ssh' 2, this salvor offers 1",
     NULL,
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"service missing",
     1,
     7,
     {SOUND, ABI(1, 7, 7), .needs = needs_kube, .need_count = 1},
     "plugin 'x' needs 'salvor.kube' 1, this salvor does not offer it",
     NULL,
     "install a newer salvor, or an older release of the plugin",
     NULL},
    {"optional service missing",
     1,
     7,
     {SOUND, ABI(1, 7, 7), .needs = wants_kube, .need_count = 2},
     NULL,
     NULL,
     NULL,
     NULL},
    {"other name than asked for",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 200, .tag = "salvor", .body_read = 1,
      .name = "eks"},
     "plugin file 'salvor_x.so' declares name 'eks'",
     "plugin 'x' was asked for and found at '" FILE_PATH "'",
     "the file of plugin 'a-b' must be named 'salvor_a_b.so'",
     NULL},
    {"no name",
     1,
     7,
     {HEAD, ABI(1, 7, 7), .magic = MAGIC, .size = 200, .tag = "salvor", .body_read = 1},
     "plugin 'x' has a damaged descriptor",
     "it has no name",
     "rebuild the plugin with the headers of this salvor",
     NULL},
};

static void assert_text(const char *title, const char *part, const char *got, const char *wanted)
{
    if (!text_equal(got, wanted))
        fail_msg("%s: %s is\n  %s\nnot\n  %s", title, part, got != NULL ? got : "(none)",
                 wanted != NULL ? wanted : "(none)");
}

static void each_row_has_its_own_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        const struct negotiate_host host = {.major = row->host_major,
                                            .minor = row->host_minor,
                                            .tag = "salvor",
                                            .magic = MAGIC,
                                            .first_size = 200,
                                            .interfaces = offered,
                                            .interface_count = 2};
        cleanup_error struct error err = ERROR_INIT;
        enum negotiate_relation relation = NEGOTIATE_SAME;
        int result = negotiate(&host, &row->plugin, &relation, &err);
        assert_text(row->title, "message", err.message, row->message);
        assert_text(row->title, "detail", err.detail, row->detail);
        assert_text(row->title, "hint", err.hint, row->hint);
        assert_int_equal(result, row->message == NULL ? 0 : -1);
        if (row->message != NULL) {
            assert_int_equal(err.code, EXIT_USAGE);
            continue;
        }
        cleanup_free char *notice = negotiate_notice(&host, &row->plugin, relation);
        assert_text(row->title, "notice", notice, row->notice);
    }
}

/* Whatever the part after the head says, it is not looked at before it was read. */
static void a_head_alone_is_enough_to_go_on(void **state)
{
    (void)state;
    const struct negotiate_host host = {
        .major = 1, .minor = 7, .tag = "salvor", .magic = MAGIC, .first_size = 200};
    const struct negotiate_plugin plugin = {HEAD,
                                            ABI(1, 5, 5),
                                            .magic = MAGIC,
                                            .size = 200,
                                            .tag = "salvor",
                                            .name = "other",
                                            .needs = needs_kube,
                                            .need_count = 1};
    enum negotiate_relation relation = NEGOTIATE_SAME;
    assert_int_equal(negotiate(&host, &plugin, &relation, NULL), 0);
    assert_int_equal(relation, NEGOTIATE_OLDER);
}

static void a_resume_wants_the_build_of_the_journal(void **state)
{
    (void)state;
    const struct plugin_identity journal = {"eksa", "1.2.0", "aa11", "d1"};
    const struct plugin_identity same = {"eksa", "1.2.0", "aa11", "other file, same build"};
    const struct plugin_identity newer = {"eksa", "1.3.0", "bb22", "d1"};
    const struct plugin_identity rebuilt = {"eksa", "1.2.0", "cc33", "d1"};
    const struct plugin_identity bare = {"eksa", "1.2.0", "", "d1"};
    const struct plugin_identity bare_changed = {"eksa", "1.2.0", "", "d2"};
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(negotiate_resume(&journal, &same, &err), 0);
    assert_int_equal(negotiate_resume(&bare, &bare, &err), 0);
    assert_null(err.message);
    assert_int_equal(negotiate_resume(&journal, &newer, &err), -1);
    assert_string_equal(err.message, "journal was written by plugin 'eksa' 1.2.0 (build id aa11), "
                                     "installed is 1.3.0 (build id bb22)");
    assert_string_equal(err.hint,
                        "install the former build, or resume with --accept-plugin-change");
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_int_equal(negotiate_resume(&journal, &rebuilt, &err), -1);
    assert_int_equal(negotiate_resume(&journal, &bare, &err), -1);
    assert_int_equal(negotiate_resume(&bare, &bare_changed, &err), -1);
    assert_string_equal(err.message, "journal was written by plugin 'eksa' 1.2.0 (sha256 d1), "
                                     "installed is 1.2.0 (sha256 d2)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_its_own_answer),
        cmocka_unit_test(a_head_alone_is_enough_to_go_on),
        cmocka_unit_test(a_resume_wants_the_build_of_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
