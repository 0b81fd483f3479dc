/*
 * The service calls that work on stores elsewhere: "store.NAME" for each work of store-work.h, with
 * the work's request and beside it "store" (config_store). Secrets by name: "access-key",
 * "secret-key", "session-token", and the private keys (identity_secret_name). Rows come as ITEM
 * frames of kind "set".
 */
#ifndef SALVOR_NET_STORE_CALLS_H
#define SALVOR_NET_STORE_CALLS_H

#include "worker/service-calls.h"

/* Ends with name NULL. */
extern const struct service_command store_commands[];

#endif
