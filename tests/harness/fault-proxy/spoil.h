/* Answers that are wrong on purpose. */
#ifndef FAULT_PROXY_SPOIL_H
#define FAULT_PROXY_SPOIL_H

#include "fault-proxy/fault-rules.h"
#include "fault-proxy/message.h"

/* An answer with rule->status as a Kubernetes API server or a proxy before it would give. */
int spoil_status(const struct fault_rule *rule, struct stream *client);

/* The upstream's whole answer, spoilt; the connection is to be ended afterwards. */
void spoil_answer(const struct fault_rule *rule, const struct message *answer,
                  struct stream *client);

#endif
