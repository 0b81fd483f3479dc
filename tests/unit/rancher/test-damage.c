/* 10,000 flipped bits and every truncation at steps of 512 bytes: what changes a byte of what is
 * read is refused. What passes is counted by field. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sdk/fake-host.h"
#include "archive-reader.h"
#include "fixture.h"

enum { OBJECTS = 60, FLIPS = 10000 };

static struct fake_host host;
static uint64_t digest;

static void add_to_digest(const void *data, size_t size)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ at[i]) * UINT64_C(1099511628211);
}

/* END: the archive was taken; then `digest` is that of all paths and contents. */
static salvor_status read_all(struct made archive)
{
    const struct fake_artifact artifacts[] = {{"a", archive.data, archive.size}, {NULL, NULL, 0}};
    archive_reader *reader = NULL;
    struct archive_member member;
    salvor_status status;
    host.artifacts = artifacts;
    digest = UINT64_C(14695981039346656037);
    assert_int_equal(archive_reader_open(fake_call(&host), "a", NULL, &reader), SALVOR_OK);
    while ((status = archive_reader_next(reader, &member)) == SALVOR_OK &&
           (status = archive_reader_load(reader, &member)) == SALVOR_OK) {
        add_to_digest(member.path, strlen(member.path) + 1);
        add_to_digest(member.stored.data, (size_t)member.stored.size);
    }
    if (status != SALVOR_END)
        assert_true(*archive_reader_problem(reader) != '\0');
    archive_reader_close(reader);
    host.artifacts = NULL;
    return status;
}

/* Pseudo-random and the same every time. */
static uint64_t state_of_random = 88172645463325252u;

static uint64_t next_random(void)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return state_of_random;
}

static struct made make_archive(void)
{
    static char paths[OBJECTS][64];
    static char objects[OBJECTS][2048];
    struct made_member members[OBJECTS + 1];
    for (int i = 0; i < OBJECTS; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "secrets.#v1/p-%02d/s-%d.json", i % 7, i);
        int used =
            snprintf(objects[i], sizeof objects[i], "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"");
        for (int j = 0; j < 400 + i; j++)
            objects[i][used++] = (char)('a' + next_random() % 26);
        used += snprintf(objects[i] + used, sizeof objects[i] - (size_t)used,
                         "\"},\"kind\":\"Secret\",\"metadata\":{\"name\":\"s-%d\",\"namespace\":"
                         "\"p-%02d\"}}",
                         i, i % 7);
        members[i] = (struct made_member){paths[i], objects[i], (size_t)used, NULL};
    }
    members[OBJECTS] = (struct made_member){NULL, NULL, 0, NULL};
    return fixture_archive(members);
}

/* Where a flip may pass: fields of the gzip header that mean nothing to a reader, and codes of the
 * compressed data that happen to say the same bytes (a run of zeros copied from elsewhere in it).
 */
enum field { FTEXT, MTIME, XFL, OS, SAME_BYTES, FIELDS, NOT_PASSED };

static enum field field_of(size_t bit)
{
    const size_t byte = bit / 8;
    if (byte == 3 && bit % 8 == 0)
        return FTEXT;
    if (byte >= 4 && byte < 8)
        return MTIME;
    return byte == 8 ? XFL : byte == 9 ? OS : byte < 10 ? NOT_PASSED : SAME_BYTES;
}

static void flip(struct made archive, size_t bit)
{
    archive.data[bit / 8] = (char)(archive.data[bit / 8] ^ (1 << (bit % 8)));
}

/* Where it passed, NOT_PASSED: it was refused. */
static enum field try_flip(struct made archive, size_t bit, uint64_t whole)
{
    flip(archive, bit);
    const salvor_status status = read_all(archive);
    flip(archive, bit);
    if (status == SALVOR_FAILED)
        return NOT_PASSED;
    if (digest != whole || field_of(bit) == NOT_PASSED)
        fail_msg("bit %zu of byte %zu of %zu: not refused (%u)", bit % 8, bit / 8, archive.size,
                 status);
    return field_of(bit);
}

static void every_flip_is_found(void **state)
{
    const struct made archive = make_archive();
    int passed[NOT_PASSED + 1] = {0};
    (void)state;
    assert_int_equal(read_all(archive), SALVOR_END);
    const uint64_t whole = digest;
    /* the whole header and trailer, then anywhere */
    for (size_t bit = 0; bit < FLIPS; bit++) {
        const size_t edge = 18 * 8;
        const size_t at = bit < 10 * 8 ? bit
                          : bit < edge ? archive.size * 8 - (edge - bit)
                                       : 80 + next_random() % (archive.size * 8 - 80);
        passed[try_flip(archive, at, whole)]++;
    }
    print_message("%zu bytes; %d of %d flips refused; without meaning: FTEXT %d, MTIME %d, XFL %d, "
                  "OS %d; other code of the same bytes: %d\n",
                  archive.size, passed[NOT_PASSED], FLIPS, passed[FTEXT], passed[MTIME],
                  passed[XFL], passed[OS], passed[SAME_BYTES]);
    assert_int_equal(passed[FTEXT] + passed[MTIME] + passed[XFL] + passed[OS], 1 + 32 + 8 + 8);
    assert_true(passed[SAME_BYTES] < FLIPS / 1000);
    free(archive.data);
}

static void every_truncation_is_found(void **state)
{
    const struct made archive = make_archive();
    size_t tried = 0;
    (void)state;
    for (size_t size = 0; size < archive.size; size += 512, tried++) {
        const struct made cut = {archive.data, size};
        assert_int_equal(read_all(cut), SALVOR_FAILED);
    }
    for (size_t left = 1; left <= 600 && left <= archive.size; left++, tried++) {
        const struct made cut = {archive.data, archive.size - left};
        assert_int_equal(read_all(cut), SALVOR_FAILED);
    }
    print_message("%zu truncations refused\n", tried);
    free(archive.data);
}

static void the_operators_own_archives_too(void **state)
{
    static const char *const names[] = {"release-1.2.1/plain-", "release-11.0.1/everything-"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct made archive = fixture_load(names[i], NULL);
        assert_int_equal(read_all(archive), SALVOR_END);
        const uint64_t whole = digest;
        for (int j = 0; j < 1000; j++)
            (void)try_flip(archive, next_random() % (archive.size * 8), whole);
        free(archive.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flip_is_found),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(the_operators_own_archives_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
