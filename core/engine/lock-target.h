/*
 * Which Lease a run holds while it has effect, if any. The core knows no vendor's clusters: the
 * site's settings name one (config/lock-setting.h), else the plugin does, with facts that are
 * reserved for it, both of class info:
 *
 *   salvor.lock     {"kubeconfig","context","namespace","name"}: a cluster that this run does not
 *                   set back (all may be left out: as kubectl would choose), or
 *                   {"none":REASON}: there is no such cluster
 *   salvor.rewinds  [UID,…]: of the namespaces kube-system of clusters that this run sets back; a
 *                   Lease in one of these would be set back with it and is refused
 */
#ifndef SALVOR_ENGINE_LOCK_TARGET_H
#define SALVOR_ENGINE_LOCK_TARGET_H

#include <jansson.h>

#include "base/error.h"

#define LOCK_FACT "salvor.lock"
#define REWINDS_FACT "salvor.rewinds"

/*
 * {"kind":"lease","from":"site"|"plugin","kubeconfig":PATH|null,"context":NAME|null,"namespace",
 * "name","rewinds":[UID,…]} or {"kind":"none","why":TEXT}; owned by the caller. `of_site`: its
 * setting, or NULL; `facts`: name -> {"class","value"}. -1: the plugin's facts are not as above.
 */
int lock_target(const json_t *of_site, const json_t *facts, const char *plugin, json_t **ret_target,
                struct error *reterr);

/* 1 when it is a Lease. */
int lock_target_is_lease(const json_t *target);

/* "lease 'kube-system/salvor' of the context 'x' in '/path'"; owned by the caller. */
char *lock_target_text(const json_t *target);

#endif
