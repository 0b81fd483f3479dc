/* Says that it has more rows than memory has bytes. */
#include "sound.h"

MOCK("hostile-count", sound_stages[0].row_count = 0xffffffff)
