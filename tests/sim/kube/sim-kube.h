/*
 * A Kubernetes API server in one process and one thread, for tests and demonstrations: what a
 * recovery asks of the real one, kept honest by the contract suite that runs against both.
 *
 * One thread on purpose: between two requests the whole state is at rest, so that the process can
 * be forked as a snapshot and go on serving from there. Nothing here is safe for threads; a
 * program that wants the server beside its own work runs it in a child (sim-kube-process.h).
 */
#ifndef SIM_KUBE_H
#define SIM_KUBE_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct sim_kube;

struct sim_kube_options {
    uint16_t port;               /* 0: the kernel chooses */
    int tls;                     /* HTTPS with a certificate of its own, made at start */
    const char *admin_token;     /* NULL: whoever comes is an administrator */
    const char *audit_path;      /* one JSON line a request is appended; NULL: none */
    const char *version;         /* gitVersion of /version; NULL: "v1.36.0" */
    const char *controllers;     /* comma list of scripted controllers; NULL: "namespace" */
    int64_t controller_delay_ms; /* how long after an event they act */
    int64_t first_revision;      /* 0: 1000 */
    uint64_t seed;               /* of UIDs and generated names; 0: 1 */
    size_t event_limit;          /* events kept for watches and old lists; 0: 100,000 */
};

/* A server with the four system namespaces; free with sim_kube_free. */
struct sim_kube *sim_kube_new(const struct sim_kube_options *options, struct error *reterr);
void sim_kube_free(struct sim_kube *sim);

/* Further bearer tokens; `groups` is a comma list ("" for none). RBAC objects decide their rights,
 * group system:masters may do everything. */
void sim_kube_add_token(struct sim_kube *sim, const char *token, const char *user,
                        const char *groups);

/* Opens the port on 127.0.0.1. */
int sim_kube_listen(struct sim_kube *sim, struct error *reterr);

/* After listen: "http://127.0.0.1:PORT", and the PEM of its authority (NULL without TLS). */
const char *sim_kube_url(const struct sim_kube *sim);
const char *sim_kube_certificate(const struct sim_kube *sim);

/* The text of a kubeconfig for the administrator, owned by the caller. */
char *sim_kube_kubeconfig(const struct sim_kube *sim);

/* Serves until POST /_sim/stop, sim_kube_stop or SIGTERM (when the program made it call stop). */
int sim_kube_run(struct sim_kube *sim, struct error *reterr);
/* Ends sim_kube_run soon; safe in a signal handler. */
void sim_kube_stop(struct sim_kube *sim);

/*
 * Hooks: called in the server's thread for every event, `delay_ms` after it happened. `object` is
 * borrowed, without apiVersion and kind.
 */
struct sim_kube_event {
    const char *change; /* "ADDED", "MODIFIED", "DELETED" */
    const char *group;
    const char *plural;
    const char *namespace_; /* "" for cluster scope */
    const char *name;
    const json_t *object;
};
typedef void sim_kube_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user);
void sim_kube_add_hook(struct sim_kube *sim, int64_t delay_ms, sim_kube_hook *hook, void *user);

/*
 * A request of the server's own (administrator, not in the audit log), for hooks and for filling
 * the store. `body` is borrowed (NULL: none); *ret_body (may be NULL) is new. Returns the HTTP
 * status. `content_type` NULL means application/json, or merge patch for PATCH.
 */
int sim_kube_request(struct sim_kube *sim, const char *method, const char *path,
                     const char *content_type, const json_t *body, json_t **ret_body);

/* Creates an object that carries apiVersion and kind, wherever its type lives. As above. */
int sim_kube_create(struct sim_kube *sim, const json_t *object, json_t **ret_body);

#endif
