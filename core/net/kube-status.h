/* What the API server says when it does not do what it was asked: a Status object. */
#ifndef SALVOR_NET_KUBE_STATUS_H
#define SALVOR_NET_KUBE_STATUS_H

#include <salvor/types.h>

#include "worker/call.h"

/*
 * Records "cannot WHAT: 403 Forbidden", the server's own words as detail, and the next step.
 * Returns NOT_FOUND for 404, RETRY for what passes by itself, else FAILED.
 */
salvor_status kube_status_failed(struct worker_call *call, const char *what, int32_t code,
                                 struct salvor_span body);

/* metadata.continue of a Status (410), owned by the caller; NULL: there is none. */
char *kube_status_continue(struct salvor_span body);

/* 1: a 404 with this body comes from a proxy or some other server, not from an API server: it says
 * nothing about the object. */
int kube_status_is_foreign(struct salvor_span body);

/* Its reason ("AlreadyExists"), owned by the caller; NULL: it is no Status or has none. */
char *kube_status_reason(struct salvor_span body);

#endif
