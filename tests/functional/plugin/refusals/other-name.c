/* Declares another name than its file has. */
#include "sound.h"

MOCK("third-name", (void)plugin)
