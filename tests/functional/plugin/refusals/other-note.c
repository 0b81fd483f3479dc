/* Sound; the build writes a note that says something else. */
#include "sound.h"

MOCK("other-note", (void)plugin)
