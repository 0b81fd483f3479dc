/* Built for a machine of the other byte order. */
#include "sound.h"

MOCK("other-order", plugin->magic = 0x564c4153)
