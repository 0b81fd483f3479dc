/* The whole state as one value, for oracles. */
#ifndef SIM_NSX_DUMP_H
#define SIM_NSX_DUMP_H

#include "internal.h"

/* All intent, what is connected and realized, restore and violations. New. */
json_t *nsx_dump(const struct sim_nsx *sim);

/* Who is connected, and what was acknowledged, by name. New. */
json_t *nsx_adapters_json(const struct sim_nsx *sim);

/* Counts only. New. */
json_t *nsx_state(const struct sim_nsx *sim);

#endif
