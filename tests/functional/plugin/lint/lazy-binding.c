/* Its calls are bound when they are made: the build links it with -z lazy, and with a run path. */
#include "../refusals/sound.h"

MOCK("lazy-binding", (void)plugin)
