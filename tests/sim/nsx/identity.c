#include "identity.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { CREDENTIALS_LIMIT = 1024 };

void nsx_caller_clear(struct nsx_caller *caller)
{
    free(caller->name);
    free(caller->role);
    free(caller->principal_id);
    *caller = (struct nsx_caller){.kind = NSX_NOBODY};
}

struct nsx_user *nsx_find_user(struct sim_nsx *sim, const char *name)
{
    for (size_t i = 0; i < sim->user_count; i++)
        if (strcmp(sim->users[i].name, name) == 0)
            return &sim->users[i];
    sim->users = memory_resize(sim->users, sim->user_count + 1, sizeof *sim->users);
    struct nsx_user *user = &sim->users[sim->user_count++];
    *user = (struct nsx_user){.name = text_copy(name)};
    return user;
}

/* A user that can log in with a password; NULL otherwise. */
static struct nsx_user *find_account(struct sim_nsx *sim, const char *name)
{
    for (size_t i = 0; i < sim->user_count; i++)
        if (sim->users[i].password != NULL && strcmp(sim->users[i].name, name) == 0)
            return &sim->users[i];
    return NULL;
}

/* Counts what failed: enough of it locks the account for a while. */
static struct nsx_user *check_password(struct sim_nsx *sim, const char *name, const char *password)
{
    struct nsx_user *user = find_account(sim, name);
    int64_t now = nsx_now(sim);
    if (user == NULL || now < user->locked_until_ms)
        return NULL;
    if (strcmp(user->password, password) == 0) {
        user->failures = 0;
        return user;
    }
    if (++user->failures >= sim->lockout_failures && sim->lockout_failures > 0) {
        user->locked_until_ms = now + sim->lockout_ms;
        user->failures = 0;
    }
    return NULL;
}

static void become_user(struct nsx_request *request, const struct nsx_user *user)
{
    request->caller = (struct nsx_caller){
        .kind = NSX_USER, .name = text_copy(user->name), .role = text_copy(user->role)};
}

/* "Basic" for local users, "Remote" for those with a domain suffix. */
static int by_password(struct sim_nsx *sim, struct nsx_request *request)
{
    const char *text = request->authorization;
    int is_remote = strncasecmp(text, "Remote ", 7) == 0;
    if (!is_remote && strncasecmp(text, "Basic ", 6) != 0)
        return -1;
    text += is_remote ? 7 : 6;
    char credentials[CREDENTIALS_LIMIT + 1];
    size_t size = 0;
    if (sodium_base642bin((unsigned char *)credentials, CREDENTIALS_LIMIT, text, strlen(text), NULL,
                          &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return -1;
    credentials[size] = '\0';
    char *colon = strchr(credentials, ':');
    if (colon == NULL)
        return -1;
    *colon = '\0';
    if ((strchr(credentials, '@') != NULL) != is_remote)
        return -1;
    const struct nsx_user *user = check_password(sim, credentials, colon + 1);
    if (user != NULL)
        become_user(request, user);
    sodium_memzero(credentials, sizeof credentials);
    return user == NULL ? -1 : 0;
}

static struct nsx_session *find_session(struct sim_nsx *sim, const struct nsx_request *request)
{
    for (size_t i = 0; i < sim->session_count; i++) {
        struct nsx_session *session = &sim->sessions[i];
        if (strcmp(session->id, request->session) == 0 && session->manager == request->manager &&
            !session->is_expired && nsx_now(sim) - session->used_ms <= sim->session_ms)
            return session;
    }
    return NULL;
}

static int by_session(struct sim_nsx *sim, struct nsx_request *request)
{
    struct nsx_session *session = find_session(sim, request);
    if (session == NULL || !text_equal(session->token, request->xsrf))
        return -1;
    session->used_ms = nsx_now(sim);
    become_user(request, nsx_find_user(sim, session->user));
    return 0;
}

const char *nsx_principal_role(const json_t *principal)
{
    const char *role = json_text(principal, "role");
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(principal, "roles_for_paths"), i, entry) {
        const json_t *roles = json_object_get(entry, "roles");
        if (text_equal(json_text(entry, "path"), "/") && json_array_size(roles) > 0)
            role = json_text(json_array_get(roles, 0), "role");
    }
    return role == NULL ? "none" : role;
}

void nsx_forget_principal_index(struct sim_nsx *sim)
{
    json_decref(sim->principal_index);
    sim->principal_index = NULL;
}

void nsx_index_principal(struct sim_nsx *sim, const json_t *principal, int existed)
{
    const char *fingerprint = json_text(principal, "_sim_sha256");
    if (existed)
        nsx_forget_principal_index(sim);
    else if (sim->principal_index != NULL && fingerprint != NULL)
        json_put_text(sim->principal_index, fingerprint, json_text(principal, "id"));
}

/* Asked for at every request of an adapter, and there are hundreds. */
static void make_principal_index(struct sim_nsx *sim)
{
    const struct nsx_table *table = &sim->intent.tables[NSX_PRINCIPALS];
    sim->principal_index = json_object();
    for (size_t i = 0; i < table->count; i++) {
        cleanup_json json_t *principal = nsx_record_tree(table->items[i]);
        const char *fingerprint = json_text(principal, "_sim_sha256");
        if (fingerprint != NULL)
            json_put_text(sim->principal_index, fingerprint, table->items[i]->key);
    }
}

json_t *nsx_principal_of(struct sim_nsx *sim, const char *fingerprint)
{
    if (fingerprint[0] == '\0')
        return NULL;
    if (sim->principal_index == NULL)
        make_principal_index(sim);
    const char *id = json_text(sim->principal_index, fingerprint);
    return id == NULL ? NULL : nsx_table_tree(&sim->intent.tables[NSX_PRINCIPALS], id);
}

static int is_expired(const struct sim_nsx *sim, const json_t *principal)
{
    cleanup_json json_t *certificate = nsx_table_tree(&sim->intent.tables[NSX_CERTIFICATES],
                                                      json_text(principal, "certificate_id"));
    const json_t *details = json_array_get(json_object_get(certificate, "details"), 0);
    return json_whole(details, "not_after", INT64_MAX) < nsx_now(sim);
}

static int by_certificate(struct sim_nsx *sim, struct nsx_request *request,
                          struct nsx_answer *answer)
{
    cleanup_json json_t *principal = nsx_principal_of(sim, request->peer_fingerprint);
    if (principal == NULL) {
        nsx_error_credentials(answer);
        return -1;
    }
    if (is_expired(sim, principal)) {
        nsx_error(answer, 500, 99, "common-services", "The client certificate is not trusted.");
        return -1;
    }
    request->caller = (struct nsx_caller){.kind = NSX_PRINCIPAL,
                                          .name = text_copy(json_text(principal, "name")),
                                          .role = text_copy(nsx_principal_role(principal)),
                                          .principal_id = text_copy(json_text(principal, "id")),
                                          .is_protective = json_flag(principal, "is_protected")};
    return 0;
}

int nsx_identify(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (request->authorization != NULL) {
        if (by_password(sim, request) == 0)
            return 0;
    } else if (request->session != NULL) {
        if (by_session(sim, request) == 0)
            return 0;
        nsx_error(answer, 403, 98, "common-services",
                  "The session or its XSRF token is missing, wrong or expired.");
        return -1;
    } else if (request->peer_fingerprint[0] != '\0') {
        return by_certificate(sim, request, answer);
    }
    nsx_error_credentials(answer);
    return -1;
}

int nsx_authorize(const struct sim_nsx *sim, const struct nsx_request *request,
                  enum nsx_feature feature, struct nsx_answer *answer)
{
    const char *role = request->caller.role;
    int reads = strcmp(request->method, "GET") == 0;
    int allowed = feature == NSX_ANY || feature == NSX_FREE;
    if (strcmp(role, "enterprise_admin") == 0)
        allowed = 1;
    else if (strcmp(role, "auditor") == 0)
        allowed |= reads;
    else if (strcmp(role, "security_admin") == 0)
        allowed |= reads || feature == NSX_FIREWALL;
    else if (request->caller.kind == NSX_PRINCIPAL)
        allowed |= reads && nsx_switch_is(sim, SW_LIMITED_PI_READ, "allowed");
    if (allowed)
        return 0;
    nsx_error_forbidden(answer);
    return -1;
}

/* --- sessions --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The value of a form field, decoded, new; NULL when absent. */
static char *form_field(const char *form, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = form; at != NULL && *at != '\0'; at = strchr(at, '&')) {
        at += *at == '&';
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        at += length + 1;
        size_t size = strcspn(at, "&"), used = 0;
        char *value = memory_new(size + 1, 1);
        for (size_t i = 0; i < size; i++) {
            int coded = at[i] == '%' && i + 2 < size && hex_digit(at[i + 1]) >= 0 &&
                        hex_digit(at[i + 2]) >= 0;
            if (coded)
                value[used++] =
                    (char)(unsigned char)(hex_digit(at[i + 1]) * 16 + hex_digit(at[i + 2]));
            else
                value[used++] = (char)(at[i] == '+' ? ' ' : at[i]);
            i += coded ? 2 : 0;
        }
        value[used] = '\0';
        return value;
    }
    return NULL;
}

void nsx_session_create(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *form = request->body.data == NULL ? "" : request->body.data;
    cleanup_free char *name = form_field(form, "j_username");
    cleanup_free char *password = form_field(form, "j_password");
    int is_form = request->content_type != NULL &&
                  text_starts(request->content_type, "application/x-www-form-urlencoded");
    const struct nsx_user *user =
        !is_form || name == NULL || password == NULL ? NULL : check_password(sim, name, password);
    if (user == NULL) {
        nsx_error_credentials(answer);
        return;
    }
    become_user(request, user);
    sim->sessions = memory_resize(sim->sessions, sim->session_count + 1, sizeof *sim->sessions);
    struct nsx_session *session = &sim->sessions[sim->session_count++];
    *session = (struct nsx_session){.id = text_format("%016llX%016llX",
                                                      (unsigned long long)nsx_random(sim),
                                                      (unsigned long long)nsx_random(sim)),
                                    .token = nsx_uuid(sim),
                                    .user = text_copy(name),
                                    .manager = request->manager,
                                    .used_ms = nsx_now(sim)};
    answer->cookie = text_format("JSESSIONID=%s; Path=/; Secure; HttpOnly", session->id);
    answer->xsrf = text_copy(session->token);
    nsx_answer_empty(answer, 200);
}

void nsx_session_destroy(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    if (nsx_switch_is(sim, SW_SESSION_DESTROY, "missing")) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    for (size_t i = 0; i < sim->session_count; i++)
        if (text_equal(sim->sessions[i].id, request->session))
            sim->sessions[i].is_expired = 1;
    nsx_answer_empty(answer, 200);
}

void nsx_expire_sessions(struct sim_nsx *sim, int manager)
{
    for (size_t i = 0; i < sim->session_count; i++)
        if (manager < 0 || sim->sessions[i].manager == manager)
            sim->sessions[i].is_expired = 1;
}

void nsx_forget_sessions(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->session_count; i++) {
        free(sim->sessions[i].id);
        free(sim->sessions[i].token);
        free(sim->sessions[i].user);
    }
    free(sim->sessions);
    sim->sessions = NULL;
    sim->session_count = 0;
}

void nsx_user_info(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)sim;
    nsx_answer_json(answer, 200,
                    json_make("{s:s, s:[{s:s}]}", "user_name", request->caller.name, "roles",
                              "role", request->caller.role));
}
