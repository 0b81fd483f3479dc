#include "manager.h"

#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PAGES_MOST = 10000, IN_FLIGHT = 8 };

/* ---- opening ------------------------------------------------------------------------------------
 */

/* 500/98 is no session fault: it comes when a manager cannot reach another one. */
static json_t *session_login(salvor_call *call)
{
    return salvor_json_build(
        call,
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:[s], s:[i,i], s:[{s:i}, {s:i,s:s,s:[i,s]}]}",
        "how", "session", "path", "/api/session/create", "format", "form", "user",
        salvor_option_text(call, "user", "admin"), "user_field", "j_username", "password", 0,
        "password_field", "j_password", "token_header", "X-XSRF-TOKEN", "cookies", "JSESSIONID",
        "statuses", 200, 201, "expired", "status", 401, "status", 403, "pointer", "/error_code",
        "values", 98, "98");
}

static json_t *basic_login(salvor_call *call, const char *scheme)
{
    return salvor_json_build(call, "{s:s, s:s, s:s, s:i}", "how", "basic", "scheme", scheme, "user",
                             salvor_option_text(call, "user", "admin"), "password", 0);
}

static json_t *trust_of(salvor_call *call)
{
    return salvor_json_build(call, "{s:s*, s:s*, s:b}", "ca_file",
                             salvor_option_text(call, "ca-file", NULL), "sha256",
                             salvor_option_text(call, "fingerprint", NULL), "insecure-skip-verify",
                             salvor_option_flag(call, "insecure-skip-verify"));
}

static salvor_status open_client(struct manager *manager, const char *url)
{
    salvor_call *call = manager->call;
    const char *how = salvor_option_text(call, "login", "session");
    const int by_certificate = strcmp(how, "certificate") == 0;
    salvor_secret *secret = NULL;
    salvor_auto_json json_t *options = NULL;
    SALVOR_TRY(
        salvor_secrets_of(call)->open(call, by_certificate ? "client-key" : "password", &secret));
    json_t *trust = trust_of(call);
    if (by_certificate)
        options = salvor_json_build(call, "{s:s, s:o, s:{s:s*, s:i}, s:i}", "url", url, "trust",
                                    trust, "client_certificate", "file",
                                    salvor_option_text(call, "client-certificate", NULL), "key", 0,
                                    "connections", IN_FLIGHT);
    else
        options =
            salvor_json_build(call, "{s:s, s:o, s:o, s:i}", "url", url, "trust", trust, "login",
                              strcmp(how, "session") == 0  ? session_login(call)
                              : strcmp(how, "remote") == 0 ? basic_login(call, "Remote")
                                                           : basic_login(call, "Basic"),
                              "connections", IN_FLIGHT);
    salvor_auto_release char *text = options != NULL ? salvor_json_write(options) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "the options of the manager");
    SALVOR_TRY(manager->http->client_open(call, text, &secret, 1, &manager->client));
    (void)snprintf(manager->url, sizeof manager->url, "%s", url);
    return SALVOR_OK;
}

/* "date: Sat, 28 Nov 2026 15:00:00 GMT" of the answer's header lines; -1: none. */
static int64_t date_of(struct salvor_span headers)
{
    static const char name[] = "\ndate: ";
    struct tm parts;
    const char *line = headers.data == NULL ? NULL
                       : strncmp(headers.data, name + 1, sizeof name - 2) == 0
                           ? headers.data - 1
                           : strstr(headers.data, name);
    memset(&parts, 0, sizeof parts);
    if (line == NULL ||
        strptime(line + sizeof name - 1, "%a, %d %b %Y %H:%M:%S GMT", &parts) == NULL)
        return -1;
    return (int64_t)timegm(&parts) * 1000;
}

static void measure_skew(struct manager *manager, struct salvor_span headers, int64_t sent)
{
    const int64_t now = manager->call->host->realtime_ms(manager->call);
    const int64_t theirs = date_of(headers);
    if (theirs < 0)
        return;
    /* the header says whole seconds, rounded down; the answer was made at some time on the way */
    manager->skew_ms = theirs + 500 - (sent + (now - sent) / 2);
    manager->skew_margin = 500 + (now - sent) / 2;
}

static salvor_status ask_health(struct manager *manager, int *ret_healthy)
{
    const struct salvor_http_request request = {
        .struct_size = sizeof request,
        .method = "GET",
        .path = "/api/v1/reverse-proxy/node/health",
        .call_site = "manager.health",
    };
    struct salvor_http_response response = {.struct_size = sizeof response};
    const int64_t sent = manager->call->host->realtime_ms(manager->call);
    SALVOR_TRY(manager->http->request(manager->call, manager->client, &request, &response));
    measure_skew(manager, response.headers, sent);
    salvor_auto_json json_t *body =
        response.body.size > 0 ? json_loadb(response.body.data, (size_t)response.body.size, 0, NULL)
                               : NULL;
    *ret_healthy = response.code == 200 && salvor_json_flag(body, "/healthy", 0);
    return SALVOR_OK;
}

static void give_up(struct manager *manager)
{
    if (manager->client != NULL)
        manager->http->client_close(manager->call, manager->client);
    manager->client = NULL;
}

/* Tries one. OK with *ret_healthy; its failure otherwise. */
static salvor_status try_manager(struct manager *manager, const char *url, int *ret_healthy)
{
    *ret_healthy = 0;
    SALVOR_TRY(open_client(manager, url));
    return ask_health(manager, ret_healthy);
}

static salvor_status none_answers(struct manager *manager, const struct salvor_text *reasons)
{
    return salvor_fail_detail(manager->call, SALVOR_RETRY, salvor_text_get(reasons),
                              "look at the managers, at the network and at the pinned certificate",
                              "no NSX Manager answers");
}

static salvor_status open_first(struct manager *manager, const json_t *urls,
                                struct salvor_text *reasons)
{
    const char *answered = NULL;
    for (size_t i = 0; i < json_array_size(urls); i++) {
        const char *url = json_string_value(json_array_get(urls, i));
        int healthy = 0;
        const salvor_status status = try_manager(manager, url, &healthy);
        if (status == SALVOR_OK && healthy)
            return SALVOR_OK;
        /* a bad login is not tried at the next manager: all of them count it, and lock the account
         */
        if (status != SALVOR_OK && status != SALVOR_RETRY && status != SALVOR_TIMEOUT)
            return status;
        if (status == SALVOR_OK && answered == NULL)
            answered = url;
        salvor_text_format(reasons, "%s%s: %s", i > 0 ? "; " : "", url,
                           status == SALVOR_OK ? "it says that it is not healthy"
                                               : manager->call->host->last_error(manager->call));
        give_up(manager);
    }
    return answered != NULL ? open_client(manager, answered) : none_answers(manager, reasons);
}

salvor_status manager_open(salvor_call *call, struct manager *ret_manager)
{
    salvor_auto_json json_t *urls = NULL;
    salvor_auto_text struct salvor_text reasons = SALVOR_TEXT_INIT(4000);
    *ret_manager = (struct manager){.call = call, .http = salvor_http_of(call)};
    SALVOR_TRY(salvor_option_list(call, "manager", &urls));
    if (json_array_size(urls) == 0)
        return salvor_fail(call, SALVOR_REFUSED, "give --manager https://HOST, once a manager",
                           "no NSX Manager is named");
    return open_first(ret_manager, urls, &reasons);
}

/* ---- one request
 * --------------------------------------------------------------------------------- */

salvor_status manager_refused(struct manager *manager, const struct answer *answer,
                              const char *doing)
{
    char detail[600];
    (void)snprintf(detail, sizeof detail, "error %lld: %s", (long long)answer->code,
                   answer->message);
    return salvor_fail_detail(
        manager->call, answer_status(answer->kind), *answer->message != '\0' ? detail : NULL,
        answer->kind == ANSWER_LOGIN ? "check user and password by hand before trying again: "
                                       "repeated failures lock the account"
                                     : NULL,
        "cannot %s: %s", doing, answer_words(answer->kind));
}

static salvor_status take_json(struct manager *manager, const char *path, struct salvor_span body,
                               json_t **ret_json)
{
    char what[600];
    (void)snprintf(what, sizeof what, "the answer of '%s%s'", manager->url, path);
    return salvor_json_parse(manager->call, body, what, ret_json);
}

static salvor_status judge_get(struct manager *manager, const char *path, int code,
                               struct salvor_span body, json_t **ret_json)
{
    struct answer answer;
    char doing[600];
    answer_read(code, body, &answer);
    if (answer.kind == ANSWER_DONE)
        return take_json(manager, path, body, ret_json);
    (void)snprintf(doing, sizeof doing, "read '%s'", path);
    const salvor_status status = manager_refused(manager, &answer, doing);
    answer_clear(&answer);
    return status;
}

salvor_status manager_get(struct manager *manager, const char *site, const char *path,
                          json_t **ret_json)
{
    const struct salvor_http_request request = {.struct_size = sizeof request,
                                                .method = "GET",
                                                .path = path,
                                                .call_site = site,
                                                .response_limit = SALVOR_JSON_LIMIT};
    struct salvor_http_response response = {.struct_size = sizeof response};
    SALVOR_TRY(manager->http->request(manager->call, manager->client, &request, &response));
    return judge_get(manager, path, response.code, response.body, ret_json);
}

salvor_status manager_send(struct manager *manager, const char *method, const char *site,
                           const char *path, const json_t *body, uint32_t flags,
                           struct answer *ret_answer, json_t **ret_body)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "X-Allow-Overwrite: true"};
    salvor_auto_release char *text = body != NULL ? salvor_json_write(body) : NULL;
    if (body != NULL && text == NULL)
        return salvor_fail_memory(manager->call, "the body of a request");
    const size_t skipped = text == NULL;
    const struct salvor_http_request request = {
        .struct_size = sizeof request,
        .flags = (flags & MANAGER_IDEMPOTENT) != 0 ? SALVOR_HTTP_IDEMPOTENT : 0,
        .method = method,
        .path = path,
        .headers = headers + skipped,
        .header_count = (uint32_t)(((flags & MANAGER_OVERWRITE) != 0 ? 2 : 1) - skipped),
        .body = {text, text != NULL ? strlen(text) : 0},
        .call_site = site,
        .response_limit = SALVOR_JSON_LIMIT};
    struct salvor_http_response response = {.struct_size = sizeof response};
    SALVOR_TRY(manager->http->request(manager->call, manager->client, &request, &response));
    answer_read(response.code, response.body, ret_answer);
    if (ret_body != NULL)
        *ret_body = ret_answer->kind == ANSWER_DONE && response.body.size > 0
                        ? json_loadb(response.body.data, (size_t)response.body.size, 0, NULL)
                        : NULL;
    return SALVOR_OK;
}

/* ---- lists
 * --------------------------------------------------------------------------------------- */

static salvor_status page_path(struct manager *manager, struct salvor_text *text, const char *path,
                               int page_size, const char *cursor)
{
    salvor_text_reset(text);
    salvor_text_format(text, "%s%spage_size=%d", path, strchr(path, '?') != NULL ? "&" : "?",
                       page_size);
    if (cursor != NULL) {
        salvor_text_put(text, "&cursor=");
        salvor_text_encode(text, cursor);
    }
    return salvor_text_check(manager->call, text, "the path of a list");
}

/* A cursor may be a number in the form of a text or a number; "" and none end the list. */
static const char *cursor_of(const json_t *page, char buffer[64])
{
    const json_t *cursor = json_object_get(page, "cursor");
    if (json_is_integer(cursor)) {
        (void)snprintf(buffer, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(cursor));
        return buffer;
    }
    const char *text = json_string_value(cursor);
    return text != NULL && *text != '\0' ? text : NULL;
}

static salvor_status take_page(struct manager *manager, const char *path, const json_t *page,
                               json_t *results)
{
    const json_t *entries = json_object_get(page, "results");
    if (!json_is_array(entries))
        return salvor_fail(manager->call, SALVOR_FAILED, NULL,
                           "the answer of '%s%s' has no 'results'", manager->url, path);
    return json_array_extend(results, (json_t *)(uintptr_t)entries) == 0
               ? SALVOR_OK
               : salvor_fail_memory(manager->call, "the results of a list");
}

salvor_status manager_list(struct manager *manager, const char *site, const char *path,
                           json_t **ret_results)
{
    salvor_auto_json json_t *results = json_array();
    salvor_auto_json json_t *seen = json_object();
    salvor_auto_text struct salvor_text text = SALVOR_TEXT_INIT(8000);
    salvor_auto_json json_t *page = NULL;
    char buffer[64];
    const char *cursor = NULL;
    int64_t promised = -1;
    for (int pages = 0; pages == 0 || cursor != NULL; pages++) {
        SALVOR_TRY(page_path(manager, &text, path, 1000, cursor));
        json_t *next = NULL;
        SALVOR_TRY(manager_get(manager, site, salvor_text_get(&text), &next));
        json_decref(page);
        page = next;
        SALVOR_TRY(take_page(manager, path, page, results));
        if (pages == 0)
            promised = salvor_json_integer(page, "/result_count", -1);
        cursor = cursor_of(page, buffer);
        /* what is added while it is read may pass the promise, but not without an end */
        if (pages >= PAGES_MOST || (promised >= 0 && cursor != NULL &&
                                    (int64_t)json_array_size(results) > 2 * promised + 1000))
            return salvor_fail(manager->call, SALVOR_RETRY, NULL,
                               "the list '%s' does not end: %zu of %lld results", path,
                               json_array_size(results), (long long)promised);
        if (cursor != NULL && json_object_get(seen, cursor) != NULL)
            return salvor_fail(manager->call, SALVOR_RETRY, NULL,
                               "the list '%s' comes back to a page it had", path);
        if (cursor != NULL && json_object_set_new(seen, cursor, json_true()) != 0)
            return salvor_fail_memory(manager->call, "the cursors of a list");
    }
    *ret_results = json_incref(results);
    return SALVOR_OK;
}

salvor_status manager_count(struct manager *manager, const char *site, const char *path,
                            int64_t *ret_count)
{
    salvor_auto_text struct salvor_text text = SALVOR_TEXT_INIT(8000);
    salvor_auto_json json_t *page = NULL;
    SALVOR_TRY(page_path(manager, &text, path, 1, NULL));
    SALVOR_TRY(manager_get(manager, site, salvor_text_get(&text), &page));
    *ret_count = salvor_json_integer(page, "/result_count", -1);
    return *ret_count >= 0 ? SALVOR_OK : SALVOR_NOT_FOUND;
}

/* ---- many at once
 * -------------------------------------------------------------------------------- */

static salvor_status submit(struct manager *manager, salvor_batch *batch, const char *site,
                            const json_t *paths, size_t index)
{
    const struct salvor_http_request request = {.struct_size = sizeof request,
                                                .method = "GET",
                                                .path =
                                                    json_string_value(json_array_get(paths, index)),
                                                .call_site = site,
                                                .response_limit = SALVOR_JSON_LIMIT};
    return manager->http->submit(manager->call, batch, manager->client, index, &request);
}

static salvor_status take_one(struct manager *manager, const json_t *paths,
                              const struct salvor_batch_result *result,
                              salvor_status (*visit)(void *data, size_t index, json_t *json),
                              void *data)
{
    const char *path = json_string_value(json_array_get(paths, (size_t)result->tag));
    salvor_auto_json json_t *json = NULL;
    SALVOR_TRY(result->status);
    const salvor_status status = judge_get(manager, path, result->code, result->body, &json);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    return visit(data, (size_t)result->tag, json);
}

salvor_status manager_get_each(struct manager *manager, const char *site, const json_t *paths,
                               salvor_status (*visit)(void *data, size_t index, json_t *json),
                               void *data)
{
    const struct salvor_batches *batches = salvor_batches_of(manager->call);
    const size_t count = json_array_size(paths);
    char options[200];
    salvor_batch *batch = NULL;
    (void)snprintf(options, sizeof options, "{\"in_flight\": %d, \"class\": \"%s\"}", IN_FLIGHT,
                   site);
    SALVOR_TRY(batches->open(manager->call, options, &batch));
    salvor_status status = SALVOR_OK;
    size_t sent = 0;
    size_t done = 0;
    while (status == SALVOR_OK && done < count) {
        while (status == SALVOR_OK && sent < count) {
            status = submit(manager, batch, site, paths, sent);
            sent += status == SALVOR_OK;
        }
        if (status == SALVOR_FULL)
            status = SALVOR_OK;
        struct salvor_batch_result result = {.struct_size = sizeof result};
        if (status == SALVOR_OK)
            status = batches->next(manager->call, batch, &result);
        if (status == SALVOR_OK)
            status = take_one(manager, paths, &result, visit, data);
        done++;
        manager->call->host->progress(manager->call, done, count, site);
    }
    batches->close(manager->call, batch);
    return status;
}
