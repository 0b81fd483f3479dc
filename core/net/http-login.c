#include "net/http-login.h"

#include <ctype.h>
#include <salvor/json.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/options.h"
#include "services/secret.h"

enum { KEPT_SESSIONS = 32, ANSWER_LIMIT = 1 << 20, HEADER_LIMIT = 16 << 10 };

struct session {
    struct session *next;
    uint32_t users; /* clients that hold it */
    char key[DIGEST_TEXT_SIZE];
    uint32_t generation;          /* 0: no login yet */
    char *lines[SESSION_HEADERS]; /* in locked memory */
    size_t line_count;            /* 0: there is no live session */
    char *refusal;
};

static struct session *sessions;

/* ---- options --------------------------------------------------------------------------------- */

static int take_statuses(const json_t *given, int32_t *statuses, struct error *reterr)
{
    static const int32_t usual[] = {200, 201, 204};
    size_t index = 0;
    const json_t *each = NULL;
    if (given == NULL) {
        memcpy(statuses, usual, sizeof usual);
        return 0;
    }
    if (!json_is_array(given) || json_array_size(given) >= SESSION_STATUSES)
        return error_set(reterr, EXIT_FAILED, "'statuses' of the login is not a short array");
    json_array_foreach (given, index, each) {
        if (json_integer_value(each) < 200 || json_integer_value(each) > 399)
            return error_set(reterr, EXIT_FAILED, "'statuses' of the login are not HTTP statuses");
        statuses[index] = (int32_t)json_integer_value(each);
    }
    return 0;
}

static int take_rule(const json_t *given, struct expired_rule *ret, struct error *reterr)
{
    static const char *const names[] = {"status", "pointer", "values", NULL};
    const char *pointer = NULL;
    int64_t status = 0;
    const json_t *values = json_object_get(given, "values");
    if (options_check("rule 'expired' of the login", given, names, reterr) != 0 ||
        options_number(given, "status", 400, 599, &status, reterr) != 0 ||
        options_text(given, "pointer", &pointer, reterr) != 0)
        return -1;
    if (status == 0 || (pointer != NULL) != json_is_array(values) ||
        (pointer != NULL && *pointer != '/'))
        return error_set(reterr, EXIT_FAILED,
                         "rule 'expired' of the login is not {status} or {status,pointer,values}");
    ret->status = (int32_t)status;
    ret->pointer = pointer != NULL ? text_copy(pointer) : NULL;
    ret->values = json_clone(values);
    return 0;
}

static int take_rules(const json_t *given, struct login_options *ret, struct error *reterr)
{
    size_t index = 0;
    const json_t *each = NULL;
    if (given == NULL) {
        ret->expired[0].status = 401;
        ret->expired[1].status = 403;
        ret->expired_count = 2;
        return 0;
    }
    if (!json_is_array(given) || json_array_size(given) > SESSION_EXPIRED_RULES)
        return error_set(reterr, EXIT_FAILED, "'expired' of the login is not a short array");
    json_array_foreach (given, index, each)
        if (take_rule(each, &ret->expired[ret->expired_count++], reterr) != 0)
            return -1;
    return 0;
}

static int take_texts(const json_t *login, struct login_options *ret, struct error *reterr)
{
    const char *path = NULL;
    const char *user = NULL;
    const char *format = "form";
    const char *user_field = "username";
    const char *password_field = "password";
    const char *token_header = NULL;
    const char *token_pointer = NULL;
    if (options_text(login, "path", &path, reterr) != 0 ||
        options_text(login, "user", &user, reterr) != 0 ||
        options_text(login, "format", &format, reterr) != 0 ||
        options_text(login, "user_field", &user_field, reterr) != 0 ||
        options_text(login, "password_field", &password_field, reterr) != 0 ||
        options_text(login, "token_header", &token_header, reterr) != 0 ||
        options_text(login, "token_pointer", &token_pointer, reterr) != 0)
        return -1;
    if (path == NULL || user == NULL)
        return error_set(reterr, EXIT_FAILED, "a session needs 'path' and 'user' of its login");
    if (!text_equal(format, "form") && !text_equal(format, "json"))
        return error_set(reterr, EXIT_FAILED, "'format' of the login is neither 'form' nor 'json'");
    ret->path = text_copy(path);
    ret->user = text_copy(user);
    ret->is_json = text_equal(format, "json");
    ret->user_field = text_copy(user_field);
    ret->password_field = text_copy(password_field);
    ret->token_header = token_header != NULL ? text_copy(token_header) : NULL;
    ret->token_pointer = token_pointer != NULL ? text_copy(token_pointer) : NULL;
    return 0;
}

int login_options_parse(const json_t *login, struct salvor_span password, struct login_options *ret,
                        struct error *reterr)
{
    const json_t *cookies = json_object_get(login, "cookies");
    *ret = (struct login_options){.password = password};
    int result = take_texts(login, ret, reterr);
    if (result == 0)
        result = take_statuses(json_object_get(login, "statuses"), ret->statuses, reterr);
    if (result == 0)
        result = take_rules(json_object_get(login, "expired"), ret, reterr);
    if (result == 0 && cookies != NULL && !json_is_array(cookies))
        result = error_set(reterr, EXIT_FAILED, "'cookies' of the login is not an array of names");
    ret->cookies = json_clone(cookies);
    if (result != 0)
        login_options_clear(ret);
    return result;
}

void login_options_clear(struct login_options *options)
{
    free(options->path);
    free(options->user);
    free(options->user_field);
    free(options->password_field);
    free(options->token_header);
    free(options->token_pointer);
    json_decref(options->cookies);
    for (size_t i = 0; i < options->expired_count; i++) {
        free(options->expired[i].pointer);
        json_decref(options->expired[i].values);
    }
    *options = (struct login_options){0};
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void end_session(struct session *session)
{
    for (size_t i = 0; i < session->line_count; i++)
        sodium_free(session->lines[i]);
    session->line_count = 0;
}

/* Among those that no client holds, the oldest goes when there are too many. */
static void make_room(void)
{
    size_t count = 0;
    struct session **last = NULL;
    for (struct session **at = &sessions; *at != NULL; at = &(*at)->next, count++)
        if ((*at)->users == 0)
            last = at;
    if (count < KEPT_SESSIONS || last == NULL)
        return;
    struct session *gone = *last;
    *last = gone->next;
    end_session(gone);
    free(gone->refusal);
    free(gone);
}

static void add_text(struct digest *digest, const char *text)
{
    digest_add(digest, text, strlen(text) + 1);
}

static struct session *hold(struct session *session)
{
    session->users++;
    return session;
}

void session_let_go(struct session *session)
{
    if (session != NULL)
        session->users--;
}

struct session *session_of(struct net_pool *pool, const struct login_options *options)
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char key[DIGEST_TEXT_SIZE];
    digest_begin(&digest);
    add_text(&digest, net_pool_key(pool));
    add_text(&digest, options->path);
    add_text(&digest, options->user);
    digest_add(&digest, options->password.data, (size_t)options->password.size);
    digest_end(&digest, hash);
    digest_text(hash, key);
    for (struct session *each = sessions; each != NULL; each = each->next)
        if (text_equal(each->key, key))
            return hold(each);
    make_room();
    struct session *session = memory_new(1, sizeof *session);
    memcpy(session->key, key, sizeof key);
    session->next = sessions;
    sessions = session;
    return hold(session);
}

size_t session_headers(const struct session *session, const char *ret_headers[SESSION_HEADERS],
                       uint32_t *ret_generation)
{
    for (size_t i = 0; i < session->line_count; i++)
        ret_headers[i] = session->lines[i];
    *ret_generation = session->generation;
    return session->line_count;
}

void session_drop(struct session *session, uint32_t generation)
{
    if (session->generation == generation)
        end_session(session);
}

const char *session_refusal(const struct session *session)
{
    return session->refusal;
}

static int has_value(const struct expired_rule *rule, const json_t *answer)
{
    const json_t *found = salvor_json_at(answer, rule->pointer);
    size_t index = 0;
    const json_t *each = NULL;
    json_array_foreach (rule->values, index, each)
        if (json_equal(each, found))
            return 1;
    return 0;
}

int session_is_expired(const struct login_options *options, int32_t code,
                       const struct buffer *answer)
{
    cleanup_json json_t *parsed = NULL;
    for (size_t i = 0; i < options->expired_count; i++) {
        const struct expired_rule *rule = &options->expired[i];
        if (rule->status != code)
            continue;
        if (rule->pointer == NULL)
            return 1;
        if (parsed == NULL && answer->size > 0 && answer->size <= ANSWER_LIMIT)
            parsed = json_loadb(answer->data, answer->size, 0, NULL);
        if (has_value(rule, parsed))
            return 1;
    }
    return 0;
}

/* ---- the login ------------------------------------------------------------------------------- */

static void put_encoded(char **at, const char *data, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)data[i];
        if (byte != '\0' && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "-._~",
                                   byte) != NULL) {
            *(*at)++ = (char)byte;
        } else {
            *(*at)++ = '%';
            *(*at)++ = digits[byte >> 4];
            *(*at)++ = digits[byte & 15];
        }
    }
}

static void put_text(char **at, const char *text)
{
    const size_t size = strlen(text);
    memcpy(*at, text, size);
    *at += size;
}

/* A JSON string; what is not UTF-8 stays as it is, as the server may take it. */
static void put_quoted(char **at, const char *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    *(*at)++ = '"';
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)data[i];
        if (byte < 0x20) {
            put_text(at, "\\u00");
            *(*at)++ = digits[byte >> 4];
            *(*at)++ = digits[byte & 15];
            continue;
        }
        if (byte == '"' || byte == '\\')
            *(*at)++ = '\\';
        *(*at)++ = (char)byte;
    }
    *(*at)++ = '"';
}

/* In locked memory throughout: libcurl sends it from there. */
static char *make_body(const struct login_options *options, size_t *ret_size)
{
    const size_t room = 16 + 6 * (strlen(options->user_field) + strlen(options->user) +
                                  strlen(options->password_field) + (size_t)options->password.size);
    char *body = locked_new(room);
    char *at = body;
    void (*put)(char **at, const char *data, size_t size) =
        options->is_json ? put_quoted : put_encoded;
    if (options->is_json)
        put_text(&at, "{");
    put(&at, options->user_field, strlen(options->user_field));
    put_text(&at, options->is_json ? ":" : "=");
    put(&at, options->user, strlen(options->user));
    put_text(&at, options->is_json ? "," : "&");
    put(&at, options->password_field, strlen(options->password_field));
    put_text(&at, options->is_json ? ":" : "=");
    put(&at, options->password.data, (size_t)options->password.size);
    if (options->is_json)
        put_text(&at, "}");
    *ret_size = (size_t)(at - body);
    return body;
}

void login_prepare(const struct login_options *options, struct net_pool *pool,
                   struct net_transfer *transfer, char **ret_body)
{
    static const char *const form[] = {"Content-Type: application/x-www-form-urlencoded"};
    static const char *const json[] = {"Content-Type: application/json"};
    size_t size = 0;
    *ret_body = make_body(options, &size);
    transfer->pool = pool;
    transfer->method = "POST";
    transfer->target = options->path;
    transfer->headers = options->is_json ? json : form;
    transfer->header_count = 1;
    transfer->body = (struct salvor_span){*ret_body, size};
    transfer->response_limit = ANSWER_LIMIT;
    transfer->call_site = "login";
    /* A second session is no harm: it may be sent again. */
    transfer->flags = NET_IDEMPOTENT;
}

/* ---- its answer ------------------------------------------------------------------------------ */

static int is_wanted(const json_t *names, const char *cookie, size_t size)
{
    size_t index = 0;
    const json_t *each = NULL;
    if (names == NULL)
        return 1;
    json_array_foreach (names, index, each)
        if (json_string_length(each) == size && memcmp(json_string_value(each), cookie, size) == 0)
            return 1;
    return 0;
}

/* "Cookie: a=b; c=d" of all Set-Cookie lines; empty when there was none. */
static void collect_cookies(const struct login_options *options, const struct buffer *lines,
                            struct buffer *ret)
{
    static const char name[] = "set-cookie: ";
    const char *end = lines->data + lines->size;
    for (const char *line = lines->data; line != NULL && line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const size_t size = (size_t)(next - line);
        if (size > strlen(name) && memcmp(line, name, strlen(name)) == 0) {
            const char *cookie = line + strlen(name);
            const size_t pair = strcspn(cookie, ";\n");
            const char *equals = memchr(cookie, '=', pair);
            if (equals != NULL && is_wanted(options->cookies, cookie, (size_t)(equals - cookie)))
                (void)buffer_format(ret, "%s%.*s", ret->size > 0 ? "; " : "Cookie: ", (int)pair,
                                    cookie);
        }
        line = next + 1;
    }
}

/* Values of a session are secrets like the password. */
static int hide(struct worker_call *call, const char *secret, size_t size, struct error *reterr)
{
    return secret_redact(call, secret, size) == SALVOR_OK ? 0 : error_move(reterr, &call->error);
}

static void keep_line(struct session *session, struct buffer *line)
{
    session->lines[session->line_count++] = locked_copy(line->data, line->size);
    sodium_memzero(line->data, line->size);
}

static int take_cookies(struct worker_call *call, struct session *session,
                        const struct login_options *options, const struct buffer *lines,
                        struct error *reterr)
{
    cleanup_buffer struct buffer line = BUFFER_INIT(HEADER_LIMIT);
    collect_cookies(options, lines, &line);
    if (line.size == 0 && options->cookies != NULL && json_array_size(options->cookies) > 0)
        return error_set(reterr, EXIT_FAILED, "it sets none of the expected cookies");
    if (line.size == 0)
        return 0;
    for (const char *part = line.data; *part != '\0';) {
        const size_t size = strcspn(part, ";");
        const char *value = memchr(part, '=', size);
        if (value != NULL && hide(call, value + 1, size - (size_t)(value + 1 - part), reterr) != 0)
            return -1;
        part += size + strspn(part + size, "; ");
    }
    keep_line(session, &line);
    return 0;
}

static int take_token_header(struct worker_call *call, struct session *session,
                             const struct login_options *options, const struct buffer *lines,
                             struct error *reterr)
{
    cleanup_buffer struct buffer line = BUFFER_INIT(HEADER_LIMIT);
    cleanup_free char *name = text_copy(options->token_header);
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    const struct salvor_span token = net_header(lines, name);
    if (token.size == 0)
        return error_set(reterr, EXIT_FAILED, "it has no header '%s'", options->token_header);
    if (hide(call, token.data, (size_t)token.size, reterr) != 0)
        return -1;
    (void)buffer_format(&line, "%s: %.*s", options->token_header, (int)token.size,
                        (const char *)token.data);
    keep_line(session, &line);
    return 0;
}

static int take_token_member(struct worker_call *call, struct session *session,
                             const struct login_options *options, const struct buffer *body,
                             struct error *reterr)
{
    cleanup_buffer struct buffer line = BUFFER_INIT(HEADER_LIMIT);
    cleanup_json json_t *answer =
        body->size > 0 ? json_loadb(body->data, body->size, 0, NULL) : NULL;
    const char *token = json_string_value(salvor_json_at(answer, options->token_pointer));
    if (token == NULL || strpbrk(token, "\r\n") != NULL)
        return error_set(reterr, EXIT_FAILED, "it has no token at '%s'", options->token_pointer);
    if (hide(call, token, strlen(token), reterr) != 0)
        return -1;
    (void)buffer_format(&line, "Authorization: Bearer %s", token);
    keep_line(session, &line);
    return 0;
}

static int check_status(struct session *session, const struct login_options *options,
                        const struct net_transfer *transfer, struct error *reterr)
{
    for (size_t i = 0; i < SESSION_STATUSES && options->statuses[i] != 0; i++)
        if (options->statuses[i] == transfer->code)
            return 0;
    (void)error_set(reterr, EXIT_FAILED, "login of user '%s' at '%s%s' was answered with %d",
                    options->user, net_pool_origin(transfer->pool), options->path,
                    (int)transfer->code);
    if (transfer->code == 401 || transfer->code == 403) {
        session->refusal = text_copy(reterr->message);
        (void)error_hint(reterr, "check user and password; it is not tried again by itself, since "
                                 "servers lock accounts");
    }
    return -1;
}

int login_take(struct worker_call *call, struct session *session,
               const struct login_options *options, const struct net_transfer *transfer,
               struct error *reterr)
{
    end_session(session);
    if (check_status(session, options, transfer, reterr) != 0)
        return -1;
    int result = take_cookies(call, session, options, &transfer->header_lines, reterr);
    if (result == 0 && options->token_header != NULL)
        result = take_token_header(call, session, options, &transfer->header_lines, reterr);
    if (result == 0 && options->token_pointer != NULL)
        result = take_token_member(call, session, options, &transfer->answer, reterr);
    if (result == 0 && session->line_count == 0)
        result = error_set(reterr, EXIT_FAILED, "it gives neither cookie nor token");
    if (result != 0) {
        end_session(session);
        return error_prefix(reterr, "the answer to the login of user '%s' at '%s%s'", options->user,
                            net_pool_origin(transfer->pool), options->path);
    }
    session->generation++;
    return 0;
}
