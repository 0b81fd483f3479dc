/* What the tests of client and worker share: a parent that looks after what it leaves behind, the
 * bodies of calls, and a listener that remembers. */
#ifndef SALVOR_TESTS_WORKER_PARENT_H
#define SALVOR_TESTS_WORKER_PARENT_H

#include "../../unit/unit.h"

#include <jansson.h>

#include "host/client.h"

/* Remembers every frame as {"frame":name,"body":{…}}; grants checkpoints. */
struct heard {
    json_t *frames;
    int ticks;
    int cancel_at_tick; /* 0: never; the tick from which it asks to stop */
    int kill_at_tick;
    int refuse_frames; /* the listener takes no frame */
    int refuse_checkpoints;
    int refusal_is_final; /* after it nothing more may happen, as with a journal that failed */
};

void heard_clear(struct heard *heard);
struct client_listener heard_listener(struct heard *heard);

/* First remembered frame of that name, or NULL; borrowed body. */
const json_t *heard_frame(const struct heard *heard, const char *name);
int heard_count(const struct heard *heard, const char *name);

/* Main functions call this first: a worker does not come back from it. Also makes crashes of
 * sanitized workers real ones. */
void parent_begin(int argc, char **argv);

/* Path of a mock plugin, owned by the caller. */
char *mock_path(const char *name);

/* A client for a mock; `options` is stolen and may be NULL. */
struct client *mock_client(const char *name, int per_call, json_t *options);

void parent_free(struct client *client);
/* Teardown of every test: frees the clients that a failed one left. */
int parent_clean(void **state);

/* Body of a CALL for that hook of the mocks, owned by the caller. */
json_t *mock_call(const char *hook, int64_t deadline_ms);

/* Closes the client, whose worker must end well (a sanitizer would have its say there), and fails
 * when this process has other descriptors than `before` (from parent_descriptors) or any child
 * left. */
json_t *parent_descriptors(void);
void parent_check(struct client *client, json_t *before);

void expect_text(const char *text, const char *expected, const char *about);

#endif
