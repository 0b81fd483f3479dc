/*
 * The Kubernetes side of one registered cluster: what the register and deregister jobs, the
 * interworking pod and its adapters do, as controllers on a control plane, real or simulated. They
 * speak to NSX with the cluster's own certificate, by the documented calls where there are any.
 */
#ifndef SIM_ANTREA_PLAYER_H
#define SIM_ANTREA_PLAYER_H

#include "http-client.h"

#define SPACE "vmware-system-antrea"
#define IN_SPACE "/namespaces/" SPACE
#define MANAGED_LABEL "ccp-adapter.antrea.tanzu.vmware.com/managedBy"
#define ANNOTATION "ccp-adapter.antrea.tanzu.vmware.com/"

enum { MANAGERS_MAX = 16, WATCHES = 12 };

/* What a bootstrap-config names, and where it is. */
struct manager_name {
    const char *name, *url;
};

/* What the cluster's objects say, read anew before each act. */
struct identity {
    char *name; /* clusterName; NULL: no bootstrap-config */
    json_t *managers;
    char *certificate, *key; /* PEM; NULL: no nsx-cert */
    char *cluster_id;        /* NULL: never registered */
};

struct player {
    struct http_target kube;
    struct http_target control; /* url NULL: no simulator's steering */
    struct manager_name names[MANAGERS_MAX];
    size_t name_count;
    int has_controllers; /* kube-controller-manager makes pods and finishes jobs */

    CURLM *multi;
    struct http_stream watches[WATCHES];
    int is_dirty;    /* something happened in the cluster */
    int64_t look_ms; /* monotonic: when to look again without being told; 0: never */

    struct identity identity;
    struct http_stream session;
    struct http_target nsx; /* the manager in use, as the cluster's identity */
    size_t next_manager;
    int is_connected;  /* hello came */
    char *session_key; /* of the identity that the session was opened with */
    int guards;        /* the server refuses to delete tiers in use */
    int restarts;      /* of tn-proxy, while NSX refuses */
    int must_report;   /* inventory */
    int is_full;       /* the report begins a full synchronisation */
    json_t *wanted;    /* policies that NSX wants enforced, or NULL */
    json_t *switches;  /* of the simulator, as of the beginning of this look */
    char *last_report; /* digest of the inventory that NSX has */

    struct job_state {
        char *uid;
        int attempts;
        int64_t retry_ms;    /* monotonic */
        int64_t finished_ms; /* of the simulated clock; 0: not finished here */
    } register_job, deregister_job;
};

/* --- the cluster's API ------------------------------------------------------------------------ */

/* Fills player->kube; -1 with a message on stderr. */
int kube_open(const char *path, struct http_target *ret);

/* The object or list, new; NULL when absent or unreachable. */
json_t *kube_get(struct player *player, const char *path);
/* Creates, or merges into what is there. */
int kube_apply(struct player *player, const char *collection, const json_t *object);
int kube_patch_status(struct player *player, const char *path, json_t *status);
void kube_delete(struct player *player, const char *path);
/* Value at a dotted path as text, NULL when absent. */
const char *kube_text(const json_t *object, const char *path);

/* --- the rest, by file ------------------------------------------------------------------------ */

/* identity.c */
void identity_read(struct player *player);
void identity_clear(struct identity *identity);
/* Points player->nsx at the next manager as the cluster's identity; -1 when something is missing.
 */
int nsx_choose(struct player *player);

/* switch-reader.c: reads the simulator's switches; the position of one, `otherwise` without them.
 */
void player_read_switches(struct player *player);
int player_switch_is(struct player *player, const char *name, const char *position,
                     const char *otherwise);
/* The simulated clock in ms; the real one without a simulator. */
int64_t player_clock_ms(struct player *player);

/* jobs.c */
void jobs_work(struct player *player);

/* workload.c: the interworking deployment; 1 when its adapters run. */
int workload_work(struct player *player);
void workload_show(struct player *player);

/* session.c */
void session_work(struct player *player, int adapters_run);
void session_end(struct player *player);

/* report.c: what there is in the cluster. */
void report_send(struct player *player);

/* enforce.c: policies of NSX as objects of the cluster. */
void enforce_wanted(struct player *player);
void enforce_remove_all(struct player *player);
void enforce_guard(struct player *player);

/* prepare.c: a cluster with Antrea, before anything of NSX. */
struct prepare_options {
    const char *antrea_version, *kubernetes_version;
    int nodes, namespaces, pods; /* pods: per namespace */
    uint64_t seed;
    int only_prints;
};
int prepare_cluster(struct player *player, const struct prepare_options *options);

#endif
