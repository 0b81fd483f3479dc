/* Says that it is larger than memory is mapped. */
#include "sound.h"

MOCK("huge-descriptor", plugin->struct_size = 0xfffffff8)
