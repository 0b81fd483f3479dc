/* Nothing is wrong. */
#include "sound.h"

MOCK("sound", (void)plugin)
