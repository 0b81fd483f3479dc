/* Says that it has a size that no struct has. */
#include "sound.h"

MOCK("odd-descriptor", plugin->struct_size += 4)
