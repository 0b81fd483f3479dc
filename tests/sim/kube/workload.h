/* Hooks that play kubelet and the workload controllers: pods appear, become ready, jobs complete.
 */
#ifndef SIM_KUBE_WORKLOAD_H
#define SIM_KUBE_WORKLOAD_H

#include "sim-kube.h"

/* Deployments, stateful sets and daemon sets: pods and status follow spec. */
sim_kube_hook workload_hook;
/* Jobs complete. */
sim_kube_hook workload_job_hook;
/* Pods become ready, and go when they are deleted. */
sim_kube_hook workload_pod_hook;
/* Dependents follow their owners; the finalizers of deletion policies are honoured. */
sim_kube_hook workload_gc_hook;

#endif
