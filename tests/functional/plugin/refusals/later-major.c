/* Its descriptor is of a later major version. */
#include "sound.h"

MOCK("later-major", plugin->abi_major = 2)
