/* A row has an effect that was added later. */
#include "sound.h"

MOCK("later-effect", sound_rows[0].effect = 3500)
