/*
 * An NSX Manager in one process and one thread, for tests and demonstrations: the REST API as far
 * as a recovery of Antrea clusters asks of it, its backup and restore, and the adapters that
 * connect to it. Written from the vendor's documentation, not from what a client expects; what the
 * documentation leaves open is a switch (switches.h).
 *
 * One thread on purpose: between two requests the whole state is at rest, so that the process can
 * be forked as a snapshot and go on serving from there. Nothing here is safe for threads.
 */
#ifndef SIM_NSX_H
#define SIM_NSX_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* How the User-Agent of what plays clusters begins: injected faults leave it alone. */
#define NSX_PLAYER_AGENT "sim-antrea-cluster"

struct sim_nsx;

struct sim_nsx_options {
    uint16_t control_port;    /* of /_sim/; 0: the kernel chooses */
    uint16_t manager_port;    /* of the first manager; 0: the kernel chooses */
    int managers;             /* nodes of the manager cluster; 0: 1 */
    const char *version;      /* product version; NULL: "9.0.1.0.24952111" */
    const char *address;      /* of the first manager, as backups name it; NULL: "127.0.0.1" */
    const char *password;     /* of admin; NULL: "Sim-Nsx-Passw0rd" */
    const char *audit_path;   /* one JSON line a request is appended; NULL: none */
    uint64_t seed;            /* of identifiers; 0: 1 */
    int64_t start_ms;         /* what the clock shows first, epoch ms; 0: the present */
    double rate;              /* seconds of the simulated clock a real second; see sim-clock.h */
    int64_t per_request_ms;   /* that each request moves the clock on */
    int64_t rate_limit;       /* requests per second and user; 0: none */
    int64_t user_concurrency; /* requests in flight per user; 0: no limit */
    int64_t concurrency;      /* requests in flight over all; 0: no limit */
};

/* What the documentation gives as defaults: 100 a second, 40 in flight per user, 199 over all. */
#define SIM_NSX_DEFAULTS                                                         \
    {                                                                            \
        .rate = 1, .rate_limit = 100, .user_concurrency = 40, .concurrency = 199 \
    }

/* An empty manager; free with sim_nsx_free. */
struct sim_nsx *sim_nsx_new(const struct sim_nsx_options *options, struct error *reterr);
void sim_nsx_free(struct sim_nsx *sim);

/* Sets a switch; -1 when there is no such switch or position. */
int sim_nsx_switch(struct sim_nsx *sim, const char *name, const char *value, struct error *reterr);

/* One line a switch on `out`: name, positions, the statement that it stands for. */
void sim_nsx_list_switches(FILE *out);

/* A further user; `role` as NSX names roles. A name with '@' is a remote user. */
void sim_nsx_add_user(struct sim_nsx *sim, const char *name, const char *password,
                      const char *role);

/* Opens all ports on 127.0.0.1. */
int sim_nsx_listen(struct sim_nsx *sim, struct error *reterr);

/* After listen: {"control": URL, "managers": [{"url", "sha256", "sha1", "up"}, ...]}, new. */
json_t *sim_nsx_addresses(const struct sim_nsx *sim);

/* Serves until POST /_sim/stop, sim_nsx_stop or a signal whose handler calls it. */
int sim_nsx_run(struct sim_nsx *sim, struct error *reterr);
void sim_nsx_stop(struct sim_nsx *sim);

/*
 * A request to /_sim/ from inside, before or while serving: as over HTTP. `body` is borrowed (NULL:
 * none), *ret_body (may be NULL) is new. Returns the HTTP status.
 */
int sim_nsx_control(struct sim_nsx *sim, const char *method, const char *path, const json_t *body,
                    json_t **ret_body);

#endif
