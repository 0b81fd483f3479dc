/* One JSON line a request, and counters by path template. Bodies and credentials are in neither. */
#ifndef SIM_NSX_AUDIT_H
#define SIM_NSX_AUDIT_H

#include "internal.h"

int nsx_audit_open(struct sim_nsx *sim, const char *path, struct error *reterr);
void nsx_audit_close(struct sim_nsx *sim);
void nsx_audit_write(struct sim_nsx *sim, const struct nsx_request *request,
                     const struct nsx_answer *answer);

#endif
