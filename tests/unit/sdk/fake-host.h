/* A host in memory that records what a plugin does, and whose n-th call can be made to fail. */
#ifndef SALVOR_TESTS_FAKE_HOST_H
#define SALVOR_TESTS_FAKE_HOST_H

#include <salvor/plugin.h>
#include <stddef.h>

struct fake_option {
    const char *name;
    const char *text;
    int64_t integer;
};

struct fake_artifact {
    const char *name;
    const char *data;
    size_t size;
};

struct fake_host {
    /* what it offers; set by the test */
    const struct fake_option *options; /* ended by a NULL name */
    const struct fake_artifact *artifacts;
    const struct fake_option *secrets; /* by name of the option, ended by a NULL name */
    const char *facts;
    const char *last_checkpoint;
    size_t read_at_most; /* bytes a stream read gives; 0: all */
    uint64_t fail_call;  /* number of the host call that fails, from 1; 0: none */

    /* what happened */
    uint64_t calls;
    unsigned open_streams;
    salvor_status reported;
    char message[5000];
    char detail[512];
    char hint[256];
    char recorded[32768]; /* one line a recorded action: "fact info name {...}" */
};

/* A call of that host; valid as long as the host. */
salvor_call *fake_call(struct fake_host *host);

/* Forgets what happened, keeps what is offered. */
void fake_reset(struct fake_host *host);

#endif
