/* Lets a C++ exception out of a hook. */
#define MOCK_NAME "exception"
#include <stdexcept>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    throw std::runtime_error("nobody catches this");
}
