#include "../../unit/unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "plugin/loader.h"

static const struct interface_version offered[] = {{SALVOR_PLAN, 1}};
static const struct salvor_host host = {.struct_size = sizeof host};

static void a_plugin_of_the_program_needs_no_file(void **state)
{
    (void)state;
    struct loader_request request = {
        .name = "sound", .host = &host, .interfaces = offered, .interface_count = 1};
    const struct loaded_plugin *plugin = NULL;
    const struct loaded_plugin *again = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(loader_load(&request, &plugin, &err), 0);
    assert_string_equal(json_text(plugin->descriptor, "name"), "sound");
    assert_non_null(plugin->hooks.discover);
    assert_null(plugin->path);
    assert_int_equal(loader_load(&request, &again, &err), 0);
    assert_ptr_equal(plugin, again);
    request.name = "absent";
    assert_int_equal(loader_load(&request, &plugin, &err), -1);
    assert_string_equal(err.message, "plugin 'absent' is not part of this program");
    request.name = "sound";
    request.path = "/usr/lib/salvor/plugins/salvor_sound.so";
    assert_int_equal(loader_load(&request, &plugin, &err), -1);
    assert_string_equal(err.message, "plugin 'sound' already loaded from 'the program itself'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_of_the_program_needs_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
