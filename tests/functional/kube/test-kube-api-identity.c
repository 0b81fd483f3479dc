/* Who a client says it is, against a server that asks. */
#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-credentials.h"
#include "net/kube-plugin.h"
#include "services/shims.h"

#include "site.h"

#define ADMIN "t0ken-of-the-admin"
#define USER "t0ken-of-a-user"
#define V1 "client.authentication.k8s.io/v1"

/* The server's kubeconfig with another user; `members` are lines below "user:". */
static char *config_with(const char *members)
{
    const char *end = strstr(site_server.kubeconfig, "    token: ");
    assert_non_null(end);
    return text_format("%.*s%s", (int)(end - site_server.kubeconfig), site_server.kubeconfig,
                       members);
}

static void put(const struct site *site, const char *name, mode_t mode, const char *text)
{
    cleanup_free char *path = text_format("%s/%s", site->practice.folder, name);
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(path, text, strlen(text), mode, &err), 0);
}

static salvor_status open_with(struct site *site, const char *members, const char *more,
                               salvor_kube_client **ret_client)
{
    cleanup_free char *config = config_with(members);
    cleanup_json json_t *options = json_loads(more != NULL ? more : "{}", 0, NULL);
    json_put_text(options, "kubeconfig_text", config);
    json_put(options, "retry", json_make("{s:i}", "backoff_ms", 1));
    cleanup_free char *text = json_dumps(options, 0);
    return kube_table.client_open(site_call(site), text, ret_client);
}

/* The status of reading a namespace. */
static int32_t look(struct site *site, salvor_kube_client *client)
{
    struct salvor_kube_request get = site_request("get", "namespaces", NULL, "default", NULL);
    struct salvor_span body;
    int32_t code = 0;
    if (kube_table.request(site_call(site), client, &get, &code, &body) != SALVOR_OK && code == 0)
        fail_msg("%s", site_error(site));
    return code;
}

static void tokens(void **state)
{
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    site_begin(&site, NULL, NULL);
    assert_int_equal(look(&site, site.client), 200);
    assert_int_equal(open_with(&site, "    token: " USER "\n", NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 403);
    assert_int_equal(open_with(&site, "    token: wrong\n", NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 401);
    assert_int_equal(open_with(&site, "    {}\n", NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 401);
    /* each was made known before it was used */
    assert_int_equal(site_redacted, 3);
    site_end(&site);
}

static void impersonation(void **state)
{
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    site_begin(&site, NULL, NULL);
    assert_int_equal(
        open_with(&site, "    token: " ADMIN "\n    as: nobody-special\n", NULL, &client),
        SALVOR_OK);
    assert_int_equal(look(&site, client), 403);
    assert_int_equal(open_with(&site, "    token: " ADMIN "\n    as: nobody-special\n",
                               "{\"as\":\"chief\",\"as_groups\":[\"a\",\"system:masters\"],"
                               "\"as_extra\":{\"example.org/why\":[\"test\"]}}",
                               &client),
                     SALVOR_OK);
    assert_int_equal(look(&site, client), 200);
    const json_t *evidence = practice_frame(&site.practice, FRAME_EVIDENCE);
    assert_non_null(evidence);
    cleanup_free char *frames = json_dumps(site.practice.frames, 0);
    assert_non_null(strstr(frames, "\"chief\""));
    assert_null(strstr(frames, ADMIN)); /* its base64 goes to be redacted */
    site_end(&site);
}

static void a_token_file_that_changes(void **state)
{
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    site_begin(&site, NULL, NULL);
    put(&site, "token", 0600, "stale\n");
    cleanup_free char *members = text_format("    tokenFile: %s/token\n", site.practice.folder);
    assert_int_equal(open_with(&site, members, NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 401);
    put(&site, "token", 0600, ADMIN "\n");
    assert_int_equal(look(&site, client), 200); /* a 401 makes it look */
    site_end(&site);
}

/* A plugin that prints the answer in the file "answer" and counts how often it was asked. */
static void put_plugin(const struct site *site, const char *script)
{
    cleanup_free char *text =
        text_format("#!/bin/sh\ncd '%s'\necho \"$KUBERNETES_EXEC_INFO|$A|$*\" "
                    ">>asked\n%s",
                    site->practice.folder, script);
    put(site, "login", 0700, text);
}

static char *exec_members(const struct site *site, const char *more)
{
    return text_format("    exec:\n      command: %s/login\n      apiVersion: " V1 "\n      args: "
                       "[get, token]\n      env: [{name: A, value: b}]\n%s",
                       site->practice.folder, more);
}

static char *asked(const struct site *site)
{
    cleanup_free char *path = text_format("%s/asked", site->practice.folder);
    char *text = NULL;
    if (file_read(path, 1 << 20, &text, NULL, NULL) != 0)
        return text_copy("");
    return text;
}

static size_t times_asked(const struct site *site)
{
    cleanup_free char *text = asked(site);
    size_t count = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void put_answer(const struct site *site, const char *token, int64_t expires_in_ms)
{
    char expires[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms() + expires_in_ms, expires);
    cleanup_free char *text =
        text_format("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                    "\",\"status\":{\"token\":\"%s\",\"expirationTimestamp\":\"%s\"}}",
                    token, expires);
    put(site, "answer", 0600, text);
}

static void a_plugin_is_asked_and_remembered(void **state)
{
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    kube_credentials_forget();
    site_begin(&site, NULL, NULL);
    put_plugin(&site, "cat answer");
    put_answer(&site, ADMIN, 3600000);
    cleanup_free char *members =
        exec_members(&site, "      interactiveMode: IfAvailable\n      provideClusterInfo: true\n");
    assert_int_equal(open_with(&site, members, NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 200);
    assert_int_equal(look(&site, client), 200);
    kube_table.client_close(site_call(&site), client);
    assert_int_equal(open_with(&site, members, NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 200);
    assert_int_equal(times_asked(&site), 1);
    cleanup_free char *said = asked(&site);
    cleanup_free char *expected =
        text_format("{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"spec\":{\"cluster\":{"
                    "\"certificate-authority-data\":");
    assert_true(text_starts(said, expected));
    assert_non_null(strstr(said, "\"interactive\":false}}|b|get token\n"));
    /* what it printed is secret */
    cleanup_free char *frames = json_dumps(site.practice.frames, 0);
    assert_null(strstr(frames, ADMIN));
    site_end(&site);
}

static void a_plugin_is_asked_again_when_its_answer_ends(void **state)
{
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    kube_credentials_forget();
    site_begin(&site, NULL, NULL);
    put_plugin(&site, "cat answer");
    put_answer(&site, ADMIN, 2000); /* ends soon: is not used twice */
    cleanup_free char *members = exec_members(&site, "      interactiveMode: Never\n");
    assert_int_equal(open_with(&site, members, NULL, &client), SALVOR_OK);
    put_answer(&site, ADMIN, 3600000);
    assert_int_equal(look(&site, client), 200);
    assert_int_equal(times_asked(&site), 2);
    /* and when the server does not believe it, once a request */
    site_end(&site);
    kube_credentials_forget();
    site_begin(&site, NULL, NULL);
    put_plugin(&site, "cat answer; cp next answer");
    put_answer(&site, "withdrawn", 3600000);
    put(&site, "next", 0600,
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"" ADMIN
        "\"}}");
    cleanup_free char *again = exec_members(&site, "      interactiveMode: Never\n");
    assert_int_equal(open_with(&site, again, NULL, &client), SALVOR_OK);
    assert_int_equal(look(&site, client), 200);
    assert_int_equal(look(&site, client), 200);
    assert_int_equal(times_asked(&site), 2);
    put(&site, "next", 0600,
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"wrong\"}}");
    kube_credentials_forget();
    put(&site, "answer", 0600,
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"wrong\"}}");
    assert_int_equal(open_with(&site, again, NULL, &client), SALVOR_OK);
    const size_t before = times_asked(&site);
    assert_int_equal(look(&site, client), 401);
    assert_int_equal(times_asked(&site), before + 1);
    site_end(&site);
}

static void plugins_that_fail(void **state)
{
    static const struct {
        const char *script, *message, *detail;
    } cases[] = {
        {"echo 'please log in' >&2; exit 3", "credential plugin '%s/login' ended with 3",
         "please log in\n"},
        {"kill -9 $$", "credential plugin '%s/login' was ended by signal 9", NULL},
        {"echo hello", "credential plugin '%s/login': it printed no ExecCredential", NULL},
        {"echo "
         "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\","
         "\"status\":{\"token\":\"a\"}}'",
         "credential plugin '%s/login': it answered in version "
         "'client.authentication.k8s.io/v1beta1', asked in '" V1 "'",
         NULL},
        {"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}'",
         "credential plugin '%s/login': its answer has no status", NULL},
        {"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{}}'",
         "credential plugin '%s/login': it gave neither a token nor a certificate", NULL},
        {"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"status\":{\"clientKeyData\":\"a\"}}'",
         "credential plugin '%s/login': it gave a certificate or its key, not both", NULL},
        {"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
         "\",\"status\":{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}}'",
         "credential plugin '%s/login': its expirationTimestamp is no time", NULL},
        {"yes | head -c 3000000",
         "command 'credential plugin '%s/login'' printed more than 1048576 bytes", NULL},
    };
    struct site site;
    salvor_kube_client *client = NULL;
    (void)state;
    kube_credentials_forget();
    site_begin(&site, NULL, NULL);
    cleanup_free char *members = exec_members(
        &site, "      interactiveMode: Never\n      installHint: get it from example.org\n");
    assert_int_equal(open_with(&site, members, NULL, &client), SALVOR_FAILED);
    cleanup_free char *absent =
        text_format("credential plugin '%s/login' is not installed", site.practice.folder);
    assert_string_equal(site_error(&site), absent);
    assert_string_equal(site_hint(&site), "get it from example.org");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_plugin(&site, cases[i].script);
        assert_int_equal(open_with(&site, members, NULL, &client), SALVOR_FAILED);
        const char *at = strstr(cases[i].message, "%s");
        cleanup_free char *expected = text_format("%.*s%s%s", (int)(at - cases[i].message),
                                                  cases[i].message, site.practice.folder, at + 2);
        assert_string_equal(site_error(&site), expected);
        if (cases[i].detail != NULL)
            assert_string_equal(site.practice.call.error.detail, cases[i].detail);
    }
    site_end(&site);
}

static void times_of_all_kinds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:01Z", 1000},
        {"2030-01-01T00:00:00Z", 1893456000000},
        {"2030-01-01T02:00:00.123456789+02:00", 1893456000000},
        {"2029-12-31T18:30:00-05:30", 1893456000000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_error struct error err = ERROR_INIT;
        struct kube_plugin_answer answer = {0};
        cleanup_free char *text =
            text_format("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                        "\",\"status\":{\"token\":\"a\",\"expirationTimestamp\":\"%s\"}}",
                        cases[i].text);
        assert_int_equal(kube_plugin_read(text, strlen(text), V1, &answer, &err), 0);
        assert_int_equal(answer.expires_ms, cases[i].ms);
        kube_plugin_clear(&answer);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(impersonation),
        cmocka_unit_test(a_token_file_that_changes),
        cmocka_unit_test(a_plugin_is_asked_and_remembered),
        cmocka_unit_test(a_plugin_is_asked_again_when_its_answer_ends),
        cmocka_unit_test(plugins_that_fail),
        cmocka_unit_test(times_of_all_kinds),
    };
    shims_main_if_asked(argc, argv);
    return cmocka_run_group_tests_name("kube/identity", tests, site_start_strict_server,
                                       site_stop_server);
}
