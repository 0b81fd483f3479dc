#include "../unit.h"

#include <unistd.h>

#include "base/json.h"
#include "net/kube-config.h"

#include "config-folder.h"

static struct kube_environment nowhere;

static json_t *load(const char *path, const struct kube_environment *environment)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *config = NULL;
    if (kube_config_load(path, environment, &config, &err) != 0)
        fail_msg("not loaded: %s", err.message);
    return config;
}

/* Member at a path of names with '/' between them. */
static const char *at(const json_t *config, const char *path)
{
    cleanup_free char *names = text_copy(path);
    const json_t *value = config;
    for (char *name = names, *next = NULL; name != NULL; name = next) {
        next = strchr(name, '/');
        if (next != NULL)
            *next++ = '\0';
        value = json_object_get(value, name);
    }
    return json_string_value(value);
}

static void is(const json_t *config, const char *path, const char *expected)
{
    const char *text = at(config, path);
    if (!text_equal(text, expected))
        fail_msg("%s is '%s', not '%s'", path, text != NULL ? text : "(none)",
                 expected != NULL ? expected : "(none)");
}

static void the_first_file_wins_entry_by_entry(void **state)
{
    (void)state;
    config_file("one",
                "current-context: \"\"\nclusters:\n- name: c\n  cluster: {server: 'https://1'}\n"
                "users:\n- name: u\n  user: {token: one}\n");
    config_file("two",
                "current-context: two\nclusters:\n- name: c\n  cluster: {server: 'https://2', "
                "tls-server-name: name}\n- name: d\n  cluster: {server: 'https://d'}\ncontexts:\n"
                "- name: two\n  context: {cluster: c, user: u, namespace: space}\n");
    config_file("three",
                "current-context: three\nusers:\n- name: u\n  user: {token: three}\n- name: "
                "v\n  user: {username: x}\n");
    cleanup_free char *list =
        text_format("%s/absent::%s/one:%s/two:%s/one:%s/three", config_folder, config_folder,
                    config_folder, config_folder, config_folder);
    const struct kube_environment environment = {.kubeconfig = list, .home = config_folder};
    cleanup_kube_config json_t *config = load(NULL, &environment);
    is(config, "current-context", "two");
    is(config, "clusters/c/server", "https://1");
    is(config, "clusters/c/tls-server-name", NULL); /* whole entries, never mixed */
    is(config, "clusters/d/server", "https://d");
    is(config, "users/u/token", "one");
    is(config, "users/v/username", "x");
    is(config, "contexts/two/namespace", "space");
    cleanup_free char *origin = config_path("two");
    is(config, "clusters/d/origin", origin);
    assert_int_equal(json_array_size(json_object_get(config, "files")), 3);
}

static void the_usual_file_is_in_the_home(void **state)
{
    (void)state;
    config_file(".kube/config", "current-context: usual\n");
    const struct kube_environment environment = {.home = config_folder, .kubeconfig = ""};
    cleanup_kube_config json_t *config = load(NULL, &environment);
    is(config, "current-context", "usual");
    cleanup_kube_config json_t *empty = load(NULL, &nowhere);
    is(empty, "current-context", "");
    assert_int_equal(json_object_size(json_object_get(empty, "clusters")), 0);
}

static void a_named_file_stands_alone_and_must_exist(void **state)
{
    (void)state;
    config_file("alone", "current-context: alone\n");
    cleanup_free char *path = config_path("alone");
    cleanup_free char *other = config_path("one");
    cleanup_free char *absent = config_path("absent");
    const struct kube_environment environment = {.kubeconfig = other, .home = config_folder};
    cleanup_kube_config json_t *config = load(path, &environment);
    is(config, "current-context", "alone");
    assert_int_equal(json_object_size(json_object_get(config, "clusters")), 0);
    cleanup_error struct error err = ERROR_INIT;
    json_t *none = NULL;
    cleanup_free char *expected =
        text_format("kubeconfig: cannot open '%s': No such file or directory", absent);
    assert_int_equal(kube_config_load(absent, &environment, &none, &err), -1);
    assert_string_equal(err.message, expected);
}

static void paths_start_at_their_file(void **state)
{
    (void)state;
    config_file("sub/paths",
                "clusters:\n- name: c\n  cluster: {certificate-authority: ../ca.crt}\nusers:\n"
                "- name: u\n  user:\n    client-certificate: ./a//b.crt\n    client-key: /k/./k\n"
                "    tokenFile: t\n    exec: {command: ../bin/login, args: [-x], env: null}\n"
                "- name: v\n  user: {exec: {command: login, apiVersion: "
                "client.authentication.k8s.io/v1beta1, env: [{name: A, value: b}]}}\n");
    cleanup_free char *path = config_path("sub/paths");
    cleanup_free char *authority = config_path("ca.crt");
    cleanup_free char *certificate = config_path("sub/a/b.crt");
    cleanup_free char *token = config_path("sub/t");
    cleanup_free char *command = config_path("bin/login");
    cleanup_kube_config json_t *config = load(path, &nowhere);
    is(config, "clusters/c/certificate-authority", authority);
    is(config, "users/u/client-certificate", certificate);
    is(config, "users/u/client-key", "/k/./k");
    is(config, "users/u/tokenFile", token);
    is(config, "users/u/exec/command", command);
    is(config, "users/u/exec/interactiveMode", NULL);
    is(config, "users/v/exec/command", "login"); /* looked up in PATH */
    is(config, "users/v/exec/interactiveMode", "IfAvailable");
}

static void a_relative_list_starts_at_the_working_folder(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    config_file("here", "users: [{name: u, user: {tokenFile: t}}]\n");
    assert_int_equal(chdir(config_folder), 0);
    const struct kube_environment environment = {.kubeconfig = "here"};
    cleanup_kube_config json_t *config = load(NULL, &environment);
    assert_int_equal(chdir(before), 0);
    cleanup_free char *token = config_path("t");
    is(config, "users/u/tokenFile", token);
    is(config, "users/u/origin", "here");
}

static void contents_lose_their_line_breaks(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_kube_config json_t *config = NULL;
    static const char text[] =
        "users: [{name: u, user: {client-key-data: \"YWJj\\nZGVm\\r\\n\"}}]\n"
        "clusters: [{name: c, cluster: {insecure-skip-tls-verify: yes, "
        "disable-compression: false, server: ''}}]";
    assert_int_equal(kube_config_read(text, strlen(text), "f", NULL, &config, &err), 0);
    is(config, "users/u/client-key-data", "YWJjZGVm");
    const json_t *cluster = json_object_get(json_object_get(config, "clusters"), "c");
    assert_true(json_flag(cluster, "insecure-skip-tls-verify"));
    assert_null(json_object_get(cluster, "disable-compression"));
    assert_null(json_object_get(cluster, "server"));
}

static void fails(const char *text, const char *message)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *config = NULL;
    assert_int_equal(kube_config_read(text, strlen(text), "f", NULL, &config, &err), -1);
    assert_string_equal(err.message, message);
    assert_null(config);
}

static void mistakes_name_file_and_key_but_no_value(void **state)
{
    (void)state;
    fails("users: [{name: u, user: {token: 123456}}]",
          "kubeconfig 'f': 'users[0].user.token' must be a text");
    fails("users: [{name: u, user: {as-groups: [a, 1]}}]",
          "kubeconfig 'f': 'users[0].user.as-groups[1]' must be a text");
    fails("users: [{}, {name: u, user: {client-key-data: YWJ}}]",
          "kubeconfig 'f': 'users[1].user.client-key-data' is no base64");
    fails("users: [{name: u, user: {exec: {env: [{name: 1}]}}}]",
          "kubeconfig 'f': 'users[0].user.exec.env[0].name' must be a text");
    fails("clusters: [{name: c, cluster: {insecure-skip-tls-verify: 'true'}}]",
          "kubeconfig 'f': 'clusters[0].cluster.insecure-skip-tls-verify' must be true or false");
    fails("clusters: [{name: c, cluster: {certificate-authority: ca}}]",
          "kubeconfig 'f': 'clusters[0].cluster.certificate-authority' is a relative path, which "
          "has no meaning here");
    fails("contexts: {a: b}", "kubeconfig 'f': 'contexts' must be a list");
    fails("contexts: [a]", "kubeconfig 'f': 'contexts[0]' must be a map");
    fails("users: [{name: a}, {name: a}]", "kubeconfig 'f': 'users' has the name 'a' twice");
    fails("kind: Secret", "kubeconfig 'f': 'kind' must be 'Config'");
    fails("[a]", "'f' is no kubeconfig: it must be a map");
    fails("users:\n- name: a\n   user: b\n",
          "f:3:8: mapping values are not allowed in this context");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_file_wins_entry_by_entry),
        cmocka_unit_test(the_usual_file_is_in_the_home),
        cmocka_unit_test(a_named_file_stands_alone_and_must_exist),
        cmocka_unit_test(paths_start_at_their_file),
        cmocka_unit_test(a_relative_list_starts_at_the_working_folder),
        cmocka_unit_test(contents_lose_their_line_breaks),
        cmocka_unit_test(mistakes_name_file_and_key_but_no_value),
    };
    return cmocka_run_group_tests_name("net/kube-config", tests, make_config_folder,
                                       drop_config_folder);
}
