/*
 * Plays etcdctl, and the stop and start commands of a site, on a folder instead of a member: what
 * the kill harness restores hundreds of times. It keeps to what the real one was seen to do (the
 * same suite runs against both), and writes every change to an audit log that serves as oracle.
 *
 * It is reached as SITE/etcdctl; SITE holds "running" (path of the data dir, while the member runs)
 * and "audit". A data dir holds member/snap/db: {"revision","compact_revision","keys":{key:
 * value}}.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { DB_LIMIT = 64 << 20, SMALLEST = 8192, SECTOR = 512 };

static char *site;

static int fail(const char *text)
{
    (void)fprintf(stderr, "{\"level\":\"warn\",\"msg\":\"%s\"}\nError: %s\n", text, text);
    return 1;
}

static char *in_site(const char *name)
{
    return text_format("%s/%s", site, name);
}

/* Faults are files of the site: "slow-WHAT" holds milliseconds, "fail-WHAT" how often it fails yet.
 */
static int64_t fault(const char *kind, const char *what)
{
    cleanup_free char *path = text_format("%s/%s-%s", site, kind, what);
    cleanup_free char *text = NULL;
    int64_t number = 0;
    if (file_read(path, 64, &text, NULL, NULL) != 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return text_parse_integer(text, &number) == 0 ? number : 0;
}

static int is_to_fail(const char *what)
{
    int64_t left = fault("fail", what);
    cleanup_free char *path = text_format("%s/fail-%s", site, what);
    cleanup_free char *text = text_format("%lld", (long long)left - 1);
    return left > 0 && file_write_atomic(path, text, strlen(text), 0600, NULL) == 0;
}

static void linger(const char *what)
{
    int64_t milliseconds = fault("slow", what);
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

static char *db_of(const char *data_dir)
{
    return text_format("%s/member/snap/db", data_dir);
}

static void audit(const char *what, const char *about)
{
    cleanup_free char *path = in_site("audit");
    cleanup_free char *line = text_format("%s %s\n", what, about);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, line, strlen(line)) != 0)
        perror(path);
}

/* Data dir of the running member, or NULL. */
static char *running(void)
{
    cleanup_free char *path = in_site("running");
    char *data_dir = NULL;
    return file_read(path, 4096, &data_dir, NULL, NULL) == 0 ? data_dir : NULL;
}

static json_t *load_db(const char *data_dir)
{
    cleanup_free char *path = db_of(data_dir);
    cleanup_free char *text = NULL;
    if (file_read(path, DB_LIMIT, &text, NULL, NULL) != 0)
        return NULL;
    return json_loads(text, 0, NULL);
}

static int store_db(const char *data_dir, const json_t *db)
{
    cleanup_free char *path = db_of(data_dir);
    cleanup_free char *text = json_canonical(db);
    return file_write_atomic(path, text, strlen(text), 0600, NULL);
}

static json_t *live_db(void)
{
    cleanup_free char *data_dir = running();
    return data_dir != NULL ? load_db(data_dir) : NULL;
}

static void print(json_t *answer)
{
    cleanup_free char *text = json_canonical(answer);
    (void)puts(text);
    json_decref(answer);
}

/* ---- what reads --------------------------------------------------------------------------- */

static json_t *header(const json_t *db)
{
    return json_make("{s:I, s:I}", "revision", (json_int_t)json_whole(db, "revision", 0),
                     "raft_term", (json_int_t)2);
}

static int endpoint(const char *what)
{
    cleanup_json json_t *db = live_db();
    if (db == NULL)
        return fail("context deadline exceeded");
    if (text_equal(what, "status"))
        print(json_make("[{s:s, s:{s:o, s:s, s:i}}]", "Endpoint", "sim", "Status", "header",
                        header(db), "version", "3.4.23", "dbSize", SMALLEST));
    else if (text_equal(what, "hashkv"))
        print(json_make("[{s:s, s:{s:o, s:I}}]", "Endpoint", "sim", "HashKV", "header", header(db),
                        "compact_revision", (json_int_t)json_whole(db, "compact_revision", -1)));
    else
        print(json_make("[{s:s, s:b}]", "endpoint", "sim", "health", 1));
    return 0;
}

static int members(void)
{
    cleanup_json json_t *db = live_db();
    if (db == NULL)
        return fail("context deadline exceeded");
    print(json_make("{s:o, s:[{s:i, s:s, s:[s], s:[s]}]}", "header", header(db), "members", "ID", 1,
                    "name", "default", "peerURLs", "http://sim:2380", "clientURLs",
                    "http://sim:2379"));
    return 0;
}

static char *base64(const char *text)
{
    size_t size = sodium_base64_ENCODED_LEN(strlen(text), sodium_base64_VARIANT_ORIGINAL);
    char *encoded = memory_new(size, 1);
    (void)sodium_bin2base64(encoded, size, (const unsigned char *)text, strlen(text),
                            sodium_base64_VARIANT_ORIGINAL);
    return encoded;
}

static int get_all(void)
{
    cleanup_json json_t *db = live_db();
    json_t *pairs = json_array();
    const char *key = NULL;
    const json_t *value = NULL;
    if (db == NULL) {
        json_decref(pairs);
        return fail("context deadline exceeded");
    }
    /* written canonically, so the members come sorted as etcd's keys do */
    json_object_foreach (json_object_get(db, "keys"), key, value) {
        cleanup_free char *key_text = base64(key);
        cleanup_free char *value_text = base64(json_string_value(value));
        json_add(pairs, json_make("{s:s, s:s}", "key", key_text, "value", value_text));
    }
    print(json_make("{s:o, s:o}", "header", header(db), "kvs", pairs));
    return 0;
}

/* ---- snapshots ----------------------------------------------------------------------------- */

static int snapshot_save(const char *path)
{
    cleanup_json json_t *db = live_db();
    if (db == NULL)
        return fail("context deadline exceeded");
    cleanup_free char *text = json_canonical(db);
    size_t size = strlen(text) < SMALLEST ? SMALLEST : strlen(text);
    size = (size + SECTOR - 1) / SECTOR * SECTOR;
    cleanup_free unsigned char *bytes = memory_new(size + DIGEST_SIZE, 1);
    memcpy(bytes, text, strlen(text));
    (void)crypto_hash_sha256(bytes + size, bytes, size);
    return file_write_atomic(path, bytes, size + DIGEST_SIZE, 0600, NULL) == 0
               ? 0
               : fail("could not write the snapshot");
}

static json_t *load_snapshot(const char *path)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    unsigned char hash[DIGEST_SIZE];
    if (file_read(path, DB_LIMIT, &text, &size, NULL) != 0 || size < SMALLEST + DIGEST_SIZE)
        return NULL;
    (void)crypto_hash_sha256(hash, (const unsigned char *)text, size - DIGEST_SIZE);
    return memcmp(hash, text + size - DIGEST_SIZE, DIGEST_SIZE) == 0 ? json_loads(text, 0, NULL)
                                                                     : NULL;
}

static int snapshot_status(const char *path)
{
    cleanup_json json_t *db = load_snapshot(path);
    if (db == NULL)
        return fail("snapshot file integrity check failed");
    print(json_make("{s:i, s:I, s:i, s:i}", "hash", 1, "revision",
                    (json_int_t)json_whole(db, "revision", 0), "totalKey",
                    (int)json_object_size(json_object_get(db, "keys")), "totalSize", SMALLEST));
    return 0;
}

static int snapshot_restore(const char *path, const char *data_dir)
{
    cleanup_json json_t *db = load_snapshot(path);
    cleanup_free char *folder = text_format("%s/member/snap", data_dir);
    if (db == NULL)
        return fail("expected sha256 does not match");
    if (access(data_dir, F_OK) == 0)
        return fail("data-dir exists");
    audit("restore", data_dir);
    linger("restore");
    if (is_to_fail("restore")) {
        (void)file_make_folder(folder, NULL);
        return fail("no space left on device");
    }
    if (file_make_folder(folder, NULL) != 0 || store_db(data_dir, db) != 0)
        return fail("could not restore");
    return 0;
}

/* ---- what changes ---------------------------------------------------------------------------- */

static int compact(const char *revision)
{
    cleanup_free char *data_dir = running();
    cleanup_json json_t *db = live_db();
    int64_t number = 0;
    if (db == NULL || text_parse_integer(revision, &number) != 0)
        return fail("context deadline exceeded");
    if (number <= json_whole(db, "compact_revision", -1))
        return fail("required revision has been compacted");
    audit("compact", revision);
    json_put(db, "compact_revision", json_integer(number));
    return store_db(data_dir, db) == 0 ? 0 : fail("could not compact");
}

static int start(const char *data_dir)
{
    cleanup_free char *path = in_site("running");
    cleanup_json json_t *db = load_db(data_dir);
    cleanup_free char *now = running();
    if (now != NULL)
        return 0;
    linger("start");
    audit("start", data_dir);
    if (db == NULL)
        return fail("the data dir cannot be read");
    return file_write_atomic(path, data_dir, strlen(data_dir), 0600, NULL) == 0 ? 0 : 1;
}

static int stop(void)
{
    cleanup_free char *path = in_site("running");
    linger("stop");
    if (is_to_fail("stop"))
        return fail("the unit does not stop");
    /* written down first, as the other changes are: whoever is killed here must not have acted
     * unseen */
    if (access(path, F_OK) != 0)
        return 0;
    audit("stop", "");
    return unlink(path) == 0 ? 0 : fail("the member does not stop");
}

/* init DATA KEYS: a member that runs on a new data dir */
static int init(const char *data_dir, const char *count)
{
    cleanup_json json_t *keys = json_object();
    cleanup_free char *folder = text_format("%s/member/snap", data_dir);
    int64_t number = 0;
    if (text_parse_integer(count, &number) != 0 || file_make_folder(folder, NULL) != 0)
        return fail("could not make the data dir");
    for (int64_t i = 0; i < number; i++) {
        cleanup_free char *key = text_format("/site/key-%06lld", (long long)i);
        cleanup_free char *value = text_format("value of %lld", (long long)i);
        json_put(keys, key, json_string(value));
    }
    cleanup_json json_t *db = json_make("{s:I, s:i, s:O}", "revision", (json_int_t)number + 1,
                                        "compact_revision", -1, "keys", keys);
    return store_db(data_dir, db) == 0 ? start(data_dir) : fail("could not write the data dir");
}

/* ---- the command line --------------------------------------------------------------------------
 */

static const char *value_of(char **argv, const char *flag)
{
    for (; *argv != NULL; argv++) {
        if (text_equal(*argv, flag))
            return argv[1];
    }
    return NULL;
}

static int dispatch(char **words)
{
    const char *first = words[0];
    const char *second = first != NULL ? words[1] : NULL;
    const char *third = second != NULL ? words[2] : NULL;
    if (second == NULL)
        return first != NULL && text_equal(first, "stop") ? stop() : fail("unknown command");
    if (text_equal(first, "endpoint"))
        return endpoint(second);
    if (text_equal(first, "member"))
        return members();
    if (text_equal(first, "get"))
        return get_all();
    if (text_equal(first, "compact"))
        return compact(second);
    if (text_equal(first, "start"))
        return start(second);
    if (text_equal(first, "snapshot") && third != NULL) {
        if (text_equal(second, "save"))
            return snapshot_save(third);
        if (text_equal(second, "status"))
            return snapshot_status(third);
        if (text_equal(second, "restore") && value_of(words, "--data-dir") != NULL)
            return snapshot_restore(third, value_of(words, "--data-dir"));
    }
    if (text_equal(first, "init") && third != NULL)
        return init(second, third);
    return fail("unknown command");
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    if (argc < 2 || slash == NULL)
        return fail("call it by its path, SITE/etcdctl");
    site = text_copy_span(argv[0], (size_t)(slash - argv[0]));
    char **words = argv + 1;
    if (text_equal(words[0], "--endpoints") && argc > 3)
        words += 2;
    int code = dispatch(words);
    free(site);
    return code;
}
