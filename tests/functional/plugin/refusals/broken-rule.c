/* Breaks a rule that only the descriptor as a whole shows. */
#include "sound.h"

MOCK("broken-rule", sound_rows[1].instructions = NULL, sound_rows[0].deadline_ms = 0)
