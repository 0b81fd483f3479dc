/* Returns an address that no descriptor can have. */
#include "sound.h"

MOCK("crooked-descriptor", plugin = (struct salvor_plugin *)(void *)((char *)plugin + 4))
