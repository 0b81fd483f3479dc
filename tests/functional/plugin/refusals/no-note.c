/* Sound; the build writes no note. */
#include "sound.h"

MOCK("no-note", (void)plugin)
