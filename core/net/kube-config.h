/*
 * kubeconfig files as kubectl reads and merges them: $KUBECONFIG names several, of which missing
 * ones are passed over; of entries with the same name, and of the current context, the first counts
 * as a whole; relative paths start at the file that holds them.
 *
 * The merged configuration is JSON in the spelling of the files, without what is not set or not
 * known, names as keys, contents in base64 without line breaks:
 *
 *   {"current-context":TEXT, "files":[PATH,…],
 *    "clusters":{NAME:{"server",…,"origin":PATH,
 *                      "extensions":{NAME:…}}},
 *    "users":{NAME:{"token",…,"origin"}},
 * "contexts":{NAME:{"cluster","user","namespace","origin"}}}
 */
#ifndef SALVOR_NET_KUBE_CONFIG_H
#define SALVOR_NET_KUBE_CONFIG_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

enum { KUBE_CONFIG_SIZE = 16 << 20, KUBE_CONFIG_FILES = 64 };

/* Where kubectl would look; NULL: not set. */
struct kube_environment {
    const char *kubeconfig; /* $KUBECONFIG */
    const char *home;
    const char *service_host; /* $KUBERNETES_SERVICE_HOST and _PORT, inside a cluster */
    const char *service_port;
    const char *account; /* folder of the service account's token and ca.crt */
};

void kube_environment_get(struct kube_environment *ret_environment);

/* Reads `path` alone, which must exist, or when it is NULL what `environment` names. *ret_config is
 * the caller's, to be released with kube_config_free; without any file it has no entries. */
int kube_config_load(const char *path, const struct kube_environment *environment,
                     json_t **ret_config, struct error *reterr);

/* One configuration that is no file; relative paths start at `folder`. */
int kube_config_read(const char *text, size_t size, const char *name, const char *folder,
                     json_t **ret_config, struct error *reterr);

/* Zeroes every text before its memory goes. */
void kube_config_free(json_t *config);

static inline void kube_config_free_at(json_t **config)
{
    kube_config_free(*config);
}

#define cleanup_kube_config __attribute__((cleanup(kube_config_free_at)))

#endif
