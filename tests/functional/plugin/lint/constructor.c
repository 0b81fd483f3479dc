/* Runs code before it is asked for anything, and shows when it was mapped at all. */
#include "../refusals/sound.h"

#include <stdlib.h>

__attribute__((constructor)) static void start_early(void)
{
    if (getenv("SALVOR_TEST_ABORT") != NULL)
        abort();
}

MOCK("constructor", (void)plugin)
