/* Says that its options are smaller than an option. */
#include "sound.h"

MOCK("small-stride", plugin->option_size = 8)
