/* Has no name. */
#include "sound.h"

MOCK(NULL, (void)plugin)
