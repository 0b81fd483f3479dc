/*
 * Connections to hosts: one ssh as foreground master each, a child of this process under a shim
 * that ends with it. Commands go through its control socket (ssh-mux.h). Nothing here waits: a
 * connection that is being made has a descriptor to wait for, and tells those who wait for it.
 *
 * Connections stay open between the calls of a worker. What is made of a host's key: with
 * "known_hosts" ssh itself looks it up; a pinned fingerprint is compared by this program, started
 * by ssh in the key exchange (KnownHostsCommand). Either way ssh sends nothing of the user before.
 */
#ifndef SALVOR_SERVICES_SSH_CONNECTION_H
#define SALVOR_SERVICES_SSH_CONNECTION_H

#include <salvor/types.h>
#include <stdint.h>

#include "base/error.h"
#include "services/ssh-key.h"
#include "services/ssh-target.h"

struct ssh_connection;

enum ssh_connection_state { SSH_CONNECTING, SSH_READY, SSH_DOWN };

/* Somebody who waits for it; called once when it is ready or down. */
struct ssh_waiter {
    struct ssh_waiter *next;
    void (*wake)(struct ssh_waiter *waiter);
};

/* A live connection to the target with that key (NULL: agent), or one that begins now. *ret_reused:
 * it was there before. Give it back with ssh_connection_put. */
struct ssh_connection *ssh_connection_get(struct ssh_target *target, struct ssh_key *key,
                                          int *ret_reused);

enum ssh_connection_state ssh_connection_state(const struct ssh_connection *connection);

/* While it connects: readable when ssh_connection_step has something to do, at the latest then. */
int ssh_connection_fd(const struct ssh_connection *connection);
int64_t ssh_connection_due(const struct ssh_connection *connection);
void ssh_connection_step(struct ssh_connection *connection);
void ssh_connection_await(struct ssh_connection *connection, struct ssh_waiter *waiter);
void ssh_connection_forget(struct ssh_connection *connection, const struct ssh_waiter *waiter);

/* Ready: path of the control socket. */
const char *ssh_connection_socket(const struct ssh_connection *connection);

/* Down: what to answer (RETRY, REFUSED, FAILED) and why; copies into *reterr. */
salvor_status ssh_connection_failure(const struct ssh_connection *connection, struct error *reterr);

/* It is not used again: what is tried next gets a new one. */
void ssh_connection_drop(struct ssh_connection *connection);

/* No longer used; a ready one stays open for the next. */
void ssh_connection_put(struct ssh_connection *connection);

/* Ends those that nobody uses. */
void ssh_connections_close(void);

/* How many there are, for tests. */
size_t ssh_connections_count(void);

#endif
