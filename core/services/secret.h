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

/* The bytes behind a live handle of this call; BUG for any other pointer. Valid until it is closed.
 */
salvor_status secret_view(struct worker_call *call, salvor_secret *secret,
                          struct salvor_span *ret_value);

#endif
