#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "practice-call.h"
#include "services/stream.h"

static const char *message(const struct practice *practice)
{
    return practice->call.error.message != NULL ? practice->call.error.message : "";
}

static char *artifact_path(const struct practice *practice, const char *name)
{
    return text_format("%s/artifacts/%s", practice->folder, name);
}

static salvor_status write_whole(struct practice *practice, const char *name, uint32_t flags,
                                 const void *data, size_t size, struct salvor_artifact *ret)
{
    salvor_stream_writer *writer = NULL;
    salvor_call *call = practice_call(practice);
    *ret = (struct salvor_artifact){.struct_size = sizeof *ret};
    salvor_status status = stream_create(call, name, "text/plain", flags, &writer);
    if (status != SALVOR_OK)
        return status;
    for (size_t at = 0; at < size && status == SALVOR_OK;) {
        size_t part = size - at < 70001 ? size - at : 70001;
        status = stream_write(call, writer, (const char *)data + at, part);
        at += part;
    }
    if (status != SALVOR_OK) {
        stream_abort(call, writer);
        return status;
    }
    return stream_commit(call, writer, ret);
}

/* END with the whole content, or the failing status with what came before. */
static salvor_status read_whole(struct practice *practice, salvor_stream_reader *reader,
                                size_t chunk, struct buffer *ret)
{
    cleanup_free char *room = memory_new(chunk, 1);
    for (;;) {
        uint64_t got = 0;
        salvor_status status = stream_read(practice_call(practice), reader, room, chunk, &got);
        if (status != SALVOR_OK)
            return status;
        assert_true(got > 0 && got <= chunk);
        (void)buffer_append(ret, room, (size_t)got);
    }
}

static salvor_status read_named(struct practice *practice, const char *name, uint32_t flags,
                                struct buffer *ret)
{
    salvor_stream_reader *reader = NULL;
    salvor_status status = stream_open(practice_call(practice), name, flags, &reader);
    if (status != SALVOR_OK)
        return status;
    status = read_whole(practice, reader, 100000, ret);
    stream_close(practice_call(practice), reader);
    return status;
}

/* Text that compresses, and bytes that do not. */
static char *make_bytes(size_t size)
{
    char *bytes = memory_new(size, 1);
    uint32_t state = 12345;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = i % 8192 < 4096 ? (char)(state >> 24) : 'a';
    }
    return bytes;
}

static void round_trips(void **state)
{
    struct practice *practice = *state;
    static const uint32_t flags[] = {0, SALVOR_STREAM_GZIP, SALVOR_STREAM_ZSTD};
    static const size_t sizes[] = {0, 1, 65536, 1000003};
    cleanup_free char *bytes = make_bytes(1000003);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++) {
            struct salvor_artifact artifact;
            cleanup_buffer struct buffer back = BUFFER_INIT(2000000);
            cleanup_free char *name = text_format("folder/a%zu-%zu.bin", i, j);
            cleanup_free char *path = artifact_path(practice, name);
            assert_int_equal(write_whole(practice, name, flags[i], bytes, sizes[j], &artifact),
                             SALVOR_OK);
            const json_t *frame = practice_frame(practice, FRAME_ARTIFACT);
            assert_string_equal(json_text(frame, "name"), name);
            assert_string_equal(json_text(frame, "sha256"), artifact.sha256);
            assert_int_equal(json_whole(frame, "size", -1), artifact.size);
            struct stat status;
            assert_int_equal(stat(path, &status), 0);
            assert_int_equal(status.st_size, artifact.size);
            assert_int_equal(status.st_mode & 0777, 0600);
            practice_next_call(practice, SALVOR_EFFECT_READ); /* another worker reads it */
            assert_int_equal(read_named(practice, name, flags[i], &back), SALVOR_END);
            assert_int_equal(back.size, sizes[j]);
            if (sizes[j] > 0)
                assert_memory_equal(back.data, bytes, sizes[j]);
        }
    }
    cleanup_free char *gzip = artifact_path(practice, "folder/a1-3.bin");
    cleanup_free char *zstd = artifact_path(practice, "folder/a2-3.bin");
    struct stat status;
    assert_int_equal(stat(gzip, &status), 0);
    assert_true(status.st_size < 700000);
    assert_int_equal(stat(zstd, &status), 0);
    assert_true(status.st_size < 700000);
}

static void rewind_reads_again(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    salvor_stream_reader *reader = NULL;
    cleanup_free char *bytes = make_bytes(200000);
    assert_int_equal(write_whole(practice, "a.gz", SALVOR_STREAM_GZIP, bytes, 200000, &artifact),
                     SALVOR_OK);
    assert_int_equal(stream_open(practice_call(practice), "a.gz", SALVOR_STREAM_GZIP, &reader),
                     SALVOR_OK);
    static const size_t chunks[] = {7, 4096, 1000000};
    for (size_t i = 0; i < 3; i++) {
        cleanup_buffer struct buffer back = BUFFER_INIT(2000000);
        assert_int_equal(read_whole(practice, reader, chunks[i], &back), SALVOR_END);
        assert_int_equal(back.size, 200000);
        assert_memory_equal(back.data, bytes, 200000);
        uint64_t got = 5;
        char room[4];
        assert_int_equal(stream_read(practice_call(practice), reader, room, 4, &got), SALVOR_END);
        assert_int_equal(got, 0);
        assert_int_equal(stream_rewind(practice_call(practice), reader), SALVOR_OK);
    }
}

static void uncommitted_is_nothing(void **state)
{
    struct practice *practice = *state;
    salvor_stream_writer *writer = NULL;
    struct salvor_artifact artifact;
    salvor_call *call = practice_call(practice);
    cleanup_free char *path = artifact_path(practice, "a");
    assert_int_equal(stream_create(call, "a", "text/plain", 0, &writer), SALVOR_OK);
    assert_int_equal(stream_write(call, writer, "text", 4), SALVOR_OK);
    cleanup_buffer struct buffer back = BUFFER_INIT(100);
    assert_int_equal(read_named(practice, "a", 0, &back), SALVOR_NOT_FOUND);
    practice_next_call(practice, SALVOR_EFFECT_CHANGE); /* the hook forgot it */
    assert_int_equal(read_named(practice, "a", 0, &back), SALVOR_NOT_FOUND);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(stream_write(call, writer, "x", 1), SALVOR_BUG);
    assert_int_equal(stream_commit(call, writer, &artifact), SALVOR_BUG);
    assert_int_equal(practice_frame_count(practice, FRAME_ARTIFACT), 0);
    cleanup_free char *parts = artifact_path(practice, ".parts");
    assert_int_equal(rmdir(parts), 0); /* nothing is left in it */
    assert_int_equal(write_whole(practice, "a", 0, "one", 3, &artifact), SALVOR_OK);
    assert_int_equal(write_whole(practice, "a", 0, "second", 6, &artifact), SALVOR_OK);
    assert_int_equal(read_named(practice, "a", 0, &back), SALVOR_END);
    assert_string_equal(back.data, "second");
    assert_int_equal(write_whole(practice, "a/b", 0, "x", 1, &artifact), SALVOR_FAILED);
}

static void bad_requests(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    salvor_stream_writer *writer = NULL;
    salvor_stream_reader *reader = NULL;
    static const char *const names[] = {"",    "/a", "../a",          "a/../b",     "a//b", ".a",
                                        "a b", "a/", "manifest.json", "SHA256SUMS", NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(stream_create(call, names[i], "text/plain", 0, &writer), SALVOR_BUG);
    assert_int_equal(stream_create(call, "a", NULL, 0, &writer), SALVOR_BUG);
    assert_int_equal(stream_create(call, "a", "text", 0, &writer), SALVOR_BUG);
    assert_int_equal(stream_create(call, "a", "text/plain", 8, &writer), SALVOR_BUG);
    assert_int_equal(stream_create(call, "a", "text/plain", 6, &writer), SALVOR_BUG);
    assert_int_equal(stream_open(call, "../a", 0, &reader), SALVOR_BUG);
    assert_int_equal(stream_open(call, "a", 6, &reader), SALVOR_BUG);
    assert_int_equal(stream_open(call, "a", 0, &reader), SALVOR_NOT_FOUND);
    char room = 0;
    uint64_t got = 0;
    assert_int_equal(stream_read(call, (salvor_stream_reader *)(void *)practice, &room, 1, &got),
                     SALVOR_BUG);
    json_put(practice->session.open, "artifact_folder", json_null());
    assert_int_equal(stream_create(call, "a", "text/plain", 0, &writer), SALVOR_FAILED);
}

/* ---- sources --------------------------------------------------------------------------------- */

/* A source folder with one file; its entry claims `sha256` and `size` (NULL, -1: unknown). */
static void give_source(struct practice *practice, const char *name, const void *data, size_t size,
                        int known)
{
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_free char *folder = text_format("%s/source", practice->folder);
    cleanup_free char *path = text_format("%s/%s", folder, name);
    cleanup_free char *parent = text_copy_span(path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(file_make_folder(parent, NULL), 0);
    assert_int_equal(file_write_atomic(path, data, size, 0600, NULL), 0);
    digest_text_of(data, size, sha256);
    json_t *about = known ? json_make("{s:I,s:s}", "size", (json_int_t)size, "sha256", sha256)
                          : json_make("{s:n,s:n}", "size", "sha256");
    json_put(
        practice->session.open, "source",
        json_make("{s:s,s:s,s:{s:o}}", "name", "set", "folder", folder, "artifacts", name, about));
}

/* Without the syncs of an atomic write: it is done many thousand times. */
static void change_source(const struct practice *practice, const char *name, const void *data,
                          size_t size)
{
    cleanup_free char *path = text_format("%s/source/%s", practice->folder, name);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, data, size), 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
}

static void every_flip_and_cut_of_a_known_artifact_is_found(void **state)
{
    struct practice *practice = *state;
    char bytes[300];
    memset(bytes, 'x', sizeof bytes);
    give_source(practice, "snapshot.db", bytes, sizeof bytes, 1);
    cleanup_buffer struct buffer good = BUFFER_INIT(1000);
    assert_int_equal(read_named(practice, "snapshot.db", 0, &good), SALVOR_END);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        cleanup_buffer struct buffer back = BUFFER_INIT(1000);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        change_source(practice, "snapshot.db", bytes, sizeof bytes);
        assert_int_equal(read_named(practice, "snapshot.db", 0, &back), SALVOR_FAILED);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    assert_non_null(strstr(message(practice), "SHA-256 is not the recorded one"));
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        cleanup_buffer struct buffer back = BUFFER_INIT(1000);
        change_source(practice, "snapshot.db", bytes, cut);
        assert_int_equal(read_named(practice, "snapshot.db", 0, &back), SALVOR_FAILED);
    }
    assert_non_null(strstr(message(practice), "it has 299 of 300 bytes"));
    char longer[301];
    memset(longer, 'x', sizeof longer);
    cleanup_buffer struct buffer back = BUFFER_INIT(1000);
    change_source(practice, "snapshot.db", longer, sizeof longer);
    assert_int_equal(read_named(practice, "snapshot.db", 0, &back), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "longer than 300 bytes"));
}

/* What only the format can show: gzip and zstd without a digest. */
static void damage_of_compressed_data_without_a_digest(void **state)
{
    struct practice *practice = *state;
    cleanup_free char *plain = make_bytes(3000);
    static const uint32_t flags[] = {SALVOR_STREAM_GZIP, SALVOR_STREAM_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        struct salvor_artifact artifact;
        cleanup_free char *name = text_format("made-%zu", i);
        cleanup_free char *path = artifact_path(practice, name);
        cleanup_free char *bytes = NULL;
        size_t size = 0;
        json_put(practice->session.open, "source", json_null());
        assert_int_equal(write_whole(practice, name, flags[i], plain, 3000, &artifact), SALVOR_OK);
        assert_int_equal(file_read(path, 10000, &bytes, &size, NULL), 0);
        size_t missed = 0;
        give_source(practice, "data", bytes, size, 0);
        for (size_t bit = 0; bit < size * 8; bit++) {
            cleanup_buffer struct buffer back = BUFFER_INIT(20000000);
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            change_source(practice, "data", bytes, size);
            salvor_status status = read_named(practice, "data", flags[i], &back);
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            if (status == SALVOR_END) {
                /* A header bit without meaning may pass, a byte of content never. */
                assert_int_equal(back.size, 3000);
                assert_memory_equal(back.data, plain, 3000);
                missed++;
            }
        }
        print_message("%s: %zu of %zu flips have no meaning\n", i == 0 ? "gzip" : "zstd", missed,
                      size * 8);
        assert_true(missed < 80);
        for (size_t cut = 0; cut < size; cut++) {
            cleanup_buffer struct buffer back = BUFFER_INIT(10000);
            change_source(practice, "data", bytes, cut);
            assert_int_equal(read_named(practice, "data", flags[i], &back), SALVOR_FAILED);
        }
        cleanup_free char *more = memory_new(size * 2 + 1, 1);
        memcpy(more, bytes, size);
        memcpy(more + size, bytes, size);
        cleanup_buffer struct buffer twice = BUFFER_INIT(10000);
        change_source(practice, "data", more, size * 2); /* two members are one stream */
        assert_int_equal(read_named(practice, "data", flags[i], &twice), SALVOR_END);
        assert_int_equal(twice.size, 6000);
        cleanup_buffer struct buffer back = BUFFER_INIT(10000);
        more[size] = '\0';
        change_source(practice, "data", more, size + 1); /* and anything else behind is not */
        assert_int_equal(read_named(practice, "data", flags[i], &back), SALVOR_FAILED);
    }
}

static void links_and_other_files_are_refused(void **state)
{
    struct practice *practice = *state;
    cleanup_buffer struct buffer back = BUFFER_INIT(1000);
    give_source(practice, "sub/a", "text", 4, 0);
    cleanup_free char *path = text_format("%s/source/sub/a", practice->folder);
    cleanup_free char *sub = text_format("%s/source/sub", practice->folder);
    cleanup_free char *moved = text_format("%s/source/moved", practice->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_int_equal(read_named(practice, "sub/a", 0, &back), SALVOR_FAILED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_named(practice, "sub/a", 0, &back), SALVOR_FAILED);
    assert_non_null(strstr(message(practice), "not a plain file"));
    assert_int_equal(rename(sub, moved), 0);
    assert_int_equal(symlink("moved", sub), 0);
    assert_int_equal(read_named(practice, "sub/a", 0, &back), SALVOR_FAILED);
    salvor_stream_writer *writer = NULL;
    assert_int_equal(stream_create(practice_call(practice), "sub/a", "text/plain", 0, &writer),
                     SALVOR_REFUSED);
    assert_non_null(strstr(message(practice), "the source has one of that name"));
}

/* ---- adopt, materialize, list ---------------------------------------------------------------- */

static void adopt_and_list(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    cleanup_free char *file = text_format("%s/dump.db", practice->scratch);
    cleanup_free char *bytes = make_bytes(200000);
    assert_int_equal(file_write_atomic(file, bytes, 200000, 0644, NULL), 0);
    give_source(practice, "snapshot.db", "s", 1, 1);
    assert_int_equal(stream_adopt(call, file, "z/dump.db", "application/x-db", 0, &artifact),
                     SALVOR_OK);
    assert_int_equal(artifact.size, 200000);
    assert_int_equal(
        stream_adopt(call, "dump.db", "dump.gz", "application/gzip", SALVOR_STREAM_GZIP, &artifact),
        SALVOR_OK);
    assert_int_equal(stream_adopt(call, "/etc/hostname", "x", "text/plain", 0, &artifact),
                     SALVOR_BUG);
    assert_int_equal(stream_adopt(call, "../journal.db", "x", "text/plain", 0, &artifact),
                     SALVOR_BUG);
    assert_int_equal(stream_adopt(call, "absent", "x", "text/plain", 0, &artifact), SALVOR_FAILED);
    practice->interrupt = SALVOR_CANCELLED;
    assert_int_equal(stream_adopt(call, "dump.db", "y", "text/plain", 0, &artifact),
                     SALVOR_CANCELLED);
    practice->interrupt = SALVOR_OK;
    struct salvor_span list = {0};
    assert_int_equal(stream_list(call, &list), SALVOR_OK);
    cleanup_json json_t *json = json_loads(list.data, 0, NULL);
    assert_int_equal(json_array_size(json), 3);
    static const char *const expected[][3] = {{"dump.gz", "run", "application/gzip"},
                                              {"snapshot.db", "source", NULL},
                                              {"z/dump.db", "run", "application/x-db"}};
    for (size_t i = 0; i < 3; i++) {
        const json_t *entry = json_array_get(json, i);
        assert_string_equal(json_text(entry, "name"), expected[i][0]);
        assert_string_equal(json_text(entry, "origin"), expected[i][1]);
        if (expected[i][2] != NULL)
            assert_string_equal(json_text(entry, "media_type"), expected[i][2]);
        assert_int_equal(strlen(json_text(entry, "sha256")), 64);
    }
}

static void materialize_copies_once(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    const char *path = NULL;
    struct stat first;
    struct stat second;
    give_source(practice, "sub/snapshot.db", "content", 7, 1);
    assert_int_equal(stream_materialize(call, "sub/snapshot.db", &path), SALVOR_OK);
    assert_true(text_starts(path, practice->scratch));
    assert_true(text_ends(path, "/sub/snapshot.db"));
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_mode & 0777, 0600);
    assert_int_equal(stream_materialize(call, "sub/snapshot.db", &path), SALVOR_OK);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    assert_int_equal(file_write_atomic(path, "changed", 7, 0600, NULL), 0);
    assert_int_equal(stream_materialize(call, "sub/snapshot.db", &path), SALVOR_OK);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "content");
    change_source(practice, "sub/snapshot.db", "damaged", 7);
    assert_int_equal(unlink(path), 0);
    cleanup_free char *kept = text_copy(path);
    assert_int_equal(stream_materialize(call, "sub/snapshot.db", &path), SALVOR_FAILED);
    assert_null(path);
    assert_int_equal(access(kept, F_OK), -1);
    assert_int_equal(stream_materialize(call, "absent", &path), SALVOR_NOT_FOUND);
}

/* ---- disks and kills ------------------------------------------------------------------------- */

static void a_full_disk_is_an_error_and_no_artifact(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    cleanup_free char *folder = text_format("%s/artifacts", practice->folder);
    cleanup_free char *bytes = make_bytes(1000000);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=256k,mode=700") != 0) {
        print_message("cannot mount a small tmpfs here\n");
        skip();
    }
    salvor_status small = write_whole(practice, "small", 0, bytes, 1000, &artifact);
    salvor_status plain = write_whole(practice, "plain", 0, bytes, 1000000, &artifact);
    cleanup_free char *plain_text = text_copy(message(practice));
    salvor_status packed =
        write_whole(practice, "packed", SALVOR_STREAM_GZIP, bytes, 1000000, &artifact);
    cleanup_buffer struct buffer back = BUFFER_INIT(2000);
    salvor_status kept = read_named(practice, "small", 0, &back);
    salvor_status gone = read_named(practice, "plain", 0, &back);
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
    salvor_status read_only = write_whole(practice, "other", 0, bytes, 10, &artifact);
    cleanup_free char *read_only_text = text_copy(message(practice));
    assert_int_equal(umount(folder), 0);
    assert_int_equal(small, SALVOR_OK);
    assert_int_equal(plain, SALVOR_FAILED);
    assert_non_null(strstr(plain_text, "cannot write artifact 'plain': No space left"));
    assert_int_equal(packed, SALVOR_FAILED);
    assert_int_equal(kept, SALVOR_END);
    assert_int_equal(gone, SALVOR_NOT_FOUND);
    assert_int_equal(read_only, SALVOR_FAILED);
    assert_non_null(strstr(read_only_text, "Read-only file system"));
}

/* Replaces an artifact, killed at its n-th entry to or exit from the kernel. */
static int replace_killed_at(struct practice *practice, int n)
{
    pid_t writer = fork();
    if (writer == 0) {
        struct salvor_artifact artifact;
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(write_whole(practice, "a", 0, "second", 6, &artifact) == SALVOR_OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    for (int i = 0; i < n; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, writer, NULL, NULL), 0);
        assert_int_equal(waitpid(writer, &status, 0), writer);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return 0;
        }
    }
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    return 1;
}

static void killed_anywhere_it_is_old_new_or_none(void **state)
{
    struct practice *practice = *state;
    struct salvor_artifact artifact;
    int seen[3] = {0, 0, 0};
    for (int n = 0;; n++) {
        cleanup_buffer struct buffer back = BUFFER_INIT(100);
        assert_int_equal(write_whole(practice, "a", 0, "one", 3, &artifact), SALVOR_OK);
        int killed = replace_killed_at(practice, n);
        salvor_status status = read_named(practice, "a", 0, &back);
        if (status == SALVOR_NOT_FOUND)
            seen[2]++;
        else if (status == SALVOR_END && text_equal(back.data, "one"))
            seen[0]++;
        else if (status == SALVOR_END && text_equal(back.data, "second"))
            seen[1]++;
        else
            fail_msg("point %d: %s", n, message(practice));
        if (!killed)
            break;
    }
    print_message("old %d, new %d, none %d\n", seen[0], seen[1], seen[2]);
    assert_true(seen[0] > 10 && seen[1] > 0);
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        practised(round_trips),
        practised(rewind_reads_again),
        practised(uncommitted_is_nothing),
        practised(bad_requests),
        practised(every_flip_and_cut_of_a_known_artifact_is_found),
        practised(damage_of_compressed_data_without_a_digest),
        practised(links_and_other_files_are_refused),
        practised(adopt_and_list),
        practised(materialize_copies_once),
        practised(a_full_disk_is_an_error_and_no_artifact),
        practised(killed_anywhere_it_is_old_new_or_none),
    };
    /* it would be killed at the hundreds of system calls that valgrind makes on its own */
    if (getenv("SALVOR_UNDER_VALGRIND") != NULL)
        cmocka_set_skip_filter("killed_anywhere_*");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
