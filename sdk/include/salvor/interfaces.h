/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/interfaces.h - the services by their types: `salvor_kube_of(call)->request(call, ...)`.
 *
 * Never NULL for a service that the descriptor lists as required; for one that it lists as optional
 * the plugin asks first.
 */
#ifndef SALVOR_INTERFACES_H
#define SALVOR_INTERFACES_H

#include <salvor/host.h>
#include <salvor/services.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline const struct salvor_inventory *salvor_inventory_of(salvor_call *call)
{
    return (const struct salvor_inventory *)call->host->get_interface(call, SALVOR_INVENTORY, 1);
}

static inline const struct salvor_findings *salvor_findings_of(salvor_call *call)
{
    return (const struct salvor_findings *)call->host->get_interface(call, SALVOR_FINDINGS, 1);
}

static inline const struct salvor_plan *salvor_plan_of(salvor_call *call)
{
    return (const struct salvor_plan *)call->host->get_interface(call, SALVOR_PLAN, 1);
}

static inline const struct salvor_secrets *salvor_secrets_of(salvor_call *call)
{
    return (const struct salvor_secrets *)call->host->get_interface(call, SALVOR_SECRET, 1);
}

static inline const struct salvor_exec *salvor_exec_of(salvor_call *call)
{
    return (const struct salvor_exec *)call->host->get_interface(call, SALVOR_EXEC, 1);
}

static inline const struct salvor_stream *salvor_stream_of(salvor_call *call)
{
    return (const struct salvor_stream *)call->host->get_interface(call, SALVOR_STREAM, 1);
}

static inline const struct salvor_ledgers *salvor_ledgers_of(salvor_call *call)
{
    return (const struct salvor_ledgers *)call->host->get_interface(call, SALVOR_LEDGER, 1);
}

static inline const struct salvor_batches *salvor_batches_of(salvor_call *call)
{
    return (const struct salvor_batches *)call->host->get_interface(call, SALVOR_BATCH, 1);
}

static inline const struct salvor_http *salvor_http_of(salvor_call *call)
{
    return (const struct salvor_http *)call->host->get_interface(call, SALVOR_HTTP, 1);
}

static inline const struct salvor_kube *salvor_kube_of(salvor_call *call)
{
    return (const struct salvor_kube *)call->host->get_interface(call, SALVOR_KUBE, 1);
}

static inline const struct salvor_ssh *salvor_ssh_of(salvor_call *call)
{
    return (const struct salvor_ssh *)call->host->get_interface(call, SALVOR_SSH, 1);
}

#ifdef __cplusplus
}
#endif

#endif
