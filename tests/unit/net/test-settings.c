#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "net/settings.h"

static const char pin[] = "00112233445566778899AABBCCDDEEFF:00112233445566778899aabbccddeeff";

static int no_proxies(void **state)
{
    (void)state;
    (void)unsetenv("https_proxy");
    (void)unsetenv("HTTPS_PROXY");
    (void)unsetenv("http_proxy");
    (void)unsetenv("HTTP_PROXY");
    return 0;
}

static void take(struct net_pool_settings given, struct settings *ret)
{
    cleanup_error struct error err = ERROR_INIT;
    if (settings_take(&given, ret, &err) != 0)
        fail_msg("%s", err.message);
}

static void refused(struct net_pool_settings given, const char *message)
{
    cleanup_error struct error err = ERROR_INIT;
    struct settings settings = {0};
    assert_int_equal(settings_take(&given, &settings, &err), -1);
    assert_string_equal(err.message, message);
    assert_null(settings.origin);
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *given, *origin, *host;
    } cases[] = {
        {"https://h.example", "https://h.example:443", "h.example"},
        {"HTTP://H.Example:8080/", "http://h.example:8080", "h.example"},
        {"https://[fd00::1]:6443", "https://[fd00::1]:6443", "fd00::1"},
        {"http://[::1]", "http://[::1]:80", "::1"},
        {"https://10.0.0.1:1", "https://10.0.0.1:1", "10.0.0.1"},
    };
    static const char *const wrong[] = {"",
                                        "h.example",
                                        "ftp://h",
                                        "https://",
                                        "https://h:0",
                                        "https://h:65536",
                                        "https://h:x",
                                        "https://h/path",
                                        "https://h?x",
                                        "https://u:p@h",
                                        "https://h h",
                                        "https://fd00::1",
                                        "https://[fd00::1"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        take((struct net_pool_settings){.origin = cases[i].given}, &settings);
        assert_string_equal(settings.origin, cases[i].origin);
        assert_string_equal(settings.host, cases[i].host);
        settings_clear(&settings);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cleanup_error struct error err = ERROR_INIT;
        struct settings settings = {0};
        if (settings_take(&(struct net_pool_settings){.origin = wrong[i]}, &settings, &err) == 0)
            fail_msg("'%s' was taken", wrong[i]);
    }
    refused((struct net_pool_settings){.origin = NULL},
            "'' is no URL: it does not begin with 'https://'");
}

static void the_digest_tells_settings_apart(void **state)
{
    (void)state;
    char pem[] = "/tmp/salvor-test-settings-XXXXXX";
    const int fd = mkstemp(pem);
    assert_int_equal(write(fd, "PEM", 3), 3);
    (void)close(fd);
    const struct net_pool_settings variants[] = {
        {.origin = "https://h"},
        {.origin = "https://h:444"},
        {.origin = "https://h", .pin_sha256 = pin},
        {.origin = "https://h", .insecure = 1},
        {.origin = "https://h", .server_name = "other"},
        {.origin = "https://h", .ca_file = pem},
        {.origin = "https://h", .ca_file = pem, .ca = {"more", 4}},
        {.origin = "https://h", .certificate = {"c", 1}, .key = {"k", 1}},
        {.origin = "https://h", .certificate = {"c", 1}, .key = {"l", 1}},
        {.origin = "https://h", .proxy = "http://p:1"},
        {.origin = "https://h", .http = NET_HTTP_2},
        {.origin = "https://h", .connections = 3},
        {.origin = "https://h", .connect_ms = 3},
        {.origin = "https://h", .first_byte_ms = 3},
        {.origin = "https://h", .stall_ms = NET_NEVER},
        {.origin = "https://h", .whole_ms = 3},
    };
    enum { COUNT = sizeof variants / sizeof *variants };
    char digests[COUNT][DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < COUNT; i++) {
        struct settings settings;
        take(variants[i], &settings);
        memcpy(digests[i], settings.digest, sizeof digests[i]);
        settings_clear(&settings);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(digests[i], digests[j]);
    }
    struct settings same;
    take((struct net_pool_settings){.origin = "https://H:443/",
                                    .proxy = "",
                                    .connections = NET_CONNECTIONS},
         &same);
    assert_string_equal(same.digest, digests[0]);
    settings_clear(&same);
    /* a certificate that was renewed on disk */
    assert_int_equal(file_write_atomic(pem, "NEW", 3, 0600, NULL), 0);
    take(variants[5], &same);
    assert_string_not_equal(same.digest, digests[5]);
    settings_clear(&same);
    (void)unlink(pem);
}

static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    refused((struct net_pool_settings){.origin = "https://h", .insecure = 1, .pin_sha256 = pin},
            "'insecure' excludes authorities and a pinned fingerprint");
    refused((struct net_pool_settings){.origin = "http://h", .pin_sha256 = pin},
            "'http://h:80' has no TLS: certificates and fingerprints mean nothing there");
    refused((struct net_pool_settings){.origin = "https://h", .key = {"k", 1}},
            "a client key without its certificate");
    refused((struct net_pool_settings){.origin = "https://h", .certificate = {"c", 1}},
            "a client certificate without its key");
    refused((struct net_pool_settings){.origin = "https://h", .pin_sha256 = "0011"},
            "'0011' is no SHA-256 fingerprint");
    refused((struct net_pool_settings){.origin = "https://h", .server_name = "a b"},
            "'a b' is no host name");
    refused((struct net_pool_settings){.origin = "https://h", .ca_file = "/nonexistent/ca.pem"},
            "authorities: cannot open '/nonexistent/ca.pem': No such file or directory");
}

static void proxies(void **state)
{
    (void)state;
    struct settings settings;
    take((struct net_pool_settings){.origin = "https://h", .proxy = "http://u:p@proxy:3128/"},
         &settings);
    assert_string_equal(settings.proxy, "http://u:p@proxy:3128");
    assert_string_equal(settings.proxy_host, "proxy");
    settings_clear(&settings);
    take((struct net_pool_settings){.origin = "https://h", .proxy = "socks5://proxy"}, &settings);
    assert_string_equal(settings.proxy, "socks5h://proxy:1080");
    settings_clear(&settings);
    (void)setenv("HTTPS_PROXY", "proxy.example:8080", 1);
    take((struct net_pool_settings){.origin = "https://h"}, &settings);
    assert_string_equal(settings.proxy, "http://proxy.example:8080");
    settings_clear(&settings);
    take((struct net_pool_settings){.origin = "https://h", .proxy = ""}, &settings);
    assert_null(settings.proxy);
    settings_clear(&settings);
    (void)unsetenv("HTTPS_PROXY");
    refused((struct net_pool_settings){.origin = "https://h", .proxy = "https://u:secret@p"},
            "proxy 'p' is none that salvor can use");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins),
        cmocka_unit_test(the_digest_tells_settings_apart),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(proxies),
    };
    return cmocka_run_group_tests(tests, no_proxies, NULL);
}
