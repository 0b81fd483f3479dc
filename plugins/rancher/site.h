/* What there is: the cluster, Rancher on it, the operator of Rancher Backups. */
#ifndef SALVOR_RANCHER_SITE_H
#define SALVOR_RANCHER_SITE_H

#include <salvor/helpers.h>

#include "versions.h"

/* Facts of the site. */
#define FACT_CLUSTER "kube-system-uid"         /* identity */
#define FACT_INSTALLATION "install-uuid"       /* info: a restore may bring it back */
#define FACT_RANCHER_VERSION "rancher-version" /* info; "" when Rancher is not there */
#define FACT_REPLICAS "rancher-replicas"       /* guard: null when there is no such Deployment */
#define FACT_KUBERNETES "kubernetes-version"   /* info */
#define FACT_SERVER_URL "server-url"           /* info */
#define FACT_OPERATOR "operator-version"       /* info; null when it is not there */

#define OPERATOR_NAMESPACE "cattle-resources-system"
#define RANCHER_NAMESPACE "cattle-system"

struct site {
    char cluster_uid[64];
    struct version kubernetes;
    int has_rancher;  /* the Deployment cattle-system/rancher */
    int64_t replicas; /* of it */
    int64_t ready;
    struct version rancher; /* setting server-version, else the image's tag */
    char image_version[64]; /* the image's tag */
    char server_url[512];
    char install_uuid[64];
    int has_settings; /* Rancher's settings, that is its definitions, are there */
    int has_operator; /* the Deployment rancher-backup */
    int64_t operator_replicas;
    char operator_version[64]; /* of the image's tag */
    char operator_chart[128];  /* label helm.sh/chart */
};

/* Looks at all of it. */
salvor_status site_look(salvor_call *call, salvor_kube_client *client, struct site *ret_site);

/* Puts facts named in the list (NULL: all) through salvor.inventory. */
salvor_status site_put_facts(salvor_call *call, const struct site *site, const json_t *names);

/* The hooks 'discover' and 'observe'. */
salvor_status rancher_discover(salvor_call *call);
salvor_status rancher_observe(salvor_call *call, const char *names);

#endif
