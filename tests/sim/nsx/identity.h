/* Who asks: basic and remote log-in, sessions, client certificates, locked accounts, roles. */
#ifndef SIM_NSX_IDENTITY_H
#define SIM_NSX_IDENTITY_H

#include "internal.h"

enum nsx_feature {
    NSX_FREE,        /* nobody is asked */
    NSX_ANY,         /* whoever is known */
    NSX_IDENTITIES,  /* trust_principal_identities, certificates */
    NSX_NODES,       /* nodes_antrea_nodes */
    NSX_CONTAINERS,  /* containers_inventory */
    NSX_FIREWALL,    /* policies, groups, services */
    NSX_MAINTENANCE, /* backup, restore, cluster */
};

/* Fills request->caller; -1 after answering 403. */
int nsx_identify(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer);

/* -1 after answering: the caller's role does not reach so far. */
int nsx_authorize(const struct sim_nsx *sim, const struct nsx_request *request,
                  enum nsx_feature feature, struct nsx_answer *answer);

/* The record of a user, made when it is a principal identity that came for the first time. */
struct nsx_user *nsx_find_user(struct sim_nsx *sim, const char *name);

/* The principal identity with that certificate, as a new tree; NULL: none. */
json_t *nsx_principal_of(struct sim_nsx *sim, const char *fingerprint);

/* Called when one was written, and whenever others changed in any way. */
void nsx_index_principal(struct sim_nsx *sim, const json_t *principal, int existed);
void nsx_forget_principal_index(struct sim_nsx *sim);

/* Role of a principal identity that counts at the root, borrowed from the tree. */
const char *nsx_principal_role(const json_t *principal);

void nsx_session_create(struct sim_nsx *sim, struct nsx_request *request,
                        struct nsx_answer *answer);
void nsx_session_destroy(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer);
void nsx_user_info(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer);

/* All sessions of a manager (-1: of all) end: their cookies are refused from now on. */
void nsx_expire_sessions(struct sim_nsx *sim, int manager);
void nsx_forget_sessions(struct sim_nsx *sim);

void nsx_caller_clear(struct nsx_caller *caller);

#endif
