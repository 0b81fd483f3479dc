#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/plugin-info.h"
#include "sample.h"

static void a_sound_descriptor_is_typed(void **state)
{
    (void)state;
    cleanup_json json_t *json = json_loads(SAMPLE_JSON, 0, NULL);
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_info *info = NULL;
    assert_int_equal(plugin_info_parse(json, &info, &err), 0);
    assert_string_equal(info->name, "sample");
    assert_string_equal(info->abi, "0.1");

    const struct plugin_option *option = plugin_info_option(info, "pace");
    assert_int_equal(option->type, SALVOR_OPTION_CHOICE);
    assert_string_equal(option->choices[1], "fast");
    assert_null(option->choices[2]);
    assert_int_equal(option->commands, SALVOR_ON_BACKUP | SALVOR_ON_RESTORE);
    assert_false(option->required);
    option = plugin_info_option(info, "endpoint");
    assert_true(option->required);
    assert_null(option->choices);
    assert_null(option->default_value);
    assert_null(plugin_info_option(info, "endpoin"));

    const struct plugin_procedure *procedure = plugin_info_procedure(info, "in-place");
    assert_int_equal(procedure->kind, SALVOR_PROCEDURE_RESTORE);
    assert_null(plugin_info_procedure(info, "all"));
    const struct plugin_stage *stage = plugin_procedure_stage(procedure, "all");
    assert_null(plugin_procedure_stage(procedure, "in-place"));
    assert_null(plugin_stage_row(stage, "all"));
    const struct plugin_row *row = plugin_stage_row(stage, "stop-server");
    assert_true(row->manual);
    assert_string_equal(row->statements[1], "DOC-2");
    assert_null(row->statements[2]);
    row = plugin_stage_row(stage, "restore-data");
    assert_int_equal(row->effect, SALVOR_EFFECT_DESTRUCTIVE);
    assert_int_equal(row->deadline_ms, 3600000);
    assert_int_equal(row->attempts, 3);
    assert_int_equal(row->backoff_ms, 500);
    assert_int_equal(row->check_every_ms, 250);
    assert_true(row->job && row->idempotent && !row->manual);
    assert_null(row->statements[0]);

    const struct plugin_finding *finding = plugin_info_finding(info, "SAMPLE-OLD");
    assert_int_equal(finding->severity, SALVOR_SEVERITY_WARNING);
    assert_true(finding->waivable);
    assert_null(plugin_info_finding(info, "SAMPLE"));
    assert_true(plugin_info_has_hook(info, "run_step"));
    assert_false(plugin_info_has_hook(info, "backup"));
    plugin_info_free(info);
    plugin_info_free(NULL);
}

static void a_broken_one_is_refused_by_its_first_problem(void **state)
{
    (void)state;
    cleanup_json json_t *json = json_loads(SAMPLE_JSON, 0, NULL);
    json_t *option = json_array_get(json_object_get(json, "options"), 0);
    json_put_text(option, "name", "site");
    json_put(option, "commands", json_make("[]"));
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_info *info = NULL;
    assert_int_equal(plugin_info_parse(json, &info, &err), -1);
    assert_null(info);
    assert_int_equal(err.code, EXIT_USAGE);
    assert_string_equal(err.message, "plugin 'sample' breaks the rules of a descriptor: option "
                                     "'site': salvor itself has a flag of that name");
    assert_string_equal(err.detail, "and 1 more");
    assert_string_equal(err.hint, "'salvor plugin lint FILE' names all of them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_descriptor_is_typed),
        cmocka_unit_test(a_broken_one_is_refused_by_its_first_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
