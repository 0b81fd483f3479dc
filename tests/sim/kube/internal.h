/* What the files of the simulator share: the server's state, one request, one answer. */
#ifndef SIM_KUBE_INTERNAL_H
#define SIM_KUBE_INTERNAL_H

#include <microhttpd.h>
#include <stdio.h>
#include <sys/types.h>

#include "sim-kube.h"

#include "store.h"
#include "types.h"

#include "base/buffer.h"
#include "certificate/certificate.h"

/* The limit that kube-apiserver has for bodies of requests. */
#define REQUEST_LIMIT ((size_t)3 << 20)
#define ANSWER_LIMIT ((size_t)2 << 30)
/* Paths below this one steer the simulator itself. */
#define CONTROL_PREFIX "/_sim/"

struct sim_pair {
    char *name;
    char *value;
};

struct sim_user {
    const char *name;
    const json_t *groups;
};

/* Which object or collection a path means. */
struct sim_route {
    const struct kube_type *type;
    char *space; /* namespace, "" for none */
    char *name;  /* "" for the collection */
    char *subresource;
    const char *verb; /* the API's word: get, list, watch, create, ... */
};

struct sim_request {
    const char *method;
    const char *path; /* decoded */
    const char *raw;  /* path and query as they came */
    struct sim_pair *query;
    size_t query_count;
    const char *accept, *accept_encoding, *content_type, *authorization;
    const char *user_agent, *call_site;
    const char *impersonate_user;
    json_t *impersonate_groups;   /* array or NULL */
    const char *certificate_user; /* common name of a verified client certificate */
    json_t *certificate_groups;
    struct buffer body;
    int is_own; /* made by sim_kube_request */
    struct sim_user user;
    struct sim_route route;
    int is_dry; /* dryRun=All */
};

struct watch;

struct sim_answer {
    int status;
    const char *content_type;
    struct buffer body;
    char *warning;       /* text of a Warning header */
    int retry_after;     /* seconds, 0: no header */
    struct watch *watch; /* the body follows as events happen */
    char *reason;        /* Status.reason, for the audit log */
    int snapshot;        /* the body waits for a fork of the process */
};

struct sim_token {
    char *token, *user;
    json_t *groups;
};

/* An error that answers in place of the API, a number of times. */
struct sim_fault {
    char *method; /* "" for any */
    char *path;   /* shell pattern */
    int64_t skip, count;
    int status, retry_after;
};

struct sim_hook {
    sim_kube_hook *call;
    void *user;
    int64_t delay_ms;
    size_t cursor; /* index of the next event */
};

struct sim_kube {
    struct store *store;
    struct types types;
    struct {
        struct store_table *namespaces, *crds;
    } tables;

    char *url, *audit_path, *version, *admin_token;
    struct certificate authority, server, client; /* with TLS */
    uint16_t port;
    int tls;
    int64_t controller_delay_ms;
    uint64_t random_state;
    struct sim_user admin;
    json_t *admin_groups, *anonymous_groups, *token_groups;
    struct sim_token *tokens;
    size_t token_count;
    struct sim_fault *faults;
    size_t fault_count;
    json_t *guards; /* rules of guard.h, or NULL */
    struct sim_hook *hooks;
    size_t hook_count;

    struct MHD_Daemon *daemon;
    int epoll_fd;
    int stop_fd; /* an eventfd: sim_kube_stop writes */
    struct watch *watches;
    struct pending_snapshot *snapshot; /* asked for, not yet made */
    int is_snapshot;                   /* this process was forked off another server */
    pid_t *children;
    size_t child_count;
    int snapshot_number;

    FILE *audit;
    uint64_t audit_sequence, answer_count;
};

/* The value of a query parameter, or NULL. */
const char *request_query(const struct sim_request *request, const char *name);

/* Key of the routed object in its table, owned by the caller. */
char *route_key(const struct sim_route *route);
char *object_key(const char *space, const char *name);

/* Answers; `tree` and `status` are stolen. */
void answer_status(struct sim_answer *answer, json_t *status);
void answer_json(struct sim_answer *answer, int code, json_t *tree);
void answer_text(struct sim_answer *answer, int code, const char *text);
/* The plain "404 page not found" of an unknown path. */
void answer_no_page(struct sim_answer *answer);

/* Handles one request completely, apart from its transport. */
void sim_handle(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

/* The next number of the seeded generator. */
uint64_t sim_random(struct sim_kube *sim);
/* A UID from it. */
void sim_uid(struct sim_kube *sim, char ret_uid[37]);
/* The present second in RFC 3339. */
void sim_now(char ret_time[32]);

#endif
