/*
 * Looks up the addresses of a host without ever holding the caller up: getaddrinfo runs in a thread
 * of its own, named "salvor-resolve", whose descriptors are in a table of its own, so that whoever
 * gives a lookup up leaves nothing behind that could be seen or closed by mistake.
 */
#ifndef SALVOR_NET_RESOLVE_H
#define SALVOR_NET_RESOLVE_H

struct lookup;

/* Begins; `ready` is called in net_wait when the answer is there, unless lookup_drop came first.
 * NULL: out of descriptors. */
struct lookup *lookup_begin(const char *host, void (*ready)(void *owner), void *owner);

/* In `ready`: addresses as "1.2.3.4,[::1]", or NULL with why not in *ret_failure; both borrowed. */
const char *lookup_addresses(const struct lookup *lookup, const char **ret_failure);

void lookup_drop(struct lookup *lookup);

/* 1 for addresses and "localhost", which need no lookup. */
int lookup_is_needless(const char *host);

#endif
