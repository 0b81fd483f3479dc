#include "../unit.h"

#include <sodium.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "seal/identity.h"

static void what_is_generated_is_read(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_identity struct identity *identity = identity_new();
    char recipient[KEY_TEXT_SIZE];
    char shown[KEY_TEXT_SIZE];
    char *text = NULL;
    (void)state;
    for (int i = 0; i < 2; i++) {
        identity_generate(&text, recipient);
        assert_non_null(strstr(text, recipient));
        if (identity_add(identity, text, strlen(text), "key", &err) != 0)
            fail_msg("%s", err.message);
        sodium_free(text);
        recipient_text(identity_public(identity, (size_t)i), shown);
        assert_string_equal(shown, recipient);
    }
    assert_int_equal(identity_count(identity), 2);
    assert_memory_not_equal(identity_secret(identity, 0), identity_secret(identity, 1),
                            SEAL_KEY_SIZE);
}

static int add(struct identity *identity, const char *text, struct error *err)
{
    error_clear(err);
    return identity_add(identity, text, strlen(text), "file:/k", err);
}

static void other_files_are_no_keys(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_identity struct identity *identity = identity_new();
    char *text = NULL;
    char recipient[KEY_TEXT_SIZE];
    (void)state;
    assert_int_equal(add(identity, "", &err), -1);
    assert_string_equal(err.message, "'file:/k' holds no private key");
    assert_int_equal(add(identity, "# only a comment\n\n", &err), -1);
    assert_int_equal(add(identity, "-----BEGIN PRIVATE KEY-----\n", &err), -1);
    assert_null(strstr(err.message, "BEGIN"));
    identity_generate(&text, recipient);
    assert_int_equal(add(identity, recipient, &err), -1);
    text[strlen(text) - 5] ^= 1;
    assert_int_equal(add(identity, text, &err), -1);
    sodium_free(text);
    assert_int_equal(identity_count(identity), 0);
}

static void line_ends_and_blanks_do_not_matter(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_identity struct identity *identity = identity_new();
    char *text = NULL;
    char recipient[KEY_TEXT_SIZE];
    (void)state;
    identity_generate(&text, recipient);
    const char *key = strstr(text, "salvor-sk1");
    cleanup_free char *bare = text_copy_span(key, KEY_TEXT_SIZE - 1);
    cleanup_free char *windows = text_format("# x\r\n%s \t\r\n", bare);
    sodium_free(text);
    assert_int_equal(add(identity, bare, &err), 0);
    assert_int_equal(add(identity, windows, &err), 0);
    assert_int_equal(identity_count(identity), 2);
}

static void there_is_an_end_to_keys(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_identity struct identity *identity = identity_new();
    char *text = NULL;
    char recipient[KEY_TEXT_SIZE];
    (void)state;
    identity_generate(&text, recipient);
    for (int i = 0; i < IDENTITY_KEYS_LIMIT; i++)
        assert_int_equal(add(identity, text, &err), 0);
    assert_int_equal(add(identity, text, &err), -1);
    sodium_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_generated_is_read),
        cmocka_unit_test(other_files_are_no_keys),
        cmocka_unit_test(line_ends_and_blanks_do_not_matter),
        cmocka_unit_test(there_is_an_end_to_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
