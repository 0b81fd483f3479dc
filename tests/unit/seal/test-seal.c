#include "../unit.h"

#include <sodium.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "seal/seal-format.h"

enum { ROOM = 1 << 20 };

struct keys {
    struct identity *identity; /* of the first recipient */
    unsigned char recipients[3][SEAL_KEY_SIZE];
    struct identity *others; /* of the third */
    struct identity *stranger;
};

static struct identity *fresh(unsigned char ret_public[SEAL_KEY_SIZE])
{
    struct identity *identity = identity_new();
    char recipient[KEY_TEXT_SIZE];
    char *text = NULL;
    identity_generate(&text, recipient);
    assert_int_equal(identity_add(identity, text, strlen(text), "k", NULL), 0);
    sodium_free(text);
    memcpy(ret_public, identity_public(identity, 0), SEAL_KEY_SIZE);
    return identity;
}

static int make_keys(void **state)
{
    struct keys *keys = memory_new(1, sizeof *keys);
    unsigned char unused[SEAL_KEY_SIZE];
    keys->identity = fresh(keys->recipients[0]);
    identity_free(fresh(keys->recipients[1]));
    keys->others = fresh(keys->recipients[2]);
    keys->stranger = fresh(unused);
    *state = keys;
    return 0;
}

static int drop_keys(void **state)
{
    struct keys *keys = *state;
    identity_free(keys->identity);
    identity_free(keys->others);
    identity_free(keys->stranger);
    free(keys);
    return 0;
}

static int collect(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)reterr;
    return buffer_append(data, bytes, size);
}

static char *make_bytes(size_t size)
{
    char *bytes = memory_new(size + 1, 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + i / 256);
    return bytes;
}

/* Sealed to the first `count` recipients; `ret_key` may be NULL. */
static void seal_in_parts(const struct keys *keys, size_t count, const char *bytes, size_t size,
                          size_t part, struct buffer *ret, unsigned char *ret_key)
{
    struct sealer *sealer = sealer_new(keys->recipients, count, collect, ret);
    for (size_t at = 0; at < size; at += part)
        assert_int_equal(
            sealer_write(sealer, bytes + at, size - at < part ? size - at : part, NULL), 0);
    assert_int_equal(sealer_end(sealer, NULL), 0);
    if (ret_key != NULL)
        memcpy(ret_key, sealer_key(sealer), SEAL_KEY_SIZE);
    sealer_free(sealer);
}

/* 0 with the content; -1 with *reterr, and what was handed on until then. */
static int unseal_in_parts(const struct identity *identity, const unsigned char *key,
                           const char *bytes, size_t size, size_t part, struct buffer *ret,
                           struct error *reterr)
{
    struct unsealer *unsealer = unsealer_new(identity, key, collect, ret);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += part)
        result = unsealer_write(unsealer, bytes + at, size - at < part ? size - at : part, reterr);
    if (result == 0)
        result = unsealer_end(unsealer, reterr);
    unsealer_free(unsealer);
    return result;
}

static void what_goes_in_comes_out(void **state)
{
    const struct keys *keys = *state;
    static const size_t sizes[] = {0,     1,     17,    40,     56,     57,     65535,
                                   65536, 65537, 65553, 131071, 131072, 131073, 300001};
    static const size_t parts[] = {1000000, 65536, 4099};
    cleanup_free char *bytes = make_bytes(300001);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
            cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
            cleanup_buffer struct buffer plain = BUFFER_INIT(ROOM);
            cleanup_error struct error err = ERROR_INIT;
            const size_t count = 1 + j;
            seal_in_parts(keys, count, bytes, sizes[i], parts[j], &sealed, NULL);
            const size_t chunks = (sizes[i] + SEAL_CHUNK - 1) / SEAL_CHUNK;
            assert_int_equal(sealed.size, ENTRIES_AT + count * ENTRY_SIZE + STREAM_HEADER_SIZE +
                                              sizes[i] + chunks * MESSAGE_EXTRA + END_SIZE);
            assert_true(seal_is_sealed(sealed.data, sealed.size));
            if (unseal_in_parts(keys->identity, NULL, sealed.data, sealed.size, parts[2 - j],
                                &plain, &err) != 0)
                fail_msg("%zu bytes: %s", sizes[i], err.message);
            assert_int_equal(plain.size, sizes[i]);
            if (sizes[i] > 0)
                assert_memory_equal(plain.data, bytes, sizes[i]);
        }
    }
}

static void byte_by_byte_it_is_the_same(void **state)
{
    const struct keys *keys = *state;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    cleanup_buffer struct buffer plain = BUFFER_INIT(ROOM);
    cleanup_free char *bytes = make_bytes(70000);
    seal_in_parts(keys, 2, bytes, 70000, 1, &sealed, NULL);
    assert_int_equal(
        unseal_in_parts(keys->identity, NULL, sealed.data, sealed.size, 1, &plain, NULL), 0);
    assert_int_equal(plain.size, 70000);
    assert_memory_equal(plain.data, bytes, 70000);
}

static void only_keys_of_recipients_open_it(void **state)
{
    const struct keys *keys = *state;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    cleanup_buffer struct buffer plain = BUFFER_INIT(ROOM);
    cleanup_error struct error err = ERROR_INIT;
    unsigned char key[SEAL_KEY_SIZE];
    char recipient[KEY_TEXT_SIZE];
    seal_in_parts(keys, 3, "secret text", 11, 11, &sealed, key);
    assert_int_equal(unseal_in_parts(keys->others, NULL, sealed.data, sealed.size, 7, &plain, NULL),
                     0);
    assert_memory_equal(plain.data, "secret text", 11);
    buffer_clear(&plain);
    assert_int_equal(unseal_in_parts(NULL, key, sealed.data, sealed.size, 7, &plain, NULL), 0);
    assert_memory_equal(plain.data, "secret text", 11);
    buffer_clear(&plain);
    assert_int_equal(
        unseal_in_parts(keys->stranger, NULL, sealed.data, sealed.size, 7, &plain, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    recipient_text(keys->recipients[2], recipient);
    assert_non_null(strstr(err.hint, recipient));
    error_clear(&err);
    assert_int_equal(unseal_in_parts(NULL, NULL, sealed.data, sealed.size, 7, &plain, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.message, "no private key is given"));
    assert_int_equal(plain.size, 0);
    assert_null(memmem(sealed.data, sealed.size, "secret", 6));
}

/* Two ways in for the same bytes: through a box, and with the data key (which reads no box). */
static int opens(const struct keys *keys, const unsigned char *key, const struct buffer *sealed,
                 size_t size)
{
    cleanup_buffer struct buffer plain = BUFFER_INIT(ROOM);
    return unseal_in_parts(keys->identity, NULL, sealed->data, size, 1 << 20, &plain, NULL) == 0 ||
           unseal_in_parts(NULL, key, sealed->data, size, 1 << 20, &plain, NULL) == 0;
}

static void every_flipped_bit_is_found(void **state)
{
    const struct keys *keys = *state;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    unsigned char key[SEAL_KEY_SIZE];
    seal_in_parts(keys, 2, "some text", 9, 9, &sealed, key);
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
        if (opens(keys, key, &sealed, sealed.size))
            fail_msg("bit %zu of byte %zu is not seen", bit % 8, bit / 8);
        sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(opens(keys, key, &sealed, sealed.size));
}

static void every_cut_and_every_addition_is_found(void **state)
{
    const struct keys *keys = *state;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    unsigned char key[SEAL_KEY_SIZE];
    seal_in_parts(keys, 1, "some text", 9, 9, &sealed, key);
    for (size_t size = 0; size < sealed.size; size++)
        assert_false(opens(keys, key, &sealed, size));
    assert_true(opens(keys, key, &sealed, sealed.size));
    for (int i = 0; i < 200; i++) {
        assert_int_equal(buffer_append(&sealed, "", 1), 0);
        assert_false(opens(keys, key, &sealed, sealed.size));
    }
}

/* Whole messages that are sound by themselves, in an order that is not theirs. */
static void chunks_keep_their_order(void **state)
{
    const struct keys *keys = *state;
    enum { CHUNKS = 4 };
    static const int orders[][CHUNKS] = {{1, 0, 2, 3},  {0, 2, 1, 3}, {0, 1, 1, 3}, {0, 1, 2, -1},
                                         {1, 2, 3, -1}, {0, 1, 3, 2}, {0, 0, 0, 0}, {0, 1, 2, 3}};
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    cleanup_free char *bytes = make_bytes((size_t)CHUNKS * SEAL_CHUNK);
    unsigned char key[SEAL_KEY_SIZE];
    seal_in_parts(keys, 1, bytes, (size_t)CHUNKS * SEAL_CHUNK, 65536, &sealed, key);
    const size_t head = ENTRIES_AT + ENTRY_SIZE + STREAM_HEADER_SIZE;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        cleanup_buffer struct buffer mixed = BUFFER_INIT(ROOM);
        assert_int_equal(buffer_append(&mixed, sealed.data, head), 0);
        for (int j = 0; j < CHUNKS; j++)
            if (orders[i][j] >= 0)
                assert_int_equal(
                    buffer_append(&mixed, sealed.data + head + orders[i][j] * (size_t)BLOCK_SIZE,
                                  BLOCK_SIZE),
                    0);
        assert_int_equal(
            buffer_append(&mixed, sealed.data + head + CHUNKS * (size_t)BLOCK_SIZE, END_SIZE), 0);
        assert_int_equal(opens(keys, key, &mixed, mixed.size),
                         i == sizeof orders / sizeof *orders - 1);
    }
}

static void a_head_of_another_is_no_head_of_this(void **state)
{
    const struct keys *keys = *state;
    cleanup_buffer struct buffer one = BUFFER_INIT(ROOM);
    cleanup_buffer struct buffer two = BUFFER_INIT(ROOM);
    unsigned char key[SEAL_KEY_SIZE];
    const size_t head = ENTRIES_AT + ENTRY_SIZE + STREAM_HEADER_SIZE;
    seal_in_parts(keys, 1, "the first", 9, 9, &one, key);
    seal_in_parts(keys, 1, "the other", 9, 9, &two, NULL);
    memcpy(one.data + head, two.data + head, one.size - head);
    assert_false(opens(keys, key, &one, one.size));
}

static void a_reader_can_start_over(void **state)
{
    const struct keys *keys = *state;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    cleanup_buffer struct buffer plain = BUFFER_INIT(ROOM);
    seal_in_parts(keys, 1, "text", 4, 4, &sealed, NULL);
    struct unsealer *unsealer = unsealer_new(keys->identity, NULL, collect, &plain);
    assert_int_equal(unsealer_write(unsealer, sealed.data, sealed.size - 3, NULL), 0);
    assert_int_equal(unsealer_end(unsealer, NULL), -1);
    for (int i = 0; i < 2; i++) {
        unsealer_reset(unsealer);
        buffer_clear(&plain);
        assert_int_equal(unsealer_write(unsealer, sealed.data, sealed.size, NULL), 0);
        assert_int_equal(unsealer_end(unsealer, NULL), 0);
        assert_int_equal(plain.size, 4);
    }
    unsealer_free(unsealer);
}

static int full(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)bytes;
    (void)size;
    (*(int *)data)++;
    return error_set(reterr, EXIT_FAILED, "no room");
}

static void a_sink_that_fails_ends_it(void **state)
{
    const struct keys *keys = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(ROOM);
    int asked = 0;
    struct sealer *sealer = sealer_new(keys->recipients, 1, full, &asked);
    assert_int_equal(sealer_write(sealer, "x", 1, &err), -1);
    assert_string_equal(err.message, "no room");
    sealer_free(sealer);
    error_clear(&err);
    seal_in_parts(keys, 1, "text", 4, 4, &sealed, NULL);
    struct unsealer *unsealer = unsealer_new(keys->identity, NULL, full, &asked);
    assert_int_equal(unsealer_write(unsealer, sealed.data, sealed.size, &err), 0);
    assert_int_equal(unsealer_end(unsealer, &err), -1);
    assert_string_equal(err.message, "no room");
    unsealer_free(unsealer);
    assert_int_equal(asked, 2);
}

#define with_keys(test) cmocka_unit_test_setup_teardown(test, make_keys, drop_keys)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_keys(what_goes_in_comes_out),
        with_keys(byte_by_byte_it_is_the_same),
        with_keys(only_keys_of_recipients_open_it),
        with_keys(every_flipped_bit_is_found),
        with_keys(every_cut_and_every_addition_is_found),
        with_keys(chunks_keep_their_order),
        with_keys(a_head_of_another_is_no_head_of_this),
        with_keys(a_reader_can_start_over),
        with_keys(a_sink_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
