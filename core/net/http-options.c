#include <salvor/json.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/http.h"
#include "net/options.h"
#include "services/secret.h"

enum { CREDENTIAL_LIMIT = 16 << 10, CONNECTIONS_MOST = 256, DAY_MS = 86400000 };

static const char what[] = "options of http.client_open";

/* Where the parts of the options are taken together. */
struct opening {
    struct worker_call *call;
    salvor_secret *const *secrets;
    uint32_t secret_count;
    struct net_pool_settings settings;
    struct salvor_http_client *client;
    char *origin;
};

/* ---- secrets --------------------------------------------------------------------------------- */

/* A member that holds the index of a secret; left as it is when absent. */
static int take_secret(const struct opening *opening, const json_t *object, const char *name,
                       struct salvor_span *ret, struct error *reterr)
{
    const json_t *member = json_object_get(object, name);
    if (member == NULL || json_is_null(member))
        return 0;
    if (!json_is_integer(member) || json_integer_value(member) < 0 ||
        json_integer_value(member) >= (json_int_t)opening->secret_count) {
        (void)error_set(reterr, EXIT_FAILED, "'%s' is not the index of one of the secrets", name);
        return error_hint(reterr, "secrets are passed by handle: {\"%s\": 0} means secrets[0]",
                          name);
    }
    if (secret_view(opening->call, opening->secrets[json_integer_value(member)], ret) != SALVOR_OK)
        return error_move(reterr, &opening->call->error);
    return 0;
}

/* ---- where and whom to trust ----------------------------------------------------------------- */

static int take_url(const json_t *options, struct opening *opening, struct error *reterr)
{
    const char *url = NULL;
    if (options_text(options, "url", &url, reterr) != 0)
        return -1;
    if (url == NULL)
        return error_set(reterr, EXIT_FAILED, "'url' is missing");
    const char *authority = strstr(url, "://");
    const char *path = authority != NULL ? strchr(authority + 3, '/') : NULL;
    if (path == NULL)
        path = url + strlen(url);
    size_t size = strlen(path);
    while (size > 0 && path[size - 1] == '/')
        size--;
    if (memchr(path, '?', size) != NULL || memchr(path, '#', size) != NULL)
        return error_set(reterr, EXIT_FAILED, "'url' has a query: it is the base of paths");
    opening->origin = text_copy_span(url, (size_t)(path - url));
    opening->settings.origin = opening->origin;
    opening->client->base = text_copy_span(path, size);
    return 0;
}

static int take_trust(const json_t *trust, struct opening *opening, struct error *reterr)
{
    static const char *const names[] = {
        "ca_file", "ca", "sha256", "server_name", "insecure-skip-verify", NULL};
    const char *ca = NULL;
    struct net_pool_settings *settings = &opening->settings;
    if (trust == NULL || json_is_null(trust))
        return 0;
    if (options_check("member 'trust' of the options", trust, names, reterr) != 0 ||
        options_text(trust, "ca_file", &settings->ca_file, reterr) != 0 ||
        options_text(trust, "ca", &ca, reterr) != 0 ||
        options_text(trust, "sha256", &settings->pin_sha256, reterr) != 0 ||
        options_text(trust, "server_name", &settings->server_name, reterr) != 0 ||
        options_flag(trust, "insecure-skip-verify", &settings->insecure, reterr) != 0)
        return -1;
    if (ca != NULL)
        settings->ca = (struct salvor_span){ca, strlen(ca)};
    return 0;
}

static int take_identity(const json_t *identity, struct opening *opening, struct error *reterr)
{
    static const char *const names[] = {"file", "key_file", "pem", "key", NULL};
    struct net_pool_settings *settings = &opening->settings;
    const char *pem = NULL;
    if (identity == NULL || json_is_null(identity))
        return 0;
    if (options_check("member 'client_certificate' of the options", identity, names, reterr) != 0 ||
        options_text(identity, "file", &settings->certificate_file, reterr) != 0 ||
        options_text(identity, "key_file", &settings->key_file, reterr) != 0 ||
        options_text(identity, "pem", &pem, reterr) != 0 ||
        take_secret(opening, identity, "key", &settings->key, reterr) != 0)
        return -1;
    if (pem != NULL)
        settings->certificate = (struct salvor_span){pem, strlen(pem)};
    return 0;
}

static int take_deadline(const json_t *deadlines, const char *name, int64_t *value,
                         struct error *reterr)
{
    return options_number(deadlines, name, 1, DAY_MS, value, reterr);
}

static int take_deadlines(const json_t *deadlines, struct opening *opening, struct error *reterr)
{
    static const char *const names[] = {"connect_ms", "first_byte_ms", "stall_ms", "whole_ms",
                                        NULL};
    struct net_pool_settings *settings = &opening->settings;
    if (deadlines == NULL || json_is_null(deadlines))
        return 0;
    if (options_check("member 'deadlines' of the options", deadlines, names, reterr) != 0)
        return -1;
    return take_deadline(deadlines, "connect_ms", &settings->connect_ms, reterr) != 0 ||
                   take_deadline(deadlines, "first_byte_ms", &settings->first_byte_ms, reterr) !=
                       0 ||
                   take_deadline(deadlines, "stall_ms", &settings->stall_ms, reterr) != 0 ||
                   take_deadline(deadlines, "whole_ms", &settings->whole_ms, reterr) != 0
               ? -1
               : 0;
}

static int take_transport(const json_t *options, struct opening *opening, struct error *reterr)
{
    struct net_pool_settings *settings = &opening->settings;
    const char *version = "1.1";
    int64_t connections = 0;
    if (options_text(options, "proxy", &settings->proxy, reterr) != 0 ||
        options_text(options, "http", &version, reterr) != 0 ||
        options_flag(options, "trailers", &opening->client->wants_trailers, reterr) != 0 ||
        options_number(options, "connections", 1, CONNECTIONS_MOST, &connections, reterr) != 0)
        return -1;
    if (text_equal(settings->proxy, "none"))
        settings->proxy = "";
    if (!text_equal(version, "1.1") && !text_equal(version, "2") && !text_equal(version, "2-only"))
        return error_set(reterr, EXIT_FAILED, "'http' is neither '1.1', '2' nor '2-only'");
    settings->http = text_equal(version, "1.1") ? NET_HTTP_1
                     : text_equal(version, "2") ? NET_HTTP_2
                                                : NET_HTTP_2_ONLY;
    settings->connections = (uint32_t)connections;
    return 0;
}

/* ---- who we are ------------------------------------------------------------------------------ */

static char *credential_line(const char *scheme, const char *value, size_t size)
{
    const size_t room = strlen("Authorization:  ") + strlen(scheme) + size + 1;
    char *line = locked_new(room);
    const int used = snprintf(line, room, "Authorization: %s ", scheme);
    memcpy(line + used, value, size);
    line[(size_t)used + size] = '\0';
    return line;
}

/* "user:password" in base64; the parent redacts that form of the password by itself. */
static char *basic_line(const char *scheme, const char *user, struct salvor_span password)
{
    const size_t size = strlen(user) + 1 + (size_t)password.size;
    const size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *pair = locked_new(size + 1);
    char *encoded = locked_new(room);
    const int used = snprintf(pair, size + 1, "%s:", user);
    if (password.size > 0)
        memcpy(pair + used, password.data, (size_t)password.size);
    (void)sodium_bin2base64(encoded, room, (const unsigned char *)pair, size,
                            sodium_base64_VARIANT_ORIGINAL);
    char *line = credential_line(scheme, encoded, strlen(encoded));
    sodium_free(pair);
    sodium_free(encoded);
    return line;
}

static int is_token(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
           strlen(text);
}

static int take_bearer(const json_t *login, struct opening *opening, struct error *reterr)
{
    const char *scheme = "Bearer";
    struct salvor_span token = {NULL, 0};
    if (options_text(login, "scheme", &scheme, reterr) != 0 ||
        take_secret(opening, login, "token", &token, reterr) != 0)
        return -1;
    /* A file or a command often gives a line end with it. */
    const char *bytes = token.data;
    while (token.size > 0 && (bytes[token.size - 1] == '\n' || bytes[token.size - 1] == '\r'))
        token.size--;
    if (token.size == 0 || token.size > CREDENTIAL_LIMIT)
        return error_set(reterr, EXIT_FAILED, "the bearer token of the login is missing or empty");
    for (uint64_t i = 0; i < token.size; i++)
        if ((unsigned char)bytes[i] <= 0x20 || (unsigned char)bytes[i] >= 0x7f)
            return error_set(reterr, EXIT_FAILED, "the bearer token of the login is no token");
    if (!is_token(scheme))
        return error_set(reterr, EXIT_FAILED, "'scheme' of the login is no word");
    opening->client->authorization = credential_line(scheme, bytes, (size_t)token.size);
    return 0;
}

static int take_basic(const json_t *login, struct opening *opening, struct error *reterr)
{
    const char *scheme = "Basic";
    const char *user = NULL;
    struct salvor_span password = {NULL, 0};
    if (options_text(login, "scheme", &scheme, reterr) != 0 ||
        options_text(login, "user", &user, reterr) != 0 ||
        take_secret(opening, login, "password", &password, reterr) != 0)
        return -1;
    if (user == NULL || password.data == NULL || password.size > CREDENTIAL_LIMIT)
        return error_set(reterr, EXIT_FAILED, "the login needs 'user' and 'password'");
    if (strchr(user, ':') != NULL || !is_token(scheme))
        return error_set(reterr, EXIT_FAILED,
                         "the user of a basic login holds a ':', or its scheme is no word");
    opening->client->authorization = basic_line(scheme, user, password);
    return 0;
}

static int take_session(const json_t *login, struct opening *opening, struct error *reterr)
{
    struct salvor_span password = {NULL, 0};
    if (take_secret(opening, login, "password", &password, reterr) != 0)
        return -1;
    if (password.data == NULL)
        return error_set(reterr, EXIT_FAILED, "a session needs 'password' of its login");
    if (login_options_parse(login, password, &opening->client->login, reterr) != 0)
        return -1;
    struct salvor_http_client *client = opening->client;
    client->has_login = 1;
    client->login_path = client->login.path;
    client->login.path = text_format("%s%s", client->base, client->login_path);
    return 0;
}

static int take_login(const json_t *login, struct opening *opening, struct error *reterr)
{
    static const char *const names[] = {
        "how",           "scheme",  "user",       "password",       "token",
        "path",          "format",  "user_field", "password_field", "token_header",
        "token_pointer", "cookies", "statuses",   "expired",        NULL};
    const char *how = NULL;
    if (login == NULL || json_is_null(login))
        return 0;
    if (options_check("member 'login' of the options", login, names, reterr) != 0 ||
        options_text(login, "how", &how, reterr) != 0)
        return -1;
    if (how == NULL)
        how = json_object_get(login, "token") != NULL ? "bearer" : "basic";
    if (text_equal(how, "basic"))
        return take_basic(login, opening, reterr);
    if (text_equal(how, "bearer"))
        return take_bearer(login, opening, reterr);
    if (text_equal(how, "session"))
        return take_session(login, opening, reterr);
    return error_set(reterr, EXIT_FAILED,
                     "'how' of the login is neither 'basic', 'bearer' nor 'session'");
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int take_list(const json_t *options, const char *name, size_t most, json_t **ret,
                     struct error *reterr)
{
    const json_t *list = json_object_get(options, name);
    size_t index = 0;
    const json_t *each = NULL;
    if (list == NULL || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > most)
        return error_set(reterr, EXIT_FAILED, "'%s' is not an array of at most %zu texts", name,
                         most);
    json_array_foreach (list, index, each)
        if (!json_is_string(each))
            return error_set(reterr, EXIT_FAILED, "'%s' is not an array of texts", name);
    *ret = json_clone(list);
    return 0;
}

static int take_rest(const json_t *options, struct opening *opening, struct error *reterr)
{
    enum { HEADERS_MOST = 16, SHOWN_MOST = 64 };
    struct salvor_http_client *client = opening->client;
    client->rule = retry_rule_default;
    if (take_list(options, "headers", HEADERS_MOST, &client->headers, reterr) != 0 ||
        take_list(options, "shown_query", SHOWN_MOST, &client->shown, reterr) != 0 ||
        retry_rule_parse(json_object_get(options, "retry"), &client->rule, reterr) != 0)
        return -1;
    const size_t count = json_array_size(client->shown);
    client->shown_keys = memory_new(count + 1, sizeof *client->shown_keys);
    for (size_t i = 0; i < count; i++)
        client->shown_keys[i] = json_string_value(json_array_get(client->shown, i));
    return 0;
}

static int take_options(const json_t *options, struct opening *opening, struct error *reterr)
{
    static const char *const names[] = {
        "url",       "trust", "client_certificate", "proxy",       "login",    "headers", "retry",
        "deadlines", "http",  "connections",        "shown_query", "trailers", NULL};
    if (options_check(what, options, names, reterr) != 0 ||
        take_url(options, opening, reterr) != 0 ||
        take_trust(json_object_get(options, "trust"), opening, reterr) != 0 ||
        take_identity(json_object_get(options, "client_certificate"), opening, reterr) != 0 ||
        take_transport(options, opening, reterr) != 0 ||
        take_deadlines(json_object_get(options, "deadlines"), opening, reterr) != 0 ||
        take_login(json_object_get(options, "login"), opening, reterr) != 0 ||
        take_rest(options, opening, reterr) != 0)
        return -1;
    return 0;
}

salvor_status http_client_make(struct worker_call *call, const char *text,
                               salvor_secret *const *secrets, uint32_t secret_count,
                               struct salvor_http_client *client)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *options = NULL;
    struct opening opening = {
        .call = call, .secrets = secrets, .secret_count = secret_count, .client = client};
    *client = (struct salvor_http_client){.call = call};
    int result = options_parse(what, text, &options, &err);
    if (result == 0)
        result = take_options(options, &opening, &err);
    salvor_status status = SALVOR_OK;
    if (result != 0) {
        (void)error_prefix(&err, "http.client_open");
        status = call_fail_error(call, SALVOR_BUG, &err);
    } else {
        status = net_pool_open(call, &opening.settings, &client->pool);
    }
    if (status == SALVOR_OK && client->has_login)
        client->session = session_of(client->pool, &client->login);
    free(opening.origin);
    if (status != SALVOR_OK)
        http_client_clear(client);
    return status;
}

void http_client_clear(struct salvor_http_client *client)
{
    net_transfer_clear(&client->login_transfer);
    session_let_go(client->session);
    sodium_free(client->login_body);
    sodium_free(client->authorization);
    login_options_clear(&client->login);
    json_decref(client->headers);
    json_decref(client->shown);
    free(client->shown_keys);
    free(client->login_path);
    free(client->base);
    net_pool_release(client->pool);
}
