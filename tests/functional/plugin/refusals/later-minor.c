/* Its descriptor is of a later minor version, before ABI 1.0. */
#include "sound.h"

MOCK("later-minor", plugin->abi_minor = 7, plugin->min_host_minor = 1)
