#include <string.h>

#include "base/banned.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-task.h"
#include "net/kube.h"

/* Memory of the call, so that it outlives the task. */
static struct salvor_span keep(struct worker_call *call, struct salvor_span body)
{
    return (struct salvor_span){call_keep_text(call, body.data, (size_t)body.size), body.size};
}

salvor_status kube_request(salvor_call *public_call, salvor_kube_client *client,
                           const struct salvor_kube_request *request, int32_t *ret_code,
                           struct salvor_span *ret_body)
{
    struct worker_call *call = call_of(public_call);
    struct kube_task *task = NULL;
    const int64_t began = clock_monotonic_ms();
    if (ret_code == NULL || ret_body == NULL)
        return call_fail(call, SALVOR_BUG, "kube.request: an argument is missing");
    *ret_code = 0;
    *ret_body = (struct salvor_span){NULL, 0};
    salvor_status status = kube_task_make(call, client, "kube.request", request, &task);
    if (status != SALVOR_OK)
        return status;
    status = kube_task_perform(task, &client->rule);
    struct batch_outcome *outcome = &task->task.outcome;
    kube_task_tell(call, task, clock_monotonic_ms() - began);
    if (!task->stopped && status != SALVOR_OK) {
        (void)error_prefix(&outcome->error, "cannot %s", task->what);
        (void)call_fail_error(call, status, &outcome->error);
    } else if (status == SALVOR_OK) {
        *ret_code = outcome->code;
        *ret_body = keep(call, kube_task_body(task));
        if (outcome->code == 404)
            status = call_fail(call, SALVOR_NOT_FOUND, "cannot %s: it does not exist", task->what);
    }
    kube_task_free(task);
    return status;
}

salvor_status kube_submit(salvor_call *public_call, salvor_batch *batch, salvor_kube_client *client,
                          uint64_t tag, const struct salvor_kube_request *request)
{
    struct worker_call *call = call_of(public_call);
    struct kube_task *task = NULL;
    salvor_status status = batch_room(call, batch);
    if (status != SALVOR_OK)
        return status;
    status = kube_task_make(call, client, "kube.submit", request, &task);
    if (status != SALVOR_OK)
        return status;
    batch_submit(call, batch, tag, &task->task);
    return SALVOR_OK;
}
