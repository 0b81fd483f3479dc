/* Shows a helper to the world. */
#include "../refusals/sound.h"

SALVOR_EXPORT int extra_export_helper(void);

int extra_export_helper(void)
{
    return 1;
}

MOCK("extra-export", (void)plugin)
