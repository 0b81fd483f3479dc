/* Says that it has findings, and gives no address. */
#include "sound.h"

MOCK("null-array", plugin->findings = NULL)
