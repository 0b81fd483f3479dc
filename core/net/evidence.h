/*
 * What the journal keeps of requests. One record a request:
 *
 *   {"service":"http","what":"GET policies.list","url":"https://h:443/policies?page_size=…",
 *    "status":200,"certainty":"answered","attempts":1,"sent_bytes","answer_bytes","first_byte_ms",
 *    "http":"1.1","fault":"timeout","peer":sha256 of a new connection's certificate,
 *    "duration_ms"}
 *
 * or, in bulk, counters by (verb, type, status) with the time that answers took, and a full record
 * only for what was not expected:
 *
 *   {"service":"kube","what":"class objects","class":"objects","counts":[{"verb","type","status",
 *    "count","ms":{"2":17,"4":80,…}}],"duration_ms"}
 *
 * "ms" counts answers by the power of two that they stayed below. Values of a query are left out
 * unless the service names the key as harmless; bodies and headers are never recorded.
 */
#ifndef SALVOR_NET_EVIDENCE_H
#define SALVOR_NET_EVIDENCE_H

#include "net/transport.h"

/* "answered", "sent", "not-sent"; "trust", "cut", … and NULL for NET_FAULT_NONE. */
const char *evidence_certainty(uint32_t certainty);
const char *evidence_fault(enum net_fault fault);

/* "/path?limit=500&continue=…": values of the keys in `shown` (ends with NULL; may be NULL) stay.
 * Owned by the caller. */
char *evidence_target(const char *target, const char *const *shown);

/* The record of a finished transfer, without duration of earlier attempts: to be added to and given
 * to call_evidence. `type`: what it was about, for the heading, e.g. its call site. */
json_t *evidence_of(const char *service, const struct net_transfer *transfer, const char *type,
                    const char *const *shown, uint32_t attempts);

/* ---- classes --------------------------------------------------------------------------------- */

struct evidence_class;

/* `name` is copied. */
struct evidence_class *evidence_class_new(const char *service, const char *name);

/* Counts one request; `status`: HTTP status or exit status, -1 without an answer; `ms` -1: no time
 * to be counted. */
void evidence_class_count(struct evidence_class *class, const char *verb, const char *type,
                          int32_t status, int64_t ms);

/* 1 as long as another full record is welcome: the first hundred of a class are. */
int evidence_class_wants(struct evidence_class *class);

/* Sends what was counted since the last time (nothing: no record). */
void evidence_class_send(struct worker_call *call, struct evidence_class *class);

void evidence_class_free(struct evidence_class *class);

#endif
