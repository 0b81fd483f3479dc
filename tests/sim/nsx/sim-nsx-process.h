/* The simulator in a child process, for tests: start, steer, ask, snapshot, stop. */
#ifndef SIM_NSX_PROCESS_H
#define SIM_NSX_PROCESS_H

#include <sys/types.h>

#include "sim-nsx.h"

struct sim_nsx_process {
    pid_t pid;
    int is_snapshot;   /* a child of the simulator it was taken from, not of this process */
    char *control_url; /* "http://127.0.0.1:PORT" */
    char *url;         /* of the first manager */
    char *sha256;      /* of its certificate */
    char *certificate; /* PEM */
    char *audit_path;  /* NULL: none */
    json_t *addresses; /* of all managers, as sim_nsx_addresses gives them */
};

/* Called in the child before it listens: switches, users, sim_nsx_control. */
typedef void sim_nsx_prepare(struct sim_nsx *sim, void *user);

/* Forks, so call it while this process has one thread. Ends with sim_nsx_process_stop. */
int sim_nsx_process_start(const struct sim_nsx_options *options, sim_nsx_prepare *prepare,
                          void *user, struct sim_nsx_process *ret, struct error *reterr);

/* A second simulator that goes on from the present state of the first. */
int sim_nsx_process_snapshot(const struct sim_nsx_process *process, struct sim_nsx_process *ret,
                             struct error *reterr);

/* Steers: `what` is what follows /_sim/. The HTTP status, or -1; *ret_body (may be NULL) is new. */
int sim_nsx_process_steer(const struct sim_nsx_process *process, const char *method,
                          const char *what, const json_t *body, json_t **ret_body,
                          struct error *reterr);

/* Asks the first manager as "user:password" (NULL: admin with the default one). As above. */
int sim_nsx_process_request(const struct sim_nsx_process *process, const char *credentials,
                            const char *method, const char *path, const json_t *body,
                            json_t **ret_body, struct error *reterr);

/* Stops it, waits for its end and releases the texts; usable on a zeroed one. */
void sim_nsx_process_stop(struct sim_nsx_process *process);

#endif
