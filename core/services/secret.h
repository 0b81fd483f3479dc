/*
 * salvor.secret: see sdk/include/salvor/services.h. Values come from the parent by REQUEST and live
 * in locked memory until the handle is closed or the call ends:
 *
 *   {"ask":"secret","option":NAME}            -> {"found":bool,"value":base64}
 *   {"ask":"redact","value":base64}           -> {}
 *   {"ask":"seal","name":NAME,"value":base64} -> {}
 *   {"ask":"unseal","name":NAME}              -> {"found":bool,"value":base64}
 */
#ifndef SALVOR_SERVICES_SECRET_H
#define SALVOR_SERVICES_SECRET_H

#include "worker/call.h"

extern const struct salvor_secrets secrets_table;

enum { SECRET_VALUE_LIMIT = 65536 };

/* For other services: what the parent has a reference for under `name`, whatever options the plugin
 * has; `what` is what errors call it. */
salvor_status secret_ask(struct worker_call *call, const char *name, const char *what,
                         salvor_secret **ret_secret);

/* For other services: kept sealed until the run is closed, under a name of [a-z0-9-] that begins
 * with "salvor-" (plugins' names do not). recall: NOT_FOUND when there is none. */
salvor_status secret_remember(struct worker_call *call, const char *name, const void *data,
                              size_t size);
salvor_status secret_recall(struct worker_call *call, const char *name, salvor_secret **ret_secret);

/* Zeroes and releases a handle before the call ends. */
void secret_drop(struct worker_call *call, salvor_secret *secret);

/* The bytes behind a live handle of this call; BUG for any other pointer. Valid until it is closed.
 */
salvor_status secret_view(struct worker_call *call, salvor_secret *secret,
                          struct salvor_span *ret_value);

/* A value that a service came by itself (a token of a kubeconfig): redacted everywhere from now on,
 * without a handle. Values of more than SECRET_VALUE_LIMIT bytes are BUG. */
salvor_status secret_redact(struct worker_call *call, const void *data, size_t size);

#endif
