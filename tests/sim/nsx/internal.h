/* What the files of the simulator share: the managers' state, one request, one answer. */
#ifndef SIM_NSX_INTERNAL_H
#define SIM_NSX_INTERNAL_H

#include <microhttpd.h>
#include <stdio.h>
#include <sys/types.h>

#include "sim-nsx.h"

#include "sim-clock.h"
#include "store.h"
#include "switches.h"

#include "base/buffer.h"
#include "base/digest.h"
#include "certificate/certificate.h"

#define NSX_REQUEST_LIMIT ((size_t)32 << 20)
#define NSX_ANSWER_LIMIT ((size_t)1 << 30)
/* Paths below these steer the simulator, and connect its adapters. */
#define NSX_CONTROL_PREFIX "/_sim/"
#define NSX_ADAPTER_PREFIX "/sim-adapter/"

enum { NSX_MANAGERS = 8, NSX_PARTS = 4, NSX_UUID_SIZE = 37, NSX_INVENTORY_KINDS = 9 };

struct nsx_pair {
    char *name;
    char *value;
};

enum nsx_caller_kind { NSX_NOBODY, NSX_USER, NSX_PRINCIPAL };

struct nsx_caller {
    enum nsx_caller_kind kind;
    char *name; /* user, or name of the principal identity */
    char *role;
    char *principal_id; /* of a principal identity */
    int is_protective;  /* an identity whose objects are protected from others */
};

struct nsx_request {
    int manager; /* index; -1: the control port */
    const char *method;
    const char *path;     /* decoded */
    const char *template; /* the route's, for counters and audit; NULL: none */
    char *parts[NSX_PARTS];
    struct nsx_pair *query;
    size_t query_count;
    const char *authorization, *xsrf, *overwrite, *call_site, *user_agent, *content_type;
    char *session;                           /* value of cookie JSESSIONID */
    char peer_fingerprint[DIGEST_TEXT_SIZE]; /* of the client certificate, "" for none */
    char *peer_name;                         /* its common name */
    struct buffer body;
    json_t *json; /* the body, once asked for */
    struct nsx_caller caller;
    json_t *effects; /* [{"op", "table", "key"}, ...]: what this request changed; or NULL */
};

enum nsx_outcome {
    NSX_ANSWERED,
    NSX_SNAPSHOT, /* the body waits for a fork of the process */
    NSX_STREAM,   /* an adapter's connection: lines follow as they come */
    NSX_CLOSED    /* the connection ends without an answer */
};

struct nsx_answer {
    int status;
    const char *content_type;
    struct buffer body;
    enum nsx_outcome outcome;
    int64_t error_code;
    int retry_after; /* seconds, 0: no header */
    char *cookie, *xsrf, *location;
    int64_t stall_ms; /* real time before the answer; -1: never */
    int64_t cut_at;   /* bytes of the body after which the connection breaks; -1: none */
};

struct nsx_manager {
    struct MHD_Daemon *daemon; /* NULL: connections are refused */
    int epoll_fd;
    int reserve_fd; /* keeps the port while the daemon is away */
    uint16_t port;
    struct certificate certificate;
    char sha256[DIGEST_TEXT_SIZE], sha1[41];
    char served[DIGEST_TEXT_SIZE]; /* the one that the daemon was started with */
    int is_off;                    /* switched off by the operator */
    int is_unhealthy;              /* node/health says so */
};

struct nsx_user {
    char *name, *password, *role;
    int failures;
    int64_t locked_until_ms;
    /* real time: the second that is counted, and requests in it and in flight */
    int64_t window_ms, window_count, in_flight;
};

struct nsx_session {
    char *id, *token, *user;
    int manager;
    int64_t used_ms;
    int is_expired;
};

/* A deleted policy object until its realization is gone. */
struct nsx_marked {
    enum nsx_table_id table;
    char *key;
    json_t *object;
    int64_t due_ms;
};

/* What NSX shows of the resources of one cluster. */
struct nsx_inventory {
    char *control_plane; /* id */
    char *external_id;
    json_t *cluster;
    json_t *items[NSX_INVENTORY_KINDS]; /* arrays; kinds in inventory.h */
    int64_t since_ms;                   /* of the full synchronisation */
    int64_t sync_ms;
    int is_stale; /* came with a backup, nobody reports it */
};

/* The adapters of one cluster as their manager sees them. */
struct nsx_adapter {
    char *name; /* of the identity and the control plane */
    char *cluster_id;
    char fingerprint[DIGEST_TEXT_SIZE];
    struct nsx_stream *stream; /* NULL for clusters inside the simulator, and without connection */
    int is_connected;
    int64_t connected_ms, heartbeat_ms;
    int beats;
    int is_dirty;      /* policies changed since they were last sent */
    json_t *acks;      /* policy id → {"version", "state", "message"} */
    json_t *overrides; /* injected parts of the status, or NULL */
};

/* A cluster that exists inside the simulator only: its truth, and what its adapters know. */
struct nsx_cluster {
    char *name; /* as its adapters present it */
    char *cluster_id, *antrea_uuid;
    struct certificate certificate;
    char fingerprint[DIGEST_TEXT_SIZE];
    int has_adapters; /* they run */
    json_t *counts;   /* of its inventory */
};

struct nsx_backup {
    int64_t timestamp_ms;
    char *node_id, *address, *version;
    char passphrase[DIGEST_TEXT_SIZE];
    struct nsx_intent intent;
    json_t *inventory; /* for the position from-backup */
};

struct nsx_restore {
    const char *value; /* status.value */
    char *description;
    char *id;
    size_t backup; /* index */
    int64_t start_ms, end_ms;
    int step;        /* 1..NSX_RESTORE_STEPS, 0 before */
    int instruction; /* index of the next one */
    char *instruction_id;
    int is_suspending;                 /* by the user, when the running step ends */
    int fail_at;                       /* injected: the step that fails, once */
    char passphrase[DIGEST_TEXT_SIZE]; /* as it was configured at the start */
};

/* Whether the manager's services answer; sessions and connections end when they restart. */
enum nsx_service { NSX_SERVICE_UP, NSX_SERVICE_DOWN, NSX_SERVICE_GATEWAY, NSX_SERVICE_STARTING };

struct nsx_fault;
struct exchange;

struct sim_nsx {
    struct nsx_intent intent;
    struct nsx_clock clock;
    int switches[NSX_SWITCHES];
    uint64_t random_state;
    uint64_t version_state;  /* counts changes of intent */
    uint64_t world_state;    /* and of whatever else decides who can connect */
    uint64_t worked_state;   /* at which clusters inside the simulator last tried */
    json_t *principal_index; /* fingerprint → id of the identity; NULL: to be made */
    int64_t next_rule_id;

    char *version, *address, *fqdn, *node_id, *cluster_uuid;
    struct nsx_manager managers[NSX_MANAGERS];
    int manager_count;
    struct nsx_user *users; /* also one for each principal identity that came, for its rate */
    size_t user_count;
    struct nsx_session *sessions;
    size_t session_count;
    struct nsx_user anyone; /* all users together */
    int64_t rate_limit, user_concurrency, concurrency;
    int64_t lockout_failures, lockout_ms, session_ms;
    int64_t latency_ms; /* real time that each answer takes */
    int64_t page_limit; /* server-side bound of a page; 0: 1000 */
    int64_t purge_ms, realize_ms, search_lag_ms, restore_step_ms, backup_step_ms, tick_ms;
    int healthy_beats;
    int is_unlicensed;

    struct nsx_marked *marked;
    size_t marked_count;
    struct nsx_inventory *inventories;
    size_t inventory_count;
    struct nsx_adapter *adapters;
    size_t adapter_count;
    struct nsx_cluster *clusters;
    size_t cluster_count;
    json_t *partitioned; /* names of clusters whose adapters reach no manager */
    json_t *alarms;
    json_t *stale_certificates; /* ids that cannot be deleted */

    struct nsx_backup *backups;
    size_t backup_count;
    json_t *backup_history; /* {"cluster", "node", "inventory": [...]} */
    json_t *backup_running; /* or NULL */
    char *backup_failure;   /* of the next backup, or NULL */
    struct nsx_restore restore;
    int restore_instructions; /* how often a restore waits for the operator */
    struct certificate saved; /* the manager's own, while another one is shown */
    enum nsx_service service;
    int64_t control_stable_ms; /* when control_cluster_status becomes STABLE */
    json_t *violations;        /* what an operator must not do, and did */

    struct nsx_intent index; /* what search finds */
    uint64_t index_version;
    int64_t index_due_ms; /* 0: up to date */
    int64_t index_broken_until_ms;

    struct nsx_fault *faults;
    size_t fault_count;

    struct nsx_manager control; /* without TLS */
    int stop_fd;
    struct exchange *waiting; /* connections whose answer waits */
    int must_check;  /* identities or control planes changed: who is connected still may be */
    int must_reopen; /* managers' doors do not fit their state */
    int is_snapshot;
    pid_t *children;
    size_t child_count;
    int snapshot_number;

    struct nsx_request *current; /* being handled */
    FILE *audit;
    char *audit_path;
    uint64_t audit_sequence, answer_count;
    json_t *counters; /* caller → "METHOD template" → number */
};

/* The value of a query parameter, or NULL. */
const char *nsx_query(const struct nsx_request *request, const char *name);
int nsx_query_is(const struct nsx_request *request, const char *name, const char *value);
/* The body as an object; NULL after answering 400. Borrowed. */
json_t *nsx_body(struct nsx_request *request, struct nsx_answer *answer);

/* Answers; `tree` is stolen. */
void nsx_answer_json(struct nsx_answer *answer, int status, json_t *tree);
void nsx_answer_empty(struct nsx_answer *answer, int status);
void nsx_answer_text(struct nsx_answer *answer, int status, const char *content_type,
                     const char *text);
/* After a DELETE that did something. */
void nsx_answer_deleted(const struct sim_nsx *sim, struct nsx_answer *answer);

/* Handles one request completely, apart from its transport. */
void nsx_handle(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer);

/* The next number of the seeded generator, and a UUID from it (new). */
uint64_t nsx_random(struct sim_nsx *sim);
char *nsx_uuid(struct sim_nsx *sim);

int64_t nsx_now(const struct sim_nsx *sim);
/* 1 when the simulated product has at least this version. */
int nsx_version_at_least(const struct sim_nsx *sim, int major, int minor, int patch);

#endif
