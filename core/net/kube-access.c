#include "net/kube-access.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"

enum { PEM_LIMIT = 4 << 20, TOKEN_LIMIT = 65536 };

#define EXEC_EXTENSION "client.authentication.k8s.io/exec"

/* The parts of the configuration that the context leads to. */
struct parts {
    const char *context_name;
    const char *cluster_name;
    const char *user_name;
    const json_t *context; /* NULL: none */
    const json_t *cluster;
    const json_t *user;
    struct error *reterr;
};

static int bad(const struct parts *parts, const json_t *entry, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An error about `entry`, which knows its file. */
static int bad(const struct parts *parts, const json_t *entry, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    const char *origin = json_text(entry, "origin");
    return error_set(parts->reterr, EXIT_USAGE, "kubeconfig '%s': %s", origin != NULL ? origin : "",
                     text);
}

/* ---- choosing -------------------------------------------------------------------------------- */

static int not_there(const json_t *entries, const char *what, const char *name, const char *of,
                     struct error *reterr)
{
    const size_t count = json_object_size(entries);
    cleanup_free const char **names = memory_new(count + 1, sizeof *names);
    const char *key = NULL;
    json_t *value = NULL;
    size_t at = 0;
    json_object_foreach ((json_t *)(uintptr_t)entries, key, value)
        names[at++] = key;
    (void)error_set(reterr, EXIT_USAGE, "%s '%s'%s%s%s does not exist in the kubeconfig", what,
                    name, of != NULL ? " of context '" : "", of != NULL ? of : "",
                    of != NULL ? "'" : "");
    const char *near = text_nearest(name, names);
    if (near != NULL)
        return error_hint(reterr, "did you mean '%s'?", near);
    return error_hint(reterr, "'kubectl config view' shows what there is");
}

static int choose(const json_t *config, const struct kube_choice *choice, struct parts *parts)
{
    const json_t *contexts = json_object_get(config, "contexts");
    const json_t *clusters = json_object_get(config, "clusters");
    const json_t *users = json_object_get(config, "users");
    parts->context_name =
        choice->context != NULL ? choice->context : json_text(config, "current-context");
    parts->context = json_object_get(contexts, parts->context_name);
    if (parts->context == NULL && *parts->context_name != '\0')
        return not_there(contexts, "context", parts->context_name, NULL, parts->reterr);
    parts->cluster_name = json_text(parts->context, "cluster");
    parts->user_name = json_text(parts->context, "user");
    if (parts->cluster_name != NULL) {
        parts->cluster = json_object_get(clusters, parts->cluster_name);
        if (parts->cluster == NULL)
            return not_there(clusters, "cluster", parts->cluster_name, parts->context_name,
                             parts->reterr);
    }
    if (parts->user_name != NULL) {
        parts->user = json_object_get(users, parts->user_name);
        if (parts->user == NULL)
            return not_there(users, "user", parts->user_name, parts->context_name, parts->reterr);
    }
    return 0;
}

/* ---- the server ------------------------------------------------------------------------------ */

/* Contents of the member `data` (base64), else of the file that the member `path` names; NULL when
 * there is neither. Locked memory. */
static int read_pem(const struct parts *parts, const json_t *entry, const char *path,
                    const char *data, char **ret_pem)
{
    const char *encoded = json_text(entry, data);
    const char *file = json_text(entry, path);
    char *text = NULL;
    size_t size = 0;
    *ret_pem = NULL;
    if (encoded != NULL && file != NULL)
        return bad(parts, entry, "'%s' and '%s' are both given", path, data);
    if (encoded != NULL) {
        const size_t room = strlen(encoded) / 4 * 3 + 4;
        char *pem = locked_new(room);
        /* kube-config.c has read it already: it is base64 */
        if (sodium_base642bin((unsigned char *)pem, room - 1, encoded, strlen(encoded), NULL, &size,
                              NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
            size = 0;
        pem[size] = '\0';
        *ret_pem = pem;
    } else if (file != NULL) {
        cleanup_error struct error err = ERROR_INIT;
        if (file_read(file, PEM_LIMIT, &text, &size, &err) != 0)
            return bad(parts, entry, "'%s': %s", path, err.message);
        *ret_pem = locked_copy(text, size);
        sodium_memzero(text, size);
        free(text);
    }
    return 0;
}

/* The same for what is no secret, in ordinary memory. */
static int read_open_pem(const struct parts *parts, const json_t *entry, const char *path,
                         const char *data, char **ret_pem)
{
    char *pem = NULL;
    if (read_pem(parts, entry, path, data, &pem) != 0)
        return -1;
    *ret_pem = pem != NULL ? text_copy(pem) : NULL;
    sodium_free(pem);
    return 0;
}

static char *copy_of(const json_t *entry, const char *key)
{
    const char *text = json_text(entry, key);
    return text != NULL ? text_copy(text) : NULL;
}

static int check_url(const struct parts *parts, const char *url)
{
    const char *host = strstr(url, "://");
    if ((text_starts(url, "https://") || text_starts(url, "http://")) && host[3] != '\0' &&
        host[3] != '/' && strpbrk(url, " \t\r\n\\\"<>@?#") == NULL)
        return 0;
    (void)bad(parts, parts->cluster, "server '%s' of cluster '%s' is not a URL", url,
              parts->cluster_name);
    return error_hint(parts->reterr, "it looks like https://HOST:6443");
}

static int check_proxy(const struct parts *parts, const char *proxy)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    for (size_t i = 0; proxy != NULL && i < sizeof schemes / sizeof schemes[0]; i++) {
        if (text_starts(proxy, schemes[i]) && proxy[strlen(schemes[i])] != '\0')
            return 0;
    }
    if (proxy == NULL)
        return 0;
    (void)bad(parts, parts->cluster, "proxy-url of cluster '%s' is not a URL of a proxy",
              parts->cluster_name);
    return error_hint(parts->reterr, "it begins with http://, https:// or socks5://");
}

static int read_cluster(const struct parts *parts, struct kube_access *access)
{
    const json_t *cluster = parts->cluster;
    const char *server = json_text(cluster, "server");
    if (server == NULL)
        return bad(parts, cluster, "cluster '%s' names no server", parts->cluster_name);
    access->proxy = copy_of(cluster, "proxy-url");
    if (check_url(parts, server) != 0 || check_proxy(parts, access->proxy) != 0)
        return -1;
    size_t size = strlen(server);
    while (size > 0 && server[size - 1] == '/')
        size--;
    access->server = text_copy_span(server, size);
    access->tls = text_starts(server, "https://");
    access->insecure = json_flag(cluster, "insecure-skip-tls-verify");
    access->no_compression = json_flag(cluster, "disable-compression");
    access->tls_server_name = copy_of(cluster, "tls-server-name");
    if (read_open_pem(parts, cluster, "certificate-authority", "certificate-authority-data",
                      &access->authority) != 0)
        return -1;
    if (access->insecure && access->authority != NULL)
        return bad(parts, cluster,
                   "cluster '%s' has a certificate authority and insecure-skip-tls-verify",
                   parts->cluster_name);
    return 0;
}

/* ---- the user -------------------------------------------------------------------------------- */

/* The cluster as an exec credential plugin is told of it. */
static json_t *cluster_info(const struct parts *parts, const struct kube_access *access)
{
    json_t *info = json_make("{s:s}", "server", access->server);
    const json_t *config =
        json_object_get(json_object_get(parts->cluster, "extensions"), EXEC_EXTENSION);
    if (access->tls_server_name != NULL)
        json_put_text(info, "tls-server-name", access->tls_server_name);
    if (access->insecure)
        json_put(info, "insecure-skip-tls-verify", json_true());
    if (access->authority != NULL) {
        const size_t size = strlen(access->authority);
        const size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
        cleanup_free char *encoded = memory_new(room, 1);
        (void)sodium_bin2base64(encoded, room, (const unsigned char *)access->authority, size,
                                sodium_base64_VARIANT_ORIGINAL);
        json_put_text(info, "certificate-authority-data", encoded);
    }
    if (access->proxy != NULL)
        json_put_text(info, "proxy-url", access->proxy);
    if (access->no_compression)
        json_put(info, "disable-compression", json_true());
    json_put(info, "config", config != NULL ? json_clone(config) : json_null());
    return info;
}

static int check_exec(const struct parts *parts, const json_t *exec)
{
    static const char *const versions[] = {"client.authentication.k8s.io/v1",
                                           "client.authentication.k8s.io/v1beta1"};
    const char *version = json_text(exec, "apiVersion");
    const char *mode = json_text(exec, "interactiveMode");
    size_t index = 0;
    json_t *variable = NULL;
    if (json_text(exec, "command") == NULL)
        return bad(parts, parts->user, "exec of user '%s' names no command", parts->user_name);
    if (!text_equal(version, versions[0]) && !text_equal(version, versions[1])) {
        (void)bad(parts, parts->user, "exec of user '%s' has apiVersion '%s'", parts->user_name,
                  version != NULL ? version : "");
        return error_hint(parts->reterr, "'%s' is what credential plugins speak", versions[0]);
    }
    if (mode == NULL)
        return bad(parts, parts->user, "exec of user '%s' has no interactiveMode",
                   parts->user_name);
    if (text_equal(mode, "Always")) {
        (void)bad(parts, parts->user, "exec of user '%s' wants to ask a person (interactiveMode)",
                  parts->user_name);
        return error_hint(parts->reterr,
                          "log in with that tool first, and set interactiveMode: IfAvailable");
    }
    if (!text_equal(mode, "Never") && !text_equal(mode, "IfAvailable"))
        return bad(parts, parts->user, "exec of user '%s' has interactiveMode '%s'",
                   parts->user_name, mode);
    json_array_foreach (json_object_get(exec, "env"), index, variable) {
        if (json_text(variable, "name") == NULL)
            return bad(parts, parts->user, "exec of user '%s' has a variable without a name",
                       parts->user_name);
    }
    return 0;
}

static int read_exec(const struct parts *parts, struct kube_access *access)
{
    const json_t *exec = json_object_get(parts->user, "exec");
    if (json_object_get(parts->user, "auth-provider") != NULL) {
        (void)bad(parts, parts->user, "user '%s' has an auth-provider, which is not supported",
                  parts->user_name);
        return error_hint(parts->reterr, "use an exec credential plugin in its place");
    }
    if (exec == NULL)
        return 0;
    if (check_exec(parts, exec) != 0)
        return -1;
    /* as with kubectl, whoever has credentials of his own does not ask the plugin */
    if (access->token != NULL || access->username != NULL || access->certificate != NULL)
        return 0;
    access->exec = json_clone(exec);
    if (json_flag(exec, "provideClusterInfo"))
        json_put(access->exec, "cluster", cluster_info(parts, access));
    return 0;
}

static int read_token(const struct parts *parts, struct kube_access *access)
{
    const char *token = json_text(parts->user, "token");
    access->token_file = copy_of(parts->user, "tokenFile");
    if (token != NULL) {
        access->token = locked_copy(token, strlen(token));
    } else if (access->token_file != NULL) {
        cleanup_error struct error err = ERROR_INIT;
        char *text = NULL;
        size_t size = 0;
        if (file_read(access->token_file, TOKEN_LIMIT, &text, &size, &err) != 0)
            return bad(parts, parts->user, "'tokenFile': %s", err.message);
        while (size > 0 && isspace((unsigned char)text[size - 1]))
            size--;
        const size_t begin = strspn(text, " \t\r\n");
        access->token = begin < size ? locked_copy(text + begin, size - begin) : NULL;
        sodium_memzero(text, size);
        free(text);
        if (access->token == NULL)
            return bad(parts, parts->user, "tokenFile '%s' is empty", access->token_file);
    }
    for (const char *at = access->token; at != NULL && *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return bad(parts, parts->user, "the token of user '%s' holds blanks or line breaks",
                       parts->user_name);
    }
    return 0;
}

static int read_impersonation(const struct parts *parts, const struct kube_choice *choice,
                              struct kube_access *access)
{
    const json_t *user = choice->as != NULL ? NULL : parts->user;
    const char *as = choice->as != NULL ? choice->as : json_text(user, "as");
    const char *uid = choice->as_uid != NULL ? choice->as_uid : json_text(user, "as-uid");
    const json_t *groups =
        choice->as_groups != NULL ? choice->as_groups : json_object_get(user, "as-groups");
    const json_t *extra =
        choice->as_extra != NULL ? choice->as_extra : json_object_get(user, "as-user-extra");
    if (as == NULL && (uid != NULL || groups != NULL || extra != NULL))
        return error_set(parts->reterr, EXIT_USAGE,
                         "cannot impersonate a uid, groups or extra fields without a user");
    if (as == NULL)
        return 0;
    access->impersonate = json_make("{s:s}", "user", as);
    if (uid != NULL)
        json_put_text(access->impersonate, "uid", uid);
    if (groups != NULL)
        json_put(access->impersonate, "groups", json_clone(groups));
    if (extra != NULL)
        json_put(access->impersonate, "extra", json_clone(extra));
    return 0;
}

static int read_user(const struct parts *parts, struct kube_access *access)
{
    const json_t *user = parts->user;
    const char *password = json_text(user, "password");
    const char *name = json_text(user, "username");
    if (read_open_pem(parts, user, "client-certificate", "client-certificate-data",
                      &access->certificate) != 0 ||
        read_pem(parts, user, "client-key", "client-key-data", &access->key) != 0 ||
        read_token(parts, access) != 0)
        return -1;
    if (access->certificate != NULL && access->key == NULL)
        return bad(parts, user, "user '%s' has a client certificate without its key",
                   parts->user_name);
    if (name != NULL || password != NULL) {
        if (json_text(user, "token") != NULL || access->token != NULL)
            return bad(parts, user, "user '%s' has a token and a password: one is allowed",
                       parts->user_name);
        access->username = text_copy(name != NULL ? name : "");
        access->password =
            locked_copy(password != NULL ? password : "", password != NULL ? strlen(password) : 0);
    }
    return read_exec(parts, access);
}

/* ---- inside a cluster ------------------------------------------------------------------------ */

static int is_in_cluster(const struct kube_environment *environment)
{
    cleanup_free char *token = text_format("%s/token", environment->account);
    struct stat status;
    return environment->service_host != NULL && *environment->service_host != '\0' &&
           environment->service_port != NULL && *environment->service_port != '\0' &&
           stat(token, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* As a configuration of its own, so that it goes through the same checks. */
static json_t *pod_config(const struct kube_environment *environment)
{
    const char *host = environment->service_host;
    const int bare = strchr(host, ':') != NULL && *host != '[';
    cleanup_free char *server = text_format("https://%s%s%s:%s", bare ? "[" : "", host,
                                            bare ? "]" : "", environment->service_port);
    cleanup_free char *token = text_format("%s/token", environment->account);
    cleanup_free char *authority = text_format("%s/ca.crt", environment->account);
    cleanup_free char *ns_file = text_format("%s/namespace", environment->account);
    cleanup_free char *ns = NULL;
    struct stat status;
    json_t *cluster = json_make("{s:s,s:s}", "server", server, "origin", environment->account);
    json_t *context =
        json_make("{s:s,s:s,s:s}", "cluster", "pod", "user", "pod", "origin", environment->account);
    if (stat(authority, &status) == 0)
        json_put_text(cluster, "certificate-authority", authority);
    if (file_read(ns_file, 256, &ns, NULL, NULL) == 0) {
        ns[strcspn(ns, " \t\r\n")] = '\0';
        if (*ns != '\0')
            json_put_text(context, "namespace", ns);
    }
    return json_make("{s:s,s:{s:o},s:{s:{s:s,s:s}},s:{s:o}}", "current-context", "pod", "clusters",
                     "pod", cluster, "users", "pod", "tokenFile", token, "origin",
                     environment->account, "contexts", "pod", context);
}

/* ---- all together ---------------------------------------------------------------------------- */

static int fill(const struct parts *parts, const struct kube_choice *choice,
                struct kube_access *access)
{
    const char *origin = json_text(parts->context, "origin");
    const char *ns = json_text(parts->context, "namespace");
    access->origin = text_copy(origin != NULL ? origin : "");
    access->context = text_copy(parts->context_name);
    access->ns = text_copy(ns != NULL ? ns : "default");
    if (read_cluster(parts, access) != 0)
        return -1;
    /* as with kubectl, credentials are for encrypted connections only */
    if (access->tls && read_user(parts, access) != 0)
        return -1;
    return read_impersonation(parts, choice, access);
}

int kube_access_choose(const json_t *config, const struct kube_choice *choice,
                       const struct kube_environment *environment, struct kube_access *ret_access,
                       struct error *reterr)
{
    struct parts parts = {.reterr = reterr};
    if (choose(config, choice, &parts) != 0)
        return -1;
    if (json_text(parts.cluster, "server") != NULL || parts.cluster != NULL)
        return fill(&parts, choice, ret_access);
    if (choice->explicit || parts.context != NULL || !is_in_cluster(environment)) {
        if (parts.context != NULL)
            return bad(&parts, parts.context, "context '%s' names no cluster", parts.context_name);
        (void)error_set(reterr, EXIT_USAGE, "no cluster is configured");
        return error_hint(reterr,
                          "name a kubeconfig and a context, or set KUBECONFIG or current-context");
    }
    cleanup_kube_config json_t *pod = pod_config(environment);
    struct kube_choice inside = *choice;
    inside.context = NULL;
    parts = (struct parts){.reterr = reterr};
    return choose(pod, &inside, &parts) != 0 ? -1 : fill(&parts, &inside, ret_access);
}

void kube_access_clear(struct kube_access *access)
{
    free(access->origin);
    free(access->context);
    free(access->server);
    free(access->ns);
    free(access->tls_server_name);
    free(access->authority);
    free(access->proxy);
    free(access->certificate);
    sodium_free(access->key);
    sodium_free(access->token);
    free(access->token_file);
    free(access->username);
    sodium_free(access->password);
    kube_config_free(access->exec);
    json_decref(access->impersonate);
    *access = (struct kube_access){0};
}
