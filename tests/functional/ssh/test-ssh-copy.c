#include "ssh-practice.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/ssh-connection.h"
#include "services/stream.h"

enum { PIECE = 1 << 20, MANY = 40 };

/* `count` pieces of bytes that do not compress, and its digest. */
static void make_artifact(struct ssh_practice *at, const char *name, int count,
                          char ret_sha256[DIGEST_TEXT_SIZE])
{
    salvor_stream_writer *writer = NULL;
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    salvor_call *call = ssh_practice_call(at);
    cleanup_free char *piece = memory_new(PIECE, 1);
    uint64_t seed = 88172645463325252ULL;
    assert_int_equal(stream_create(call, name, "application/octet-stream", 0, &writer), SALVOR_OK);
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < PIECE; k += sizeof seed) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            memcpy(piece + k, &seed, sizeof seed);
        }
        assert_int_equal(stream_write(call, writer, piece, PIECE), SALVOR_OK);
    }
    assert_int_equal(stream_commit(call, writer, &artifact), SALVOR_OK);
    memcpy(ret_sha256, artifact.sha256, DIGEST_TEXT_SIZE);
}

static void digest_of_file(const char *path, char ret[DIGEST_TEXT_SIZE])
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char piece[4096];
    cleanup_file FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    digest_begin(&digest);
    for (size_t got = 0; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        digest_add(&digest, piece, got);
    digest_end(&digest, hash);
    digest_text(hash, ret);
}

/* How many entries but "." and ".." the folder has. */
static int entries(const char *path)
{
    int count = -2;
    cleanup_dir DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    return count;
}

static salvor_status put(struct ssh_practice *at, salvor_ssh_host *host, const char *artifact,
                         const char *path, uint32_t mode)
{
    return ssh_table.put(ssh_practice_call(at), host, artifact, path, mode);
}

static salvor_status get(struct ssh_practice *at, salvor_ssh_host *host, const char *path,
                         const char *artifact, uint32_t flags)
{
    return ssh_table.get(ssh_practice_call(at), host, path, artifact, "application/octet-stream",
                         flags);
}

static void a_file_there_and_back(void **state)
{
    struct ssh_practice *at = *state;
    char sent[DIGEST_TEXT_SIZE];
    char there[DIGEST_TEXT_SIZE];
    struct stat status;
    make_artifact(at, "big.bin", MANY, sent);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    cleanup_free char *folder = text_format("%s/new folder/it's", at->host->home);
    cleanup_free char *path = text_format("%s/a b.bin", folder);
    if (put(at, host, "big.bin", path, 0) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    digest_of_file(path, there);
    assert_string_equal(sent, there);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(entries(folder), 1);
    assert_string_equal(json_text(practice_frame(&at->practice, FRAME_EVIDENCE), "sha256"), sent);
    assert_int_equal(get(at, host, path, "back.bin", SALVOR_STREAM_ZSTD), SALVOR_OK);
    salvor_stream_reader *reader = NULL;
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    cleanup_free char *piece = memory_new(PIECE, 1);
    uint64_t got = 0;
    salvor_status result = SALVOR_OK;
    digest_begin(&digest);
    assert_int_equal(stream_open(ssh_practice_call(at), "back.bin", SALVOR_STREAM_ZSTD, &reader),
                     SALVOR_OK);
    while ((result = stream_read(ssh_practice_call(at), reader, piece, PIECE, &got)) == SALVOR_OK)
        digest_add(&digest, piece, (size_t)got);
    assert_int_equal(result, SALVOR_END);
    digest_end(&digest, hash);
    digest_text(hash, there);
    assert_string_equal(sent, there);
#ifndef __SANITIZE_ADDRESS__
    /* Neither way is the file in memory. */
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    assert_true(usage.ru_maxrss / 1024 < MANY / 2);
#endif
}

static void what_is_there_is_not_sent_again(void **state)
{
    struct ssh_practice *at = *state;
    char sent[DIGEST_TEXT_SIZE];
    make_artifact(at, "small.bin", 2, sent);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    cleanup_free char *path = text_format("%s/again/f", at->host->home);
    assert_int_equal(put(at, host, "small.bin", path, 0640), SALVOR_OK);
    const int64_t before = at->host->rules->up;
    assert_int_equal(put(at, host, "small.bin", path, 0640), SALVOR_OK);
    assert_true(at->host->rules->up - before < 20000);
    /* Another mode, another content: it is. */
    assert_int_equal(put(at, host, "small.bin", path, 0600), SALVOR_OK);
    assert_true(at->host->rules->up - before > 2 * PIECE);
    assert_int_equal(file_write_atomic(path, "changed", 7, 0600, NULL), 0);
    assert_int_equal(put(at, host, "small.bin", path, 0600), SALVOR_OK);
    char there[DIGEST_TEXT_SIZE];
    digest_of_file(path, there);
    assert_string_equal(sent, there);
}

static void a_cut_transfer_leaves_the_old_file(void **state)
{
    struct ssh_practice *at = *state;
    char sent[DIGEST_TEXT_SIZE];
    char there[DIGEST_TEXT_SIZE];
    make_artifact(at, "cut.bin", 3, sent);
    cleanup_free char *folder = text_format("%s/cut", at->host->home);
    cleanup_free char *path = text_format("%s/f", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(file_write_atomic(path, "old", 3, 0644, NULL), 0);
    static const int64_t places[] = {8000, 100000, PIECE, 2 * PIECE, 3 * PIECE};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        salvor_ssh_host *host = ssh_practice_open(at, "");
        at->host->rules->cut_up = places[i];
        at->host->rules->cut = SSHD_CUT_CLOSE;
        salvor_status status = put(at, host, "cut.bin", path, 0);
        at->host->rules->cut = SSHD_CUT_NONE;
        assert_int_equal(status, SALVOR_RETRY);
        cleanup_free char *text = NULL;
        assert_int_equal(file_read(path, 100, &text, NULL, NULL), 0);
        assert_string_equal(text, "old");
        ssh_table.host_close(ssh_practice_call(at), host);
        ssh_connections_close();
    }
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(put(at, host, "cut.bin", path, 0), SALVOR_OK);
    digest_of_file(path, there);
    assert_string_equal(sent, there);
    assert_int_equal(entries(folder), 1); /* nothing of the torn ones is left */
}

static void a_cut_fetch_makes_no_artifact(void **state)
{
    struct ssh_practice *at = *state;
    cleanup_free char *path = text_format("%s/source.bin", at->host->home);
    cleanup_free char *bytes = memory_new(3 * PIECE, 1);
    assert_int_equal(file_write_atomic(path, bytes, 3 * PIECE, 0600, NULL), 0);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    salvor_stream_reader *reader = NULL;
    at->host->rules->cut_down = 2 * PIECE;
    at->host->rules->cut = SSHD_CUT_RESET;
    assert_int_equal(get(at, host, path, "half.bin", 0), SALVOR_RETRY);
    assert_int_equal(stream_open(ssh_practice_call(at), "half.bin", 0, &reader), SALVOR_NOT_FOUND);
    ssh_practice_calm(at);
    assert_int_equal(get(at, host, path, "half.bin", 0), SALVOR_OK);
    assert_int_equal(stream_open(ssh_practice_call(at), "half.bin", 0, &reader), SALVOR_OK);
}

static void what_cannot_be_copied(void **state)
{
    struct ssh_practice *at = *state;
    char sent[DIGEST_TEXT_SIZE];
    make_artifact(at, "x.bin", 1, sent);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    cleanup_free char *missing = text_format("%s/missing", at->host->home);
    assert_int_equal(get(at, host, missing, "m.bin", 0), SALVOR_NOT_FOUND);
    assert_int_equal(get(at, host, at->host->home, "m.bin", 0), SALVOR_FAILED);
    assert_non_null(strstr(ssh_practice_error(at), "no plain file"));
    assert_int_equal(put(at, host, "x.bin", at->host->home, 0), SALVOR_FAILED);
    assert_non_null(strstr(ssh_practice_error(at), "folder of that name"));
    assert_int_equal(put(at, host, "x.bin", "/dev/null/f", 0), SALVOR_FAILED);
    assert_int_equal(put(at, host, "x.bin", "relative", 0), SALVOR_BUG);
    assert_int_equal(put(at, host, "x.bin", "/folder/", 0), SALVOR_BUG);
    assert_int_equal(put(at, host, "x.bin", "/f", 0100000), SALVOR_BUG);
    assert_int_equal(put(at, host, "nothing.bin", "/tmp/f", 0), SALVOR_NOT_FOUND);
    /* A file that cannot be written to its end: nothing of it stays. */
    assert_int_equal(put(at, host, "x.bin", "/proc/self/f", 0), SALVOR_FAILED);
}

static void a_read_row_reads_only(void **state)
{
    struct ssh_practice *at = *state;
    char sent[DIGEST_TEXT_SIZE];
    make_artifact(at, "r.bin", 1, sent);
    cleanup_free char *path = text_format("%s/r", at->host->home);
    practice_next_call(&at->practice, SALVOR_EFFECT_READ);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(put(at, host, "r.bin", path, 0), SALVOR_REFUSED);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(file_write_atomic(path, "text", 4, 0600, NULL), 0);
    assert_int_equal(get(at, host, path, "r2.bin", 0), SALVOR_OK);
}

static void damaged_artifacts_are_not_sent(void **state)
{
    struct ssh_practice *at = *state;
    char sent[DIGEST_TEXT_SIZE];
    make_artifact(at, "d.bin", 1, sent);
    cleanup_free char *stored = text_format("%s/artifacts/d.bin", at->practice.folder);
    cleanup_free char *path = text_format("%s/damaged/d", at->host->home);
    assert_int_equal(truncate(stored, PIECE - 1), 0);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    assert_int_equal(put(at, host, "d.bin", path, 0), SALVOR_FAILED);
    assert_non_null(strstr(ssh_practice_error(at), "damaged"));
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(int argc, char **argv)
{
    struct sshd *host = ssh_practice_host(argc, argv, &(struct sshd_settings){0});
#define TEST(name) cmocka_unit_test_setup_teardown(name, ssh_practice_setup, ssh_practice_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_there_and_back),
        TEST(what_is_there_is_not_sent_again),
        TEST(a_cut_transfer_leaves_the_old_file),
        TEST(a_cut_fetch_makes_no_artifact),
        TEST(what_cannot_be_copied),
        TEST(a_read_row_reads_only),
        TEST(damaged_artifacts_are_not_sent),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sshd_stop(host);
    return failed;
}
