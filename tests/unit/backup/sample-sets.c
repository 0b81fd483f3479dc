#include "../unit.h"

#include "sample-sets.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "backup/artifact-file.h"
#include "backup/backup-set.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "seal/seal.h"

int samples_setup(void **state)
{
    char pattern[] = "/dev/shm/salvor-test-sets-XXXXXX";
    struct samples *samples = memory_new(1, sizeof *samples);
    char recipient[KEY_TEXT_SIZE];
    char *text = NULL;
    samples->folder = text_copy(mkdtemp(pattern));
    samples->here = text_format("%s/here", samples->folder);
    samples->there = text_format("%s/there", samples->folder);
    samples->identity = identity_new();
    identity_generate(&text, recipient);
    assert_int_equal(identity_add(samples->identity, text, strlen(text), "k", NULL), 0);
    sodium_free(text);
    memcpy(samples->recipient[0], identity_public(samples->identity, 0), SEAL_KEY_SIZE);
    *state = samples;
    return 0;
}

int samples_teardown(void **state)
{
    struct samples *samples = *state;
    int result = file_remove_tree(samples->folder, NULL);
    identity_free(samples->identity);
    free(samples->folder);
    free(samples->here);
    free(samples->there);
    free(samples);
    return result;
}

static int collect(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)reterr;
    return buffer_append(data, bytes, size);
}

/* Writes the artifact and returns its ARTIFACT body. */
static json_t *put(const char *folder, const char *name, const char *bytes, size_t size,
                   const char *encryption)
{
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_free char *path = text_format("%s/%s", folder, name);
    cleanup_free char *parent = text_copy_span(path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(file_make_folder(parent, NULL), 0);
    assert_int_equal(file_write_atomic(path, bytes, size, 0600, NULL), 0);
    digest_text_of(bytes, size, sha256);
    return json_make("{s:s,s:s,s:I,s:s,s:b,s:s?,s:b}", "name", name, "media_type", "text/plain",
                     "size", (json_int_t)size, "sha256", sha256, "sensitive", encryption != NULL,
                     "encryption", encryption, "left_out", 0);
}

char *samples_make(const struct samples *samples, const char *name, const char *site)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_buffer struct buffer sealed = BUFFER_INIT(1 << 20);
    cleanup_json json_t *artifacts = json_array();
    cleanup_json json_t *members =
        json_make("{s:s, s:s, s:[s]}", "site", site, "run", name, "recipients", "salvor-pk1");
    struct backup_set *set = NULL;
    struct sealer *sealer = sealer_new(samples->recipient, 1, collect, &sealed);
    assert_int_equal(sealer_write(sealer, SECRET_TEXT, strlen(SECRET_TEXT), NULL), 0);
    assert_int_equal(sealer_end(sealer, NULL), 0);
    sealer_free(sealer);
    if (backup_set_begin(samples->here, "p", name, &set, &err) != 0)
        fail_msg("%s", err.message);
    const char *folder = backup_set_folder(set);
    json_add(artifacts, put(folder, "snapshot.db", name, strlen(name), NULL));
    json_add(artifacts, put(folder, "deep/keys.txt", "a=1\n", 4, NULL));
    json_add(artifacts, put(folder, "vault", sealed.data, sealed.size, SEAL_FORMAT));
    if (backup_set_commit(set, members, artifacts, NULL, &err) != 0)
        fail_msg("%s", err.message);
    char *path = text_copy(backup_set_folder(set));
    backup_set_close(set);
    return path;
}

struct content {
    const char *folder;
    json_t *files;
};

static int note_file(void *data, const char *name, struct error *reterr)
{
    struct content *content = data;
    int64_t size = 0;
    char sha256[DIGEST_TEXT_SIZE];
    if (artifact_file_digest(content->folder, name, &size, sha256, reterr) != 0)
        return -1;
    json_put_text(content->files, name, sha256);
    return 0;
}

char *samples_content(const char *folder)
{
    cleanup_json json_t *files = json_object();
    struct content content = {folder, files};
    assert_int_equal(artifact_files_each(folder, note_file, &content, NULL), 0);
    return json_canonical(files);
}
