/* The built-in types: what a current kube-apiserver serves by default, as far as recoveries care.
 */
#include "types.h"

#include <string.h>

#include "base/banned.h"
#include "base/text.h"

enum {
    NS = TYPE_NAMESPACED,
    ST = TYPE_STATUS,
    SC = TYPE_SCALE,
    NR = TYPE_NO_RV_NEEDED,
    PC = TYPE_PUT_CREATES,
    PN = TYPE_PATH_NAME,
    GE = TYPE_GENERATION,
    CO = TYPE_CREATE_ONLY,
    LN = TYPE_LABEL_NAME,
    RO = TYPE_RETURNS_OBJECT,
};

#define RBAC "rbac.authorization.k8s.io"
#define ADMISSION "admissionregistration.k8s.io"
#define STORAGE "storage.k8s.io"
#define NETWORKING "networking.k8s.io"

static const struct builtin {
    const char *group, *version, *kind, *plural, *short_names, *categories;
    unsigned flags;
} builtins[] = {
    {"", "v1", "ConfigMap", "configmaps", "cm", "", NS | NR},
    {"", "v1", "Endpoints", "endpoints", "ep", "", NS | NR | PC},
    {"", "v1", "Event", "events", "ev", "", NS | NR | PC},
    {"", "v1", "LimitRange", "limitranges", "limits", "", NS | NR | PC},
    {"", "v1", "Namespace", "namespaces", "ns", "", ST | TYPE_FINALIZE | NR | LN | RO},
    {"", "v1", "Node", "nodes", "no", "", ST | NR | TYPE_STATUS_KEPT},
    {"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "", NS | ST | NR | RO},
    {"", "v1", "PersistentVolume", "persistentvolumes", "pv", "", ST | NR | RO},
    {"", "v1", "Pod", "pods", "po", "all", NS | ST | NR | GE | RO | TYPE_GRACEFUL},
    {"", "v1", "PodTemplate", "podtemplates", "", "", NS | NR | GE | RO},
    {"", "v1", "ReplicationController", "replicationcontrollers", "rc", "all",
     NS | ST | SC | NR | GE},
    {"", "v1", "ResourceQuota", "resourcequotas", "quota", "", NS | ST | NR | RO},
    {"", "v1", "Secret", "secrets", "", "", NS | NR},
    {"", "v1", "ServiceAccount", "serviceaccounts", "sa", "", NS | NR | RO},
    {"", "v1", "Service", "services", "svc", "all", NS | ST | NR | PC | LN | RO},
    {"apiregistration.k8s.io", "v1", "APIService", "apiservices", "", "api-extensions", ST},
    {"apps", "v1", "ControllerRevision", "controllerrevisions", "", "", NS | NR},
    {"apps", "v1", "DaemonSet", "daemonsets", "ds", "all", NS | ST | NR | GE},
    {"apps", "v1", "Deployment", "deployments", "deploy", "all", NS | ST | SC | NR | GE},
    {"apps", "v1", "ReplicaSet", "replicasets", "rs", "all", NS | ST | SC | NR | GE},
    {"apps", "v1", "StatefulSet", "statefulsets", "sts", "all", NS | ST | SC | NR | GE},
    {"events.k8s.io", "v1", "Event", "events", "ev", "", NS | NR | PC},
    {"authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", "", "", CO},
    {"authentication.k8s.io", "v1", "TokenReview", "tokenreviews", "", "", CO},
    {"authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", "", "",
     NS | CO},
    {"authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", "", "",
     CO},
    {"authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", "", "", CO},
    {"authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", "", "", CO},
    {"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "all",
     NS | ST | NR},
    {"autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "all",
     NS | ST | NR},
    {"batch", "v1", "CronJob", "cronjobs", "cj", "all", NS | ST | NR | GE},
    {"batch", "v1", "Job", "jobs", "", "all", NS | ST | NR | GE},
    {"certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", "csr",
     "", ST | NR},
    {NETWORKING, "v1", "IngressClass", "ingressclasses", "", "", NR | GE},
    {NETWORKING, "v1", "Ingress", "ingresses", "ing", "", NS | ST | NR | GE},
    {NETWORKING, "v1", "NetworkPolicy", "networkpolicies", "netpol", "", NS | NR | GE},
    {"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", "", NS | ST | GE},
    {RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", "", "", NR | PC | PN},
    {RBAC, "v1", "ClusterRole", "clusterroles", "", "", NR | PC | PN},
    {RBAC, "v1", "RoleBinding", "rolebindings", "", "", NS | NR | PC | PN},
    {RBAC, "v1", "Role", "roles", "", "", NS | NR | PC | PN},
    {STORAGE, "v1", "CSIDriver", "csidrivers", "", "", RO},
    {STORAGE, "v1", "CSINode", "csinodes", "", "", RO},
    {STORAGE, "v1", "StorageClass", "storageclasses", "sc", "", NR | RO},
    {STORAGE, "v1", "VolumeAttachment", "volumeattachments", "", "", ST | RO},
    {ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "",
     "api-extensions", GE},
    {ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "",
     "api-extensions", ST | GE},
    {ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "",
     "api-extensions", GE},
    {ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "",
     "api-extensions", GE},
    {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
     "crd crds", "api-extensions", ST | GE},
    {"scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "pc", "", NR | GE},
    {"coordination.k8s.io", "v1", "Lease", "leases", "", "", NS | PC},
    {"node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", "", "", PC},
    {"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "", "", NS | NR | GE},
};

/* Endpoints and ingressclasses do not follow the rule of the rest. */
static char *singular_of(const struct builtin *from)
{
    char *singular = text_copy(from->kind);
    for (char *at = singular; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return singular;
}

void types_add_builtin(struct types *types, struct store *store)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        const struct builtin *from = &builtins[i];
        struct kube_type *type = memory_new(1, sizeof *type);
        *type = (struct kube_type){.group = text_copy(from->group),
                                   .version = text_copy(from->version),
                                   .kind = text_copy(from->kind),
                                   .list_kind = text_format("%sList", from->kind),
                                   .plural = text_copy(from->plural),
                                   .singular = singular_of(from),
                                   .short_names = text_copy(from->short_names),
                                   .categories = text_copy(from->categories),
                                   .flags = from->flags,
                                   .table = store_table(store, from->group, from->plural)};
        types->items = memory_resize(types->items, types->count + 1, sizeof(void *));
        types->items[types->count++] = type;
    }
}
