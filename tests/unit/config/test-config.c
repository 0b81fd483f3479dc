#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/config.h"

#define FILE_NAME "/etc/salvor/salvor.yaml"

static struct config *parse(const char *text)
{
    struct config *config = NULL;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    if (config_parse(text, strlen(text), FILE_NAME, &config, &problems) != 0)
        fail_msg("not parsed: %s", problems.list[0].message);
    return config;
}

/* `wanted`: messages, each with its hint behind " | " when there is one; ends with NULL. */
static void expect_problems(const char *text, const char *const *wanted)
{
    struct config *config = NULL;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    assert_int_equal(config_parse(text, strlen(text), "s.yaml", &config, &problems), -1);
    assert_null(config);
    size_t i = 0;
    for (; wanted[i] != NULL && i < problems.count; i++) {
        const struct problem *problem = &problems.list[i];
        cleanup_free char *shown = problem->hint != NULL
                                       ? text_format("%s | %s", problem->message, problem->hint)
                                       : text_copy(problem->message);
        assert_string_equal(shown, wanted[i]);
    }
    assert_null(wanted[i]);
    assert_int_equal(problems.count, i);
}

#define EXPECT(text, ...) expect_problems(text, (const char *const[]){__VA_ARGS__, NULL})

static void test_full_file(void **state)
{
    (void)state;
    struct config *config = parse("sites:\n"
                                  "  prod:\n"
                                  "    provider: eksa\n"
                                  "    store: main\n"
                                  "    kubeconfig: keys/kubeconfig\n"
                                  "    nodes: [a, b]\n"
                                  "    insecure: true\n"
                                  "  lab: {provider: nsx-antrea}\n"
                                  "stores:\n"
                                  "  main: {path: /srv/backups}\n"
                                  "  near: {type: folder, path: sets}\n"
                                  "defaults:\n"
                                  "  site: prod\n"
                                  "  store: near\n"
                                  "  state-dir: /var/state\n"
                                  "  plugin-dirs: [plugins, /opt/plugins]\n"
                                  "  timeout: 2h\n");
    assert_string_equal(config_path(config), FILE_NAME);
    assert_string_equal(config_sites(config)[0], "prod");
    assert_string_equal(config_sites(config)[1], "lab");
    assert_null(config_sites(config)[2]);
    assert_true(config_has_site(config, "lab"));
    assert_false(config_has_site(config, "la"));
    assert_string_equal(config_site_provider(config, "prod")->text, "eksa");
    assert_string_equal(config_site_provider(config, "prod")->origin, FILE_NAME ":3:15");
    assert_string_equal(config_site_store(config, "prod")->text, "main");
    assert_null(config_site_store(config, "lab"));
    assert_null(config_site_provider(config, "none"));
    assert_string_equal(config_written(config, NULL, "main", "path")->text, "/srv/backups");
    assert_string_equal(config_written(config, NULL, "near", "path")->text, "/etc/salvor/sets");
    assert_null(config_store(config, "far"));
    assert_string_equal(config_default(config, "site")->text, "prod");
    assert_string_equal(config_default(config, "state-dir")->text, "/var/state");
    assert_null(config_default(config, "nothing"));
    assert_int_equal(config_default_timeout_ms(config), 7200000);
    assert_string_equal(config_plugin_folders(config)[0], "/etc/salvor/plugins");
    assert_string_equal(config_plugin_folders(config)[1], "/opt/plugins");
    assert_null(config_plugin_folders(config)[2]);

    cleanup_json json_t *options = NULL;
    cleanup_json json_t *origins = NULL;
    config_site_options(config, "prod", NULL, &options, &origins);
    assert_int_equal(json_object_size(options), 3);
    assert_string_equal(json_text(options, "kubeconfig"), "keys/kubeconfig");
    assert_string_equal(json_text(options, "insecure"), "true");
    assert_int_equal(json_array_size(json_object_get(options, "nodes")), 2);
    assert_string_equal(json_text(origins, "kubeconfig"), FILE_NAME ":5:5");
    config_free(config);
}

static void test_empty(void **state)
{
    (void)state;
    const char *const texts[] = {"", "# nothing yet\n", "sites:\n", "{}", "defaults: {}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct config *config = parse(texts[i]);
        assert_null(config_sites(config)[0]);
        assert_null(config_stores(config)[0]);
        assert_null(config_plugin_folders(config)[0]);
        assert_null(config_default(config, "site"));
        assert_int_equal(config_default_timeout_ms(config), 0);
        config_free(config);
    }
    struct config *none = config_empty();
    assert_null(config_path(none));
    config_free(none);
    config_free(NULL);
}

static void test_unknown_keys(void **state)
{
    (void)state;
    EXPECT("site:\n  a: {}\n",
           "s.yaml:1:1: unknown key 'site' in the configuration | did you mean 'sites'?");
    EXPECT("xyz: 1\n", "s.yaml:1:1: unknown key 'xyz' in the configuration | "
                       "there are: sites, stores, defaults, limits");
    EXPECT("stores:\n  s: {path: /x, pth: 1}\n",
           "s.yaml:2:17: unknown key 'pth' in store 's' | did you mean 'path'?");
    EXPECT("defaults: {statedir: /x}\n",
           "s.yaml:1:12: unknown key 'statedir' in 'defaults' | did you mean 'state-dir'?");
}

static void test_wrong_kinds(void **state)
{
    (void)state;
    EXPECT("- a\n", "s.yaml:1:1: a configuration must be a map, not a list | "
                    "it has the keys sites, stores, defaults and limits");
    EXPECT("just text\n", "s.yaml:1:1: a configuration must be a map, not a text | "
                          "it has the keys sites, stores, defaults and limits");
    EXPECT("sites: [a]\n", "s.yaml:1:8: 'sites' must be a map, not a list");
    EXPECT("sites: {a: eksa}\n", "s.yaml:1:12: site 'a' must be a map, not a text");
    EXPECT("sites: {a: }\n", "s.yaml:1:9: site 'a' has no value");
    EXPECT("sites: {a: {provider: [x]}}\n", "s.yaml:1:23: 'provider' must be a text, not a list");
    EXPECT("sites: {a: {provider: x, o: {b: 1}}}\n",
           "s.yaml:1:29: option 'o' must be a text or a list of texts, not a map");
    EXPECT("sites: {a: {provider: x, o: [[1]]}}\n",
           "s.yaml:1:30: option 'o' must be a list of texts, not of lists");
    EXPECT("sites: {a: {provider: x, o: }}\n", "s.yaml:1:26: option 'o' has no value");
    EXPECT("defaults: {plugin-dirs: /x}\n",
           "s.yaml:1:25: 'plugin-dirs' must be a list, not a text");
    EXPECT("defaults: {plugin-dirs: [{}]}\n", "s.yaml:1:26: 'plugin-dirs' must be a list of texts");
    EXPECT("defaults: {timeout: soon}\n", "s.yaml:1:21: 'soon' is not a duration | "
                                          "write a number with its unit: 90s, 10m, 2h");
    EXPECT("defaults: {timeout: 0s}\n", "s.yaml:1:21: '0s' is not a duration | "
                                        "write a number with its unit: 90s, 10m, 2h");
    EXPECT("stores: {a: {path: /x, type: tape}}\n",
           "s.yaml:1:30: unknown type 'tape' | write folder or s3");
    EXPECT("stores: {a: {path: /x, keep-last: many}}\n",
           "s.yaml:1:35: 'many' is not a number for 'keep-last' | write a whole number from 1 on");
    EXPECT("stores: {a: {path: /x, keep-last: 0}}\n",
           "s.yaml:1:35: '0' is not a number for 'keep-last' | write a whole number from 1 on");
    EXPECT("stores: {a: {path: /x, recipients: {}}}\n",
           "s.yaml:1:36: 'recipients' must be a text, not a map");
    EXPECT("stores: {a: {path: /x, recipients: [[x]]}}\n",
           "s.yaml:1:37: 'recipients' must be a list of texts");
}

static void test_names_and_references(void **state)
{
    (void)state;
    const char *rule = "letters, digits, '.', '_' and '-', at most 63, first a letter or digit";
    cleanup_free char *bad = text_format("s.yaml:1:9: '../x' is no name for a site | %s", rule);
    EXPECT("sites: {../x: {provider: a}}\n", bad);
    cleanup_free char *bad_store =
        text_format("s.yaml:1:10: '-s' is no name for a store | %s", rule);
    EXPECT("stores: {-s: {path: /a}}\n", bad_store);
    EXPECT("sites: {a: {provider: ../b}}\n", "s.yaml:1:23: '../b' is no name for a provider");
    EXPECT("sites: {a: {x: 1}}\n",
           "s.yaml:1:9: site 'a' has no provider | add `provider: NAME` to it");
    EXPECT("stores: {a: {type: folder}}\n", "s.yaml:1:10: store 'a' has no path | add `path:`");
    EXPECT("sites: {a: {provider: x, store: mian}}\nstores: {main: {path: /x}}\n",
           "s.yaml:1:33: there is no store 'mian' | did you mean 'main'?");
    EXPECT("defaults: {site: prod}\n", "s.yaml:1:18: there is no site 'prod'");
    EXPECT("defaults: {store: x}\n", "s.yaml:1:19: there is no store 'x'");
}

static void test_practice(void **state)
{
    (void)state;
    struct config *config = parse("sites:\n"
                                  "  prod: {provider: a, url: p, drill-every: 30d}\n"
                                  "  lab: {provider: a, url: l, practice: true}\n"
                                  "  off: {provider: a, url: l2, practice: false}\n"
                                  "  other: {provider: b, url: l}\n"
                                  "defaults: {drill-every: 90d}\n");
    const int64_t day_ms = INT64_C(86400000);
    assert_true(config_site_is_practice(config, "lab"));
    assert_false(config_site_is_practice(config, "prod"));
    assert_false(config_site_is_practice(config, "off"));
    assert_false(config_site_is_practice(config, "none"));
    assert_false(config_site_is_practice(config, NULL));
    assert_int_equal(config_site_drill_every_ms(config, "prod"), 30 * day_ms);
    assert_int_equal(config_site_drill_every_ms(config, "lab"), 90 * day_ms);
    cleanup_json json_t *options = NULL;
    cleanup_json json_t *origins = NULL;
    config_site_options(config, "lab", NULL, &options, &origins);
    assert_int_equal(json_object_size(options), 1); /* the marks are none of the provider's */
    config_free(config);
    EXPECT("sites: {a: {provider: x, practice: yes}}\n",
           "s.yaml:1:36: 'practice' must be true or false, not 'yes' | write true or false");
    EXPECT("sites:\n  prod: {provider: x, url: u, n: [1, 2]}\n"
           "  lab: {provider: x, practice: true, n: [1, 2], url: u}\n",
           "s.yaml:3:22: site 'lab' is marked for practice, but its options are those of site "
           "'prod', which is not | a drill overwrites the site: give it the options of another "
           "one");
}

#define KEY "salvor-pk1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAAAA"

static void test_stores_in_buckets(void **state)
{
    (void)state;
    struct config *config = parse("stores:\n"
                                  "  far:\n"
                                  "    type: s3\n"
                                  "    endpoint: https://s3.example:9000\n"
                                  "    bucket: backups\n"
                                  "    access-key: env:ACCESS\n"
                                  "    secret-key: file:/k\n"
                                  "    ca-file: ca.pem\n"
                                  "    keep-for: 30d\n");
    cleanup_json json_t *store = config_store(config, "far");
    assert_string_equal(json_text(store, "name"), "far");
    assert_string_equal(json_text(store, "endpoint"), "https://s3.example:9000");
    assert_string_equal(json_text(store, "ca-file"), "/etc/salvor/ca.pem");
    assert_string_equal(json_text(store, "secret-key"), "file:/k");
    assert_null(json_object_get(store, "path"));
    assert_int_equal(json_whole(store, "keep-for", 0), INT64_C(30) * 86400000);
    config_free(config);
    EXPECT("stores: {a: {type: s3, path: /x}}\n",
           "s.yaml:1:24: 'path' does not belong to store 'a' of type 's3'",
           "s.yaml:1:10: store 'a' has no endpoint, bucket, access-key, secret-key | "
           "add `endpoint:`, `bucket:`, `access-key:`, `secret-key:`");
    EXPECT("stores: {a: {path: /x, bucket: b}}\n",
           "s.yaml:1:24: 'bucket' does not belong to store 'a' of type 'folder' | "
           "add `type: s3` to it");
    EXPECT("stores: {a: {type: s3, endpoint: s3.example, bucket: b, access-key: AKIA, "
           "secret-key: env:K}}\n",
           "s.yaml:1:34: 's3.example' is not a server for 'endpoint' | "
           "write https://HOST or https://HOST:PORT",
           "s.yaml:1:69: 'access-key' is not given by reference | "
           "write env:NAME, file:PATH, exec:COMMAND or prompt:, never the secret itself");
    static const char *const bad[] = {"https://", "https://h/path", "https://u@h", "ftp://h",
                                      "https://h?x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cleanup_free char *text = text_format("stores: {a: {type: s3, endpoint: '%s', bucket: b, "
                                              "access-key: env:A, secret-key: env:K}}\n",
                                              bad[i]);
        cleanup_free char *wanted =
            text_format("s.yaml:1:34: '%s' is not a server for 'endpoint' | "
                        "write https://HOST or https://HOST:PORT",
                        bad[i]);
        EXPECT(text, wanted);
    }
}

static void test_how_backups_are_kept(void **state)
{
    (void)state;
    struct config *config =
        parse("sites:\n"
              "  a: {provider: x, store: s, keep-last: 3}\n"
              "stores:\n"
              "  s: {path: /x, encrypt: all, keep-last: 5, identity: [env:A, 'file:/b']}\n"
              "defaults: {keep-last: 7, keep-for: 1d, encrypt: sensitive, identity: env:C}\n");
    cleanup_json json_t *of_site = config_keeping(config, "a", "s");
    assert_int_equal(json_whole(of_site, "keep-last", 0), 3);
    assert_int_equal(json_whole(of_site, "keep-for", 0), 86400000);
    assert_string_equal(json_text(of_site, "encrypt"), "all");
    assert_int_equal(json_array_size(json_object_get(of_site, "identity")), 2);
    assert_null(json_object_get(of_site, "recipients"));
    assert_null(json_object_get(of_site, "provider"));
    cleanup_json json_t *of_none = config_keeping(config, NULL, NULL);
    assert_int_equal(json_whole(of_none, "keep-last", 0), 7);
    assert_int_equal(json_array_size(json_object_get(of_none, "identity")), 1);
    cleanup_json json_t *options = NULL;
    cleanup_json json_t *origins = NULL;
    config_site_options(config, "a", NULL, &options, &origins);
    assert_int_equal(json_object_size(options), 0);
    config_free(config);
    EXPECT("defaults: {recipients: " KEY "}\n", "s.yaml:1:24: '" KEY "' is no recipient | "
                                                "a character was lost or changed: copy it again");
    EXPECT("sites: {a: {provider: x, identity: [hush]}}\n",
           "s.yaml:1:37: 'identity' is not given by reference | "
           "write env:NAME, file:PATH, exec:COMMAND or prompt:, never the secret itself");
}

static void test_limits(void **state)
{
    (void)state;
    struct config *config = parse("limits: {worker-memory: 512MiB, worker-cpu: 5m}\n");
    assert_int_equal(config_worker_memory(config), INT64_C(512) << 20);
    assert_int_equal(config_worker_cpu_ms(config), 300000);
    config_free(config);
    struct config *none = parse("limits:\n");
    assert_int_equal(config_worker_memory(none), 0);
    assert_int_equal(config_worker_cpu_ms(none), 0);
    config_free(none);
    EXPECT("limits: {worker-memory: 1MiB, worker-cpu: 10ms}\n",
           "s.yaml:1:25: 'worker-memory' must be at least 64MiB",
           "s.yaml:1:43: 'worker-cpu' must be at least 1s");
    EXPECT("limits: {worker-memory: much}\n", "s.yaml:1:25: 'much' is not a size | "
                                              "write a number with its unit: 64KiB, 512MiB, 2GiB");
    EXPECT("limits: {worker-mem: 1GiB}\n",
           "s.yaml:1:10: unknown key 'worker-mem' in 'limits' | did you mean 'worker-memory'?");
}

static void test_all_problems_at_once(void **state)
{
    (void)state;
    EXPECT("sites:\n  a: {}\n  b: {provider: 'X Y'}\nstore: {}\n"
           "defaults: {timeout: x, site: prod}\n",
           "s.yaml:2:3: site 'a' has no provider | add `provider: NAME` to it",
           "s.yaml:3:17: 'X Y' is no name for a provider",
           "s.yaml:4:1: unknown key 'store' in the configuration | did you mean 'stores'?",
           "s.yaml:5:21: 'x' is not a duration | write a number with its unit: 90s, 10m, 2h",
           "s.yaml:5:30: there is no site 'prod'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_file),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_wrong_kinds),
        cmocka_unit_test(test_names_and_references),
        cmocka_unit_test(test_practice),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_stores_in_buckets),
        cmocka_unit_test(test_how_backups_are_kept),
        cmocka_unit_test(test_all_problems_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
