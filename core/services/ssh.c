#include "services/ssh.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "services/secret.h"

struct salvor_ssh_host {
    struct ssh_host host;
};

static void close_host(struct worker_call *call, void *handle)
{
    (void)call;
    struct salvor_ssh_host *host = handle;
    ssh_target_put(host->host.target);
    ssh_key_put(host->host.key);
    free(host);
}

const struct ssh_host *ssh_host_of(struct worker_call *call, salvor_ssh_host *handle)
{
    if (call_owns(call, handle, close_host))
        return &handle->host;
    (void)call_fail(call, SALVOR_BUG, "an ssh host is not open in this call");
    return NULL;
}

static salvor_status take_key(struct worker_call *call, salvor_secret *secret,
                              struct ssh_key **ret_key)
{
    cleanup_error struct error err = ERROR_INIT;
    struct salvor_span value = {0};
    *ret_key = NULL;
    if (secret == NULL)
        return SALVOR_OK;
    salvor_status status = secret_view(call, secret, &value);
    if (status != SALVOR_OK)
        return status;
    return ssh_key_take(value.data, (size_t)value.size, ret_key, &err) == 0
               ? SALVOR_OK
               : call_fail_error(call, SALVOR_FAILED, &err);
}

/* Nothing is connected here: that is done when it is needed, for many hosts at once. */
static salvor_status host_open(salvor_call *public_call, const char *options, salvor_secret *key,
                               salvor_ssh_host **ret_host)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    struct ssh_host host = {0};
    if (options == NULL || ret_host == NULL)
        return call_fail(call, SALVOR_BUG, "ssh.host_open: an argument is missing");
    *ret_host = NULL;
    if (ssh_target_parse(options, &host.target, &err) != 0)
        return call_fail_error(call, err.code == EXIT_USAGE ? SALVOR_FAILED : SALVOR_BUG, &err);
    salvor_status status = take_key(call, key, &host.key);
    if (status != SALVOR_OK) {
        ssh_target_put(host.target);
        return status;
    }
    struct salvor_ssh_host *handle = memory_new(1, sizeof *handle);
    handle->host = host;
    call_register(call, handle, close_host);
    *ret_host = handle;
    return SALVOR_OK;
}

static void host_close(salvor_call *public_call, salvor_ssh_host *handle)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, handle, close_host))
        return;
    call_forget(call, handle);
    close_host(call, handle);
}

const struct salvor_ssh ssh_table = {
    .struct_size = sizeof(struct salvor_ssh),
    .version = 1,
    .host_open = host_open,
    .run = ssh_run,
    .submit = ssh_submit,
    .job_start = ssh_job_start,
    .job_poll = ssh_job_poll,
    .job_wait = ssh_job_wait,
    .job_kill = ssh_job_kill,
    .put = ssh_put,
    .get = ssh_get,
    .host_close = host_close,
};
