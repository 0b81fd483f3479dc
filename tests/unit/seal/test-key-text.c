#include "../unit.h"

#include <sodium.h>
#include <string.h>

#include "seal/key-text.h"

/* Of the bytes 0, 1, … 31; computed once with Python's hashlib and base64. */
static const char example_public[] = "salvor-pk1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-a17EZ";
static const char example_private[] = "salvor-sk1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9cBUKe";

static void example_key(unsigned char key[SEAL_KEY_SIZE])
{
    for (int i = 0; i < SEAL_KEY_SIZE; i++)
        key[i] = (unsigned char)i;
}

static void texts_are_as_documented(void **state)
{
    unsigned char key[SEAL_KEY_SIZE];
    unsigned char back[SEAL_KEY_SIZE];
    char text[KEY_TEXT_SIZE];
    (void)state;
    example_key(key);
    recipient_text(key, text);
    assert_string_equal(text, example_public);
    assert_int_equal(recipient_parse(text, back, NULL), 0);
    assert_memory_equal(back, key, sizeof key);
    private_key_text(key, text);
    assert_string_equal(text, example_private);
    assert_int_equal(private_key_parse(text, strlen(text), back, NULL), 0);
    assert_memory_equal(back, key, sizeof key);
}

static void every_slip_is_found(void **state)
{
    static const char others[] = "Aa0-_.z";
    unsigned char key[SEAL_KEY_SIZE];
    (void)state;
    for (size_t at = 0; at < sizeof example_public - 1; at++) {
        for (size_t i = 0; i < sizeof others - 1; i++) {
            char text[KEY_TEXT_SIZE];
            memcpy(text, example_public, sizeof text);
            if (text[at] == others[i])
                continue;
            text[at] = others[i];
            assert_int_equal(recipient_parse(text, key, NULL), -1);
        }
    }
    for (size_t length = 0; length < sizeof example_private - 1; length++)
        assert_int_equal(private_key_parse(example_private, length, key, NULL), -1);
}

static void the_two_kinds_are_told_apart(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    unsigned char key[SEAL_KEY_SIZE];
    (void)state;
    assert_int_equal(recipient_parse(example_private, key, &err), -1);
    assert_null(strstr(err.message, example_private));
    assert_null(strstr(err.hint, example_private));
    error_clear(&err);
    assert_int_equal(private_key_parse(example_public, strlen(example_public), key, &err), -1);
    assert_non_null(strstr(err.hint, "only encrypts"));
}

static void a_key_of_low_order_is_no_recipient(void **state)
{
    unsigned char key[SEAL_KEY_SIZE] = {0};
    char text[KEY_TEXT_SIZE];
    (void)state;
    recipient_text(key, text);
    assert_int_equal(recipient_parse(text, key, NULL), -1);
    key[0] = 1;
    recipient_text(key, text);
    assert_int_equal(recipient_parse(text, key, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_as_documented),
        cmocka_unit_test(every_slip_is_found),
        cmocka_unit_test(the_two_kinds_are_told_apart),
        cmocka_unit_test(a_key_of_low_order_is_no_recipient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
