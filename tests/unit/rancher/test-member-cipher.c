#include "../unit.h"

#include <string.h>

#include <salvor/scan.h>

#include "../sdk/fake-host.h"
#include "member-cipher.h"

#define KEY "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=" /* abcdefghijklmnopqrstuvwxyz123456 */
#define OTHER "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
#define PLAIN "{\"kind\":\"Secret\"}"

static struct fake_host host;

/* One type, the providers given: "aescbc: {keys: [...]}" and so on. */
static struct encryption_config *config_of(const char *providers)
{
    salvor_auto_text struct salvor_text yaml = SALVOR_TEXT_INIT(65536);
    struct encryption_config *config = NULL;
    salvor_text_format(&yaml,
                       "{apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, "
                       "resources: [{resources: [secrets], providers: [%s]}]}",
                       providers);
    assert_int_equal(encryption_config_read(fake_call(&host), salvor_text_as_span(&yaml), &config),
                     SALVOR_OK);
    return config;
}

static struct encryption_config *config_with(const char *cipher, const char *name, const char *key)
{
    salvor_auto_text struct salvor_text providers = SALVOR_TEXT_INIT(65536);
    salvor_text_format(&providers, "{%s: {keys: [{name: %s, secret: \"%s\"}]}}", cipher, name, key);
    return config_of(salvor_text_get(&providers));
}

static enum cipher_answer open_at(const struct encryption_config *config, const char *member,
                                  const char *ns, const char *name, struct salvor_text *out)
{
    return cipher_open(&config->targets[0], salvor_span_of(member), salvor_span_of(ns),
                       salvor_span_of(name), out);
}

/* The bytes of the API server's own code, for these keys and nonces. */
static const struct {
    const char *cipher;
    const char *member;
} vectors[] = {
    {"aescbc", "\"azhzOmVuYzphZXNjYmM6djE6a2V5MToAAQIDBAUGBwgJCgsMDQ4P2snvXt43GZQXE4CaZE6piunfQDU"
               "04rHutEE89FtUfak=\""},
    {"aesgcm", "\"azhzOmVuYzphZXNnY206djE6a2V5MToAAQIDBAUGBwgJCguYIadx5puGDfVa7T47LY5jCw9fPSxgQbx"
               "Yso0eODaTh7A=\""},
    {"secretbox", "\"azhzOmVuYzpzZWNyZXRib3g6djE6a2V5MToAAQIDBAUGBwgJCgsMDQ4PEBESExQVFheTGPLIJ9iI"
                  "H80aYLIsP7yIbtfnyG8HTOFxzNwnPf7FbzM=\""},
};

static void gives_the_api_servers_bytes(void **state)
{
    unsigned char nonce[24];
    (void)state;
    for (unsigned char i = 0; i < sizeof nonce; i++)
        nonce[i] = i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        auto_encryption_config struct encryption_config *config =
            config_with(vectors[i].cipher, "key1", KEY);
        salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
        assert_int_equal(cipher_seal(&config->targets[0], salvor_span_of(PLAIN),
                                     salvor_span_of("ns1"), salvor_span_of("s1"), nonce, &out),
                         CIPHER_OPENED);
        assert_string_equal(salvor_text_get(&out), vectors[i].member);
        assert_int_equal(open_at(config, vectors[i].member, "ns1", "s1", &out), CIPHER_OPENED);
        assert_true(salvor_span_is(salvor_text_as_span(&out), PLAIN));
    }
}

static void says_why_it_does_not_open(void **state)
{
    static const char *const others[] = {"aesgcm", "secretbox", "aescbc"};
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
        auto_encryption_config struct encryption_config *wrong =
            config_with(vectors[i].cipher, "key1", OTHER);
        auto_encryption_config struct encryption_config *unnamed =
            config_with(vectors[i].cipher, "key2", KEY);
        auto_encryption_config struct encryption_config *foreign =
            config_with(others[i], "key1", KEY);
        assert_int_equal(open_at(wrong, vectors[i].member, "ns1", "s1", &out), CIPHER_WRONG_KEY);
        assert_int_equal(open_at(unnamed, vectors[i].member, "ns1", "s1", &out), CIPHER_NO_KEY);
        assert_int_equal(open_at(foreign, vectors[i].member, "ns1", "s1", &out),
                         CIPHER_NO_PROVIDER);
        assert_int_equal(cipher_open(NULL, salvor_span_of(vectors[i].member), salvor_span_of("ns1"),
                                     salvor_span_of("s1"), &out),
                         CIPHER_NOT_COVERED);
        assert_int_equal(out.size, 0);
    }
}

static void the_place_counts_with_aesgcm(void **state)
{
    auto_encryption_config struct encryption_config *config = config_with("aesgcm", "key1", KEY);
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
    (void)state;
    assert_int_equal(open_at(config, vectors[1].member, "ns2", "s1", &out), CIPHER_WRONG_KEY);
    assert_int_equal(open_at(config, vectors[1].member, "", "s1", &out), CIPHER_WRONG_KEY);
}

static void goes_through_all_keys(void **state)
{
    auto_encryption_config struct encryption_config *config = config_of(
        "{secretbox: {keys: [{name: key1, secret: \"" OTHER "\"}]}},"
        "{aesgcm: {keys: [{name: key1, secret: \"" OTHER "\"}, {name: key1, secret: \"" KEY
        "\"}]}},"
        "{secretbox: {keys: [{name: key2, secret: \"" OTHER "\"}, {name: key1, secret: \"" KEY
        "\"}]}}, {aescbc: {keys: [{name: key1, secret: \"" OTHER "\"}, {name: key1, secret: \"" KEY
        "\"}]}}");
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_int_equal(open_at(config, vectors[i].member, "ns1", "s1", &out), CIPHER_OPENED);
}

/* All sizes around the blocks; each changed byte is noticed where the cipher authenticates. */
static void round_trips(void **state)
{
    char plain[70];
    (void)state;
    for (size_t c = 0; c < sizeof vectors / sizeof *vectors; c++) {
        auto_encryption_config struct encryption_config *config =
            config_with(vectors[c].cipher, "key1", KEY);
        for (size_t size = 2; size <= sizeof plain; size++) {
            salvor_auto_text struct salvor_text sealed = SALVOR_TEXT_INIT(65536);
            salvor_auto_text struct salvor_text opened = SALVOR_TEXT_INIT(65536);
            memset(plain, 'x', sizeof plain);
            plain[0] = '{';
            plain[size - 1] = '}';
            const struct salvor_span span = {plain, size};
            assert_int_equal(cipher_seal(&config->targets[0], span, salvor_span_of(""),
                                         salvor_span_of("n"), NULL, &sealed),
                             CIPHER_OPENED);
            assert_true(cipher_is_encrypted(salvor_text_as_span(&sealed)));
            assert_int_equal(open_at(config, salvor_text_get(&sealed), "", "n", &opened),
                             CIPHER_OPENED);
            assert_int_equal(opened.size, size);
            assert_memory_equal(opened.data, plain, size);
            if (config->targets[0].providers[0]->cipher == CIPHER_AESCBC)
                continue;
            char *middle = sealed.data + sealed.size - 6;
            *middle = *middle == 'A' ? 'B' : 'A';
            assert_int_equal(open_at(config, salvor_text_get(&sealed), "", "n", &opened),
                             CIPHER_WRONG_KEY);
        }
    }
}

static void odd_members(void **state)
{
    static const char *const members[] = {
        "\"\"", "\"!\"", "\"aGVsbG8=\"", "\"azhzOmVuYzo=\"", "\"", "\"azhzOmVuYzphZXNjYmM6djE6\"",
        "{}"};
    auto_encryption_config struct encryption_config *config = config_with("aescbc", "key1", KEY);
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
    char provider[16];
    char key[64];
    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        assert_int_equal(open_at(config, members[i], "a", "b", &out), CIPHER_NO_BLOB);
        assert_int_equal(
            cipher_label(salvor_span_of(members[i]), provider, sizeof provider, key, sizeof key),
            -1);
    }
    /* cut behind the key's name: no ciphertext at all */
    assert_int_equal(open_at(config, "\"azhzOmVuYzphZXNjYmM6djE6a2V5MTo=\"", "a", "b", &out),
                     CIPHER_WRONG_KEY);
    /* the same text with an escaped slash is the same member */
    assert_int_equal(
        cipher_label(salvor_span_of(vectors[0].member), provider, sizeof provider, key, sizeof key),
        0);
    assert_string_equal(provider, "aescbc");
    assert_string_equal(key, "key1");
}

static void escaped_text_is_the_same_member(void **state)
{
    auto_encryption_config struct encryption_config *config = config_with("secretbox", "key1", KEY);
    salvor_auto_text struct salvor_text escaped = SALVOR_TEXT_INIT(65536);
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
    (void)state;
    for (const char *at = vectors[2].member; *at != '\0'; at++) {
        if (*at == '/')
            salvor_text_put(&escaped, "\\/");
        else if (*at == 'z')
            salvor_text_put(&escaped, "\\u007a");
        else
            salvor_text_add(&escaped, at, 1);
    }
    assert_int_equal(open_at(config, salvor_text_get(&escaped), "ns1", "s1", &out), CIPHER_OPENED);
    assert_true(salvor_span_is(salvor_text_as_span(&out), PLAIN));
}

static void identity_leaves_plain_and_kms_is_out_of_reach(void **state)
{
    auto_encryption_config struct encryption_config *plain = config_of("{identity: {}}");
    auto_encryption_config struct encryption_config *kms =
        config_of("{kms: {name: k, endpoint: 'unix:///s'}}");
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(65536);
    (void)state;
    assert_int_equal(cipher_seal(&plain->targets[0], salvor_span_of(PLAIN), salvor_span_of(""),
                                 salvor_span_of("n"), NULL, &out),
                     CIPHER_OPENED);
    assert_string_equal(salvor_text_get(&out), PLAIN);
    assert_int_equal(cipher_seal(&kms->targets[0], salvor_span_of(PLAIN), salvor_span_of(""),
                                 salvor_span_of("n"), NULL, &out),
                     CIPHER_NEEDS_KMS);
    assert_int_equal(open_at(kms, "\"azhzOmVuYzprbXM6djE6azp4\"", "", "n", &out), CIPHER_NEEDS_KMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_api_servers_bytes),
        cmocka_unit_test(says_why_it_does_not_open),
        cmocka_unit_test(the_place_counts_with_aesgcm),
        cmocka_unit_test(goes_through_all_keys),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(odd_members),
        cmocka_unit_test(escaped_text_is_the_same_member),
        cmocka_unit_test(identity_leaves_plain_and_kms_is_out_of_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
