/*
 * The border between the program and its private library of network services. The library is
 * written against worker/call.h, services/secret.h, services/recorder.h and so on like any other
 * service; bridge.c in it defines what those headers declare by calling back through this table,
 * which the program hands over. So nothing has to be exported by the program, and the state behind
 * those functions exists once.
 *
 * Both sides are of one build: the library is refused unless version and stamp (a digest of the
 * headers that cross the border, CMakeLists.txt) are the program's own.
 */
#ifndef SALVOR_NET_BRIDGE_H
#define SALVOR_NET_BRIDGE_H

#include "services/recorder.h"
#include "services/secret.h"
#include "worker/call.h"
#include "worker/service-calls.h"

struct net_bridge {
    /* worker/call.h */
    salvor_status (*fail)(struct worker_call *call, salvor_status status, const char *text);
    salvor_status (*fail_error)(struct worker_call *call, salvor_status status, struct error *err);
    salvor_status (*hint)(struct worker_call *call, salvor_status status, const char *text);
    salvor_status (*may_change)(struct worker_call *call, const char *what);
    void *(*keep)(struct worker_call *call, size_t size);
    char *(*keep_text)(struct worker_call *call, const char *data, size_t size);
    void (*register_handle)(struct worker_call *call, void *handle,
                            void (*close_handle)(struct worker_call *call, void *handle));
    void (*forget)(struct worker_call *call, const void *handle);
    int (*owns)(const struct worker_call *call, const void *handle,
                void (*close_handle)(struct worker_call *call, void *handle));
    void (*send)(struct worker_call *call, enum frame_type type, json_t *body);
    salvor_status (*ask)(struct worker_call *call, json_t *request, json_t **ret_reply);
    salvor_status (*hear)(struct worker_call *call, int64_t timeout_ms, json_t **ret_body);
    void (*state)(struct worker_call *call, int64_t serial, json_t *state);
    void (*evidence)(struct worker_call *call, json_t *body);
    salvor_status (*wait)(struct worker_call *call, struct pollfd *fds, nfds_t count,
                          int64_t timeout_ms);
    int64_t (*time_left)(const struct worker_call *call);
    void (*keep_descriptor)(int fd);
    void (*forget_descriptor)(int fd);
    int (*keeps_descriptor)(int fd);
    const char *(*setting)(const struct worker_call *call, const char *name);

    /* worker/service-calls.h, worker/interfaces.h */
    void (*commands_register)(const struct service_command *commands);
    const void *(*interface_find)(const char *name, uint32_t min_version, struct error *reterr);

    /* services/recorder.h, services/secret.h */
    int (*records)(const struct recorder *recorder);
    int (*replays)(const struct recorder *recorder);
    salvor_status (*save)(struct worker_call *call, const char *service, const char *method,
                          const json_t *request, salvor_status status, json_t *answer,
                          const char *path);
    salvor_status (*replay)(struct worker_call *call, const char *service, const char *method,
                            const json_t *request, const char *path, json_t **ret_answer);
    salvor_status (*secret_view)(struct worker_call *call, salvor_secret *secret,
                                 struct salvor_span *ret_value);
    salvor_status (*secret_redact)(struct worker_call *call, const void *data, size_t size);

    /* host/redact.h: the worker's own copy, for recordings */
    void (*redact_add)(const void *data, size_t size);
    char *(*redact_text)(const char *text);
    void (*redact_json)(json_t *json);

    /* base/kill-point.h; NULL without test hooks */
    void (*kill_point)(const char *row, const char *event);
};

struct batch_access; /* net/batch.h */

/* One table that the library offers. */
struct net_table {
    const char *name; /* "salvor.http" */
    uint32_t version;
    const void *table;
};

#define NET_BORDER_SYMBOL "salvor_net_border"

/* What the library exports, one constant, read before anything of it is called. */
struct net_border {
    const char *version; /* of salvor */
    const char *stamp;
    /* `bridge` lives as long as the process. The tables end with name NULL. */
    const struct net_table *(*open)(const struct net_bridge *bridge);
    const struct batch_access *batch; /* net/batch.h: for services of the program */
};

#endif
