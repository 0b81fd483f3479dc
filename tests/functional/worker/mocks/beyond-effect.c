/* Wants to change something although its row or hook only looks. */
#define MOCK_NAME "beyond-effect"
#include "mock.h"

/* what the test program offers: a service that changes something */
struct test_change {
    salvor_status (*change)(salvor_call *call);
};

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    const struct test_change *test =
        (const struct test_change *)call->host->get_interface(call, "test.change", 1);
    (void)hook;
    return test != NULL ? test->change(call) : SALVOR_FAILED;
}
