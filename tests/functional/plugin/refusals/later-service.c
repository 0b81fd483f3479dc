/* Needs a later version of a service. */
#include "sound.h"

MOCK("later-service", sound_needs[0].min_version = 1000)
