/*
 * Credentials from a plugin that a kubeconfig names under "exec": started without a shell, told
 * what it may know in $KUBERNETES_EXEC_INFO, heard as client.authentication.k8s.io/v1 or v1beta1.
 * What it prints is secret.
 */
#ifndef SALVOR_NET_KUBE_PLUGIN_H
#define SALVOR_NET_KUBE_PLUGIN_H

#include <jansson.h>
#include <stdint.h>

#include "worker/call.h"

struct kube_plugin_answer {
    char *token;        /* locked, or NULL */
    char *certificate;  /* PEM, or NULL */
    char *key;          /* locked; with `certificate` */
    int64_t expires_ms; /* Unix epoch; 0: it does not say */
};

/* `exec`: as in kube_access. Clear *ret_answer (zeroed by the caller) in any case. */
salvor_status kube_plugin_run(struct worker_call *call, const json_t *exec,
                              struct kube_plugin_answer *ret_answer);

/* What a plugin prints, as an answer; `version` is the one it was asked in. */
int kube_plugin_read(const char *text, size_t size, const char *version,
                     struct kube_plugin_answer *ret_answer, struct error *reterr);

void kube_plugin_clear(struct kube_plugin_answer *answer);

#endif
