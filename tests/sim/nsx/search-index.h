/* The search index, which lags behind what is. */
#ifndef SIM_NSX_SEARCH_INDEX_H
#define SIM_NSX_SEARCH_INDEX_H

#include "internal.h"

/* The index is as wrong as after a restore, for a while or until it is reconciled. */
void nsx_search_break(struct sim_nsx *sim);

/* It holds what is. */
void nsx_search_refresh(struct sim_nsx *sim);

#endif
