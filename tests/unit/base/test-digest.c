#include "../unit.h"

#include "base/digest.h"

static void known_answers_whole_and_in_pieces(void **state)
{
    (void)state;
    static const char expected[] =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char text[DIGEST_TEXT_SIZE];
    digest_text_of("abc", 3, text);
    assert_string_equal(text, expected);

    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    digest_begin(&digest);
    digest_add(&digest, "a", 1);
    digest_add(&digest, "bc", 2);
    digest_end(&digest, hash);
    digest_text(hash, text);
    assert_string_equal(text, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers_whole_and_in_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
