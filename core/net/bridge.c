/* In the library only: what the headers of the program declare, through the program's table. */
#include "net/bridge.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "host/redact.h"
#include "net/library.h"
#include "worker/interfaces.h"

static const struct net_bridge *host;

void bridge_set(const struct net_bridge *bridge)
{
    host = bridge;
}

/* ---- worker/call.h --------------------------------------------------------------------------- */

salvor_status(call_fail)(struct worker_call *call, salvor_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    return host->fail(call, status, text);
}

salvor_status(call_fail_error)(struct worker_call *call, salvor_status status, struct error *err)
{
    return host->fail_error(call, status, err);
}

salvor_status(call_hint)(struct worker_call *call, salvor_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    return host->hint(call, status, text);
}

salvor_status call_may_change(struct worker_call *call, const char *what)
{
    return host->may_change(call, what);
}

void *call_keep(struct worker_call *call, size_t size)
{
    return host->keep(call, size);
}

char *call_keep_text(struct worker_call *call, const char *data, size_t size)
{
    return host->keep_text(call, data, size);
}

void call_register(struct worker_call *call, void *handle,
                   void (*close_handle)(struct worker_call *call, void *handle))
{
    host->register_handle(call, handle, close_handle);
}

void call_forget(struct worker_call *call, const void *handle)
{
    host->forget(call, handle);
}

int call_owns(const struct worker_call *call, const void *handle,
              void (*close_handle)(struct worker_call *call, void *handle))
{
    return host->owns(call, handle, close_handle);
}

void call_send(struct worker_call *call, enum frame_type type, json_t *body)
{
    host->send(call, type, body);
}

salvor_status call_ask(struct worker_call *call, json_t *request, json_t **ret_reply)
{
    return host->ask(call, request, ret_reply);
}

salvor_status call_hear(struct worker_call *call, int64_t timeout_ms, json_t **ret_body)
{
    return host->hear(call, timeout_ms, ret_body);
}

void call_state(struct worker_call *call, int64_t serial, json_t *state)
{
    host->state(call, serial, state);
}

void call_evidence(struct worker_call *call, json_t *body)
{
    host->evidence(call, body);
}

salvor_status call_wait(struct worker_call *call, struct pollfd *fds, nfds_t count,
                        int64_t timeout_ms)
{
    return host->wait(call, fds, count, timeout_ms);
}

int64_t call_time_left(const struct worker_call *call)
{
    return host->time_left(call);
}

void worker_keep_descriptor(int fd)
{
    host->keep_descriptor(fd);
}

void worker_forget_descriptor(int fd)
{
    host->forget_descriptor(fd);
}

int worker_keeps_descriptor(int fd)
{
    return host->keeps_descriptor(fd);
}

const char *call_setting(const struct worker_call *call, const char *name)
{
    return host->setting(call, name);
}

/* ---- tables and commands --------------------------------------------------------------------- */

void service_commands_register(const struct service_command *commands)
{
    host->commands_register(commands);
}

const void *interface_find(const char *name, uint32_t min_version, struct error *reterr)
{
    return host->interface_find(name, min_version, reterr);
}

/* ---- recorder and secrets -------------------------------------------------------------------- */

int recorder_records(const struct recorder *recorder)
{
    return host->records(recorder);
}

int recorder_replays(const struct recorder *recorder)
{
    return host->replays(recorder);
}

salvor_status recorder_save(struct worker_call *call, const char *service, const char *method,
                            const json_t *request, salvor_status status, json_t *answer,
                            const char *path)
{
    return host->save(call, service, method, request, status, answer, path);
}

salvor_status recorder_replay(struct worker_call *call, const char *service, const char *method,
                              const json_t *request, const char *path, json_t **ret_answer)
{
    return host->replay(call, service, method, request, path, ret_answer);
}

salvor_status secret_view(struct worker_call *call, salvor_secret *secret,
                          struct salvor_span *ret_value)
{
    return host->secret_view(call, secret, ret_value);
}

salvor_status secret_redact(struct worker_call *call, const void *data, size_t size)
{
    return host->secret_redact(call, data, size);
}

void redact_add(const void *data, size_t size)
{
    host->redact_add(data, size);
}

char *redact_text(const char *text)
{
    return host->redact_text(text);
}

void redact_json(json_t *json)
{
    host->redact_json(json);
}

#ifdef SALVOR_TEST_HOOKS
void kill_point(const char *row, const char *event)
{
    host->kill_point(row, event);
}
#endif
