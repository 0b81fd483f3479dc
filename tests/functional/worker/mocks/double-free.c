/* Frees memory twice. */
#define MOCK_NAME "double-free"
#include <stdlib.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    char *memory = (char *)malloc(100);
    char *volatile again = memory;
    free(memory);
    free(again);
    return SALVOR_OK;
}
