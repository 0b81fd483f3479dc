#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <salvor/plugin.h>

#include "../sdk/fake-host.h"
#include "findings.h"
#include "fixture.h"
#include "validate.h"

#define UID "dc296a89-2e35-4b90-b516-d2aafdfb65da"
#define NAME "nightly-" UID "-2026-01-02T03-04-05Z.tar.gz"
#define SET                                                                                       \
    "{\"apiVersion\":\"resources.cattle.io/v1\",\"kind\":\"ResourceSet\",\"metadata\":{\"name\":" \
    "\"rancher-resource-set-full\"},\"resourceSelectors\":[{\"apiVersion\":\"v1\",\"kinds\":["    \
    "\"Secret\"]}],\"controllerReferences\":[]}"
#define NAMED(api, kind, name, more)                                                              \
    "{\"apiVersion\":\"" api "\",\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" name "\"}" more \
    "}"
#define IN(api, kind, ns, name, more)                                                  \
    "{\"apiVersion\":\"" api "\",\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" name \
    "\",\"namespace\":\"" ns "\"}" more "}"
#define OWNED(api, kind, name, owner_api, owner_kind, owner)                           \
    "{\"apiVersion\":\"" api "\",\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" name \
    "\",\"ownerReferences\":[{\"apiVersion\":\"" owner_api "\",\"kind\":\"" owner_kind \
    "\",\"name\":\"" owner "\",\"uid\":\"1\"}]}}"
#define MEMBER(path, text)                  \
    {                                       \
        path, text, sizeof(text) - 1, NULL, \
    }
#define END                  \
    {                        \
        NULL, NULL, 0, NULL, \
    }
#define SETTING(name, value)                                 \
    MEMBER("settings.management.cattle.io#v3/" name ".json", \
           NAMED("management.cattle.io/v3", "Setting", name, ",\"value\":\"" value "\""))
#define WHOLE                                                                             \
    SETTING("server-version", "v2.12.3"), SETTING("server-url", "https://r.example.com"), \
        MEMBER("filters/filters.json", SET)

static struct fake_host host;

static salvor_status validate(const char *name, struct made archive)
{
    const struct fake_artifact artifacts[] = {{name, archive.data, archive.size}, {NULL, NULL, 0}};
    const struct salvor_request request = {.struct_size = sizeof request, .source = name};
    salvor_call *call = fake_call(&host);
    fake_reset(&host);
    host.artifacts = artifacts;
    const salvor_status status = rancher_validate(call, &request);
    host.artifacts = NULL;
    assert_int_equal(host.open_streams, 0);
    return status;
}

static void validate_members(const char *name, const struct made_member *members)
{
    const struct made archive = fixture_archive(members);
    const salvor_status status = validate(name, archive);
    free(archive.data);
    if (status != SALVOR_OK)
        fail_msg("failed: %s", host.message);
}

/* The finding was raised, with that text behind it in its line. */
static int raised(const char *finding, const char *text)
{
    char beginning[128];
    (void)snprintf(beginning, sizeof beginning, "finding %s ", finding);
    for (const char *line = host.recorded; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        const char *found = strstr(line, text);
        if (strncmp(line, beginning, strlen(beginning)) == 0 && found != NULL && found < end)
            return 1;
        line = end + 1;
    }
    return 0;
}

static int shown[RANCHER_FINDINGS]; /* by the tests that ran */

static void must_raise(const char *finding, const char *text)
{
    if (!raised(finding, text))
        fail_msg("no %s with '%s' in:\n%s", finding, text, host.recorded);
    for (uint32_t i = 0; i < RANCHER_FINDINGS; i++)
        shown[i] = shown[i] || strcmp(rancher_findings[i].id, finding) == 0;
}

/* For the trace: the statements of all findings that were raised where they should be. */
static void print_covered(void)
{
    for (uint32_t i = 0; i < RANCHER_FINDINGS; i++) {
        const char *rest = shown[i] ? rancher_findings[i].statements : NULL;
        while (rest != NULL && *rest != '\0') {
            const size_t size = strcspn(rest, " ");
            printf("covers: %.*s\n", (int)size, rest);
            rest += size + strspn(rest + size, " ");
        }
    }
}

static void must_not_raise(const char *finding)
{
    if (raised(finding, ""))
        fail_msg("%s in:\n%s", finding, host.recorded);
}

/* ---- the file ------------------------------------------------------------------------------- */

static void a_sound_archive_has_little_to_say(void **state)
{
    static const struct made_member members[] = {WHOLE, END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_READ, "2 objects of 1 types, 0 encrypted; Rancher v2.12.3, Kubernetes "
                             "unknown, server-url https://r.example.com, install-uuid unknown; "
                             "backup 'nightly' of cluster " UID ", 2026-01-02T03:04:05Z");
    must_raise(FINDING_TARGET_UNKNOWN, "");
    must_raise(FINDING_NO_DEFINITION, "settings.management.cattle.io#v3");
    must_not_raise(FINDING_GZIP_HEADER);
    must_not_raise(FINDING_OWN_SET);
    must_not_raise(FINDING_FILE_NAME);
}

static void names_and_suffixes(void **state)
{
    static const struct made_member plain[] = {WHOLE, END};
    static const struct made_member closed[] = {
        WHOLE, MEMBER("secrets.#v1/p-a/x.json", "\"azhzOmVuYzphZXNjYmM6djE6a2V5MTo=\""), END};
    (void)state;
    validate_members("ours.tar.gz", plain);
    must_raise(FINDING_FILE_NAME, "ours.tar.gz");
    validate_members(NAME ".enc", plain);
    must_raise(FINDING_SUFFIX, "1000 '" NAME ".enc' it ends in .enc");
    validate_members(NAME, closed);
    must_raise(FINDING_SUFFIX, "members are encrypted");
    must_raise(FINDING_CLOSED, "aescbc, key 'key1'");
}

static void a_source_without_archive(void **state)
{
    static char byte[] = "x";
    const struct made archive = {byte, 1};
    static const struct fake_option options[] = {{"archive", "other.tar.gz", 0}, {NULL, NULL, 0}};
    static const struct fake_artifact two[] = {
        {"a.tar.gz", "", 0}, {"b.tar.gz", "", 0}, {NULL, NULL, 0}};
    const struct salvor_request request = {.struct_size = sizeof request, .source = "set"};
    (void)state;
    assert_int_equal(validate("snapshot.db", archive), SALVOR_OK);
    must_raise(FINDING_NO_ARCHIVE, "no file that ends in .tar.gz");
    host.options = options;
    assert_int_equal(validate(NAME, archive), SALVOR_OK);
    must_raise(FINDING_NO_ARCHIVE, "it has no 'other.tar.gz'");
    host.options = NULL;
    host.artifacts = two;
    fake_reset(&host);
    assert_int_equal(rancher_validate(fake_call(&host), &request), SALVOR_OK);
    must_raise(FINDING_NO_ARCHIVE, "it has 2 archives");
    host.artifacts = NULL;
    const struct salvor_request nothing = {.struct_size = sizeof nothing};
    assert_int_equal(rancher_validate(fake_call(&host), &nothing), SALVOR_REFUSED);
}

static void damage_is_a_blocker(void **state)
{
    char name[200];
    const struct made whole = fixture_load("release-11.0.1/plain-", name);
    struct made cut = {whole.data, whole.size - 4};
    (void)state;
    assert_int_equal(validate(name, cut), SALVOR_OK);
    must_raise(FINDING_DAMAGED, "the gzip data are cut off");
    must_not_raise(FINDING_READ);
    cut.size = 700;
    assert_int_equal(validate(name, cut), SALVOR_OK);
    must_raise(FINDING_DAMAGED, "members were read before");
    cut.size = 0;
    assert_int_equal(validate(name, cut), SALVOR_OK);
    must_raise(FINDING_DAMAGED, "");
    free(whole.data);
    /* a tar that nobody compressed */
    static const struct made_member members[] = {WHOLE, END};
    const struct made tar = make_tar(members);
    assert_int_equal(validate(NAME, tar), SALVOR_OK);
    must_raise(FINDING_DAMAGED, "tar without gzip");
    free(tar.data);
}

static void header_fields_without_meaning_are_named(void **state)
{
    static const struct made_member members[] = {WHOLE, END};
    struct made archive = fixture_archive(members);
    (void)state;
    archive.data[3] = 1;
    archive.data[5] = 7;
    archive.data[9] = 3;
    assert_int_equal(validate(NAME, archive), SALVOR_OK);
    must_raise(FINDING_GZIP_HEADER, "flags is 01, MTIME is 00 07 00 00, OS is 03");
    must_not_raise(FINDING_DAMAGED);
    free(archive.data);
}

/* ---- members -------------------------------------------------------------------------------- */

static void members_that_break_the_operator(void **state)
{
    static const struct made_member members[] = {
        WHOLE,
        MEMBER("./configmaps.#v1/p-a/x.json", IN("v1", "ConfigMap", "p-a", "x", "")),
        MEMBER("manifest.json", "{}"),
        MEMBER("configmaps.#v1/p-a/deep/x.json", "{}"),
        MEMBER("configmaps.#v1/p-a/empty.json", ""),
        {"link", NULL, 0, "/etc/passwd"},
        END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_ODD_MEMBER, "'configmaps.#v1/p-a/x.json' its path begins with './'; 4 more "
                                   "objects: 'manifest.json', 'configmaps.#v1/p-a/deep/x.json', "
                                   "'configmaps.#v1/p-a/empty.json', 'link'");
}

static void members_that_are_not_what_they_should_be(void **state)
{
    static const struct made_member members[] = {
        WHOLE,
        MEMBER("secrets.#v1/p-a/bad.json", "{\"a\":"),
        MEMBER("secrets.#v1/p-a/name.json", IN("v1", "Secret", "p-a", "other", "")),
        MEMBER("secrets.#v1/p-a/ns.json", IN("v1", "Secret", "p-b", "ns", "")),
        MEMBER("secrets.#v1/p-a/none.json", NAMED("v1", "Secret", "none", "")),
        MEMBER("roles.rbac.authorization.k8s.io#v1/p-a/v.json",
               IN("rbac.authorization.k8s.io/v2", "Role", "p-a", "v", "")),
        MEMBER("secrets.#v1/p-a/group.json", IN("apps/v1", "Secret", "p-a", "group", "")),
        MEMBER("configmaps.#v1/p-a/twice.json", IN("v1", "ConfigMap", "p-a", "twice", "")),
        MEMBER("configmaps.#v1/p-a/twice.json", IN("v1", "ConfigMap", "p-a", "twice", "")),
        END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_NO_OBJECT,
               "'secrets.#v1/p-a/bad.json' the document ends too early, at byte");
    must_raise(FINDING_MISPLACED, "'secrets.#v1/p-a/name.json' its name is another one; 4 more");
    must_raise(FINDING_TWICE, "configmaps.#v1/p-a/twice.json");
}

static void names_that_the_operator_takes_for_its_own(void **state)
{
    static const struct made_member members[] = {
        MEMBER("configmaps.#v1/p-a/early-filters.json",
               IN("v1", "ConfigMap", "p-a", "early-filters", "")),
        WHOLE,
        MEMBER("secrets.#v1/p-a/late-filters.json", IN("v1", "Secret", "p-a", "late-filters", "")),
        END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_HIDDEN, "'configmaps.#v1/p-a/early-filters.json'");
    /* only what comes behind the real one takes its place */
    must_raise(FINDING_REPLACED_SET, "'secrets.#v1/p-a/late-filters.json' its path contains "
                                     "'filters.json', and it comes behind the resource set\n");
}

static void numbers_and_long_names(void **state)
{
    static char path[400];
    static char object[600];
    struct made_member members[] = {
        SETTING("a", "x"),
        MEMBER("settings.management.cattle.io#v3/n.json",
               NAMED("management.cattle.io/v3", "Setting", "n", ",\"v\":9007199254740993")),
        {path, object, 0, NULL},
        END};
    (void)state;
    (void)snprintf(path, sizeof path, "configmaps.#v1/p-a/%0251d.json", 1);
    (void)snprintf(object, sizeof object, IN("v1", "ConfigMap", "p-a", "%0251d", ""), 1);
    members[2].size = strlen(object);
    validate_members(NAME, members);
    must_raise(FINDING_BIG_NUMBER, "it holds 9007199254740993");
    must_raise(FINDING_LONG_NAME, "251 bytes, 250 are the limit");
    must_raise(FINDING_NO_SET, "there is no 'filters/filters.json'");
}

/* ---- the resource set ------------------------------------------------------------------------ */

static void judges_the_resource_set(void **state)
{
    static const struct made_member members[] = {
        SETTING("server-version", "v2.12.3"),
        MEMBER("filters/filters.json",
               "{\"metadata\":{\"name\":\"mine\"},\"resourceSelectors\":["
               "{\"apiVersion\":\"apps/v1\",\"kindsRegexp\":\"^services$\"},"
               "{\"apiVersion\":\"v1\",\"kinds\":[\"ConfigMap\"],\"resourceNameRegexp\":\"(?=a)\"},"
               "{\"apiVersion\":\"v1\",\"kinds\":[\"ConfigMap\"],\"namespaceRegexp\":\"\\\\p{Greek}"
               "\"}]}"),
        END};
    static const struct made_member broken[] = {MEMBER("filters/filters.json", "[]"), END};
    static const struct made_member old[] = {WHOLE, MEMBER("filters/statussubresource.json", "{}"),
                                             END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_DEAD_SELECTOR, "'mine' resourceSelectors[0] of apps/v1: apps/v1 has no");
    must_raise(FINDING_PATTERN, "resourceSelectors[1].resourceNameRegexp of v1: invalid or");
    must_raise(FINDING_PATTERN_HERE, "resourceSelectors[2].namespaceRegexp of v1: a class");
    must_raise(FINDING_BASIC_SET, "none of its 3 selectors takes Secrets");
    must_raise(FINDING_OWN_SET, "'mine'");
    validate_members(NAME, broken);
    must_raise(FINDING_BAD_SET, "it is no ResourceSet");
    validate_members(NAME, old);
    must_raise(FINDING_OLD_FORMAT, "");
}

/* ---- secrets ----------------------------------------------------------------------------------
 */

static void judges_secrets(void **state)
{
    static const struct made_member members[] = {
        WHOLE,
        MEMBER("secrets.#v1/cattle-resources-system/k.json",
               IN("v1", "Secret", "cattle-resources-system", "k",
                  ",\"data\":{\"encryption-provider-config.yaml\":\"eA==\"}")),
        MEMBER("secrets.#v1/cattle-resources-system/s3.json",
               IN("v1", "Secret", "cattle-resources-system", "s3",
                  ",\"data\":{\"accessKey\":\"eA==\",\"secretKey\":\"eA==\"}")),
        MEMBER("tokens.management.cattle.io#v3/t.json",
               NAMED("management.cattle.io/v3", "Token", "t", "")),
        MEMBER("secrets.#v1/p-a/reg.json",
               IN("v1", "Secret", "p-a", "reg",
                  ",\"type\":\"fleet.cattle.io/cluster-registration-values\"")),
        END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_CLEAR_SECRETS, "4 Secrets and tokens");
    must_raise(FINDING_CLEAR_KEY, "cattle-resources-system/k.json");
    must_raise(FINDING_CLEAR_S3, "cattle-resources-system/s3.json");
    must_raise(FINDING_NOT_RESTORED, "0 built-in roles; 1 deployments of Rancher and registration");
}

static void validate_fixture(const char *archive, const char *config)
{
    char name[200];
    const struct made made = fixture_load(archive, name);
    struct made yaml = {NULL, 0};
    if (config != NULL)
        yaml = fixture_load(config, NULL);
    const struct fake_option secrets[] = {
        {config != NULL ? "encryption-config" : NULL, yaml.data, 0}, {NULL, NULL, 0}};
    host.secrets = secrets;
    const salvor_status status = validate(name, made);
    host.secrets = NULL;
    if (status != SALVOR_OK)
        fail_msg("failed: %s", host.message);
    free(made.data);
    free(yaml.data);
}

static void judges_whether_the_key_fits(void **state)
{
    (void)state;
    validate_fixture("release-11.0.1/everything-", "release-11.0.1/everything.");
    must_raise(FINDING_READ, "24 objects of 16 types, 24 encrypted; Rancher v2.15.0, Kubernetes "
                             "v1.36.3+k3s1 (k3s)");
    must_not_raise(FINDING_NOT_OPENED);
    must_not_raise(FINDING_CLEAR_SECRETS);
    must_raise(FINDING_BIG_NUMBER, "");
    validate_fixture("release-11.0.1/everything-", NULL);
    must_raise(FINDING_CLOSED, "secretbox, key 'key1': no encryption configuration was given; 23");
    must_raise(FINDING_NO_VERSION, "not there, or encrypted");
    validate_fixture("release-11.0.1/everything-", "release-11.0.1/aescbc.");
    must_raise(FINDING_NOT_OPENED, "does not cover its type");
    validate_fixture("release-11.0.1/aesgcm-", "release-11.0.1/secretbox.");
    must_raise(FINDING_NOT_OPENED, "no provider of that kind");
    /* a configuration with wildcards, an archive of an operator that ignores them */
    validate_fixture("release-1.2.1/aescbc-", "release-11.0.1/everything.");
    must_raise(FINDING_NOT_ENCRYPTED, "'configmaps.#v1' 3 of 3 objects are plain, and the "
                                      "configuration has wildcards");
    validate_fixture("release-1.2.1/plain-", "release-11.0.1/everything.");
    must_not_raise(FINDING_NOT_ENCRYPTED); /* nothing is encrypted at all: the name says so */
}

/* ---- relations ---------------------------------------------------------------------------------
 */

static void names_what_the_operator_loses(void **state)
{
    static const struct made_member members[] = {
        WHOLE,
        MEMBER("globalrolebindings.management.cattle.io#v3/grb.json",
               OWNED("management.cattle.io/v3", "GlobalRoleBinding", "grb",
                     "management.cattle.io/v3", "User", "gone")),
        MEMBER("users.management.cattle.io#v3/u.json",
               NAMED("management.cattle.io/v3", "User", "u", "")),
        MEMBER("clusterrolebindings.rbac.authorization.k8s.io#v1/x.json",
               OWNED("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "x",
                     "management.cattle.io/v3", "GlobalRoleBinding", "grb")),
        MEMBER("clusterroles.rbac.authorization.k8s.io#v1/y.json",
               OWNED("rbac.authorization.k8s.io/v1", "ClusterRole", "y", "management.cattle.io/v1",
                     "User", "u")),
        MEMBER("clusterroles.rbac.authorization.k8s.io#v1/z.json",
               OWNED("rbac.authorization.k8s.io/v1", "ClusterRole", "z", "strange.io/v1", "Thing",
                     "t")),
        MEMBER("clusterroles.rbac.authorization.k8s.io#v1/c1.json",
               OWNED("rbac.authorization.k8s.io/v1", "ClusterRole", "c1",
                     "rbac.authorization.k8s.io/v1", "ClusterRole", "c2")),
        MEMBER("clusterroles.rbac.authorization.k8s.io#v1/c2.json",
               OWNED("rbac.authorization.k8s.io/v1", "ClusterRole", "c2",
                     "rbac.authorization.k8s.io/v1", "ClusterRole", "c1")),
        END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_LOST,
               "'globalrolebindings.management.cattle.io#v3/grb.json' its owner, a "
               "'management.cattle.io/v3 User', is not in the archive; 1 more objects: "
               "'clusterrolebindings.rbac.authorization.k8s.io#v1/x.json'");
    must_raise(FINDING_LOST_VERSION, "#v1/y.json' its owner is a 'management.cattle.io/v1 User', "
                                     "the archive has them as v3");
    must_raise(FINDING_LOST_CYCLE, "c1.json' each of its owners waits for another one; 1 more");
    must_raise(FINDING_OWNER_KIND, "'strange.io/v1 Thing'");
}

static void names_what_is_missing(void **state)
{
    static const struct made_member members[] = {
        WHOLE,
        MEMBER("namespaces.#v1/p-a.json", NAMED("v1", "Namespace", "p-a", "")),
        MEMBER("configmaps.#v1/p-a/x.json", IN("v1", "ConfigMap", "p-a", "x", "")),
        MEMBER("configmaps.#v1/p-b/x.json", IN("v1", "ConfigMap", "p-b", "x", "")),
        MEMBER("configmaps.#v1/kube-system/x.json", IN("v1", "ConfigMap", "kube-system", "x", "")),
        MEMBER(
            "customresourcedefinitions.apiextensions.k8s.io#v1/settings.management.cattle.io.json",
            NAMED("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                  "settings.management.cattle.io",
                  ",\"spec\":{\"group\":\"management.cattle.io\",\"names\":{\"plural\":"
                  "\"settings\",\"kind\":\"Setting\"},\"scope\":\"Cluster\","
                  "\"preserveUnknownFields\":true,"
                  "\"versions\":[{\"name\":\"v3\",\"served\":false,\"storage\":true}]}")),
        MEMBER(
            "customresourcedefinitions.apiextensions.k8s.io#v1/ones.x.io.json",
            NAMED("apiextensions.k8s.io/v1", "CustomResourceDefinition", "ones.x.io",
                  ",\"spec\":{\"group\":\"x.io\",\"names\":{\"plural\":\"ones\",\"kind\":\"One\"},"
                  "\"scope\":\"Cluster\",\"versions\":[{\"name\":\"v1\"}]}")),
        MEMBER("gitrepos.fleet.cattle.io#v1alpha1/p-a/g.json",
               IN("fleet.cattle.io/v1alpha1", "GitRepo", "p-a", "g",
                  ",\"spec\":{\"clientSecretName\":\"there\",\"helmSecretName\":\"gone\"}")),
        MEMBER("secrets.#v1/p-a/there.json", IN("v1", "Secret", "p-a", "there", "")),
        MEMBER("clusters.management.cattle.io#v3/c-1.json",
               NAMED("management.cattle.io/v3", "Cluster", "c-1", "")),
        MEMBER("globalroles.management.cattle.io#v3/b.json",
               NAMED("management.cattle.io/v3", "GlobalRole", "b", ",\"builtin\":\"true\"")),
        END};
    (void)state;
    validate_members(NAME, members);
    must_raise(FINDING_NO_NAMESPACE, "'p-b' ");
    must_not_raise(FINDING_LOST);
    must_raise(FINDING_NOT_SERVED, "version 'v3' is not served");
    must_raise(FINDING_UNUSED_DEFINITION, "'ones.x.io'");
    must_raise(FINDING_NO_SCHEMA, "settings.management.cattle.io.json");
    must_raise(FINDING_GIT_SECRET,
               "'p-a/gone' 'gitrepos.fleet.cattle.io#v1alpha1/p-a/g.json' names "
               "it\n");
    must_raise(FINDING_DOWNSTREAM, "1 beside 'local'");
    must_raise(FINDING_FLEET, "1 GitRepos");
    must_raise(FINDING_NOT_RESTORED, "1 built-in roles");
}

/* ---- versions ----------------------------------------------------------------------------------
 */

static void judges_versions(void **state)
{
    static const struct made_member members[] = {
        SETTING("server-version", "v2.12.3"), MEMBER("filters/filters.json", SET),
        MEMBER("roles.rbac.authorization.k8s.io#v1beta1/p-a/r.json",
               IN("rbac.authorization.k8s.io/v1beta1", "Role", "p-a", "r", "")),
        MEMBER("clusters.management.cattle.io#v3/local.json",
               NAMED("management.cattle.io/v3", "Cluster", "local",
                     ",\"status\":{\"version\":{\"gitVersion\":\"v1.33.1+k3s1\"}}")),
        END};
    static const struct made_member head[] = {SETTING("server-version", "v2.13-123abc-head"), END};
    static const struct made_member old[] = {SETTING("server-version", "v2.4.8"), END};
    static const struct fake_option options[] = {{"rancher-version", "2.13.0", 0},
                                                 {"kubernetes-version", "v1.36.2+k3s1", 0},
                                                 {NULL, NULL, 0}};
    static const struct fake_option same[] = {
        {"rancher-version", "2.12.3", 0}, {"kubernetes-version", "v1.33.1", 0}, {NULL, NULL, 0}};
    static const struct fake_option nonsense[] = {{"kubernetes-version", "new", 0},
                                                  {NULL, NULL, 0}};
    (void)state;
    host.options = options;
    validate_members(NAME, members);
    must_raise(FINDING_OTHER_VERSION, "'2.13.0' the backup is of v2.12.3");
    must_raise(FINDING_REMOVED_API, "'roles.rbac.authorization.k8s.io#v1beta1' 1 objects; "
                                    "Kubernetes 1.22 removed it, it is now "
                                    "rbac.authorization.k8s.io/v1");
    must_raise(FINDING_OTHER_KUBERNETES, "the source ran v1.33.1+k3s1");
    must_raise(FINDING_OPERATOR_RANGE, "release 9 of the operator");
    must_not_raise(FINDING_TARGET_UNKNOWN);
    host.options = same;
    validate_members(NAME, members);
    must_not_raise(FINDING_OTHER_VERSION);
    must_not_raise(FINDING_OTHER_KUBERNETES);
    must_not_raise(FINDING_OPERATOR_RANGE);
    host.options = NULL;
    validate_members(NAME, head);
    must_raise(FINDING_DEVELOPMENT, "head");
    validate_members(NAME, old);
    must_raise(FINDING_TOO_OLD, "'v2.4.8'");
    host.options = nonsense;
    const struct made archive = fixture_archive(members);
    assert_int_equal(validate(NAME, archive), SALVOR_REFUSED);
    assert_non_null(strstr(host.message, "'new' is no version"));
    free(archive.data);
    host.options = NULL;
}

/* ---- descriptor, host ---------------------------------------------------------------------------
 */

static void every_finding_is_whole(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < RANCHER_FINDINGS; i++) {
        assert_non_null(rancher_findings[i].id);
        assert_non_null(rancher_findings[i].title);
        assert_non_null(rancher_findings[i].remedy);
        assert_true(rancher_findings[i].severity != 0);
    }
}

static void passes_on_what_the_host_says(void **state)
{
    char name[200];
    const struct made archive = fixture_load("release-11.0.1/everything-", name);
    const struct made yaml = fixture_load("release-11.0.1/everything.", NULL);
    const struct fake_option secrets[] = {{"encryption-config", yaml.data, 0}, {NULL, NULL, 0}};
    (void)state;
    host.secrets = secrets;
    host.fail_call = 0;
    assert_int_equal(validate(name, archive), SALVOR_OK);
    const uint64_t calls = host.calls;
    assert_true(calls > 10);
    for (uint64_t i = 1; i <= calls; i++) {
        host.fail_call = i;
        const salvor_status status = validate(name, archive);
        /* reading the header for a finding may fail without harm: the damage is told */
        if (status == SALVOR_OK && !raised(FINDING_DAMAGED, "") && host.calls <= calls)
            fail_msg("failing call %llu of %llu goes unnoticed", (unsigned long long)i,
                     (unsigned long long)calls);
    }
    host.fail_call = 0;
    host.secrets = NULL;
    free(archive.data);
    free(yaml.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_archive_has_little_to_say),
        cmocka_unit_test(names_and_suffixes),
        cmocka_unit_test(a_source_without_archive),
        cmocka_unit_test(damage_is_a_blocker),
        cmocka_unit_test(header_fields_without_meaning_are_named),
        cmocka_unit_test(members_that_break_the_operator),
        cmocka_unit_test(members_that_are_not_what_they_should_be),
        cmocka_unit_test(names_that_the_operator_takes_for_its_own),
        cmocka_unit_test(numbers_and_long_names),
        cmocka_unit_test(judges_the_resource_set),
        cmocka_unit_test(judges_secrets),
        cmocka_unit_test(judges_whether_the_key_fits),
        cmocka_unit_test(names_what_the_operator_loses),
        cmocka_unit_test(names_what_is_missing),
        cmocka_unit_test(judges_versions),
        cmocka_unit_test(every_finding_is_whole),
        cmocka_unit_test(passes_on_what_the_host_says),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0)
        print_covered();
    return failed;
}
