/*
 * A host to talk to by ssh, for tests: a listener on 127.0.0.1 with a port of the kernel's choice,
 * that gives each connection to a real `sshd -i` of its own and carries the bytes to and fro. It
 * can cut, reset or stall a connection after any number of bytes in either direction.
 *
 * The server is a child process; what it runs ends with it. Without sshd on the machine
 * sshd_start answers NULL and the test is skipped.
 */
#ifndef SALVOR_TESTS_SSHD_H
#define SALVOR_TESTS_SSHD_H

#include <stdint.h>
#include <sys/types.h>

enum sshd_cut {
    SSHD_CUT_NONE,
    SSHD_CUT_CLOSE,
    SSHD_CUT_RESET,
    SSHD_CUT_STALL /* nothing passes any more, and nobody is told */
};

/* Shared with the server; written by the test while nothing is connected, or when it does not
 * matter to the byte. */
struct sshd_rules {
    volatile int cut;                /* enum sshd_cut */
    volatile int64_t cut_up;         /* bytes from the client let through before; -1: not counted */
    volatile int64_t cut_down;       /* bytes from the server */
    volatile int64_t cut_connection; /* only in that one, from 1; 0: in each */
    volatile int cut_all;            /* 1: all that are open are cut, and it is 0 again */
    volatile int refuse;             /* 1: connections are closed at once */
    volatile int64_t connections;    /* accepted so far */
    volatile int64_t up;             /* bytes of the connection that was made last */
    volatile int64_t down;
};

struct sshd_settings {
    const char *host_keys;  /* types, "ed25519" or "rsa ed25519"; NULL: ed25519 */
    const char *configured; /* further lines of sshd_config, which win, or NULL */
    const char *address;    /* NULL: 127.0.0.1 */
};

struct sshd {
    char *folder;
    char *home; /* of the commands there; no start-up files */
    char *known_hosts;
    char *key_file; /* the client's */
    char *key;      /* its text */
    char *user;
    char *address;
    int port;
    pid_t server;
    struct sshd_rules *rules;
};

/* NULL: there is no sshd, or it cannot run here. Ends the program when something else fails. */
struct sshd *sshd_start(const struct sshd_settings *settings);
void sshd_stop(struct sshd *host);

/* Fingerprint of its key of that type ("ed25519"), as ssh-keygen -l prints it; owned by the caller.
 */
char *sshd_fingerprint(const struct sshd *host, const char *type);

/* Options for host_open with known_hosts, and `more` members (",\"sudo\":true" or ""); owned by the
 * caller. */
char *sshd_options(const struct sshd *host, const char *more);

#endif
