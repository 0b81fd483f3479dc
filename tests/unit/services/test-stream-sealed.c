/* Encrypted artifacts, and those that are left out: what a run writes, reads, and what is stored.
 */
#include "../unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "host/redact.h"
#include "host/secrets.h"
#include "practice-call.h"
#include "seal/seal.h"
#include "services/stream.h"

#define CANARY "canary-of-the-vault"

static struct secrets *desk;

static json_t *answer(struct practice *practice, const json_t *request)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *reply = NULL;
    (void)practice;
    return secrets_answer(desk, request, &reply, &err) == 1 ? reply : NULL;
}

static int set_up(void **state)
{
    struct practice *practice = memory_new(1, sizeof *practice);
    practice_begin(practice);
    practice->answer = answer;
    desk = secrets_new(NULL, practice->folder);
    *state = practice;
    return 0;
}

static int tear_down(void **state)
{
    secrets_free(desk);
    redact_clear();
    return practice_teardown(state);
}

static const char *message(const struct practice *practice)
{
    return practice->call.error.message != NULL ? practice->call.error.message : "";
}

/* A key file below the run's folder; its recipient goes to `ret_recipient`. */
static char *make_key(const struct practice *practice, const char *name,
                      char ret_recipient[KEY_TEXT_SIZE])
{
    char *text = NULL;
    char *path = text_format("%s/%s.key", practice->folder, name);
    identity_generate(&text, ret_recipient);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
    sodium_free(text);
    return path;
}

/* From now on the parent has these private keys. */
static void give_identity(const struct practice *practice, const char *path)
{
    cleanup_free char *reference = text_format("file:%s", path);
    cleanup_json json_t *references = json_make("{s:s}", "identity.0", reference);
    secrets_free(desk);
    desk = secrets_new(references, practice->folder);
}

static void seal_to(struct practice *practice, const char *recipient, int all)
{
    json_put(practice->session.open, "seal",
             json_make("{s:[s], s:b}", "recipients", recipient, "all", all));
}

static salvor_status write_text(struct practice *practice, const char *name, uint32_t flags,
                                const char *text, struct salvor_artifact *ret)
{
    salvor_call *call = practice_call(practice);
    salvor_stream_writer *writer = NULL;
    *ret = (struct salvor_artifact){.struct_size = sizeof *ret};
    salvor_status status = stream_create(call, name, "text/plain", flags, &writer);
    if (status == SALVOR_OK)
        status = stream_write(call, writer, text, strlen(text));
    return status == SALVOR_OK ? stream_commit(call, writer, ret) : status;
}

/* END with the text in `ret`. */
static salvor_status read_text(struct practice *practice, const char *name, uint32_t flags,
                               struct buffer *ret)
{
    salvor_call *call = practice_call(practice);
    salvor_stream_reader *reader = NULL;
    salvor_status status = stream_open(call, name, flags, &reader);
    while (status == SALVOR_OK) {
        char room[5000];
        uint64_t got = 0;
        status = stream_read(call, reader, room, sizeof room, &got);
        if (status == SALVOR_OK)
            (void)buffer_append(ret, room, (size_t)got);
    }
    if (reader != NULL)
        stream_close(call, reader);
    return status;
}

static void expect_text(struct practice *practice, const char *name, uint32_t flags,
                        const char *text)
{
    cleanup_buffer struct buffer back = BUFFER_INIT(1 << 20);
    if (read_text(practice, name, flags, &back) != SALVOR_END)
        fail_msg("%s: %s", name, message(practice));
    assert_int_equal(back.size, strlen(text));
    assert_memory_equal(back.data, text, back.size);
}

static int contains(const char *folder, const char *text)
{
    cleanup_dir DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        cleanup_free char *path = text_format("%s/%s", folder, entry->d_name);
        cleanup_free char *content = NULL;
        size_t size = 0;
        if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
            continue;
        if (entry->d_type == DT_DIR ? contains(path, text)
                                    : file_read(path, 1 << 24, &content, &size, NULL) == 0 &&
                                          memmem(content, size, text, strlen(text)) != NULL)
            return 1;
    }
    return 0;
}

/* What the run has made becomes the source of another one. */
static void become_source(struct practice *practice, const char *name)
{
    const json_t *frame = practice_frame(practice, FRAME_ARTIFACT);
    cleanup_free char *from = text_format("%s/artifacts/%s", practice->folder, name);
    cleanup_free char *folder = text_format("%s/source", practice->folder);
    cleanup_free char *to = text_format("%s/%s", folder, name);
    cleanup_free char *note = text_format("%s/artifacts/.meta/%s.json", practice->folder, name);
    assert_int_equal(file_make_folder(folder, NULL), 0);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(unlink(note), 0);
    json_put(practice->session.open, "source",
             json_make("{s:s,s:s,s:b,s:{s:{s:O,s:O,s:O}}}", "name", "set", "folder", folder, "set",
                       1, "artifacts", name, "size", json_object_get(frame, "size"), "sha256",
                       json_object_get(frame, "sha256"), "encryption",
                       json_object_get(frame, "encryption")));
    practice_next_call(practice, SALVOR_EFFECT_READ);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void without_a_recipient_nothing_sensitive_is_written(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    assert_int_equal(write_text(practice, "vault", SALVOR_STREAM_SENSITIVE, CANARY, &artifact),
                     SALVOR_REFUSED);
    assert_non_null(strstr(message(practice), "no recipient"));
    assert_non_null(strstr(practice->call.error.hint, "salvor backups keygen"));
    assert_non_null(strstr(practice->call.error.hint, "--without-secrets"));
    assert_int_equal(write_text(practice, "plain", 0, "text", &artifact), SALVOR_OK);
    expect_text(practice, "plain", 0, "text");
}

static void the_run_reads_what_it_wrote_and_nobody_after_it(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    char recipient[KEY_TEXT_SIZE];
    cleanup_free char *key = make_key(practice, "mine", recipient);
    assert_non_null(key);
    cleanup_free char *folder = text_format("%s/artifacts", practice->folder);
    static const uint32_t codecs[] = {0, SALVOR_STREAM_GZIP, SALVOR_STREAM_ZSTD};
    seal_to(practice, recipient, 0);
    for (size_t i = 0; i < 3; i++) {
        const uint32_t flags = codecs[i] | SALVOR_STREAM_SENSITIVE;
        cleanup_free char *name = text_format("deep/vault-%zu", i);
        assert_int_equal(write_text(practice, name, flags, CANARY, &artifact), SALVOR_OK);
        const json_t *frame = practice_frame(practice, FRAME_ARTIFACT);
        assert_true(json_flag(frame, "sensitive"));
        assert_string_equal(json_text(frame, "encryption"), SEAL_FORMAT);
        assert_null(json_object_get(frame, "key"));
        assert_true(artifact.size > 100);
        practice_next_call(practice, SALVOR_EFFECT_READ);
        expect_text(practice, name, flags, CANARY);
        expect_text(practice, name, codecs[i], CANARY); /* the codec alone is needed */
    }
    assert_false(contains(folder, CANARY));
    const char *path = NULL;
    assert_int_equal(stream_materialize(practice_call(practice), "deep/vault-0", &path), SALVOR_OK);
    cleanup_free char *copy = NULL;
    assert_int_equal(file_read(path, 1000, &copy, NULL, NULL), 0);
    assert_string_equal(copy, CANARY);

    assert_int_equal(secrets_destroy_sealed(practice->folder, NULL), 0);
    cleanup_buffer struct buffer back = BUFFER_INIT(1000);
    assert_int_not_equal(read_text(practice, "deep/vault-0", 0, &back), SALVOR_END);
    assert_int_equal(back.size, 0);
}

static void a_source_opens_with_the_private_key_only(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    char recipient[KEY_TEXT_SIZE];
    char other[KEY_TEXT_SIZE];
    cleanup_free char *key = make_key(practice, "mine", recipient);
    cleanup_free char *stranger = make_key(practice, "stranger", other);
    cleanup_buffer struct buffer back = BUFFER_INIT(1000);
    seal_to(practice, recipient, 0);
    assert_int_equal(write_text(practice, "vault", SALVOR_STREAM_SENSITIVE, CANARY, &artifact),
                     SALVOR_OK);
    become_source(practice, "vault");
    assert_int_equal(read_text(practice, "vault", 0, &back), SALVOR_REFUSED);
    assert_string_equal(message(practice),
                        "artifact 'vault': it is encrypted, and no private key is given");
    assert_non_null(strstr(practice->call.error.hint, recipient));
    give_identity(practice, stranger);
    assert_int_equal(read_text(practice, "vault", 0, &back), SALVOR_REFUSED);
    assert_non_null(strstr(message(practice), "none of the private keys"));
    give_identity(practice, key);
    expect_text(practice, "vault", 0, CANARY);
    assert_int_equal(back.size, 0);
    cleanup_free char *missing = text_format("%s/none.key", practice->folder);
    give_identity(practice, missing);
    assert_int_equal(read_text(practice, "vault", 0, &back), SALVOR_FAILED);
}

static void every_flip_and_cut_of_it_is_found(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    char recipient[KEY_TEXT_SIZE];
    cleanup_free char *key = make_key(practice, "mine", recipient);
    cleanup_free char *path = text_format("%s/source/vault", practice->folder);
    cleanup_free char *stored = NULL;
    size_t size = 0;
    seal_to(practice, recipient, 0);
    assert_int_equal(write_text(practice, "vault", SALVOR_STREAM_SENSITIVE, CANARY, &artifact),
                     SALVOR_OK);
    become_source(practice, "vault");
    give_identity(practice, key);
    assert_int_equal(file_read(path, 1 << 20, &stored, &size, NULL), 0);
    cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < size; i++) {
        cleanup_buffer struct buffer back = BUFFER_INIT(1000);
        const char flipped = (char)(stored[i] ^ 1 << i % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
        if (read_text(practice, "vault", 0, &back) == SALVOR_END)
            fail_msg("a flip in byte %zu is not seen", i);
        assert_int_equal(pwrite(fd, stored + i, 1, (off_t)i), 1);
    }
    expect_text(practice, "vault", 0, CANARY);
    for (size_t i = size; i-- > 0;) {
        cleanup_buffer struct buffer back = BUFFER_INIT(1000);
        assert_int_equal(ftruncate(fd, (off_t)i), 0);
        if (read_text(practice, "vault", 0, &back) == SALVOR_END)
            fail_msg("a cut at byte %zu is not seen", i);
    }
}

static void all_may_be_encrypted(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    char recipient[KEY_TEXT_SIZE];
    cleanup_free char *key = make_key(practice, "mine", recipient);
    assert_non_null(key);
    cleanup_free char *folder = text_format("%s/artifacts", practice->folder);
    seal_to(practice, recipient, 1);
    assert_int_equal(write_text(practice, "plain", 0, CANARY, &artifact), SALVOR_OK);
    assert_false(json_flag(practice_frame(practice, FRAME_ARTIFACT), "sensitive"));
    assert_false(contains(folder, CANARY));
    expect_text(practice, "plain", 0, CANARY);
    seal_to(practice, recipient, 0);
    assert_int_equal(write_text(practice, "plain", 0, CANARY, &artifact), SALVOR_OK);
    assert_true(contains(folder, CANARY));
    expect_text(practice, "plain", 0, CANARY);
}

static void what_is_left_out_is_nowhere(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    struct salvor_artifact artifact;
    salvor_stream_reader *reader = NULL;
    struct salvor_span list = {0};
    char room[10];
    uint64_t got = 0;
    json_put(practice->session.open, "seal", json_make("{s:b}", "without_secrets", 1));
    assert_int_equal(write_text(practice, "vault", SALVOR_STREAM_SENSITIVE | SALVOR_STREAM_GZIP,
                                CANARY, &artifact),
                     SALVOR_OK);
    assert_int_equal(artifact.size, 0);
    assert_string_equal(artifact.sha256, "");
    assert_true(json_flag(practice_frame(practice, FRAME_ARTIFACT), "left_out"));
    assert_false(contains(practice->folder, CANARY));
    /* a step that looks whether its artifact is there sees that it did its work */
    assert_int_equal(stream_open(call, "vault", 0, &reader), SALVOR_OK);
    assert_int_equal(stream_read(call, reader, room, sizeof room, &got), SALVOR_REFUSED);
    assert_int_equal(stream_list(call, &list), SALVOR_OK);
    assert_non_null(strstr(list.data, "\"left_out\":true"));
    assert_int_equal(write_text(practice, "plain", 0, "text", &artifact), SALVOR_OK);
    expect_text(practice, "plain", 0, "text");

    json_put(practice->session.open, "source",
             json_make("{s:s,s:s,s:b,s:{},s:[s]}", "name", "set-1", "folder", practice->folder,
                       "set", 1, "artifacts", "left_out", "old-vault"));
    assert_int_equal(stream_open(call, "old-vault", 0, &reader), SALVOR_REFUSED);
    assert_string_equal(message(practice), "backup 'set-1' was made without artifact 'old-vault'");
    assert_int_equal(stream_list(call, &list), SALVOR_OK);
    assert_non_null(strstr(list.data, "\"name\":\"old-vault\""));
}

static void what_only_the_run_needs_needs_no_recipient(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    cleanup_free char *folder = text_format("%s/artifacts", practice->folder);
    json_put(practice->session.open, "seal", json_make("{s:b}", "for_run", 1));
    assert_int_equal(write_text(practice, "old", SALVOR_STREAM_SENSITIVE, CANARY, &artifact),
                     SALVOR_OK);
    assert_false(contains(folder, CANARY));
    practice_next_call(practice, SALVOR_EFFECT_READ);
    expect_text(practice, "old", 0, CANARY);
}

static void what_is_encrypted_is_known(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    char recipient[KEY_TEXT_SIZE];
    cleanup_free char *key = make_key(practice, "mine", recipient);
    seal_to(practice, recipient, 0);
    assert_int_equal(write_text(practice, "vault", SALVOR_STREAM_SENSITIVE, CANARY, &artifact),
                     SALVOR_OK);
    become_source(practice, "vault");
    give_identity(practice, key);
    json_t *source = json_object_get(practice->session.open, "source");
    json_t *entry = json_object_get(json_object_get(source, "artifacts"), "vault");
    /* without a manifest its beginning tells */
    (void)json_object_del(entry, "encryption");
    json_put(source, "set", json_false());
    expect_text(practice, "vault", 0, CANARY);
    /* a set that says it is none is believed: somebody saved an encrypted file as it is */
    json_put(source, "set", json_true());
    cleanup_buffer struct buffer back = BUFFER_INIT(10000);
    assert_int_equal(read_text(practice, "vault", 0, &back), SALVOR_END);
    assert_true(seal_is_sealed(back.data, back.size));
}

static void recipients_that_are_none_are_refused(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    seal_to(practice, "salvor-pk1x", 0);
    assert_int_equal(write_text(practice, "vault", SALVOR_STREAM_SENSITIVE, CANARY, &artifact),
                     SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "is no recipient"));
}

#define sealed(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sealed(without_a_recipient_nothing_sensitive_is_written),
        sealed(the_run_reads_what_it_wrote_and_nobody_after_it),
        sealed(a_source_opens_with_the_private_key_only),
        sealed(every_flip_and_cut_of_it_is_found),
        sealed(all_may_be_encrypted),
        sealed(what_is_left_out_is_nowhere),
        sealed(what_only_the_run_needs_needs_no_recipient),
        sealed(what_is_encrypted_is_known),
        sealed(recipients_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
