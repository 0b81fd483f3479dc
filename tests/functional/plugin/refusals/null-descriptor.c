/* Refuses to start. */
#include "sound.h"

MOCK("null-descriptor", plugin = NULL)
