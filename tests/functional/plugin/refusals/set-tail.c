/* Uses a field that was added to the descriptor later. */
#include "sound.h"

MOCK("set-tail", plugin->struct_size = sizeof sound, sound.tail[2] = 1)
