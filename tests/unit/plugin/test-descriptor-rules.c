#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/descriptor-rules.h"
#include "sample.h"

/* Puts the JSON `value` ("" removes) at a path such as "options.0.name". */
static void edit(json_t *root, const char *path, const char *value)
{
    cleanup_free char *copy = text_copy(path);
    json_t *at = root;
    char *key = copy;
    for (char *dot = strchr(key, '.'); dot != NULL; dot = strchr(key, '.')) {
        *dot = '\0';
        at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
                               : json_object_get(at, key);
        assert_non_null(at);
        key = dot + 1;
    }
    if (value[0] == '\0') {
        assert_int_equal(json_object_del(at, key), 0);
        return;
    }
    json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    if (json_is_array(at) && text_equal(key, "+"))
        json_add(at, json);
    else if (json_is_array(at))
        assert_int_equal(json_array_set_new(at, strtoul(key, NULL, 10), json), 0);
    else
        json_put(at, key, json);
}

#define ROW                                                                                       \
    "{\"id\":\"stop-server\",\"title\":\"t\",\"effect\":\"read\",\"deadline_ms\":1,\"attempts\":" \
    "1}"
#define FINDING "{\"id\":\"SAMPLE-OLD\",\"title\":\"t\",\"remedy\":\"r\",\"severity\":\"info\"}"
#define OPTION "{\"name\":\"pace\",\"type\":\"string\",\"help\":\"h\",\"commands\":[\"restore\"]}"
#define PROCEDURE                                                                          \
    "{\"id\":\"in-place\",\"title\":\"t\",\"document\":\"d\",\"versions\":\"1\",\"kind\":" \
    "\"undo\","                                                                            \
    "\"stages\":[{\"id\":\"a\",\"title\":\"t\",\"rows\":[{\"id\":\"r\",\"title\":\"t\","   \
    "\"effect\":"                                                                          \
    "\"read\",\"deadline_ms\":1,\"attempts\":1}]}]}"
#define P "procedures.0."
#define R P "stages.0.rows."

static const struct {
    const char *path, *value;
    const char *id, *message; /* of the only problem; NULL: none */
} cases[] = {
    {"homepage", "null", NULL, NULL},
    {"future", "{\"unknown\":[1]}", NULL, NULL},
    {"options.0.since", "", NULL, NULL},
    {R "0.undo", "\"in-place\"", NULL, NULL},
    {"abi", "\"1\"", "abi", "ABI '1' is not MAJOR.MINOR"},
    {"abi", "\"1.0 \"", "abi", "ABI '1.0 ' is not MAJOR.MINOR"},
    {"name", "\"Sample\"", "name",
     "name 'Sample' is not lower-case letters, digits and hyphens (32 at most)"},
    {"name", "\"sample_x\"", "name",
     "name 'sample_x' is not lower-case letters, digits and hyphens (32 at most)"},
    {"name", "\"a23456789012345678901234567890123\"", "name",
     "name 'a23456789012345678901234567890123' is not lower-case letters, digits and hyphens (32 "
     "at most)"},
    {"name", "null", "descriptor-shape", "the descriptor: name is missing"},
    {"summary", "\"a\\nb\"", "descriptor-shape", "the descriptor: summary has more than one line"},
    {"license", "\"\"", "descriptor-shape", "the descriptor: license is missing"},
    {"options", "{}", "descriptor-shape", "the descriptor: options is not a list of objects"},
    {"options", "[1]", "descriptor-shape", "the descriptor: options is not a list of objects"},
    {"homepage", "5", "descriptor-shape", "the descriptor: homepage is empty or not text"},
    {"options.0.name", "\"URL\"", "option-name",
     "option 'URL': its name is not lower-case letters, digits and hyphens (32 at most)"},
    {"options.0.name", "\"pace\"", "option-name", "option 'pace' exists twice"},
    {"options.+", OPTION, "option-name", "option 'pace' exists twice"},
    {"options.0.name", "\"provider\"", "option-reserved",
     "option 'provider': salvor itself has a flag of that name"},
    {"options.0.name", "\"no-wait\"", "option-reserved",
     "option 'no-wait': salvor itself has a flag of that name"},
    {"options.0.type", "\"uri\"", "option-type", "option 'endpoint': type 'uri' is unknown"},
    {"options.0.help", "null", "descriptor-shape", "option 'endpoint': help is missing"},
    {"options.0.required", "1", "descriptor-shape",
     "option 'endpoint': required is not true or false"},
    {"options.0.commands", "[]", "option-commands", "option 'endpoint': it belongs to no command"},
    {"options.0.commands", "[\"drill\"]", "option-commands",
     "option 'endpoint': command 'drill' is unknown"},
    {"options.0.choices", "[\"a\"]", "option-choices",
     "option 'endpoint': only the type choice has choices"},
    {"options.1.choices", "[\"slow\",\"slow\"]", "option-choices",
     "option 'pace': choice 'slow' exists twice"},
    {"options.1.choices", "[\"slow\",\"\"]", "descriptor-shape",
     "option 'pace': choices has an empty choice"},
    {"options.1.default", "\"fats\"", "option-default",
     "option 'pace': default 'fats' is not one of slow, fast"},
    {"options.0.default", "\"https://x\"", "option-default",
     "option 'endpoint': it is required and has a default"},
    {"options.1.secret", "true", "option-default", "option 'pace': a secret has no default"},
    {P "id", "\"In Place\"", "procedure-id",
     "procedure 'In Place': its id is not lower-case letters, digits and hyphens"},
    {"procedures.+", PROCEDURE, "procedure-id", "procedure 'in-place' exists twice"},
    {P "kind", "\"redo\"", "procedure-kind", NULL},
    {P "document", "null", "descriptor-shape", NULL},
    {P "stages", "[]", "procedure-stages", "procedure 'in-place': it has no stage"},
    {P "stages.+", "{\"id\":\"all\",\"title\":\"t\",\"rows\":[]}", "stage-id", NULL},
    {P "stages.0.id", "\"All\"", "stage-id",
     "stage 'in-place/All': its id is not lower-case letters, digits and hyphens"},
    {P "stages.0.rows", "[]", "stage-rows", "stage 'in-place/all': it has no row"},
    {R "+", ROW, "row-id", "row 'stop-server' exists twice"},
    {R "0.id", "\"stop server\"", "row-id",
     "row 'stop server': its id is not lower-case letters, digits and hyphens"},
    {R "0.effect", "\"harmless\"", "row-effect", "row 'stop-server': effect 'harmless' is unknown"},
    {R "0.instructions", "null", "row-instructions",
     "row 'stop-server': a person does it, but nothing says how"},
    {R "0.manual", "false", "row-instructions",
     "row 'stop-server': it has instructions, but is not manual"},
    {R "0.deadline_ms", "0", "row-deadline", "row 'stop-server': it has no deadline"},
    {R "0.deadline_ms", "-1", "descriptor-shape",
     "row 'stop-server': deadline_ms is not a whole number"},
    {R "0.attempts", "0", "row-attempts",
     "row 'stop-server': it has no attempt, at least 1 is needed"},
    {R "0.undo", "\"give-up\"", "row-undo",
     "row 'stop-server': its undo 'give-up' is no procedure of the plugin"},
    {R "0.statements", "[\"DOC 1\"]", "statement-id",
     "row 'stop-server': 'DOC 1' is not a statement id"},
    {R "0.statements", "\"DOC-1\"", "descriptor-shape",
     "row 'stop-server': statements is not a list of words"},
    {"findings.0.id", "\"old\"", "finding-id",
     "finding 'old': its id is not upper-case letters, digits and hyphens"},
    {"findings.+", FINDING, "finding-id", "finding 'SAMPLE-OLD' exists twice"},
    {"findings.0.id", "\"SALVOR-OLD\"", "finding-id",
     "finding 'SALVOR-OLD': ids that begin with 'SALVOR-' are the core's"},
    {"findings.0.severity", "\"fatal\"", "finding-severity",
     "finding 'SAMPLE-OLD': severity 'fatal' is unknown"},
    {"findings.0.remedy", "\"\"", "descriptor-shape", "finding 'SAMPLE-OLD': remedy is missing"},
    {"declared_reads.0.id", "\"Status\"", "declared-read-id",
     "declared read 'Status': its id is not lower-case letters, digits and hyphens"},
    {"declared_reads.0.pattern", "\"a ** b\"", "declared-read-pattern",
     "declared read 'status': '**' is not its last word"},
    {"declared_reads.0.reason", "null", "descriptor-shape",
     "declared read 'status': reason is missing"},
    {"needs.0.interface", "\"Exec!\"", "need-interface",
     "needed service 'Exec!': this cannot be the name of a service"},
    {"needs.0.version", "0", "need-version",
     "needed service 'salvor.exec': it has no version, the first is 1"},
    {"needs.+", "{\"interface\":\"salvor.exec\",\"version\":1}", "need-interface",
     "needed service 'salvor.exec' exists twice"},
    {"hooks", "[\"restore\",\"run_step\",\"check_step\"]", "hook-missing",
     "the hook 'discover' is missing"},
    {"hooks", "[\"discover\",\"run_step\",\"check_step\"]", "hook-missing",
     "the hook 'restore' is missing, there are procedures for it"},
    {"hooks", "[\"discover\",\"restore\",\"check_step\"]", "hook-missing",
     "the hook 'run_step' is missing, there are plan hooks"},
    {"hooks", "[\"discover\",\"restore\",\"run_step\"]", "hook-missing",
     "the hook 'check_step' is missing, there is 'run_step'"},
    {"hooks", "[\"discover\",\"restore\",\"backup\",\"run_step\",\"check_step\"]", "hook-procedure",
     "the hook 'backup' has no procedure of kind 'backup'"},
};

static void each_rule_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_json json_t *descriptor = json_loads(SAMPLE_JSON, 0, NULL);
        edit(descriptor, cases[i].path, cases[i].value);
        cleanup_json json_t *problems = descriptor_problems(descriptor);
        cleanup_free char *found = json_canonical(problems);
        const json_t *first = json_array_get(problems, 0);
        if (!text_equal(json_text(first, "id"), cases[i].id))
            fail_msg("%s = %s: %s", cases[i].path, cases[i].value, found);
        if (cases[i].message == NULL)
            continue;
        if (json_array_size(problems) != 1 ||
            !text_equal(json_text(first, "message"), cases[i].message))
            fail_msg("%s = %s: %s", cases[i].path, cases[i].value, found);
    }
}

static void all_problems_come_at_once(void **state)
{
    (void)state;
    cleanup_json json_t *descriptor = json_loads(SAMPLE_JSON, 0, NULL);
    edit(descriptor, "options.0.name", "\"site\"");
    edit(descriptor, R "0.deadline_ms", "0");
    edit(descriptor, R "1.attempts", "0");
    edit(descriptor, "findings.0.id", "\"old\"");
    cleanup_json json_t *problems = descriptor_problems(descriptor);
    assert_int_equal(json_array_size(problems), 4);
    cleanup_json json_t *text = json_string("{}");
    cleanup_json json_t *others = descriptor_problems(text);
    assert_string_equal(json_text(json_array_get(others, 0), "message"),
                        "the descriptor is not a JSON object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_kept),
        cmocka_unit_test(all_problems_come_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
