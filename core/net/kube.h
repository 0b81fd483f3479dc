/* salvor.kube: see sdk/include/salvor/services.h. */
#ifndef SALVOR_NET_KUBE_H
#define SALVOR_NET_KUBE_H

#include <salvor/services.h>

extern const struct salvor_kube kube_table;

salvor_status kube_client_open(salvor_call *call, const char *options,
                               salvor_kube_client **ret_client);
void kube_client_close(salvor_call *call, salvor_kube_client *client);
salvor_status kube_discover(salvor_call *call, salvor_kube_client *client,
                            struct salvor_span *ret_json);
salvor_status kube_request(salvor_call *call, salvor_kube_client *client,
                           const struct salvor_kube_request *request, int32_t *ret_code,
                           struct salvor_span *ret_body);
salvor_status kube_submit(salvor_call *call, salvor_batch *batch, salvor_kube_client *client,
                          uint64_t tag, const struct salvor_kube_request *request);
salvor_status kube_list_open(salvor_call *call, salvor_kube_client *client, const char *options,
                             salvor_kube_list **ret_list);
salvor_status kube_list_next(salvor_call *call, salvor_kube_list *list,
                             struct salvor_kube_page *ret_page);
void kube_list_close(salvor_call *call, salvor_kube_list *list);
salvor_status kube_wait(salvor_call *call, salvor_kube_client *client,
                        const struct salvor_kube_request *object, const char *condition,
                        int64_t timeout_ms, struct salvor_span *ret_body);

#endif
