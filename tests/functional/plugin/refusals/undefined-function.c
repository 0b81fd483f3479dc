/* Calls a function that no library has. */
#include "sound.h"

int salvor_absent_function(void);

MOCK("undefined-function", plugin->flags = (uint64_t)salvor_absent_function())
