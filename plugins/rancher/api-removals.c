#include "api-removals.h"

#include <stddef.h>

#include <salvor/scan.h>

static const struct api_removal removals[] = {
    {"extensions", "v1beta1", "networkpolicies", 16, "networking.k8s.io/v1"},
    {"extensions", "v1beta1", "deployments", 16, "apps/v1"},
    {"extensions", "v1beta1", "daemonsets", 16, "apps/v1"},
    {"extensions", "v1beta1", "replicasets", 16, "apps/v1"},
    {"extensions", "v1beta1", "podsecuritypolicies", 16, "policy/v1beta1"},
    {"extensions", "v1beta1", "ingresses", 22, "networking.k8s.io/v1"},
    {"apps", "v1beta1", NULL, 16, "apps/v1"},
    {"apps", "v1beta2", NULL, 16, "apps/v1"},
    {"admissionregistration.k8s.io", "v1beta1", "mutatingwebhookconfigurations", 22,
     "admissionregistration.k8s.io/v1"},
    {"admissionregistration.k8s.io", "v1beta1", "validatingwebhookconfigurations", 22,
     "admissionregistration.k8s.io/v1"},
    {"apiextensions.k8s.io", "v1beta1", NULL, 22, "apiextensions.k8s.io/v1"},
    {"apiregistration.k8s.io", "v1beta1", NULL, 22, "apiregistration.k8s.io/v1"},
    {"authentication.k8s.io", "v1beta1", "tokenreviews", 22, "authentication.k8s.io/v1"},
    {"authorization.k8s.io", "v1beta1", NULL, 22, "authorization.k8s.io/v1"},
    {"certificates.k8s.io", "v1beta1", "certificatesigningrequests", 22, "certificates.k8s.io/v1"},
    {"coordination.k8s.io", "v1beta1", "leases", 22, "coordination.k8s.io/v1"},
    {"networking.k8s.io", "v1beta1", "ingresses", 22, "networking.k8s.io/v1"},
    {"networking.k8s.io", "v1beta1", "ingressclasses", 22, "networking.k8s.io/v1"},
    {"rbac.authorization.k8s.io", "v1beta1", NULL, 22, "rbac.authorization.k8s.io/v1"},
    {"scheduling.k8s.io", "v1beta1", NULL, 22, "scheduling.k8s.io/v1"},
    {"storage.k8s.io", "v1beta1", "csidrivers", 22, "storage.k8s.io/v1"},
    {"storage.k8s.io", "v1beta1", "csinodes", 22, "storage.k8s.io/v1"},
    {"storage.k8s.io", "v1beta1", "storageclasses", 22, "storage.k8s.io/v1"},
    {"storage.k8s.io", "v1beta1", "volumeattachments", 22, "storage.k8s.io/v1"},
    {"batch", "v1beta1", "cronjobs", 25, "batch/v1"},
    {"discovery.k8s.io", "v1beta1", "endpointslices", 25, "discovery.k8s.io/v1"},
    {"events.k8s.io", "v1beta1", "events", 25, "events.k8s.io/v1"},
    {"autoscaling", "v2beta1", NULL, 25, "autoscaling/v2"},
    {"policy", "v1beta1", "poddisruptionbudgets", 25, "policy/v1"},
    {"policy", "v1beta1", "podsecuritypolicies", 25, NULL},
    {"node.k8s.io", "v1beta1", "runtimeclasses", 25, "node.k8s.io/v1"},
    {"flowcontrol.apiserver.k8s.io", "v1beta1", NULL, 26, "flowcontrol.apiserver.k8s.io/v1"},
    {"autoscaling", "v2beta2", NULL, 26, "autoscaling/v2"},
    {"storage.k8s.io", "v1beta1", "csistoragecapacities", 27, "storage.k8s.io/v1"},
    {"flowcontrol.apiserver.k8s.io", "v1beta2", NULL, 29, "flowcontrol.apiserver.k8s.io/v1"},
    {"flowcontrol.apiserver.k8s.io", "v1beta3", NULL, 32, "flowcontrol.apiserver.k8s.io/v1"},
};

const struct api_removal *api_removal_find(struct salvor_span group, struct salvor_span version,
                                           struct salvor_span resource, uint32_t minor)
{
    for (size_t i = 0; i < sizeof removals / sizeof *removals; i++) {
        const struct api_removal *one = &removals[i];
        if (minor >= one->minor && salvor_span_is(group, one->group) &&
            salvor_span_is(version, one->version) &&
            (one->resource == NULL || salvor_span_is(resource, one->resource)))
            return one;
    }
    return NULL;
}

int api_group_is_builtin(struct salvor_span group)
{
    static const char *const groups[] = {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (salvor_span_is(group, groups[i]))
            return 1;
    }
    return 0;
}
