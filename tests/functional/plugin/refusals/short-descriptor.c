/* Says that it is smaller than any descriptor. */
#include "sound.h"

MOCK("short-descriptor", plugin->struct_size = 64)
