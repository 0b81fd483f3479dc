/* Prints a gibibyte to its standard error. */
#define MOCK_NAME "output-flood"
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    static char line[65536];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 16384; i++) {
        if (write(2, line, sizeof line) < 0)
            return SALVOR_FAILED;
    }
    return SALVOR_OK;
}
