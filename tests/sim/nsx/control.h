/* What steers the simulator: requests below /_sim/ on a door of its own. */
#ifndef SIM_NSX_CONTROL_H
#define SIM_NSX_CONTROL_H

#include "internal.h"

void nsx_control_handle(struct sim_nsx *sim, struct nsx_request *request,
                        struct nsx_answer *answer);

#endif
