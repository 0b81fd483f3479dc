#include "../unit.h"

#include <string.h>

#include "plugin/descriptor-rules.h"
#include "plugin/reserved-names.h"

static void names_are_sorted_and_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; reserved_names[i] != NULL; i++) {
        assert_true(name_is_well_formed(reserved_names[i]));
        assert_true(name_is_reserved(reserved_names[i]));
        if (i > 0 && strcmp(reserved_names[i - 1], reserved_names[i]) >= 0)
            fail_msg("'%s' is out of order", reserved_names[i]);
    }
    assert_false(name_is_reserved("kubeconfig"));
    assert_false(name_is_reserved("no-such-thing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_and_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
