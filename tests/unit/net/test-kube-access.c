#include "../unit.h"

#include "base/json.h"
#include "net/kube-access.h"

#include "config-folder.h"

static const struct kube_environment nowhere = {.account = "/nonexistent"};

#define CLUSTER "clusters: [{name: c, cluster: {server: 'https://api:6443/'}}]\n"
#define CONTEXT "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
#define USER(members) "users: [{name: u, user: {" members "}}]\n"

static int choose(const char *text, const struct kube_choice *choice, struct kube_access *ret,
                  struct error *reterr)
{
    cleanup_kube_config json_t *config = NULL;
    if (kube_config_read(text, strlen(text), "f", config_folder, &config, reterr) != 0)
        return -1;
    return kube_access_choose(config, choice, &nowhere, ret, reterr);
}

static struct kube_access chosen(const char *text, const struct kube_choice *choice)
{
    cleanup_error struct error err = ERROR_INIT;
    struct kube_access access = {0};
    if (choose(text, choice, &access, &err) != 0)
        fail_msg("not chosen: %s", err.message);
    return access;
}

static void fails(const char *text, const struct kube_choice *choice, const char *message,
                  const char *hint)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_kube_access struct kube_access access = {0};
    assert_int_equal(choose(text, choice, &access, &err), -1);
    assert_string_equal(err.message, message);
    if (hint != NULL)
        assert_string_equal(err.hint, hint);
}

static void the_current_context_or_another(void **state)
{
    (void)state;
    static const char text[] =
        "clusters: [{name: a, cluster: {server: 'https://a'}}, {name: b, cluster: {server: "
        "'https://b/k8s/clusters/c-1/', tls-server-name: name, proxy-url: 'socks5://p:1080', "
        "insecure-skip-tls-verify: true, disable-compression: true}}]\n"
        "users: [{name: u, user: {token: t0ken}}]\n"
        "contexts: [{name: one, context: {cluster: a, user: u}}, {name: two, context: {cluster: b, "
        "user: u, namespace: space}}]\ncurrent-context: one\n";
    cleanup_kube_access struct kube_access one = chosen(text, &(struct kube_choice){0});
    assert_string_equal(one.server, "https://a");
    assert_string_equal(one.ns, "default");
    assert_string_equal(one.token, "t0ken");
    assert_false(one.insecure);
    assert_null(one.proxy);
    cleanup_kube_access struct kube_access two =
        chosen(text, &(struct kube_choice){.context = "two"});
    assert_string_equal(two.server, "https://b/k8s/clusters/c-1");
    assert_string_equal(two.ns, "space");
    assert_string_equal(two.tls_server_name, "name");
    assert_string_equal(two.proxy, "socks5://p:1080");
    assert_true(two.insecure);
    assert_true(two.no_compression);
    fails(text, &(struct kube_choice){.context = "tow"},
          "context 'tow' does not exist in the kubeconfig", "did you mean 'two'?");
}

static void credentials_of_every_kind(void **state)
{
    (void)state;
    config_file("c.crt", "CERTIFICATE");
    config_file("token", "  fr0m-file \n");
    cleanup_kube_access struct kube_access access =
        chosen(CLUSTER CONTEXT USER("client-certificate: c.crt, client-key-data: S0VZ"),
               &(struct kube_choice){0});
    assert_string_equal(access.certificate, "CERTIFICATE");
    assert_string_equal(access.key, "KEY");
    cleanup_kube_access struct kube_access file =
        chosen(CLUSTER CONTEXT USER("tokenFile: token"), &(struct kube_choice){0});
    assert_string_equal(file.token, "fr0m-file");
    cleanup_kube_access struct kube_access basic =
        chosen(CLUSTER CONTEXT USER("username: me, password: p"), &(struct kube_choice){0});
    assert_string_equal(basic.username, "me");
    assert_string_equal(basic.password, "p");
}

static void plain_http_carries_no_credentials(void **state)
{
    (void)state;
    cleanup_kube_access struct kube_access access =
        chosen("clusters: [{name: c, cluster: {server: 'http://127.0.0.1:8080'}}]\n" CONTEXT USER(
                   "token: t0ken, as: somebody"),
               &(struct kube_choice){0});
    assert_null(access.token);
    assert_string_equal(json_text(access.impersonate, "user"), "somebody");
}

#define EXEC(members) \
    USER("exec: {command: login, apiVersion: client.authentication.k8s.io/v1, " members "}")

static void exec_plugins(void **state)
{
    (void)state;
    config_file("ca.crt", "CA");
    cleanup_kube_access struct kube_access access = chosen(
        "clusters: [{name: c, cluster: {server: 'https://api', certificate-authority: ca.crt, "
        "extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: "
        "me}}]}}]\n" CONTEXT EXEC("interactiveMode: Never, provideClusterInfo: true, args: [a, b]"),
        &(struct kube_choice){0});
    const json_t *cluster = json_object_get(access.exec, "cluster");
    assert_string_equal(json_text(cluster, "server"), "https://api");
    assert_string_equal(json_text(cluster, "certificate-authority-data"), "Q0E=");
    assert_string_equal(json_text(json_object_get(cluster, "config"), "audience"), "me");
    cleanup_kube_access struct kube_access token =
        chosen(CLUSTER CONTEXT USER("token: t0ken, exec: {command: x, interactiveMode: Never, "
                                    "apiVersion: client.authentication.k8s.io/v1}"),
               &(struct kube_choice){0});
    assert_null(token.exec); /* own credentials come first */
    fails(CLUSTER CONTEXT EXEC(""), &(struct kube_choice){0},
          "kubeconfig 'f': exec of user 'u' has no interactiveMode", NULL);
    fails(CLUSTER CONTEXT EXEC("interactiveMode: Always"), &(struct kube_choice){0},
          "kubeconfig 'f': exec of user 'u' wants to ask a person (interactiveMode)",
          "log in with that tool first, and set interactiveMode: IfAvailable");
    fails(CLUSTER CONTEXT USER("exec: {command: x, apiVersion: "
                               "client.authentication.k8s.io/v1alpha1, interactiveMode: Never}"),
          &(struct kube_choice){0},
          "kubeconfig 'f': exec of user 'u' has apiVersion 'client.authentication.k8s.io/v1alpha1'",
          NULL);
    fails(CLUSTER CONTEXT USER("auth-provider: {name: oidc}"), &(struct kube_choice){0},
          "kubeconfig 'f': user 'u' has an auth-provider, which is not supported",
          "use an exec credential plugin in its place");
}

static void impersonation(void **state)
{
    (void)state;
    static const char text[] = CLUSTER CONTEXT USER("as: a, as-groups: [g, h], as-uid: '7', "
                                                    "as-user-extra: {k: [v]}");
    cleanup_kube_access struct kube_access own = chosen(text, &(struct kube_choice){0});
    cleanup_free char *said = json_dumps(own.impersonate, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(
        said, "{\"extra\":{\"k\":[\"v\"]},\"groups\":[\"g\",\"h\"],\"uid\":\"7\",\"user\":\"a\"}");
    cleanup_kube_access struct kube_access other =
        chosen(text, &(struct kube_choice){.as = "system:admin"});
    cleanup_free char *asked = json_dumps(other.impersonate, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(asked, "{\"user\":\"system:admin\"}");
    fails(CLUSTER CONTEXT USER("as-uid: '7'"), &(struct kube_choice){0},
          "cannot impersonate a uid, groups or extra fields without a user", NULL);
}

static void what_kubectl_refuses(void **state)
{
    (void)state;
    const struct kube_choice any = {0};
    fails("", &any, "no cluster is configured",
          "name a kubeconfig and a context, or set KUBECONFIG or current-context");
    fails(CLUSTER CONTEXT, &any, "user 'u' of context 'x' does not exist in the kubeconfig", NULL);
    fails("current-context: x\ncontexts: [{name: x}]", &any,
          "kubeconfig 'f': context 'x' names no cluster", NULL);
    fails("clusters: [{name: c}]\n" CONTEXT USER("token: a"), &any,
          "kubeconfig 'f': cluster 'c' names no server", NULL);
    fails("clusters: [{name: c, cluster: {server: 'api:6443'}}]\n" CONTEXT USER("token: a"), &any,
          "kubeconfig 'f': server 'api:6443' of cluster 'c' is not a URL",
          "it looks like https://HOST:6443");
    fails("clusters: [{name: c, cluster: {server: 'https://a', proxy-url: 'p:1'}}]\n" CONTEXT USER(
              "token: a"),
          &any, "kubeconfig 'f': proxy-url of cluster 'c' is not a URL of a proxy", NULL);
    fails("clusters: [{name: c, cluster: {server: 'https://a', certificate-authority-data: Q0E=, "
          "insecure-skip-tls-verify: true}}]\n" CONTEXT USER("token: a"),
          &any,
          "kubeconfig 'f': cluster 'c' has a certificate authority and insecure-skip-tls-verify",
          NULL);
    fails(CLUSTER CONTEXT USER("token: a, username: b"), &any,
          "kubeconfig 'f': user 'u' has a token and a password: one is allowed", NULL);
    fails(CLUSTER CONTEXT USER("client-certificate-data: Q0E="), &any,
          "kubeconfig 'f': user 'u' has a client certificate without its key", NULL);
    fails(CLUSTER CONTEXT USER("client-certificate-data: Q0E=, client-certificate: a"), &any,
          "kubeconfig 'f': 'client-certificate' and 'client-certificate-data' are both given",
          NULL);
    fails(CLUSTER CONTEXT USER("token: \"a b\""), &any,
          "kubeconfig 'f': the token of user 'u' holds blanks or line breaks", NULL);
    cleanup_free char *absent = text_format(
        "kubeconfig 'f': 'tokenFile': cannot open '%s/absent': No such file or directory",
        config_folder);
    fails(CLUSTER CONTEXT USER("tokenFile: absent"), &any, absent, NULL);
}

static void the_account_of_a_pod_is_the_last_resort(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *account = config_path("account");
    const struct kube_environment pod = {
        .service_host = "fd00::1", .service_port = "443", .account = account};
    cleanup_kube_config json_t *config = NULL;
    assert_int_equal(kube_config_load(NULL, &pod, &config, &err), 0);
    cleanup_kube_access struct kube_access none = {0};
    assert_int_equal(kube_access_choose(config, &(struct kube_choice){0}, &pod, &none, &err), -1);
    config_file("account/token", "p0d\n");
    config_file("account/ca.crt", "CA");
    config_file("account/namespace", "here\n");
    cleanup_kube_access struct kube_access access = {0};
    assert_int_equal(kube_access_choose(config, &(struct kube_choice){0}, &pod, &access, &err), 0);
    assert_string_equal(access.server, "https://[fd00::1]:443");
    assert_string_equal(access.token, "p0d");
    assert_string_equal(access.authority, "CA");
    assert_string_equal(access.ns, "here");
    cleanup_kube_access struct kube_access named = {0};
    assert_int_equal(
        kube_access_choose(config, &(struct kube_choice){.explicit = 1}, &pod, &named, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_current_context_or_another),
        cmocka_unit_test(credentials_of_every_kind),
        cmocka_unit_test(plain_http_carries_no_credentials),
        cmocka_unit_test(exec_plugins),
        cmocka_unit_test(impersonation),
        cmocka_unit_test(what_kubectl_refuses),
        cmocka_unit_test(the_account_of_a_pod_is_the_last_resort),
    };
    return cmocka_run_group_tests_name("net/kube-access", tests, make_config_folder,
                                       drop_config_folder);
}
