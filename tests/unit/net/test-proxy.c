#include "../unit.h"

#include <stdlib.h>

#include "net/proxy.h"

static void who_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *list, *host;
        uint16_t port;
        int left_out;
    } cases[] = {
        {"", "h.example", 443, 0},
        {"*", "h.example", 443, 1},
        {"example", "h.example", 443, 1},
        {"example", "example", 443, 1},
        {"xample", "h.example", 443, 0},
        {".example", "h.example", 443, 1},
        {".example", "example", 443, 0},
        {"H.Example", "h.example", 443, 1},
        {"other, h.example", "h.example", 443, 1},
        {"other h.example", "h.example", 443, 1},
        {"h.example:8443", "h.example", 443, 0},
        {"h.example:443", "h.example", 443, 1},
        {"10.1.2.3", "10.1.2.3", 443, 1},
        {"10.1.2.3", "10.1.2.33", 443, 0},
        {"10.0.0.0/8", "10.1.2.3", 443, 1},
        {"10.0.0.0/8", "11.1.2.3", 443, 0},
        {"10.128.0.0/9", "10.127.0.1", 443, 0},
        {"10.128.0.0/9", "10.128.0.1", 443, 1},
        {"0.0.0.0/0", "10.128.0.1", 443, 1},
        {"10.0.0.0/33", "10.0.0.1", 443, 0},
        {"10.0.0.0/x", "10.0.0.1", 443, 0},
        {"10.0.0.0/8", "ten.example", 443, 0},
        {"fd00::/8", "fd12::1", 443, 1},
        {"fd12::1", "fd12::1", 443, 1},
        {"[fd12::1]:443", "fd12::1", 443, 1},
        {"[fd12::1]:80", "fd12::1", 443, 0},
        {"fe00::/8", "fd12::1", 443, 0},
        {",,", "h.example", 443, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (proxy_is_left_out(cases[i].list, cases[i].host, cases[i].port) != cases[i].left_out)
            fail_msg("'%s' and '%s'", cases[i].list, cases[i].host);
}

static void the_environment_names_it(void **state)
{
    (void)state;
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy",
                                        "HTTP_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < 6; i++)
        (void)unsetenv(names[i]);
    assert_null(proxy_of_environment(1, "h.example", 443));
    (void)setenv("HTTPS_PROXY", "http://upper:1", 1);
    (void)setenv("HTTP_PROXY", "http://plain:1", 1);
    assert_string_equal(proxy_of_environment(1, "h.example", 443), "http://upper:1");
    assert_string_equal(proxy_of_environment(0, "h.example", 80), "http://plain:1");
    (void)setenv("https_proxy", "http://lower:1", 1);
    assert_string_equal(proxy_of_environment(1, "h.example", 443), "http://lower:1");
    (void)setenv("https_proxy", "", 1);
    assert_string_equal(proxy_of_environment(1, "h.example", 443), "http://upper:1");
    (void)setenv("NO_PROXY", "example", 1);
    assert_null(proxy_of_environment(1, "h.example", 443));
    assert_non_null(proxy_of_environment(1, "h.other", 443));
    assert_null(proxy_of_environment(1, "127.0.0.9", 443));
    assert_null(proxy_of_environment(1, "::1", 443));
    assert_null(proxy_of_environment(1, "localhost", 443));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_left_out),
        cmocka_unit_test(the_environment_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
