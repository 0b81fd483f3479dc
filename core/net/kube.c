#include "net/kube.h"

#include "base/banned.h"

const struct salvor_kube kube_table = {
    .struct_size = sizeof(struct salvor_kube),
    .version = 1,
    .client_open = kube_client_open,
    .discovery = kube_discover,
    .request = kube_request,
    .submit = kube_submit,
    .list_open = kube_list_open,
    .list_next = kube_list_next,
    .list_close = kube_list_close,
    .wait = kube_wait,
    .client_close = kube_client_close,
};
