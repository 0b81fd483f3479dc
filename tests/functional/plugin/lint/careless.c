/* Keeps the rules, and is unwise all the same. */
#include "../refusals/sound.h"

MOCK("careless", sound_options[0].help = "How fast it goes.", sound_options[0].since = NULL,
     sound_rows[0].statements = NULL, sound_rows[0].backoff_ms = 0,
     sound_needs[0].interface_name = "salvor.plam", sound_needs[0].required = 0)
