#include "net/kube-client.h"

#include <ctype.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "services/recorder.h"
#include "worker/argument.h"

enum { OPTIONS_LIMIT = 1 << 20, WARNINGS_KEPT = 200, WARNING_LENGTH = 1000 };

static void close_client(struct worker_call *call, void *handle)
{
    (void)call;
    kube_client_let_go(handle);
}

salvor_status kube_client_check(struct worker_call *call, salvor_kube_client *client)
{
    if (!call_owns(call, client, close_client))
        return call_fail(call, SALVOR_BUG, "a kube client is not open in this call");
    return SALVOR_OK;
}

void kube_client_hold(salvor_kube_client *client)
{
    client->users++;
}

void kube_client_let_go(salvor_kube_client *client)
{
    if (--client->users > 0)
        return;
    if (client->pool != NULL)
        net_pool_release(client->pool);
    for (size_t i = 0; i < client->identity_header_count; i++)
        free(client->identity_headers[i]);
    kube_credentials_clear(&client->credentials);
    kube_access_clear(&client->access);
    json_decref(client->identity);
    json_decref(client->warnings);
    free(client->prefix);
    free(client->origin);
    free(client);
}

void kube_client_close(salvor_call *public_call, salvor_kube_client *client)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, client, close_client))
        return;
    call_forget(call, client);
    close_client(call, client);
}

/* ---- options --------------------------------------------------------------------------------- */

static salvor_status check_texts(struct worker_call *call, const char *name, const json_t *list)
{
    size_t index = 0;
    json_t *entry = NULL;
    int good = json_is_array(list);
    json_array_foreach (list, index, entry)
        good = good && json_is_string(entry);
    return good ? SALVOR_OK
                : call_fail(call, SALVOR_BUG, "kube.client_open: '%s' is no list of texts", name);
}

static salvor_status bad_option(struct worker_call *call, const char *name, const char *what)
{
    return call_fail(call, SALVOR_BUG, "kube.client_open: '%s' is %s", name, what);
}

static salvor_status check_extra(struct worker_call *call, const json_t *value)
{
    const char *key = NULL;
    json_t *list = NULL;
    salvor_status status =
        json_is_object(value) ? SALVOR_OK : bad_option(call, "as_extra", "no object");
    json_object_foreach ((json_t *)(uintptr_t)value, key, list) {
        if (status == SALVOR_OK)
            status = check_texts(call, key, list);
    }
    return status;
}

static int is_within(const json_t *value, int64_t least, int64_t most)
{
    return json_is_integer(value) && json_integer_value(value) >= least &&
           json_integer_value(value) <= most;
}

static salvor_status check_option(struct worker_call *call, const char *name, const json_t *value)
{
    static const char *const texts[] = {"kubeconfig", "kubeconfig_text", "context",
                                        "as",         "as_uid",          NULL};
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (text_equal(name, texts[i]))
            return json_string_length(value) > 0 ? SALVOR_OK : bad_option(call, name, "no text");
    }
    if (text_equal(name, "as_groups"))
        return check_texts(call, name, value);
    if (text_equal(name, "as_extra"))
        return check_extra(call, value);
    if (text_equal(name, "compression"))
        return json_is_boolean(value) ? SALVOR_OK : bad_option(call, name, "no boolean");
    if (text_equal(name, "connections"))
        return is_within(value, 1, 256) ? SALVOR_OK : bad_option(call, name, "not from 1 to 256");
    if (text_equal(name, "timeout_ms"))
        return is_within(value, 1, 86400000) ? SALVOR_OK
                                             : bad_option(call, name, "no number of milliseconds");
    if (text_equal(name, "retry"))
        return SALVOR_OK; /* its own parser looks at it */
    return bad_option(call, name, "no option");
}

static salvor_status check_options(struct worker_call *call, const json_t *options)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)options, name, value) {
        salvor_status status = json_is_null(value) ? SALVOR_OK : check_option(call, name, value);
        if (status != SALVOR_OK)
            return status;
    }
    if (json_text(options, "kubeconfig") != NULL && json_text(options, "kubeconfig_text") != NULL)
        return call_fail(call, SALVOR_BUG,
                         "kube.client_open: 'kubeconfig' and 'kubeconfig_text' are both given");
    return SALVOR_OK;
}

/* Recordings must fit another machine, and hold no secret. */
static json_t *identity_of(const json_t *options)
{
    static const char *const said[] = {"context", "as", "as_uid", "as_groups", "as_extra", NULL};
    json_t *identity = json_make("{}");
    const char *path = json_text(options, "kubeconfig");
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (path != NULL)
        json_put_text(identity, "kubeconfig", slash != NULL ? slash + 1 : path);
    else if (json_text(options, "kubeconfig_text") != NULL)
        json_put_text(identity, "kubeconfig", "(text)");
    for (size_t i = 0; said[i] != NULL; i++) {
        const json_t *value = json_object_get(options, said[i]);
        if (value != NULL && !json_is_null(value))
            json_put(identity, said[i], json_clone(value));
    }
    return identity;
}

/* ---- opening --------------------------------------------------------------------------------- */

static salvor_status choose(struct worker_call *call, const json_t *options,
                            salvor_kube_client *client)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_kube_config json_t *config = NULL;
    struct kube_environment environment;
    const char *path = json_text(options, "kubeconfig");
    const char *text = json_text(options, "kubeconfig_text");
    const struct kube_choice choice = {
        .context = json_text(options, "context"),
        .as = json_text(options, "as"),
        .as_uid = json_text(options, "as_uid"),
        .as_groups = json_object_get(options, "as_groups"),
        .as_extra = json_object_get(options, "as_extra"),
        .explicit = path != NULL || text != NULL,
    };
    kube_environment_get(&environment);
    const int failed =
        text != NULL ? kube_config_read(text, strlen(text), "kubeconfig_text", NULL, &config, &err)
                     : kube_config_load(path, &environment, &config, &err);
    if (failed != 0 ||
        kube_access_choose(config, &choice, &environment, &client->access, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    return SALVOR_OK;
}

static int is_loopback(const char *origin)
{
    const char *host = strstr(origin, "://") + 3;
    return text_starts(host, "127.") || text_starts(host, "[::1]") ||
           text_starts(host, "localhost:") || text_equal(host, "localhost");
}

/* "https://HOST:PORT/PREFIX" in its two parts. */
static void split_server(salvor_kube_client *client)
{
    const char *server = client->access.server;
    const char *path = strchr(strstr(server, "://") + 3, '/');
    client->origin =
        path != NULL ? text_copy_span(server, (size_t)(path - server)) : text_copy(server);
    client->prefix = text_copy(path != NULL ? path : "");
}

static salvor_status add_identity_header(struct worker_call *call, salvor_kube_client *client,
                                         const char *name, const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return call_fail(call, SALVOR_FAILED,
                             "whom to impersonate holds a control character ('%s')", name);
    }
    if (client->identity_header_count == KUBE_IDENTITY_HEADERS)
        return call_fail(call, SALVOR_FAILED, "more than %d groups and fields to impersonate",
                         KUBE_IDENTITY_HEADERS);
    client->identity_headers[client->identity_header_count++] = text_format("%s: %s", name, value);
    return SALVOR_OK;
}

/* The name of an extra field, whose characters are those of a header name only in part. */
static char *extra_header(const char *key)
{
    struct buffer name = BUFFER_INIT(4096);
    (void)buffer_append_text(&name, "Impersonate-Extra-");
    for (; *key != '\0'; key++) {
        if (isalnum((unsigned char)*key) || strchr("!#$&'*+-.^_`|~", *key) != NULL)
            (void)buffer_append(&name, key, 1);
        else
            (void)buffer_format(&name, "%%%02X", (unsigned)(unsigned char)*key);
    }
    return buffer_take(&name);
}

static salvor_status add_impersonation(struct worker_call *call, salvor_kube_client *client)
{
    const json_t *who = client->access.impersonate;
    const char *uid = json_text(who, "uid");
    const char *key = NULL;
    json_t *list = NULL;
    size_t index = 0;
    json_t *entry = NULL;
    if (who == NULL)
        return SALVOR_OK;
    salvor_status status =
        add_identity_header(call, client, "Impersonate-User", json_text(who, "user"));
    if (status == SALVOR_OK && uid != NULL)
        status = add_identity_header(call, client, "Impersonate-Uid", uid);
    json_array_foreach (json_object_get(who, "groups"), index, entry) {
        if (status == SALVOR_OK)
            status =
                add_identity_header(call, client, "Impersonate-Group", json_string_value(entry));
    }
    json_object_foreach (json_object_get(who, "extra"), key, list) {
        cleanup_free char *name = extra_header(key);
        json_array_foreach (list, index, entry) {
            if (status == SALVOR_OK)
                status = add_identity_header(call, client, name, json_string_value(entry));
        }
    }
    return status;
}

static salvor_status open_pool(struct worker_call *call, salvor_kube_client *client)
{
    const struct kube_access *access = &client->access;
    const struct kube_credentials *credentials = &client->credentials;
    const char *authority = access->authority;
    const char *certificate = credentials->certificate;
    const char *key = credentials->key;
    const struct net_pool_settings settings = {
        .origin = client->origin,
        .ca = {authority, authority != NULL ? strlen(authority) : 0},
        .server_name = access->tls_server_name,
        .insecure = access->insecure,
        .certificate = {certificate, certificate != NULL ? strlen(certificate) : 0},
        .key = {key, key != NULL ? strlen(key) : 0},
        .proxy = access->proxy,
        .http = client->http,
        .connections = client->connections,
    };
    struct net_pool *pool = NULL;
    salvor_status status = net_pool_open(call, &settings, &pool);
    if (status != SALVOR_OK)
        return status;
    if (client->pool != NULL)
        net_pool_release(client->pool);
    client->pool = pool;
    client->pool_generation = credentials->generation;
    return SALVOR_OK;
}

static void tell_opened(struct worker_call *call, const salvor_kube_client *client)
{
    json_t *members =
        json_make("{s:s,s:s,s:s,s:s,s:i}", "service", "kube", "what", "client", "url",
                  client->access.server, "context", client->access.context, "duration_ms", 0);
    if (client->access.impersonate != NULL)
        json_put(members, "as", json_clone(client->access.impersonate));
    call_evidence(call, members);
}

static salvor_status connect(struct worker_call *call, const json_t *options,
                             salvor_kube_client *client)
{
    const json_t *compression = json_object_get(options, "compression");
    salvor_status status = choose(call, options, client);
    if (status != SALVOR_OK)
        return status;
    split_server(client);
    client->connections = (uint32_t)json_whole(options, "connections", 0);
    client->timeout_ms = json_whole(options, "timeout_ms", 0);
    /* between two ends of one machine there is no wire to spare */
    client->gzip = json_is_boolean(compression)
                       ? json_is_true(compression)
                       : !client->access.no_compression && !is_loopback(client->origin);
    status = add_impersonation(call, client);
    if (status == SALVOR_OK)
        status = kube_credentials_open(call, &client->access, &client->credentials);
    if (status == SALVOR_OK)
        status = open_pool(call, client);
    if (status == SALVOR_OK)
        tell_opened(call, client);
    return status;
}

salvor_status kube_client_open(salvor_call *public_call, const char *options,
                               salvor_kube_client **ret_client)
{
    struct worker_call *call = call_of(public_call);
    cleanup_kube_config json_t *parsed = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (ret_client == NULL)
        return call_fail(call, SALVOR_BUG, "kube.client_open: an argument is missing");
    *ret_client = NULL;
    salvor_status status =
        argument_json(call, "kube.client_open", "options", options != NULL ? options : "{}",
                      OPTIONS_LIMIT, 1, &parsed);
    if (status == SALVOR_OK)
        status = check_options(call, parsed);
    if (status != SALVOR_OK)
        return status;
    salvor_kube_client *client = memory_new(1, sizeof *client);
    client->call = call;
    client->users = 1;
    client->identity = identity_of(parsed);
    client->warnings = json_make("{}");
    client->rule = retry_rule_default;
    if (retry_rule_parse(json_object_get(parsed, "retry"), &client->rule, &err) != 0) {
        (void)error_prefix(&err, "kube.client_open: retry");
        status = call_fail_error(call, SALVOR_BUG, &err);
    }
    client->replays = recorder_replays(call->session->recorder);
    if (status == SALVOR_OK && !client->replays)
        status = connect(call, parsed, client);
    if (status != SALVOR_OK) {
        kube_client_let_go(client);
        return status;
    }
    call_register(call, client, close_client);
    *ret_client = client;
    return SALVOR_OK;
}

/* ---- between requests ------------------------------------------------------------------------ */

salvor_status kube_client_ready(struct worker_call *call, salvor_kube_client *client)
{
    salvor_status status = kube_credentials_check(call, &client->credentials);
    if (status == SALVOR_OK && client->credentials.generation != client->pool_generation)
        status = open_pool(call, client);
    return status;
}

/* The text of `299 - "text"`, quotes undone; owned by the caller. */
static char *warning_text(const char *value, size_t size)
{
    struct buffer text = BUFFER_INIT(WARNING_LENGTH);
    const char *at = memchr(value, '"', size);
    const char *end = value + size;
    for (at = at != NULL ? at + 1 : value; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        if (buffer_append(&text, at, 1) != 0)
            break;
    }
    return buffer_take(&text);
}

static void take_warning(struct worker_call *call, salvor_kube_client *client, const char *text)
{
    const int64_t before = json_whole(client->warnings, text, 0);
    if (before == 0 && json_object_size(client->warnings) >= WARNINGS_KEPT)
        return;
    json_t *count = json_integer(before + 1);
    if (json_object_set_new(client->warnings, text, count) != 0)
        return; /* no UTF-8: not worth a failure */
    if (before == 0)
        call_evidence(call, json_make("{s:s,s:s,s:s,s:i}", "service", "kube", "what", "warning",
                                      "text", text, "duration_ms", 0));
}

void kube_client_take_warnings(struct worker_call *call, salvor_kube_client *client,
                               const struct buffer *header_lines)
{
    const char *at = header_lines->data;
    while (at != NULL && *at != '\0') {
        const size_t size = strcspn(at, "\n");
        if (size > 9 && strncmp(at, "warning: ", 9) == 0) {
            cleanup_free char *text = warning_text(at + 9, size - 9);
            take_warning(call, client, text);
        }
        at += size + (at[size] == '\n');
    }
}
