/* Does not begin as a descriptor does. */
#include "sound.h"

MOCK("wrong-magic", plugin->magic = 0xdeadbeef)
