/* Plans to destroy without saying what. */
#define MOCK_NAME "no-objects"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    struct salvor_planned_step step;
    (void)hook;
    memset(&step, 0, sizeof step);
    step.struct_size = sizeof step;
    step.row = "wipe";
    step.target = "five";
    step.consequence = "something";
    if (mock_plan(call)->decide(call, "mend", "why not") != SALVOR_OK)
        return SALVOR_FAILED;
    return mock_plan(call)->step(call, &step, NULL);
}
