/*
 * Where to, as whom, and whom to trust: the options of host_open, checked.
 *
 *   {"host": name or address, "port": 22, "user": NAME,
 *    "known_hosts": FILE            host keys as ssh keeps them; without it and without
 *                                   "fingerprint": those of the user and of the machine
 *    "fingerprint": "SHA256:…"      or a list of them: the host's key must be one of these
 *    "sudo": false                  everything there goes through sudo -n
 *    "shell": "posix"               "windows": cmd.exe or PowerShell, which take plain words only
 *    "jump": {"host",…}             the same members but sudo, shell and job_folder; may nest
 *    "connect_ms": 20000, "alive_ms": 10000,
 *    "job_folder": FOLDER}          there, absolute; for hosts whose home does not survive a
 * restart
 */
#ifndef SALVOR_SERVICES_SSH_TARGET_H
#define SALVOR_SERVICES_SSH_TARGET_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct ssh_target {
    char *host;
    char *user;           /* NULL: that of this process */
    char *known_hosts;    /* absolute path, or NULL */
    char *fingerprints;   /* "SHA256:…,SHA256:…", or NULL */
    char *job_folder;     /* or NULL */
    char *name;           /* "user@host:port", for messages, evidence and recordings */
    char *connection_key; /* canonical text of what makes a connection; equal: may be shared */
    struct ssh_target *jump;
    int64_t connect_ms;
    int64_t alive_ms;
    int port;
    int sudo;
    int windows;
    size_t users; /* references */
};

/* -1: *reterr, EXIT_USAGE where a value is no good, EXIT_FAILED where the JSON breaks the contract.
 */
int ssh_target_parse(const char *options, struct ssh_target **ret_target, struct error *reterr);
struct ssh_target *ssh_target_ref(struct ssh_target *target);
void ssh_target_put(struct ssh_target *target);

#endif
