/* The simulator in a child process, for tests: start, ask, snapshot, stop. */
#ifndef SIM_KUBE_PROCESS_H
#define SIM_KUBE_PROCESS_H

#include <sys/types.h>

#include "sim-kube.h"

struct sim_kube_process {
    pid_t pid;
    int is_snapshot; /* a child of the server it was taken from, not of this process */
    char *url;
    char *audit_path; /* NULL: none */
    char *kubeconfig; /* its text */
};

/* Called in the child before it listens: hooks, tokens, objects. */
typedef void sim_kube_prepare(struct sim_kube *sim, void *user);

/* Forks, so call it while this process has one thread. Ends with sim_kube_process_stop. */
int sim_kube_process_start(const struct sim_kube_options *options, sim_kube_prepare *prepare,
                           void *user, struct sim_kube_process *ret, struct error *reterr);

/* A second server that goes on from the present state of the first. */
int sim_kube_process_snapshot(const struct sim_kube_process *process, struct sim_kube_process *ret,
                              struct error *reterr);

/* Asks the server as administrator; the HTTP status, or -1. *ret_body (may be NULL) is new. */
int sim_kube_process_request(const struct sim_kube_process *process, const char *method,
                             const char *path, const char *content_type, const json_t *body,
                             json_t **ret_body, struct error *reterr);

/* Stops the server, waits for its end and releases the texts; usable on a zeroed one. */
void sim_kube_process_stop(struct sim_kube_process *process);

#endif
