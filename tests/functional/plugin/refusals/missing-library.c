/* Needs a library that is not installed. */
#include "sound.h"

int salvor_absent_library(void);

MOCK("missing-library", plugin->flags = (uint64_t)salvor_absent_library())
