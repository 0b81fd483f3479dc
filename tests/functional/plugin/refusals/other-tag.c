/* Built for a fork. */
#include "sound.h"

MOCK("other-tag", memcpy(plugin->abi_tag, "acme-salvor", 12))
