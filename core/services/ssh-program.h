/* How ssh is called: everything is said on its command line, no configuration file is read. */
#ifndef SALVOR_SERVICES_SSH_PROGRAM_H
#define SALVOR_SERVICES_SSH_PROGRAM_H

#include <jansson.h>
#include <salvor/types.h>

#include "base/error.h"
#include "services/ssh-target.h"

struct ssh_call {
    const char *program; /* path of ssh */
    const char *socket;  /* control socket to make */
    int with_key;        /* the private key is its standard input; 0: the agent */
    const char *without; /* patterns of host key algorithms left out, "*ed25519*,…"; or NULL */
    const char *through; /* control socket of the jump host's connection, or NULL */
};

/* Arguments and environment of a foreground master for the target; owned by the caller. */
json_t *ssh_master_argv(const struct ssh_target *target, const struct ssh_call *call);
json_t *ssh_master_env(void);

/* Path of ssh, owned by the caller; NULL: not there. */
char *ssh_find_program(void);

/*
 * What `text`, the standard error of an ssh that ended, means for the target: *reterr is filled.
 * REFUSED: the host's key is not the expected one; FAILED: the host or ssh will not; RETRY: the
 * network, or a host that is busy.
 */
salvor_status ssh_explain(const struct ssh_target *target, const char *text, struct error *reterr);

/* The host key that the target showed and the pins refused: its type, or NULL. Owned by the caller,
 * as *ret_fingerprint is. */
char *ssh_refused_key(const char *text, char **ret_fingerprint);

/* 1: it showed one. */
int ssh_shows_refused_key(const char *text);

/* KnownHostsCommand: argv[1] pinned fingerprints, argv[2] host as it stands in known_hosts, argv[3]
 * type, argv[4] key in base64. Prints the line that ssh looks for when the key is pinned. */
#define SSH_HOST_KEY_COMMAND "__ssh-host-key"
int ssh_host_key_main(int argc, char **argv);

#endif
