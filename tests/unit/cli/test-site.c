#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "config/site.h"
#include "shop.h"

#include <salvor/plugin.h>

static struct plugin_info *info;

static int begin(void **state)
{
    (void)state;
    info = shop_info();
    return 0;
}

static int end(void **state)
{
    (void)state;
    plugin_info_free(info);
    return 0;
}

/* `given` as JSON text. */
static int try_site(const char *given, uint32_t commands, struct site **ret_site,
                    struct error *reterr)
{
    cleanup_json json_t *options = json_loads(given, 0, NULL);
    cleanup_json json_t *origins = json_object();
    assert_non_null(options);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (options, key, value) {
        (void)value;
        cleanup_json json_t *origin = json_sprintf("s.yaml:3:%zu", strlen(key));
        json_object_set(origins, key, origin);
    }
    return site_from_options("prod", info, options, origins, commands, ret_site, reterr);
}

static void expect(const char *given, uint32_t commands, const char *message, const char *hint)
{
    struct site *site = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(try_site(given, commands, &site, &err), -1);
    assert_string_equal(err.message, message);
    if (hint != NULL)
        assert_string_equal(err.hint, hint);
    assert_int_equal(err.code, EXIT_USAGE);
}

static void test_types(void **state)
{
    (void)state;
    struct site *site = NULL;
    cleanup_error struct error err = ERROR_INIT;
    int result = try_site("{\"endpoint\":\"https://shop.example:8443/x\",\"workers\":\"16\","
                          "\"insecure\":\"true\",\"grace\":\"5m\",\"part-size\":\"10MiB\","
                          "\"node\":[\"a\",\"b\"],\"kubeconfig\":\"/etc/kube\","
                          "\"password\":\"env:SHOP_PASSWORD\",\"mode\":\"operator\"}",
                          SALVOR_ON_DISCOVER, &site, &err);
    if (result != 0)
        fail_msg("%s", err.message);
    assert_string_equal(site->name, "prod");
    assert_string_equal(site->provider, "shop");
    assert_int_equal(json_whole(site->options, "workers", 0), 16);
    assert_true(json_is_true(json_object_get(site->options, "insecure")));
    assert_int_equal(json_whole(site->options, "grace", 0), 300000);
    assert_int_equal(json_whole(site->options, "part-size", 0), 10485760);
    assert_int_equal(json_array_size(json_object_get(site->options, "node")), 2);
    assert_string_equal(json_text(site->options, "kubeconfig"), "/etc/kube");
    assert_string_equal(json_text(site->options, "mode"), "operator");
    assert_string_equal(json_text(site->options, "namespace"), "shop-system");
    assert_null(json_object_get(site->options, "context"));
    assert_null(json_object_get(site->options, "password"));
    assert_string_equal(json_text(site->secrets, "password"), "env:SHOP_PASSWORD");
    site_free(site);
}

static void test_one_text_is_a_list_too(void **state)
{
    (void)state;
    struct site *site = NULL;
    assert_int_equal(
        try_site("{\"endpoint\":\"https://x\",\"node\":\"a\"}", SALVOR_ON_DISCOVER, &site, NULL),
        0);
    assert_int_equal(json_array_size(json_object_get(site->options, "node")), 1);
    site_free(site);
}

static void test_unknown_option(void **state)
{
    (void)state;
    expect("{\"endpoint\":\"https://x\",\"kubeconifg\":\"/x\"}", SALVOR_ON_DISCOVER,
           "s.yaml:3:10: unknown option 'kubeconifg' for provider 'shop'",
           "did you mean 'kubeconfig'?");
    expect("{\"endpoint\":\"https://x\",\"zzzzzzzzzz\":\"/x\"}", SALVOR_ON_DISCOVER,
           "s.yaml:3:10: unknown option 'zzzzzzzzzz' for provider 'shop'",
           "`salvor plugin show shop` lists them");
}

static void test_bad_values(void **state)
{
    (void)state;
    expect("{\"endpoint\":\"shop.example\"}", 0,
           "s.yaml:3:8: option 'endpoint': 'shop.example' is not a URL: it has no scheme "
           "(https://...)",
           NULL);
    expect("{\"workers\":\"4x\"}", 0, "s.yaml:3:7: option 'workers': '4x' is not a whole number",
           NULL);
    expect("{\"workers\":\"99999999999999999999\"}", 0,
           "s.yaml:3:7: option 'workers': '99999999999999999999' is not a whole number", NULL);
    expect("{\"insecure\":\"maybe\"}", 0,
           "s.yaml:3:8: option 'insecure': 'maybe' is neither true nor false", NULL);
    expect("{\"mode\":\"operatr\"}", 0,
           "s.yaml:3:4: option 'mode': 'operatr' is not one of native, operator",
           "did you mean 'operator'?");
    expect("{\"grace\":\"5\"}", 0,
           "s.yaml:3:5: option 'grace': '5' is not a duration such as 30s, 5m or 2h", NULL);
    expect("{\"part-size\":\"5XB\"}", 0,
           "s.yaml:3:9: option 'part-size': '5XB' is not a size such as 512, 64KiB or 10MiB", NULL);
    expect("{\"kubeconfig\":\"\"}", 0, "s.yaml:3:10: option 'kubeconfig': the path is empty", NULL);
    expect("{\"context\":[\"a\",\"b\"]}", 0,
           "s.yaml:3:7: option 'context': it takes one value, not several", NULL);
}

static void test_literal_secrets_are_refused_and_never_shown(void **state)
{
    (void)state;
    struct site *site = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(try_site("{\"password\":\"hunter2!\"}", 0, &site, &err), -1);
    assert_non_null(strstr(err.message, "s.yaml:3:8: option 'password'"));
    assert_null(strstr(err.message, "hunter2!"));
    assert_true(err.detail == NULL || strstr(err.detail, "hunter2!") == NULL);
    assert_non_null(err.hint);
    assert_null(strstr(err.hint, "hunter2!"));
}

static void test_required_options(void **state)
{
    (void)state;
    expect("{}", SALVOR_ON_DISCOVER, "site 'prod' of provider 'shop' lacks 'endpoint'",
           "give --set endpoint=URL, or write it into the site of salvor.yaml");
    expect("{}", SALVOR_ON_RESTORE, "site 'prod' of provider 'shop' lacks 'endpoint', 'token'",
           "give --set endpoint=URL --set token=env:NAME, or write it into the site of "
           "salvor.yaml");
    struct site *site = NULL;
    assert_int_equal(try_site("{}", 0, &site, NULL), 0);
    site_free(site);
    cleanup_json json_t *empty = json_object();
    assert_true(site_lacks_options(info, empty, SALVOR_ON_DISCOVER));
    assert_false(site_lacks_options(info, empty, 0));
}

static void test_all_problems_at_once(void **state)
{
    (void)state;
    struct site *site = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(
        try_site("{\"workers\":\"x\",\"insecure\":\"y\"}", SALVOR_ON_DISCOVER, &site, &err), -1);
    assert_non_null(strstr(err.message, "'workers'"));
    assert_non_null(strstr(err.detail, "'insecure'"));
    assert_non_null(strstr(err.detail, "lacks 'endpoint'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_one_text_is_a_list_too),
        cmocka_unit_test(test_unknown_option),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_literal_secrets_are_refused_and_never_shown),
        cmocka_unit_test(test_required_options),
        cmocka_unit_test(test_all_problems_at_once),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
