/* Has no hooks. */
#include "sound.h"

MOCK("no-hooks", plugin->hooks = NULL)
