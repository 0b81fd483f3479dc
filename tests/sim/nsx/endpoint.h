/* The doors of the simulator: ports, certificates, managers that are switched off and on. */
#ifndef SIM_NSX_ENDPOINT_H
#define SIM_NSX_ENDPOINT_H

#include "internal.h"

/* Opens the control port and the managers' ports. */
int nsx_endpoints_open(struct sim_nsx *sim, struct error *reterr);

/* Opens and closes managers' doors as their state wants it. Not while one of them is running. */
int nsx_endpoints_apply(struct sim_nsx *sim, struct error *reterr);

/* Ends all connections and closes everything. */
void nsx_endpoints_close(struct sim_nsx *sim);

/* In a forked child: forgets the parent's doors without touching them, keeps the certificates. */
void nsx_endpoints_forget(struct sim_nsx *sim);
void nsx_endpoints_clear(struct sim_nsx *sim);

/* A new certificate for good; another one for a while, and the own one back. */
int nsx_certificate_replace(struct sim_nsx *sim, int manager, struct error *reterr);
void nsx_certificate_other(struct sim_nsx *sim);
void nsx_certificate_back(struct sim_nsx *sim);

char *nsx_manager_url(const struct sim_nsx *sim, int manager);

#endif
