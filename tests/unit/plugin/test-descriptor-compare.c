#include "../unit.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "plugin/descriptor-compare.h"

static void differences_have_a_place_and_zero_is_absent(void **state)
{
    (void)state;
    const struct {
        const char *a, *b, *difference;
    } cases[] = {
        {"{\"a\":1,\"b\":[{\"c\":2}]}", "{\"b\":[{\"c\":2}],\"a\":1}", NULL},
        {"{\"a\":null,\"b\":false,\"c\":0,\"d\":\"\",\"e\":[]}", "{}", NULL},
        {"{}", "{\"a\":null,\"b\":false,\"c\":0,\"d\":\"\",\"e\":[]}", NULL},
        {"{\"a\":1}", "{\"a\":2}", "a"},
        {"{\"a\":1}", "{}", "a"},
        {"{}", "{\"a\":true}", "a"},
        {"{\"a\":\"x\"}", "{\"a\":[\"x\"]}", "a"},
        {"{\"p\":[{\"s\":[{\"i\":\"x\"}]}]}", "{\"p\":[{\"s\":[{\"i\":\"y\"}]}]}", "p[0].s[0].i"},
        {"{\"p\":[1,2]}", "{\"p\":[1]}", "p[1]"},
        {"{\"p\":[1]}", "{\"p\":[1,{}]}", "p[1]"},
        {"{\"p\":{\"q\":{\"r\":5}}}", "{\"p\":{\"q\":{}}}", "p.q.r"},
        {"{\"p\":{}}", "{}", "p"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_json json_t *a = json_loads(cases[i].a, 0, NULL);
        cleanup_json json_t *b = json_loads(cases[i].b, 0, NULL);
        cleanup_free char *found = descriptor_difference(a, b);
        if (!text_equal(found, cases[i].difference))
            fail_msg("%s and %s: '%s'", cases[i].a, cases[i].b, found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_have_a_place_and_zero_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
