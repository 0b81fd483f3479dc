/* Needs a service that no host has. */
#include "sound.h"

MOCK("missing-service", sound_needs[0].interface_name = "salvor.telepathy")
