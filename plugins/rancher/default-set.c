#include "default-set.h"

#include <string.h>

/* One selector. Lists are words separated by blanks; NULL: not given. */
struct row {
    const char *api_version;
    const char *kinds;
    const char *kinds_pattern;
    const char *exclude_kinds;
    const char *names;
    const char *name_pattern;
    const char *exclude_pattern;
    const char *namespaces;
    const char *namespace_pattern;
    const char *label; /* "key=value", "key!=value": In and NotIn with one value */
    const char *other_label;
    const char *field; /* "key=value" */
};

#define RANCHER_SPACES "^cattle-|^p-|^c-|^local$|^user-|^u-"
#define FLEET_SPACES "^cattle-fleet-|^fleet-"
#define CRDS(pattern)                                                                             \
    {                                                                                             \
        .api_version = "apiextensions.k8s.io/v1", .kinds_pattern = ".", .name_pattern = (pattern) \
    }
#define ALL(api)                                   \
    {                                              \
        .api_version = (api), .kinds_pattern = "." \
    }
#define RBAC "rbac.authorization.k8s.io/v1"

#define CLUSTER_API "cluster.x-k8s.io" /* its version is put behind */

/* A cloud's operator: its types, its deployment, its rights. */
#define CLOUD(name)                                                                              \
    CRDS(name ".cattle.io$"), ALL(name ".cattle.io/v1"),                                         \
        {.api_version = "apps/v1",                                                               \
         .kinds_pattern = "^deployments$",                                                       \
         .names = name "-config-operator",                                                       \
         .namespaces = "cattle-system"},                                                         \
        {.api_version = RBAC, .kinds_pattern = "^clusterroles$", .names = name "-operator"},     \
    {                                                                                            \
        .api_version = RBAC, .kinds_pattern = "^clusterrolebindings$", .names = name "-operator" \
    }

static const struct row basic_rows[] = {
    /* Rancher */
    {.api_version = "v1",
     .kinds_pattern = "^namespaces$",
     .name_pattern = "^cattle-|^p-|^c-|^user-|^u-|^local-",
     .names = "local"},
    {.api_version = "v1",
     .kinds_pattern = "^serviceaccounts$",
     .namespace_pattern = RANCHER_SPACES,
     .exclude_pattern = "^default$|^rancher-csp-adapter$"},
    {.api_version = "v1", .kinds_pattern = "^configmaps$", .namespaces = "cattle-system"},
    {.api_version = "v1",
     .kinds_pattern = "^configmaps$",
     .namespace_pattern = "^cattle-",
     .label = "cattle.io/kind=kubeconfig"},
    {.api_version = RBAC,
     .kinds_pattern = "^roles$|^rolebindings$",
     .namespace_pattern = RANCHER_SPACES,
     .exclude_pattern = "^rancher-csp-adapter"},
    {.api_version = RBAC,
     .kinds_pattern = "^clusterrolebindings$",
     .name_pattern = "^cattle-|^clusterrolebinding-|^globaladmin-user-|^grb-u-|^crb-"},
    {.api_version = RBAC,
     .kinds_pattern = "^clusterroles$",
     .name_pattern = "^cattle-|^p-|^c-|^local-|^user-|^u-|^project-|^create-ns$",
     .exclude_pattern = "^rancher-csp-adapter-"},
    {.api_version = "scheduling.k8s.io/v1",
     .kinds_pattern = "^priorityclasses$",
     .names = "rancher-critical"},
    CRDS("management.cattle.io$|project.cattle.io$|catalog.cattle.io$|resources.cattle.io$"),
    {.api_version = "management.cattle.io/v3",
     .kinds_pattern = ".",
     .exclude_kinds = "tokens rancherusernotifications"},
    {.api_version = "management.cattle.io/v3",
     .kinds_pattern = "^tokens$",
     .label = "authn.management.cattle.io/kind!=provisioning"},
    ALL("project.cattle.io/v3"),
    {.api_version = "catalog.cattle.io/v1", .kinds_pattern = "^clusterrepos$"},
    {.api_version = "resources.cattle.io/v1", .kinds_pattern = "^ResourceSet$"},
    {.api_version = "catalog.cattle.io/v1",
     .kinds_pattern = "^UIPlugin$",
     .namespaces = "cattle-ui-plugin-system"},
    /* Fleet */
    {.api_version = "v1", .kinds_pattern = "^namespaces$", .name_pattern = "^fleet-"},
    {.api_version = "v1",
     .kinds_pattern = "^namespaces$",
     .label = "app.kubernetes.io/managed-by=rancher"},
    {.api_version = "v1",
     .kinds_pattern = "^serviceaccounts$",
     .namespace_pattern = FLEET_SPACES,
     .exclude_pattern = "^default$"},
    {.api_version = "v1", .kinds_pattern = "^configmaps$", .namespace_pattern = FLEET_SPACES},
    {.api_version = RBAC,
     .kinds_pattern = "^roles$|^rolebindings$",
     .namespace_pattern = FLEET_SPACES},
    {.api_version = RBAC,
     .kinds_pattern = "^clusterrolebindings$",
     .name_pattern = "^fleet-|^gitjob-"},
    {.api_version = RBAC,
     .kinds_pattern = "^clusterroles$",
     .name_pattern = "^fleet-",
     .names = "gitjob"},
    CRDS("fleet.cattle.io$|gitjob.cattle.io$"),
    {.api_version = "fleet.cattle.io/v1alpha1",
     .kinds_pattern = ".",
     .exclude_kinds = "bundledeployments"},
    ALL("gitjob.cattle.io/v1"),
    {.api_version = "apps/v1",
     .kinds_pattern = "^deployments$",
     .namespace_pattern = FLEET_SPACES,
     .name_pattern = "^fleet-",
     .names = "gitjob"},
    /* provisioning */
    CRDS("provisioning.cattle.io$|rke-machine-config.cattle.io$|rke-machine.cattle.io$|"
         "rke.cattle.io$|cluster.x-k8s.io$"),
    ALL("provisioning.cattle.io/v1"),
    ALL("rke-machine-config.cattle.io/v1"),
    ALL("rke-machine.cattle.io/v1"),
    ALL("rke.cattle.io/v1"),
    ALL(CLUSTER_API),
    {.api_version = "v1",
     .kinds_pattern = "^configmaps$",
     .names = "provisioning-log",
     .namespace_pattern = "^c-m-"},
    /* clouds */
    CLOUD("aks"),
    CLOUD("eks"),
    CLOUD("gke"),
    CLOUD("ali"),
    {.api_version = "v1",
     .kinds_pattern = "^serviceaccounts$",
     .namespaces = "cattle-system",
     .names = "aks-operator ali-operator"},
    /* the former operator of Rancher itself */
    ALL("rancher.cattle.io/v1"),
    CRDS("rancher.cattle.io$"),
    {.api_version = "v1", .kinds_pattern = "^namespaces$", .names = "rancher-operator-system"},
    {.api_version = "apps/v1",
     .kinds_pattern = "^deployments$",
     .names = "rancher-operator",
     .namespaces = "rancher-operator-system"},
    {.api_version = "v1",
     .kinds_pattern = "^serviceaccounts$",
     .namespaces = "rancher-operator-system",
     .exclude_pattern = "^default$"},
    {.api_version = RBAC,
     .kinds_pattern = "^clusterroles$|^clusterrolebindings$",
     .names = "rancher-operator"},
    /* Elemental */
    CRDS("elemental.cattle.io$"),
    {.api_version = "elemental.cattle.io/v1beta1",
     .kinds_pattern = ".",
     .namespace_pattern = "^cattle-fleet-|^fleet-|^cattle-elemental-system$"},
    {.api_version = "apps/v1",
     .kinds_pattern = "^deployments$",
     .names = "elemental-operator",
     .namespaces = "cattle-elemental-system"},
    {.api_version = RBAC,
     .kinds_pattern = "^clusterroles$|^clusterrolebindings$",
     .names = "elemental-operator"},
    {.api_version = "v1",
     .kinds_pattern = "^serviceaccounts$",
     .names = "elemental-operator",
     .namespaces = "cattle-elemental-system"},
    {.api_version = RBAC,
     .kinds_pattern = "^roles$|^rolebindings$",
     .label = "elemental.cattle.io/managed=true"},
    {.api_version = "v1",
     .kinds_pattern = "^serviceaccounts$",
     .label = "elemental.cattle.io/managed=true"},
};

static const struct row secret_rows[] = {
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespace_pattern = RANCHER_SPACES,
     .exclude_pattern = "^bootstrap-secret$|^rancher-csp-adapter|^csp-adapter-cache$",
     .label = "owner!=helm"},
    {.api_version = "v1", .kinds_pattern = "^secrets$", .label = "resources.cattle.io/backup=true"},
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespace_pattern = FLEET_SPACES,
     .exclude_pattern = "^import-token",
     .label = "fleet.cattle.io/managed=true",
     .other_label = "owner!=helm"},
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespaces = "fleet-default",
     .name_pattern = "machine-driver-secret$|machine-provision$|admission-configuration-psact$|"
                     "^harvesterconfig|^registryconfig-auth|^harvester-cloud-provider-config"},
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespaces = "fleet-default",
     .field = "type=rke.cattle.io/machine-plan"},
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespaces = "fleet-default",
     .field = "type=rke.cattle.io/cluster-state"},
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespaces = "fleet-default",
     .field = "type=rke.cattle.io/machine-state"},
    {.api_version = "v1",
     .kinds_pattern = "^secrets$",
     .namespace_pattern = FLEET_SPACES,
     .label = "elemental.cattle.io/managed=true"},
};

/* ---- as JSON -----------------------------------------------------------------------------------
 */

static int put_text(json_t *selector, const char *key, const char *text)
{
    return text == NULL || json_object_set_new(selector, key, json_string(text)) == 0 ? 0 : -1;
}

static int put_words(json_t *selector, const char *key, const char *words)
{
    if (words == NULL)
        return 0;
    json_t *list = json_array();
    while (*words != '\0') {
        const size_t size = strcspn(words, " ");
        (void)json_array_append_new(list, json_stringn(words, size));
        words += size + (words[size] == ' ');
    }
    return json_object_set_new(selector, key, list);
}

static int put_label(json_t *expressions, const char *label)
{
    if (label == NULL)
        return 0;
    const char *equals = strchr(label, '=');
    const int negated = equals[-1] == '!';
    return json_array_append_new(expressions,
                                 json_pack("{s:s%, s:s, s:[s]}", "key", label,
                                           (size_t)(equals - label) - (size_t)negated, "operator",
                                           negated ? "NotIn" : "In", "values", equals + 1));
}

static json_t *selector_of(const struct row *row, const char *cluster_api)
{
    const int versionless = strcmp(row->api_version, CLUSTER_API) == 0;
    json_t *selector = json_pack("{s:s++}", "apiVersion", row->api_version, versionless ? "/" : "",
                                 versionless ? cluster_api : "");
    int bad = put_words(selector, "kinds", row->kinds) +
              put_text(selector, "kindsRegexp", row->kinds_pattern) +
              put_words(selector, "excludeKinds", row->exclude_kinds) +
              put_words(selector, "resourceNames", row->names) +
              put_text(selector, "resourceNameRegexp", row->name_pattern) +
              put_text(selector, "excludeResourceNameRegexp", row->exclude_pattern) +
              put_words(selector, "namespaces", row->namespaces) +
              put_text(selector, "namespaceRegexp", row->namespace_pattern);
    if (row->label != NULL) {
        json_t *expressions = json_array();
        bad += put_label(expressions, row->label) + put_label(expressions, row->other_label) +
               json_object_set_new(selector, "labelSelectors",
                                   json_pack("{s:o}", "matchExpressions", expressions));
    }
    if (row->field != NULL) {
        const char *equals = strchr(row->field, '=');
        bad += json_object_set_new(
            selector, "fieldSelectors",
            json_pack("{s%:s}", row->field, (size_t)(equals - row->field), equals + 1));
    }
    if (selector != NULL && bad == 0)
        return selector;
    json_decref(selector);
    return NULL;
}

json_t *default_set_make(const char *name, const char *cluster_api)
{
    const int full = strcmp(name, FULL_SET) == 0;
    if (!full && strcmp(name, BASIC_SET) != 0)
        return NULL;
    json_t *selectors = json_array();
    int bad = 0;
    for (size_t i = 0; i < sizeof basic_rows / sizeof *basic_rows; i++)
        bad += json_array_append_new(selectors, selector_of(&basic_rows[i], cluster_api));
    for (size_t i = 0; full && i < sizeof secret_rows / sizeof *secret_rows; i++)
        bad += json_array_append_new(selectors, selector_of(&secret_rows[i], cluster_api));
    json_t *set =
        json_pack("{s:s, s:s, s:{s:s}, s:o, s:[{s:s, s:s, s:s, s:s}]}", "apiVersion",
                  "resources.cattle.io/v1", "kind", "ResourceSet", "metadata", "name", name,
                  "resourceSelectors", selectors, "controllerReferences", "apiVersion", "apps/v1",
                  "resource", "deployments", "namespace", "cattle-system", "name", "rancher");
    if (bad == 0)
        return set;
    json_decref(set);
    return NULL;
}
