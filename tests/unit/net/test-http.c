#include "../unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "host/redact.h"
#include "net/http.h"
#include "practice-call.h"
#include "practice-server.h"
#include "services/recorder.h"
#include "services/secret.h"

/* ---- a server with sessions ------------------------------------------------------------------ */

struct state {
    pthread_mutex_t lock;
    int session; /* number of the live one; 0: none */
    int logins;
    int refuse_logins;
    int busy; /* so many requests more are answered with 503 */
    int served;
};

static void login(struct served *served, struct state *state)
{
    state->logins++;
    if (state->refuse_logins ||
        strstr(served->body, "j_username=ad%20min&j_password=s%C3%A9cr%26t") == NULL) {
        served->status = 403;
        return;
    }
    char text[40];
    state->session++;
    (void)snprintf(text, sizeof text, "SID=session-%d; Path=/; Secure", state->session);
    served_set_header(served, "Set-Cookie", "other=thing; Path=/");
    served_set_header(served, "Set-Cookie", text);
    (void)snprintf(text, sizeof text, "token-%d", state->session);
    served_set_header(served, "X-XSRF-TOKEN", text);
}

static int has_session(struct served *served, const struct state *state)
{
    char cookie[40];
    char token[40];
    (void)snprintf(cookie, sizeof cookie, "SID=session-%d", state->session);
    (void)snprintf(token, sizeof token, "token-%d", state->session);
    const char *sent = served_header(served, "Cookie");
    return state->session > 0 && sent != NULL && strstr(sent, cookie) != NULL &&
           text_equal(served_header(served, "X-XSRF-TOKEN"), token);
}

static void answer_locked(struct served *served, struct state *state)
{
    if (text_equal(served->path, "/base/session/create")) {
        login(served, state);
    } else if (text_equal(served->path, "/base/json-login")) {
        state->logins++;
        if (text_equal(served->body, "{\"username\":\"u\\\"1\",\"password\":\"s\303\251cr&t\"}"))
            (void)buffer_append_text(&served->out, "{\"data\":{\"token\":\"json-token=\"}}");
        else
            served->status = 401;
    } else if (text_starts(served->path, "/base/private") && !has_session(served, state)) {
        served->status = 403;
        (void)buffer_append_text(&served->out, "{\"error_code\":98}");
    } else if (text_equal(served->path, "/base/private/forbidden")) {
        served->status = 403;
        (void)buffer_append_text(&served->out, "{\"error_code\":5}");
    } else if (state->busy > 0) {
        state->busy--;
        served->status = 503;
    } else if (text_equal(served->path, "/base/who")) {
        const char *authorization = served_header(served, "Authorization");
        (void)buffer_append_text(&served->out, authorization != NULL ? authorization : "nobody");
    } else {
        state->served++;
        served_set_header(served, "X-Served", "yes");
        (void)buffer_format(&served->out, "%s %s %s", served->method, served->path, served->body);
    }
}

static void answer(struct served *served, void *data)
{
    struct state *state = data;
    (void)pthread_mutex_lock(&state->lock);
    answer_locked(served, state);
    (void)pthread_mutex_unlock(&state->lock);
}

struct site {
    struct practice practice;
    struct state state;
    struct practice_server *server;
    struct certificate authority;
    struct certificate certificate;
    char folder[64];
};

static json_t *accept_all(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_make("{}");
}

static int start_site(void **state)
{
    struct site *site = memory_new(1, sizeof *site);
    (void)pthread_mutex_init(&site->state.lock, NULL);
    practice_begin(&site->practice);
    site->practice.answer = accept_all;
    practice_certificates(&site->authority, &site->certificate);
    site->server = practice_server_start(&(struct practice_server_options){
        .answer = answer, .data = &site->state, .certificate = &site->certificate});
    memcpy(site->folder, "/tmp/salvor-test-http-XXXXXX", 29);
    *state = site;
    return mkdtemp(site->folder) != NULL ? 0 : -1;
}

static int stop_site(void **state)
{
    struct site *site = *state;
    recorder_close(site->practice.session.recorder);
    practice_end(&site->practice);
    practice_server_stop(site->server);
    certificate_clear(&site->authority);
    certificate_clear(&site->certificate);
    redact_clear();
    (void)file_remove_tree(site->folder, NULL);
    free(site);
    return 0;
}

static void set_session(struct site *site, int session)
{
    (void)pthread_mutex_lock(&site->state.lock);
    site->state.session = session;
    (void)pthread_mutex_unlock(&site->state.lock);
}

static void declare_reads(struct site *site)
{
    json_put(site->practice.session.descriptor, "declared_reads",
             json_make("[{s:s},{s:s},{s:s},{s:s}]", "pattern", "POST /session/create", "pattern",
                       "POST /json-login", "pattern", "POST /search/x?", "pattern", "POST /plain"));
}

static salvor_status open_with(struct site *site, json_t *options, salvor_http_client **ret)
{
    cleanup_json json_t *own = options;
    salvor_secret *secret = NULL;
    assert_int_equal(
        secrets_table.adopt(practice_call(&site->practice), "s\303\251cr&t", 7, &secret),
        SALVOR_OK);
    if (json_object_get(own, "url") == NULL) {
        cleanup_free char *url = text_format("%s/base/", practice_server_url(site->server));
        json_put_text(own, "url", url);
    }
    if (json_object_get(own, "trust") == NULL && text_starts(json_text(own, "url"), "https:"))
        json_put(own, "trust", json_make("{s:s}", "ca", site->authority.pem));
    cleanup_free char *text = json_dumps(own, 0);
    return http_table.client_open(practice_call(&site->practice), text, &secret, 1, ret);
}

static salvor_http_client *open_client(struct site *site, json_t *options)
{
    salvor_http_client *client = NULL;
    if (open_with(site, options, &client) != SALVOR_OK)
        fail_msg("%s", site->practice.call.error.message);
    return client;
}

static json_t *session_options(void)
{
    return json_make("{s:{s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:[s],s:[{s:i},{s:i,s:s,s:[i]}]},s:{s:i}}",
                     "login", "how", "session", "path", "/session/create", "user", "ad min",
                     "password", 0, "user_field", "j_username", "password_field", "j_password",
                     "token_header", "X-XSRF-TOKEN", "cookies", "SID", "expired", "status", 401,
                     "status", 403, "pointer", "/error_code", "values", 98, "retry", "backoff_ms",
                     1);
}

static salvor_status ask(struct site *site, salvor_http_client *client, const char *method,
                         const char *path, uint32_t flags, struct salvor_http_response *ret)
{
    const int has_body = !text_equal(method, "GET");
    const struct salvor_http_request request = {
        .struct_size = sizeof request,
        .flags = flags,
        .method = method,
        .path = path,
        .body = {has_body ? "body" : NULL, has_body ? 4 : 0},
        .call_site = "things.ask"};
    *ret = (struct salvor_http_response){.struct_size = sizeof *ret};
    return http_table.request(practice_call(&site->practice), client, &request, ret);
}

static void said(const struct salvor_span *span, const char *text)
{
    assert_int_equal(span->size, strlen(text));
    assert_memory_equal(span->data, text, strlen(text));
}

/* ---- requests -------------------------------------------------------------------------------- */

static void requests_go_below_the_base(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    salvor_http_client *client = open_client(
        site, json_make("{s:{s:i},s:[s]}", "retry", "backoff_ms", 1, "shown_query", "limit"));
    assert_int_equal(ask(site, client, "GET", "/x?limit=5&token=s3cret", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 200);
    assert_int_equal(response.attempts, 1);
    assert_int_equal(response.certainty, SALVOR_CERTAINTY_ANSWERED);
    said(&response.body, "GET /base/x ");
    assert_non_null(strstr(response.headers.data, "x-served: yes\n"));
    const json_t *record = practice_frame(&site->practice, FRAME_EVIDENCE);
    cleanup_free char *url =
        text_format("%s/base/x?limit=5&token=…", practice_server_url(site->server));
    assert_string_equal(json_text(record, "url"), url);
    assert_string_equal(json_text(record, "what"), "GET things.ask");
    assert_string_equal(json_text(record, "certainty"), "answered");
    assert_int_equal(json_whole(record, "status", 0), 200);
    assert_int_equal(strlen(json_text(record, "peer")), 64);
    assert_int_equal(ask(site, client, "PUT", "/x", 0, &response), SALVOR_OK);
    said(&response.body, "PUT /base/x body");
    site->state.busy = 2;
    assert_int_equal(ask(site, client, "PUT", "/x", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 200);
    assert_int_equal(response.attempts, 3);
    site->state.busy = 1;
    assert_int_equal(ask(site, client, "POST", "/x", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 503);
    assert_int_equal(response.attempts, 1);
    site->state.busy = 1;
    assert_int_equal(ask(site, client, "POST", "/x", SALVOR_HTTP_IDEMPOTENT, &response), SALVOR_OK);
    assert_int_equal(response.code, 200);
    http_table.client_close(practice_call(&site->practice), client);
    assert_int_equal(ask(site, client, "GET", "/x", 0, &response), SALVOR_BUG);
}

static void a_row_opens_what_its_effect_allows(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    declare_reads(site);
    /* the first two are declared; a query can be another action, and is declared by its own */
    static const char *const reads[] = {"/search/x?q=1", "/plain", "/search/x",
                                        "/plain?action=delete", "/other"};
    static const uint32_t effects[] = {SALVOR_EFFECT_READ, SALVOR_EFFECT_DECLARED_READ,
                                       SALVOR_EFFECT_CHANGE};
    for (size_t i = 0; i < 3; i++) {
        practice_next_call(&site->practice, effects[i]);
        salvor_http_client *client = open_client(site, json_make("{}"));
        assert_int_equal(ask(site, client, "GET", "/x", 0, &response), SALVOR_OK);
        const int served = site->state.served;
        const salvor_status changes = i == 2 ? SALVOR_OK : SALVOR_REFUSED;
        const salvor_status declared = i >= 1 ? SALVOR_OK : SALVOR_REFUSED;
        assert_int_equal(ask(site, client, "PUT", "/x", 0, &response), changes);
        assert_int_equal(ask(site, client, "DELETE", "/x", 0, &response), changes);
        assert_int_equal(ask(site, client, "POST", "/search/x", 0, &response), changes);
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(ask(site, client, "POST", reads[k], SALVOR_HTTP_READ, &response),
                             k < 2 ? declared : changes);
        if (i < 2)
            assert_string_equal(site->practice.call.error.hint,
                                "the plugin lists 'POST /other' under declared_reads");
        assert_int_equal(site->state.served - served, i == 2 ? 8 : i == 1 ? 2 : 0);
    }
    site->practice.call.pre_image_needed = 1;
    salvor_http_client *client = open_client(site, json_make("{}"));
    assert_int_equal(ask(site, client, "PUT", "/x", 0, &response), SALVOR_REFUSED);
    assert_int_equal(ask(site, client, "GET", "/x", 0, &response), SALVOR_OK);
}

static void identities_are_shown(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    salvor_http_client *client =
        open_client(site, json_make("{s:{s:s,s:i}}", "login", "user", "u", "password", 0));
    assert_int_equal(ask(site, client, "GET", "/who", 0, &response), SALVOR_OK);
    said(&response.body, "Basic dTpzw6ljciZ0");
    client = open_client(site, json_make("{s:{s:s,s:s,s:i}}", "login", "scheme", "Remote", "user",
                                         "u@domain", "password", 0));
    assert_int_equal(ask(site, client, "GET", "/who", 0, &response), SALVOR_OK);
    assert_memory_equal(response.body.data, "Remote ", 7);
    salvor_secret *token = NULL;
    assert_int_equal(secrets_table.adopt(practice_call(&site->practice), "tok.en\n", 7, &token),
                     SALVOR_OK);
    cleanup_free char *options =
        text_format("{\"url\":\"%s/base\",\"trust\":{\"insecure-skip-verify\":true},"
                    "\"login\":{\"token\":0}}",
                    practice_server_url(site->server));
    assert_int_equal(
        http_table.client_open(practice_call(&site->practice), options, &token, 1, &client),
        SALVOR_OK);
    const json_t *warning = practice_frame(&site->practice, FRAME_LOG);
    assert_non_null(strstr(json_text(warning, "text"), "insecure-skip-verify"));
    const json_t *record = practice_frame(&site->practice, FRAME_EVIDENCE);
    assert_true(json_flag(record, "insecure"));
    assert_int_equal(ask(site, client, "GET", "/who", 0, &response), SALVOR_OK);
    said(&response.body, "Bearer tok.en");
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void a_session_is_made_when_it_is_needed(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    declare_reads(site);
    salvor_http_client *client = open_client(site, session_options());
    assert_int_equal(site->state.logins, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_OK);
        assert_int_equal(response.code, 200);
    }
    assert_int_equal(site->state.logins, 1);
    /* another client of the same user, in a later call */
    practice_next_call(&site->practice, SALVOR_EFFECT_DECLARED_READ);
    client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_OK);
    assert_int_equal(site->state.logins, 1);
    /* it expires: once more, and the request is answered all the same */
    set_session(site, 100);
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 200);
    assert_int_equal(response.attempts, 1);
    assert_int_equal(site->state.logins, 2);
    /* a 403 that says something else is an answer */
    assert_int_equal(ask(site, client, "GET", "/private/forbidden", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 403);
    assert_int_equal(site->state.logins, 2);
}

static void a_session_in_use_makes_no_room(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    declare_reads(site);
    salvor_http_client *client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_OK);
    for (int i = 0; i < 100; i++) {
        json_t *options = session_options();
        cleanup_free char *user = text_format("user-%d", i);
        json_put_text(json_object_get(options, "login"), "user", user);
        salvor_http_client *other = open_client(site, options);
        if (i % 2 == 0)
            http_table.client_close(practice_call(&site->practice), other);
    }
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 200);
    assert_int_equal(site->state.logins, 1);
}

static void a_login_is_a_declared_read(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    practice_next_call(&site->practice, SALVOR_EFFECT_DECLARED_READ);
    salvor_http_client *client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_REFUSED);
    assert_string_equal(site->practice.call.error.hint,
                        "the plugin lists 'POST /session/create' under declared_reads");
    assert_int_equal(response.certainty, SALVOR_CERTAINTY_NOT_SENT);
    declare_reads(site);
    practice_next_call(&site->practice, SALVOR_EFFECT_READ);
    client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_REFUSED);
    assert_int_equal(site->state.logins, 0);
}

static void a_refused_login_is_not_tried_again(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    declare_reads(site);
    site->state.refuse_logins = 1;
    salvor_http_client *client = open_client(site, session_options());
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_FAILED);
        assert_non_null(strstr(site->practice.call.error.message,
                               "login of user 'ad min' at 'https://127.0.0.1:"));
        assert_int_equal(response.certainty, SALVOR_CERTAINTY_NOT_SENT);
    }
    practice_next_call(&site->practice, SALVOR_EFFECT_CHANGE);
    client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/x", 0, &response), SALVOR_FAILED);
    assert_int_equal(site->state.logins, 1);
}

static void a_login_in_json(void **state)
{
    struct site *site = *state;
    struct salvor_http_response response;
    declare_reads(site);
    salvor_http_client *client =
        open_client(site, json_make("{s:{s:s,s:s,s:s,s:i,s:s,s:s}}", "login", "how", "session",
                                    "path", "/json-login", "user", "u\"1", "password", 0, "format",
                                    "json", "token_pointer", "/data/token"));
    assert_int_equal(ask(site, client, "GET", "/who", 0, &response), SALVOR_OK);
    said(&response.body, "Bearer json-token=");
}

/* ---- in bulk --------------------------------------------------------------------------------- */

static salvor_status submit(struct site *site, salvor_batch *batch, salvor_http_client *client,
                            uint64_t tag, const char *method, const char *path)
{
    char body[] = "body";
    char *path_copy = text_copy(path);
    const struct salvor_http_request request = {.struct_size = sizeof request,
                                                .method = method,
                                                .path = path_copy,
                                                .body = {body, 4},
                                                .call_site = "things.bulk"};
    const salvor_status status =
        http_table.submit(practice_call(&site->practice), batch, client, tag, &request);
    memset(path_copy, 'x', strlen(path_copy)); /* what was passed in was copied */
    memset(body, 'x', 4);
    free(path_copy);
    return status;
}

static void many_requests_share_a_session(void **state)
{
    struct site *site = *state;
    declare_reads(site);
    salvor_batch *batch = NULL;
    assert_int_equal(batch_table.open(practice_call(&site->practice),
                                      "{\"in_flight\":16,\"class\":\"bulk\"}", &batch),
                     SALVOR_OK);
    salvor_http_client *client = open_client(site, session_options());
    int ended = 0;
    for (uint64_t tag = 0; ended < 300;) {
        if (tag == 150 && site->state.session == 1)
            set_session(site, 500); /* all sessions are gone */
        if (tag < 300 && submit(site, batch, client, tag, "PUT", "/private/x") == SALVOR_OK) {
            tag++;
            continue;
        }
        struct salvor_batch_result result = {.struct_size = sizeof result};
        if (batch_table.next(practice_call(&site->practice), batch, &result) != SALVOR_OK)
            fail_msg("%s", site->practice.call.error.message);
        assert_int_equal(result.status, SALVOR_OK);
        assert_int_equal(result.code, 200);
        said(&result.body, "PUT /base/private/x body");
        ended++;
    }
    assert_int_equal(site->state.logins, 2);
    assert_int_equal(site->state.served, 300);
    http_table.client_close(practice_call(&site->practice), client); /* before the batch */
    batch_table.close(practice_call(&site->practice), batch);
    const json_t *record = practice_frame(&site->practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(record, "what"), "class bulk");
    const json_t *counts = json_array_get(json_object_get(record, "counts"), 0);
    assert_string_equal(json_text(counts, "verb"), "PUT");
    assert_string_equal(json_text(counts, "type"), "things.bulk");
    assert_int_equal(json_whole(counts, "status", 0), 200);
    assert_int_equal(json_whole(counts, "count", 0), 300);
}

static void what_was_not_expected_is_recorded_in_full(void **state)
{
    struct site *site = *state;
    salvor_batch *batch = NULL;
    struct salvor_batch_result result = {.struct_size = sizeof result};
    declare_reads(site);
    assert_int_equal(batch_table.open(practice_call(&site->practice), NULL, &batch), SALVOR_OK);
    salvor_http_client *client = open_client(site, session_options());
    assert_int_equal(submit(site, batch, client, 1, "GET", "/private/x?key=s3cret"), SALVOR_OK);
    assert_int_equal(batch_table.next(practice_call(&site->practice), batch, &result), SALVOR_OK);
    practice_forget_frames(&site->practice);
    assert_int_equal(submit(site, batch, client, 2, "GET", "/private/x?key=s3cret"), SALVOR_OK);
    assert_int_equal(batch_table.next(practice_call(&site->practice), batch, &result), SALVOR_OK);
    assert_int_equal(result.code, 200);
    assert_null(practice_frame(&site->practice, FRAME_EVIDENCE)); /* it is only counted */
    assert_int_equal(submit(site, batch, client, 3, "PUT", "/private/forbidden?key=s3cret"),
                     SALVOR_OK);
    assert_int_equal(batch_table.next(practice_call(&site->practice), batch, &result), SALVOR_OK);
    assert_int_equal(result.code, 403);
    const json_t *record = practice_frame(&site->practice, FRAME_EVIDENCE);
    assert_int_equal(json_whole(record, "status", 0), 403);
    assert_int_equal(json_whole(record, "sent_bytes", 0), 4);
    assert_true(text_ends(json_text(record, "url"), "/base/private/forbidden?key=…"));
    batch_table.close(practice_call(&site->practice), batch);
    const json_t *counts =
        json_object_get(practice_frame(&site->practice, FRAME_EVIDENCE), "counts");
    assert_int_equal(json_array_size(counts), 2);
}

static void the_gate_holds_in_a_batch(void **state)
{
    struct site *site = *state;
    salvor_batch *batch = NULL;
    practice_next_call(&site->practice, SALVOR_EFFECT_READ);
    assert_int_equal(batch_table.open(practice_call(&site->practice), NULL, &batch), SALVOR_OK);
    salvor_http_client *client = open_client(site, json_make("{}"));
    assert_int_equal(submit(site, batch, client, 1, "PUT", "/x"), SALVOR_REFUSED);
    assert_int_equal(submit(site, batch, client, 1, "GET", "/x"), SALVOR_OK);
    struct salvor_batch_result result = {.struct_size = sizeof result};
    assert_int_equal(batch_table.next(practice_call(&site->practice), batch, &result), SALVOR_OK);
    assert_int_equal(batch_table.next(practice_call(&site->practice), batch, &result), SALVOR_END);
    /* a call that ends with requests under way */
    assert_int_equal(submit(site, batch, client, 2, "GET", "/x"), SALVOR_OK);
    practice_next_call(&site->practice, SALVOR_EFFECT_READ);
}

/* ---- options --------------------------------------------------------------------------------- */

static void options_are_checked(void **state)
{
    struct site *site = *state;
    salvor_http_client *client = NULL;
    static const struct {
        const char *options, *message, *hint;
    } cases[] = {
        {"{\"ulr\":\"x\"}",
         "http.client_open: unknown member 'ulr' of the options of http.client_open",
         "did you mean 'url'?"},
        {"{\"url\":\"https://h\",\"trust\":{\"sha265\":\"x\"}}",
         "http.client_open: unknown member 'sha265' of the member 'trust' of the options",
         "did you mean 'sha256'?"},
        {"{\"url\":\"https://h\",\"login\":{\"user\":\"u\",\"password\":\"secret\"}}",
         "http.client_open: 'password' is not the index of one of the secrets",
         "secrets are passed by handle: {\"password\": 0} means secrets[0]"},
        {"{\"url\":\"https://h\",\"login\":{\"user\":\"u\",\"password\":1}}",
         "http.client_open: 'password' is not the index of one of the secrets", NULL},
        {"{\"url\":\"https://h?x=1\"}", "'https://h?x=1' is no URL of the form 'https://host:port'",
         NULL},
        {"{\"url\":\"https://h/a?x=1\"}",
         "http.client_open: 'url' has a query: it is the base of paths", NULL},
        {"{}", "http.client_open: 'url' is missing", NULL},
        {"{\"url\":\"https://h\",\"http\":\"3\"}",
         "http.client_open: 'http' is neither '1.1', '2' nor '2-only'", NULL},
        {"{\"url\":\"https://h\",\"deadlines\":{\"conect_ms\":1}}",
         "http.client_open: unknown member 'conect_ms' of the member 'deadlines' of the options",
         "did you mean 'connect_ms'?"},
        {"{\"url\":\"https://h\",\"retry\":{\"attempts\":0}}",
         "http.client_open: 'attempts' is not a whole number of 1 to 20", NULL},
        {"{\"url\":\"https://h\",\"login\":{\"how\":\"magic\"}}",
         "http.client_open: 'how' of the login is neither 'basic', 'bearer' nor 'session'", NULL},
        {"{\"url\":\"https://h\",\"login\":{\"how\":\"session\",\"password\":0,\"user\":\"u\"}}",
         "http.client_open: a session needs 'path' and 'user' of its login", NULL},
        {"{\"url\":\"https://h\",\"headers\":[1]}",
         "http.client_open: 'headers' is not an array of texts", NULL},
        {"{\"url\":\"https://h\",\"trust\":{\"ca\":\"none\"}}",
         "the authorities hold no PEM certificate", NULL},
    };
    salvor_secret *secret = NULL;
    assert_int_equal(secrets_table.adopt(practice_call(&site->practice), "secret", 6, &secret),
                     SALVOR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(http_table.client_open(practice_call(&site->practice),
                                                    cases[i].options, &secret, 1, &client),
                             SALVOR_OK);
        assert_string_equal(site->practice.call.error.message, cases[i].message);
        if (cases[i].hint != NULL)
            assert_string_equal(site->practice.call.error.hint, cases[i].hint);
        assert_null(client);
    }
}

/* ---- record and replay ----------------------------------------------------------------------- */

static void use_recorder(struct site *site, const char *how)
{
    cleanup_error struct error err = ERROR_INIT;
    recorder_close(site->practice.session.recorder);
    json_t *open = site->practice.session.open;
    (void)json_object_del(open, "record");
    (void)json_object_del(open, "replay");
    json_put_text(open, how, site->folder);
    if (recorder_open(open, &site->practice.session.recorder, &err) != 0)
        fail_msg("%s", err.message);
}

static void ask_everything(struct site *site, int *ret_served)
{
    struct salvor_http_response response;
    salvor_http_client *client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/x?a=1", 0, &response), SALVOR_OK);
    said(&response.body, "GET /base/private/x ");
    assert_non_null(strstr(response.headers.data, "x-served: yes"));
    assert_int_equal(ask(site, client, "PUT", "/private/x", 0, &response), SALVOR_OK);
    assert_int_equal(ask(site, client, "GET", "/private/forbidden", 0, &response), SALVOR_OK);
    assert_int_equal(response.code, 403);
    salvor_batch *batch = NULL;
    assert_int_equal(batch_table.open(practice_call(&site->practice), NULL, &batch), SALVOR_OK);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(submit(site, batch, client, i, "PUT", "/private/y"), SALVOR_OK);
    for (int i = 0; i < 5; i++) {
        struct salvor_batch_result result = {.struct_size = sizeof result};
        assert_int_equal(batch_table.next(practice_call(&site->practice), batch, &result),
                         SALVOR_OK);
        assert_int_equal(result.code, 200);
        said(&result.body, "PUT /base/private/y body");
    }
    salvor_http_client *gone = open_client(
        site, json_make("{s:s,s:{s:i}}", "url", "http://127.0.0.1:1", "retry", "attempts", 1));
    assert_int_equal(ask(site, gone, "GET", "/x", 0, &response), SALVOR_RETRY);
    assert_string_equal(site->practice.call.error.message,
                        "cannot connect to 'http://127.0.0.1:1': Connection refused");
    assert_int_equal(response.certainty, SALVOR_CERTAINTY_NOT_SENT);
    *ret_served = practice_server_requests(site->server);
}

static void answers_come_back_from_a_recording(void **state)
{
    struct site *site = *state;
    int served = 0;
    int replayed = 0;
    declare_reads(site);
    use_recorder(site, "record");
    ask_everything(site, &served);
    assert_true(served > 8);
    practice_next_call(&site->practice, SALVOR_EFFECT_CHANGE);
    use_recorder(site, "replay");
    ask_everything(site, &replayed);
    assert_int_equal(replayed, served); /* nothing was asked of the server */
    struct salvor_http_response response;
    salvor_http_client *client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "GET", "/private/other", 0, &response), SALVOR_FAILED);
    assert_non_null(strstr(site->practice.call.error.message, "has no recording of http.request"));
    cleanup_free char *find =
        text_format("! grep -rlE 's\303\251cr|s%%C3|session-1|token-1' %s", site->folder);
    assert_int_equal(system(find), 0);
    practice_next_call(&site->practice, SALVOR_EFFECT_READ);
    client = open_client(site, session_options());
    assert_int_equal(ask(site, client, "PUT", "/private/x", 0, &response), SALVOR_REFUSED);
}

#define with_site(test) cmocka_unit_test_setup_teardown(test, start_site, stop_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_site(requests_go_below_the_base),
        with_site(a_row_opens_what_its_effect_allows),
        with_site(identities_are_shown),
        with_site(a_session_is_made_when_it_is_needed),
        with_site(a_session_in_use_makes_no_room),
        with_site(a_login_is_a_declared_read),
        with_site(a_refused_login_is_not_tried_again),
        with_site(a_login_in_json),
        with_site(many_requests_share_a_session),
        with_site(what_was_not_expected_is_recorded_in_full),
        with_site(the_gate_holds_in_a_batch),
        with_site(options_are_checked),
        with_site(answers_come_back_from_a_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
