/* Sets a flag of the descriptor that was added later. */
#include "sound.h"

MOCK("unknown-flag", plugin->flags = 0x10)
