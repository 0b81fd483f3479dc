#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <salvor/canonical.h>

#include "../sdk/fake-host.h"
#include "archive-reader.h"
#include "fixture.h"

static struct fake_host host;

/* All objects of an archive as lines "path json"; the members that did not open are counted. */
static size_t read_objects(const char *name, struct made archive,
                           const struct encryption_config *config, struct salvor_text *lines)
{
    const struct fake_artifact artifacts[] = {{name, archive.data, archive.size}, {NULL, NULL, 0}};
    auto_archive_reader archive_reader *reader = NULL;
    struct archive_member member;
    salvor_status status;
    size_t closed = 0;
    host.artifacts = artifacts;
    assert_int_equal(archive_reader_open(fake_call(&host), name, config, &reader), SALVOR_OK);
    while ((status = archive_reader_next(reader, &member)) == SALVOR_OK &&
           (status = archive_reader_load(reader, &member)) == SALVOR_OK) {
        if (member.role != MEMBER_OBJECT)
            continue;
        closed += member.encrypted && member.answer != CIPHER_OPENED;
        salvor_text_put(lines, member.path);
        salvor_text_put(lines, " ");
        salvor_text_span(lines, member.json);
        salvor_text_put(lines, "\n");
    }
    assert_int_equal(status, SALVOR_END);
    host.artifacts = NULL;
    return closed;
}

static void encrypted_archives_hold_the_same(void **state)
{
    static const char *const releases[] = {"release-11.0.1", "release-1.2.1"};
    static const char *const ciphers[] = {"aescbc", "aesgcm", "secretbox", "everything"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char beginning[64];
        char name[200];
        salvor_auto_text struct salvor_text plain = SALVOR_TEXT_INIT(1 << 20);
        (void)snprintf(beginning, sizeof beginning, "%s/plain-", releases[i]);
        const struct made archive = fixture_load(beginning, name);
        assert_int_equal(read_objects(name, archive, NULL, &plain), 0);
        free(archive.data);
        for (size_t j = 0; j < (i == 0 ? 4u : 3u); j++) {
            auto_encryption_config struct encryption_config *config = NULL;
            salvor_auto_text struct salvor_text opened = SALVOR_TEXT_INIT(1 << 20);
            salvor_auto_text struct salvor_text closed = SALVOR_TEXT_INIT(1 << 20);
            (void)snprintf(beginning, sizeof beginning, "%s/%s.", releases[i], ciphers[j]);
            const struct made yaml = fixture_load(beginning, NULL);
            const struct salvor_span span = {yaml.data, yaml.size};
            assert_int_equal(encryption_config_read(fake_call(&host), span, &config), SALVOR_OK);
            free(yaml.data);
            (void)snprintf(beginning, sizeof beginning, "%s/%s-", releases[i], ciphers[j]);
            const struct made encrypted = fixture_load(beginning, name);
            assert_int_equal(read_objects(name, encrypted, config, &opened), 0);
            assert_string_equal(salvor_text_get(&opened), salvor_text_get(&plain));
            assert_int_equal(read_objects(name, encrypted, NULL, &closed), j == 3 ? 24 : 3);
            free(encrypted.data);
        }
    }
}

static void tells_roles_apart(void **state)
{
    static const struct made_member members[] = {
        {"a.#v1", NULL, 0, NULL},
        {"a.#v1/x.json", "{}", 2, NULL},
        {"./a.#v1/y.json", "{}", 2, NULL},
        {"root.json", "{}", 2, NULL},
        {"link", NULL, 0, "a"},
        {"filters/filters.json", "{}", 2, NULL},
        {"filters/other", "x", 1, NULL},
        {"b.#v1/n/z.json", "\"eA==\"", 6, NULL},
        {NULL, NULL, 0, NULL},
    };
    static const struct {
        const char *path;
        enum member_role role;
        uint64_t number;
    } expected[] = {
        {"a.#v1/x.json", MEMBER_OBJECT, 0},
        {"a.#v1/y.json", MEMBER_ODD, 0},
        {"root.json", MEMBER_ODD, 0},
        {"link", MEMBER_ODD, 0},
        {"filters/filters.json", MEMBER_RESOURCE_SET, 0},
        {"filters/other", MEMBER_ASIDE, 0},
        {"b.#v1/n/z.json", MEMBER_OBJECT, 1},
    };
    const struct made archive = fixture_archive(members);
    const struct fake_artifact artifacts[] = {{"a", archive.data, archive.size}, {NULL, NULL, 0}};
    auto_archive_reader archive_reader *reader = NULL;
    struct archive_member member;
    (void)state;
    host.artifacts = artifacts;
    assert_int_equal(archive_reader_open(fake_call(&host), "a", NULL, &reader), SALVOR_OK);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
            assert_int_equal(archive_reader_next(reader, &member), SALVOR_OK);
            assert_int_equal(archive_reader_load(reader, &member), SALVOR_OK);
            assert_string_equal(member.path, expected[i].path);
            assert_int_equal(member.role, expected[i].role);
            assert_int_equal(member.number, expected[i].number);
            assert_int_equal(member.problem != NULL, member.role == MEMBER_ODD);
        }
        assert_true(member.encrypted);
        assert_int_equal(member.answer, CIPHER_NO_CONFIG);
        assert_int_equal(archive_reader_next(reader, &member), SALVOR_END);
        assert_int_equal(archive_reader_rewind(reader), SALVOR_OK);
    }
    free(archive.data);
    host.artifacts = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypted_archives_hold_the_same),
        cmocka_unit_test(tells_roles_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
