/*
 * How to reach one cluster and as whom: the chosen context of a kubeconfig, checked as kubectl
 * checks it, with the files that it names read. Secrets lie in locked memory.
 */
#ifndef SALVOR_NET_KUBE_ACCESS_H
#define SALVOR_NET_KUBE_ACCESS_H

#include <jansson.h>

#include "base/error.h"
#include "net/kube-config.h"

struct kube_access {
    char *origin;  /* file of the context, or "the account of this pod" */
    char *context; /* name; "" in a cluster */
    char *server;  /* "https://HOST:6443/PREFIX", without a slash at its end */
    char *ns;      /* namespace of the context, else "default" */
    int tls;       /* https; without it no credentials are sent */
    int insecure;  /* insecure-skip-tls-verify was asked for */
    int no_compression;
    char *tls_server_name; /* or NULL */
    char *authority;       /* PEM; NULL: what the system trusts */
    char *proxy;           /* URL, or NULL: what the environment says */
    char *certificate;     /* PEM of the client, or NULL */
    char *key;             /* locked; with `certificate` */
    char *token;           /* locked, or NULL */
    char *token_file;      /* read again as it is renewed; or NULL */
    char *username;        /* or NULL */
    char *password;        /* locked; with `username` */
    json_t *exec;          /* {"command","args","env","apiVersion","installHint","interactiveMode",
                              "cluster": spec.cluster of the ExecCredential}, or NULL */
    json_t *impersonate;   /* {"user","uid","groups":[…],"extra":{name:[…]}}, or NULL */
};

/* What is asked for beyond the files; NULL: as they say. */
struct kube_choice {
    const char *context;
    const char *as;
    const char *as_uid;
    const json_t *as_groups; /* list of texts */
    const json_t *as_extra;  /* name -> list of texts */
    int explicit;            /* a configuration was named: never that of the pod */
};

/* Fills *ret_access (zeroed by the caller; clear it in any case). */
int kube_access_choose(const json_t *config, const struct kube_choice *choice,
                       const struct kube_environment *environment, struct kube_access *ret_access,
                       struct error *reterr);

void kube_access_clear(struct kube_access *access);

#define cleanup_kube_access __attribute__((cleanup(kube_access_clear)))

#endif
