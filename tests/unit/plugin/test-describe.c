#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/describe.h"
#include "sample.h"

/* Reads head and body of a descriptor; *ret_json is its text, NULL when it was refused. */
static int describe(const struct sample *sample, char **ret_json, struct error *err)
{
    struct negotiate_plugin facts = {.requested = "sample", .path = "/x/salvor_sample.so"};
    cleanup_description struct description description = {.json = NULL};
    *ret_json = NULL;
    if (describe_head(&sample->plugin, &facts, err) != 0 ||
        describe_plugin(&sample->plugin, &facts, &description, err) != 0)
        return -1;
    *ret_json = json_canonical(description.json);
    if (facts.unknown != NULL)
        return negotiate_unknown(err, "sample", facts.unknown);
    return 0;
}

static void a_descriptor_becomes_canonical_json(void **state)
{
    (void)state;
    struct sample sample;
    sample_init(&sample);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = NULL;
    assert_int_equal(describe(&sample, &text, &err), 0);
    assert_string_equal(text, SAMPLE_JSON);
}

static void head_and_body_reach_the_negotiation(void **state)
{
    (void)state;
    struct sample sample;
    sample_init(&sample);
    struct negotiate_plugin facts = {.requested = "sample", .path = "/x/salvor_sample.so"};
    cleanup_description struct description description = {.json = NULL};
    assert_int_equal(describe_head(&sample.plugin, &facts, NULL), 0);
    assert_int_equal(facts.magic, SALVOR_ABI_MAGIC);
    assert_int_equal(facts.minor, SALVOR_ABI_MINOR);
    assert_int_equal(facts.size, sizeof(struct salvor_plugin));
    assert_string_equal(facts.tag, "salvor");
    assert_false(facts.body_read);
    assert_int_equal(describe_plugin(&sample.plugin, &facts, &description, NULL), 0);
    assert_true(facts.body_read);
    assert_string_equal(facts.name, "sample");
    assert_int_equal(facts.need_count, 1);
    assert_string_equal(facts.needs[0].name, "salvor.exec");
    assert_true(description.hooks.run_step == sample_run);
    assert_true(description.hooks.backup == NULL);
}

/* A newer plugin's longer structs load while everything unknown in them is zero. */
static void zero_tails_are_nothing_new(void **state)
{
    (void)state;
    struct sample sample;
    sample_init(&sample);
    struct {
        struct salvor_plugin plugin;
        uint64_t tail[4];
    } longer = {.plugin = sample.plugin};
    struct {
        struct salvor_option option;
        uint64_t tail;
    } options[2] = {{.option = sample.options[0]}, {.option = sample.options[1]}};
    longer.plugin.struct_size = sizeof longer;
    longer.plugin.options = &options[0].option;
    longer.plugin.option_size = sizeof options[0];
    struct negotiate_plugin facts = {.requested = "sample", .path = "/x/salvor_sample.so"};
    cleanup_description struct description description = {.json = NULL};
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(describe_head(&longer, &facts, &err), 0);
    assert_int_equal(describe_plugin(&longer, &facts, &description, &err), 0);
    assert_null(facts.unknown);
    cleanup_free char *text = json_canonical(description.json);
    assert_string_equal(text, SAMPLE_JSON);

    longer.tail[1] = 1;
    description_clear(&description);
    assert_int_equal(describe_plugin(&longer, &facts, &description, &err), 0);
    cleanup_free char *where =
        text_format("byte %zu of the descriptor", sizeof(struct salvor_plugin) + 8);
    assert_string_equal(facts.unknown, where);

    longer.tail[1] = 0;
    options[1].tail = 0x100;
    description_clear(&description);
    assert_int_equal(describe_plugin(&longer, &facts, &description, &err), -1);
    assert_string_equal(err.message, "plugin 'sample' uses features this salvor does not know");
    cleanup_free char *detail =
        text_format("byte %zu of option 2", sizeof(struct salvor_option) + 1);
    assert_string_equal(err.detail, detail);
}

static char long_text[DESCRIBE_TEXT_LIMIT + 2];
static struct {
    struct salvor_hooks hooks;
    void *next;
} newer_hooks;

static void break_nothing(struct sample *s)
{
    (void)s;
}
#define BREAK(name, change)            \
    static void name(struct sample *s) \
    {                                  \
        change;                        \
    }
BREAK(no_hooks, s->plugin.hooks = NULL)
BREAK(short_hooks, s->hooks.struct_size = 16)
BREAK(huge_hooks, s->hooks.struct_size = 0xfffffff8)
BREAK(new_hook, newer_hooks.hooks = s->hooks; newer_hooks.next = s;
      newer_hooks.hooks.struct_size = sizeof newer_hooks; s->plugin.hooks = &newer_hooks.hooks)
BREAK(many_options, s->plugin.option_count = 0xffffffff)
BREAK(no_options, s->plugin.options = NULL)
BREAK(small_options, s->plugin.option_size = 8)
BREAK(wide_options, s->plugin.option_size = 1 << 30)
BREAK(zero_stride, s->plugin.option_size = 0)
BREAK(many_procedures, s->plugin.procedure_count = 65)
BREAK(many_rows, s->stages[0].row_count = 4000000000)
BREAK(no_rows, s->stages[0].rows = NULL)
BREAK(small_rows, s->stages[0].row_size = sizeof(struct salvor_row) - 8)
BREAK(many_stages, s->procedures[0].stage_count = 4000)
BREAK(endless_text, s->rows[0].title = long_text)
BREAK(latin1, s->plugin.summary = "\xe4")
BREAK(eternal, s->rows[0].deadline_ms = UINT64_MAX)
BREAK(new_type, s->options[0].type = 5500)
BREAK(new_effect, s->rows[0].effect = 6000)
BREAK(new_kind, s->procedures[0].kind = 1)
BREAK(new_severity, s->findings[0].severity = 0)
BREAK(new_row_flag, s->rows[1].flags |= 64)
BREAK(new_option_flag, s->options[0].flags |= 4)
BREAK(new_command, s->options[0].commands = 32)
BREAK(new_finding_flag, s->findings[0].flags = 2)
BREAK(reserved_row, s->rows[0].reserved = 9)
BREAK(new_need, s->needs[0].required = 2)

static void garbage_is_refused_with_its_place(void **state)
{
    (void)state;
    memset(long_text, 'a', sizeof long_text - 1);
    static const char damaged[] = "plugin 'sample' has a damaged descriptor";
    static const char unknown[] = "plugin 'sample' uses features this salvor does not know";
    const struct {
        void (*change)(struct sample *s);
        const char *message;
        const char *detail;
    } cases[] = {
        {break_nothing, NULL, NULL},
        {no_hooks, damaged, "it has no hooks"},
        {short_hooks, damaged, "it says that its hooks have 16 bytes, not 72"},
        {huge_hooks, damaged, "it says that its hooks have 4294967288 bytes, not 72"},
        {new_hook, unknown, "hook 9"},
        {many_options, damaged,
         "it says that it has 4294967295 elements of kind option, more than 256"},
        {no_options, damaged,
         "it says that it has 2 elements of kind option, but they are missing"},
        {small_options, damaged, "it says that an element of kind option has 8 bytes, not 64"},
        {wide_options, damaged,
         "it says that an element of kind option has 1073741824 bytes, not 64"},
        {zero_stride, damaged, "it says that an element of kind option has 0 bytes, not 64"},
        {many_procedures, damaged,
         "it says that it has 65 elements of kind procedure, more than 64"},
        {many_rows, damaged, "it says that it has 4000000000 elements of kind row, more than 256"},
        {no_rows, damaged, "it says that it has 2 elements of kind row, but they are missing"},
        {small_rows, damaged, "it says that an element of kind row has 64 bytes, not 72"},
        {many_stages, damaged, "it says that it has 4000 elements of kind stage, more than 64"},
        {endless_text, damaged, "the title of a row is longer than 16384 bytes"},
        {latin1, damaged, "the summary is not UTF-8"},
        {eternal, damaged, "the deadline of a row is larger than any time"},
        {new_type, unknown, "type of an option 5500"},
        {new_effect, unknown, "effect of a row 6000"},
        {new_kind, unknown, "kind of a procedure 1"},
        {new_severity, unknown, "severity of a finding 0"},
        {new_row_flag, unknown, "flags 0x40 of a row"},
        {new_option_flag, unknown, "flags 0x4 of an option"},
        {new_command, unknown, "flags 0x20 of the commands of an option"},
        {new_finding_flag, unknown, "flags 0x2 of a finding"},
        {reserved_row, unknown, "reserved field 0x9 of a row"},
        {new_need, unknown, "flags 0x2 of a needed service"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sample sample;
        sample_init(&sample);
        cases[i].change(&sample);
        cleanup_error struct error err = ERROR_INIT;
        cleanup_free char *text = NULL;
        int result = describe(&sample, &text, &err);
        assert_int_equal(result, cases[i].message == NULL ? 0 : -1);
        if (!text_equal(err.message, cases[i].message) || !text_equal(err.detail, cases[i].detail))
            fail_msg("case %zu: '%s' [%s]", i, err.message, err.detail);
    }
}

/* Within every single bound, but in all far more than a descriptor may have. */
static void the_whole_is_bounded_too(void **state)
{
    (void)state;
    struct sample sample;
    sample_init(&sample);
    memset(long_text, 'a', DESCRIBE_TEXT_LIMIT);
    long_text[DESCRIBE_TEXT_LIMIT] = '\0';
    static struct salvor_finding findings[1024];
    for (size_t i = 0; i < 1024; i++)
        findings[i] = (struct salvor_finding){
            .id = "A", .title = long_text, .remedy = "x", .severity = SALVOR_SEVERITY_INFO};
    sample.plugin.findings = findings;
    sample.plugin.finding_count = 1024;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = NULL;
    assert_int_equal(describe(&sample, &text, &err), -1);
    assert_string_equal(err.detail, "it describes more than 524288 bytes");
}

static void an_address_that_cannot_be_one(void **state)
{
    (void)state;
    struct negotiate_plugin facts = {.requested = "sample", .path = "/x/salvor_sample.so"};
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(describe_head(NULL, &facts, &err), -1);
    assert_string_equal(err.detail, "it has no address");
    struct sample sample;
    sample_init(&sample);
    assert_int_equal(describe_head((char *)&sample.plugin + 4, &facts, &err), -1);
    assert_string_equal(err.detail, "its address is not aligned");
    assert_false(facts.head_read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_becomes_canonical_json),
        cmocka_unit_test(head_and_body_reach_the_negotiation),
        cmocka_unit_test(zero_tails_are_nothing_new),
        cmocka_unit_test(garbage_is_refused_with_its_place),
        cmocka_unit_test(the_whole_is_bounded_too),
        cmocka_unit_test(an_address_that_cannot_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
