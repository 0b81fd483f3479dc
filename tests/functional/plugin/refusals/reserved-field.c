/* Uses what was reserved. */
#include "sound.h"

MOCK("reserved-field", plugin->reserved = 1)
