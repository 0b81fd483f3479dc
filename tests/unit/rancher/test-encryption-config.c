#include "../unit.h"

#include <string.h>

#include <salvor/scan.h>

#include "../sdk/fake-host.h"
#include "encryption-config.h"

#define HEAD "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
#define KEY "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="
#define BOX "  providers:\n  - secretbox: {keys: [{name: key1, secret: " KEY "}]}\n"

static struct fake_host host;

static struct encryption_config *read_config(const char *yaml)
{
    struct encryption_config *config = NULL;
    const salvor_status status =
        encryption_config_read(fake_call(&host), salvor_span_of(yaml), &config);
    if (status != SALVOR_OK)
        fail_msg("refused: %s", host.message);
    return config;
}

static const struct encryption_target *find(const struct encryption_config *config,
                                            const char *group, const char *resource)
{
    return encryption_config_find(config, salvor_span_of(group), salvor_span_of(resource));
}

static void reads_providers_and_keys(void **state)
{
    auto_encryption_config struct encryption_config *config = read_config(
        HEAD "- resources: [secrets, tokens.management.cattle.io]\n  providers:\n"
             "  - aescbc:\n      keys:\n      - {name: new, secret: c2VjcmV0IGlzIHNlY3VyZQ==}\n"
             "      - {name: old, secret: " KEY "}\n  - identity: {}\n");
    const struct encryption_target *target = find(config, "", "secrets");
    (void)state;
    assert_non_null(target);
    assert_int_equal(target->provider_count, 2);
    assert_int_equal(target->providers[0]->cipher, CIPHER_AESCBC);
    assert_int_equal(target->providers[0]->key_count, 2);
    assert_string_equal(target->providers[0]->keys[0].name, "new");
    assert_int_equal(target->providers[0]->keys[0].size, 16);
    assert_memory_equal(target->providers[0]->keys[0].secret, "secret is secure", 16);
    assert_int_equal(target->providers[1]->cipher, CIPHER_IDENTITY);
    assert_non_null(find(config, "management.cattle.io", "tokens"));
    assert_null(find(config, "", "configmaps"));
    assert_null(find(config, "other.io", "tokens"));
    assert_false(encryption_config_has_wildcards(config));
    assert_false(encryption_config_has_kms(config));
}

static void the_nearest_name_counts(void **state)
{
    auto_encryption_config struct encryption_config *config = read_config(
        HEAD "- resources: [secrets]\n" BOX "- resources: ['*.']\n  providers: [{identity: {}}]\n"
             "- resources: ['*.*']\n  providers:\n  - aesgcm: {keys: [{name: g, secret: " KEY
             "}]}\n");
    (void)state;
    assert_int_equal(find(config, "", "secrets")->providers[0]->cipher, CIPHER_SECRETBOX);
    assert_int_equal(find(config, "", "configmaps")->providers[0]->cipher, CIPHER_IDENTITY);
    assert_int_equal(find(config, "apps", "deployments")->providers[0]->cipher, CIPHER_AESGCM);
    assert_true(encryption_config_has_wildcards(config));
}

static void a_name_in_two_entries_adds_providers(void **state)
{
    auto_encryption_config struct encryption_config *config =
        read_config(HEAD "- resources: [secrets]\n" BOX "- resources: [secrets]\n"
                         "  providers: [{identity: {}}]\n");
    (void)state;
    assert_int_equal(find(config, "", "secrets")->provider_count, 2);
}

static void takes_the_old_name_and_json(void **state)
{
    auto_encryption_config struct encryption_config *config =
        read_config("{\"apiVersion\":\"v1\",\"kind\":\"EncryptionConfig\",\"resources\":["
                    "{\"resources\":[\"secrets\"],\"providers\":[{\"kms\":{\"name\":\"k\","
                    "\"endpoint\":\"unix:///s\",\"apiVersion\":\"v2\"}}]}]}");
    (void)state;
    assert_true(encryption_config_has_kms(config));
}

static void refuses_what_the_operator_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "a: [",
        "kind: Secret\n",
        HEAD "- resources: [secrets]\n" BOX "unknown: 1\n",
        HEAD "- resources: [secrets]\n" BOX "kind: EncryptionConfiguration\n",
        HEAD "- resources: ['*']\n" BOX,
        HEAD "- resources: [Secrets]\n" BOX,
        HEAD "- resources: ['secrets.*']\n" BOX,
        HEAD "- resources: [events.events.k8s.io]\n" BOX,
        HEAD "- resources: [secrets, secrets]\n" BOX,
        HEAD "- resources: [secrets, '*.']\n" BOX,
        HEAD "- resources: ['*.*']\n" BOX "- resources: [secrets]\n" BOX,
        HEAD "- resources: ['*.*']\n" BOX "- resources: ['*.*']\n" BOX,
        HEAD "- resources: []\n" BOX,
        HEAD "- resources: [secrets]\n",
        HEAD "- resources: [secrets]\n  providers: []\n",
        HEAD "- resources: [secrets]\n  providers: [{other: {}}]\n",
        HEAD "- resources: [secrets]\n  providers: [{identity: {}, aesgcm: {keys: []}}]\n",
        HEAD "- resources: [secrets]\n  providers: [{aesgcm: {keys: []}}]\n",
        HEAD "- resources: [secrets]\n  providers: [{aesgcm: {keys: [{name: a, secret: YQ==}]}}]\n",
        HEAD "- resources: [secrets]\n  providers: [{aesgcm: {keys: [{name: a, secret: '!'}]}}]\n",
        HEAD "- resources: [secrets]\n  providers: [{aesgcm: {keys: [{secret: " KEY "}]}}]\n",
        HEAD "- resources: [secrets]\n  providers: [{aesgcm: {keys: [{name: a, secret: " KEY
             ", x: 1}]}}]\n",
        HEAD "- resources: [secrets]\n  providers:\n"
             "  - secretbox: {keys: [{name: a, secret: c2VjcmV0IGlzIHNlY3VyZQ==}]}\n",
        HEAD "- resources: [secrets]\n  providers: [{identity: {x: 1}}]\n",
        HEAD "- resources: [secrets]\n" BOX "---\na: 1\n",
        "a: &x [1]\nb: *x\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct encryption_config *config = NULL;
        const salvor_status status =
            encryption_config_read(fake_call(&host), salvor_span_of(texts[i]), &config);
        if (status != SALVOR_REFUSED)
            fail_msg("number %zu is taken:\n%s", i, texts[i]);
        assert_null(strstr(host.message, KEY));
        assert_string_not_equal(host.hint, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_providers_and_keys),
        cmocka_unit_test(the_nearest_name_counts),
        cmocka_unit_test(a_name_in_two_entries_adds_providers),
        cmocka_unit_test(takes_the_old_name_and_json),
        cmocka_unit_test(refuses_what_the_operator_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
