#include "../unit.h"

#include <salvor/archive.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archives.h"
#include "fake-host.h"

static const char body[] = "{\"kind\":\"Secret\"}";
static const struct made_member members[] = {
    {"secrets.#v1", NULL, 0, NULL},
    {"./secrets.#v1/tls-ca.json", body, sizeof body - 1, NULL},
    {"secrets.#v1/\xc3\xa9.json", "", 0, NULL},
    {"link", NULL, 0, "/etc/passwd"},
    {"last.json", body, 5, NULL},
    {NULL, NULL, 0, NULL},
};

/* A running FNV-1a digest of everything that was read. */
static uint64_t digest;

static void add_to_digest(const void *data, size_t size)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ at[i]) * UINT64_C(1099511628211);
}

/* Reads everything; the status of the end. */
static salvor_status read_all(salvor_call *call, const struct salvor_archive_limits *limits,
                              uint64_t *ret_members, uint64_t *ret_bytes)
{
    salvor_archive *archive = NULL;
    struct salvor_archive_member member;
    *ret_members = *ret_bytes = 0;
    digest = UINT64_C(14695981039346656037);
    salvor_status status = salvor_archive_open(call, "a", limits, &archive);
    while (status == SALVOR_OK && (status = salvor_archive_next(archive, &member)) == SALVOR_OK) {
        struct salvor_span data;
        if (member.kind == SALVOR_MEMBER_FILE)
            status = salvor_archive_load(archive, &data);
        if (member.kind == SALVOR_MEMBER_FILE && status == SALVOR_OK)
            *ret_bytes += data.size;
        if (member.kind == SALVOR_MEMBER_FILE && status == SALVOR_OK)
            add_to_digest(data.data, (size_t)data.size);
        add_to_digest(member.path, strlen(member.path) + 1);
        add_to_digest(&member.mtime, sizeof member.mtime);
        add_to_digest(&member.mode, sizeof member.mode);
        ++*ret_members;
    }
    if (archive != NULL && status != SALVOR_END) {
        /* the failure stays, and has a text */
        assert_int_equal(salvor_archive_next(archive, &member), status);
        if (status == SALVOR_FAILED)
            assert_true(salvor_archive_problem(archive) != NULL);
    }
    salvor_archive_close(archive);
    return status;
}

static salvor_status read_bytes(struct made made, struct fake_host *host)
{
    const struct fake_artifact artifacts[] = {{"a", made.data, made.size}, {NULL, NULL, 0}};
    uint64_t count;
    uint64_t bytes;
    host->artifacts = artifacts;
    const salvor_status status = read_all(fake_call(host), NULL, &count, &bytes);
    host->artifacts = NULL;
    assert_int_equal(host->open_streams, 0);
    return status;
}

static void check_members(salvor_archive *archive)
{
    struct salvor_archive_member member;
    struct salvor_span data;
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_OK);
    assert_string_equal(member.path, "secrets.#v1");
    assert_int_equal(member.kind, SALVOR_MEMBER_FOLDER);
    assert_int_equal(member.ordinal, 0);
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_OK);
    assert_string_equal(member.path, "secrets.#v1/tls-ca.json");
    assert_int_equal(member.kind, SALVOR_MEMBER_FILE);
    assert_int_equal(member.size, sizeof body - 1);
    assert_int_equal(member.mode, 0640);
    assert_int_equal(member.mtime, 1700000000);
    assert_int_equal(member.dotted, 1);
    assert_int_equal(salvor_archive_load(archive, &data), SALVOR_OK);
    assert_int_equal(data.size, sizeof body - 1);
    assert_string_equal(data.data, body);
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_OK);
    assert_string_equal(member.path, "secrets.#v1/\xc3\xa9.json");
    assert_int_equal(salvor_archive_load(archive, &data), SALVOR_OK);
    assert_int_equal(data.size, 0);
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_OK);
    assert_int_equal(member.kind, SALVOR_MEMBER_OTHER);
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_OK);
    assert_string_equal(member.path, "last.json"); /* left unread */
    assert_int_equal(member.dotted, 0);
    assert_int_equal(member.ordinal, 4);
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_END);
    assert_int_equal(salvor_archive_next(archive, &member), SALVOR_END);
}

static void reads_members(void **state)
{
    const struct made tar = make_tar(members);
    const struct made gzip = make_gzip(tar.data, tar.size);
    (void)state;
    /* whole, in odd pieces, byte by byte; compressed and plain */
    for (size_t piece = 0; piece < 4; piece++) {
        static const size_t at_most[] = {0, 1, 3, 512};
        for (int compressed = 0; compressed < 2; compressed++) {
            const struct made made = compressed ? gzip : tar;
            const struct fake_artifact artifacts[] = {{"a", made.data, made.size}, {NULL, NULL, 0}};
            struct fake_host host = {.artifacts = artifacts, .read_at_most = at_most[piece]};
            salvor_archive *archive = NULL;
            assert_int_equal(salvor_archive_open(fake_call(&host), "a", NULL, &archive), SALVOR_OK);
            check_members(archive);
            assert_int_equal(salvor_archive_rewind(archive), SALVOR_OK);
            check_members(archive);
            salvor_archive_close(archive);
            assert_int_equal(host.open_streams, 0);
        }
    }
    free(tar.data);
    free(gzip.data);
}

static void reads_several_gzip_members(void **state)
{
    const struct made tar = make_tar(members);
    const struct made first = make_gzip(tar.data, 700);
    const struct made second = make_gzip(tar.data + 700, tar.size - 700);
    const struct made both = make_joined(first, second);
    struct fake_host host = {.read_at_most = 7};
    (void)state;
    assert_int_equal(read_bytes(both, &host), SALVOR_END);
    assert_int_equal(read_bytes(first, &host), SALVOR_FAILED);
    assert_non_null(strstr(host.message, "archive 'a': "));
    free(tar.data);
    free(first.data);
    free(second.data);
    free(both.data);
}

/* Every bit and every length of a compressed archive: all damage is found, or it changes nothing of
 * what is read: header fields without meaning, and other ways to say the same run of zeros. */
static void finds_every_damage(void **state)
{
    const struct made tar = make_tar(members);
    const struct made gzip = make_gzip(tar.data, tar.size);
    struct fake_host untouched = {0};
    size_t missed = 0;
    (void)state;
    assert_int_equal(read_bytes(gzip, &untouched), SALVOR_END);
    const uint64_t whole = digest;
    for (size_t size = 0; size < gzip.size; size++) {
        struct fake_host host = {0};
        const struct made cut = {gzip.data, size};
        if (read_bytes(cut, &host) != SALVOR_FAILED)
            fail_msg("cut to %zu of %zu bytes: not found", size, gzip.size);
        assert_true(host.message[0] != '\0');
    }
    for (size_t bit = 0; bit < gzip.size * 8; bit++) {
        struct fake_host host = {0};
        gzip.data[bit / 8] = (char)(gzip.data[bit / 8] ^ (1 << (bit % 8)));
        const salvor_status status = read_bytes(gzip, &host);
        gzip.data[bit / 8] = (char)(gzip.data[bit / 8] ^ (1 << (bit % 8)));
        if (status == SALVOR_FAILED)
            continue;
        missed++;
        if (status != SALVOR_END || digest != whole)
            fail_msg("bit %zu of byte %zu of %zu flipped: %u", bit % 8, bit / 8, gzip.size, status);
    }
    print_message("%zu of %zu flips change nothing\n", missed, gzip.size * 8);
    assert_true(missed < gzip.size * 8 / 20);
    free(tar.data);
    free(gzip.data);
}

static void refuses_what_follows(void **state)
{
    static char zeros[4096];
    const struct made tar = make_tar(members);
    const struct made gzip = make_gzip(tar.data, tar.size);
    const struct made junk = {zeros, 3};
    const struct made padding = {zeros, sizeof zeros};
    struct fake_host host = {0};
    (void)state;
    /* bytes behind the gzip data, even zeros */
    struct made made = make_joined(gzip, junk);
    assert_int_equal(read_bytes(made, &host), SALVOR_FAILED);
    free(made.data);
    /* a tar may be padded with zeros, and archives may follow each other */
    made = make_joined(tar, padding);
    assert_int_equal(read_bytes(made, &host), SALVOR_END);
    free(made.data);
    made = make_joined(tar, tar);
    assert_int_equal(read_bytes(made, &host), SALVOR_END);
    free(made.data);
    /* but nothing else may */
    char text[600];
    memset(text, 'x', sizeof text);
    const struct made garbage = {text, sizeof text};
    made = make_joined(tar, garbage);
    assert_int_equal(read_bytes(made, &host), SALVOR_FAILED);
    free(made.data);
    /* and the end mark must be there */
    made = (struct made){tar.data, tar.size - 1024};
    assert_int_equal(read_bytes(made, &host), SALVOR_FAILED);
    assert_string_equal(host.message, "archive 'a': it has no end mark: cut off");
    /* nothing at all */
    made.size = 0;
    assert_int_equal(read_bytes(made, &host), SALVOR_FAILED);
    free(tar.data);
    free(gzip.data);
}

static salvor_status read_to_one_end(struct made made, struct fake_host *host)
{
    static const struct salvor_archive_limits limits = {.one_end = 1};
    const struct fake_artifact artifacts[] = {{"a", made.data, made.size}, {NULL, NULL, 0}};
    uint64_t count;
    uint64_t bytes;
    host->artifacts = artifacts;
    const salvor_status status = read_all(fake_call(host), &limits, &count, &bytes);
    host->artifacts = NULL;
    return status;
}

/* Members behind the end mark are seen by some readers and not by others. */
static void can_insist_on_one_end(void **state)
{
    static char zeros[20000];
    static const struct made_member zeros_last[] = {{"zeros", zeros, 3000, NULL},
                                                    {NULL, NULL, 0, NULL}};
    const struct made tar = make_tar(members);
    const struct made padding = {zeros, sizeof zeros};
    struct fake_host host = {0};
    (void)state;
    assert_int_equal(read_to_one_end(tar, &host), SALVOR_END);
    struct made made = make_joined(tar, padding);
    assert_int_equal(read_to_one_end(made, &host), SALVOR_END);
    struct made more = make_joined(made, tar);
    assert_int_equal(read_to_one_end(more, &host), SALVOR_FAILED);
    assert_string_equal(host.message, "archive 'a': something follows its end mark");
    free(more.data);
    free(made.data);
    made = make_joined(tar, tar);
    assert_int_equal(read_to_one_end(made, &host), SALVOR_FAILED);
    free(made.data);
    /* one block of zeros, then a header */
    made = (struct made){tar.data, tar.size - 512};
    more = make_joined(made, tar);
    assert_int_equal(read_to_one_end(more, &host), SALVOR_FAILED);
    free(more.data);
    free(tar.data);
    made = make_tar(zeros_last);
    assert_int_equal(read_to_one_end(made, &host), SALVOR_END);
    free(made.data);
}

static void refuses_unsafe_paths(void **state)
{
    static const char *const bad[] = {"/etc/passwd", "../up", "a/../b", "a/.."};
    static const char *const good[] = {"..a", "a..", "a/...", ".hidden"};
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        const struct made_member one[] = {{i < 4 ? bad[i] : good[i - 4], "x", 1, NULL},
                                          {NULL, NULL, 0, NULL}};
        const struct made tar = make_tar(one);
        struct fake_host host = {0};
        assert_int_equal(read_bytes(tar, &host), i < 4 ? SALVOR_FAILED : SALVOR_END);
        free(tar.data);
    }
}

static void holds_its_limits(void **state)
{
    static const struct {
        struct salvor_archive_limits limits;
        const char *message;
    } cases[] = {
        {{.members = 4}, "archive 'a': it holds more members than the limit"},
        {{.member_size = 16}, "archive 'a': a member is larger than the limit"},
        {{.total_size = 2000}, "archive 'a': it unpacks to more than the limit"},
    };
    const struct made tar = make_tar(members);
    const struct made gzip = make_gzip(tar.data, tar.size);
    const struct fake_artifact artifacts[] = {{"a", gzip.data, gzip.size}, {NULL, NULL, 0}};
    uint64_t count;
    uint64_t bytes;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_host host = {.artifacts = artifacts};
        assert_int_equal(read_all(fake_call(&host), &cases[i].limits, &count, &bytes),
                         SALVOR_FAILED);
        assert_string_equal(host.message, cases[i].message);
    }
    const struct salvor_archive_limits enough = {
        .members = 5, .member_size = 17, .total_size = tar.size};
    struct fake_host host = {.artifacts = artifacts};
    assert_int_equal(read_all(fake_call(&host), &enough, &count, &bytes), SALVOR_END);
    assert_int_equal(count, 5);
    assert_int_equal(bytes, sizeof body - 1 + 5);
    free(tar.data);
    free(gzip.data);
}

static void passes_on_what_the_host_says(void **state)
{
    const struct made tar = make_tar(members);
    const struct made gzip = make_gzip(tar.data, tar.size);
    const struct fake_artifact artifacts[] = {{"a", gzip.data, gzip.size}, {NULL, NULL, 0}};
    uint64_t count;
    uint64_t bytes;
    struct fake_host host = {.artifacts = artifacts, .read_at_most = 100};
    (void)state;
    assert_int_equal(read_all(fake_call(&host), NULL, &count, &bytes), SALVOR_END);
    const uint64_t calls = host.calls;
    assert_true(calls > 4);
    for (uint64_t call = 1; call <= calls; call++) {
        fake_reset(&host);
        host.fail_call = call;
        assert_int_equal(read_all(fake_call(&host), NULL, &count, &bytes), SALVOR_FAILED);
        assert_int_equal(host.open_streams, 0);
    }
    salvor_archive *archive = NULL;
    host.fail_call = 0;
    assert_int_equal(salvor_archive_open(fake_call(&host), "b", NULL, &archive), SALVOR_NOT_FOUND);
    free(tar.data);
    free(gzip.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members),         cmocka_unit_test(reads_several_gzip_members),
        cmocka_unit_test(finds_every_damage),    cmocka_unit_test(refuses_what_follows),
        cmocka_unit_test(can_insist_on_one_end), cmocka_unit_test(refuses_unsafe_paths),
        cmocka_unit_test(holds_its_limits),      cmocka_unit_test(passes_on_what_the_host_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
