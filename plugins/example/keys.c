#include "keys.h"

#include <sodium.h>
#include <string.h>

#include "etcd.h"

enum { KEYS_LIMIT = 512 << 20, VALUE_LIMIT = 16 << 20 };

static salvor_status add_line(salvor_call *call, const json_t *entry, struct salvor_text *lines)
{
    const char *key = salvor_json_text(entry, "/key", NULL);
    const char *value = salvor_json_text(entry, "/value", "");
    size_t size = strlen(value);
    unsigned char *bytes = salvor_allocate(size + 1);
    size_t decoded = 0;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[crypto_hash_sha256_BYTES * 2 + 1];
    if (bytes == NULL)
        return salvor_fail_memory(call, "a value");
    int bad = key == NULL || size > VALUE_LIMIT ||
              sodium_base642bin(bytes, size + 1, value, size, NULL, &decoded, NULL,
                                sodium_base64_VARIANT_ORIGINAL) != 0;
    if (!bad)
        (void)crypto_hash_sha256(hash, bytes, decoded);
    salvor_release(bytes);
    if (bad)
        return salvor_fail(call, SALVOR_FAILED, NULL, "etcdctl answered with a key that is no key");
    (void)sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    salvor_text_format(lines, "%s %s\n", key, text);
    return SALVOR_OK;
}

salvor_status keys_list(salvor_call *call, struct salvor_span etcdctl_json,
                        struct salvor_text *ret_lines, int64_t *ret_count)
{
    salvor_auto_json json_t *answer = NULL;
    size_t index = 0;
    json_t *entry = NULL;
    SALVOR_TRY(etcd_parse(call, etcdctl_json, "the answer of 'get'", &answer));
    *ret_count = 0;
    json_array_foreach (json_object_get(answer, "kvs"), index, entry) {
        SALVOR_TRY(add_line(call, entry, ret_lines));
        ++*ret_count;
    }
    return salvor_text_check(call, ret_lines, "the list of keys");
}

salvor_status keys_load(salvor_call *call, struct salvor_text *ret_lines)
{
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_stream_reader *reader = NULL;
    char chunk[65536];
    uint64_t size = 0;
    SALVOR_TRY(stream->open(call, KEYS_ARTIFACT, 0, &reader));
    salvor_status status = stream->read(call, reader, chunk, sizeof chunk, &size);
    for (; status == SALVOR_OK; status = stream->read(call, reader, chunk, sizeof chunk, &size))
        salvor_text_add(ret_lines, chunk, (size_t)size);
    stream->close(call, reader);
    return status == SALVOR_END ? salvor_text_check(call, ret_lines, "the list of keys") : status;
}

/* ---- comparing two lists ----------------------------------------------------------------- */

struct line {
    const char *key; /* NULL at the end */
    size_t key_size;
    const char *digest;
    size_t digest_size;
    const char *next;
};

static struct line line_at(const char *text)
{
    struct line line = {NULL, 0, NULL, 0, NULL};
    const char *end = strchr(text, '\n');
    const char *space = strchr(text, ' ');
    if (end == NULL || space == NULL || space > end)
        return line;
    line.key = text;
    line.key_size = (size_t)(space - text);
    line.digest = space + 1;
    line.digest_size = (size_t)(end - space) - 1;
    line.next = end + 1;
    return line;
}

/* Order of the decoded bytes, which is etcd's. */
static int compare_keys(const struct line *a, const struct line *b)
{
    unsigned char left[2048];
    unsigned char right[2048];
    size_t left_size = 0;
    size_t right_size = 0;
    if (a->key_size == b->key_size && memcmp(a->key, b->key, a->key_size) == 0)
        return 0;
    (void)sodium_base642bin(left, sizeof left, a->key, a->key_size, NULL, &left_size, NULL,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)sodium_base642bin(right, sizeof right, b->key, b->key_size, NULL, &right_size, NULL,
                            sodium_base64_VARIANT_ORIGINAL);
    size_t common = left_size < right_size ? left_size : right_size;
    int order = memcmp(left, right, common);
    if (order != 0)
        return order;
    return left_size < right_size ? -1 : 1;
}

static void note_first(struct keys_difference *difference, const struct line *line)
{
    if (difference->first[0] != '\0')
        return;
    size_t size = line->key_size < sizeof difference->first - 1 ? line->key_size
                                                                : sizeof difference->first - 1;
    memcpy(difference->first, line->key, size);
    difference->first[size] = '\0';
}

void keys_compare(const char *before, const char *now, struct keys_difference *ret_difference)
{
    struct line old_line = line_at(before);
    struct line new_line = line_at(now);
    memset(ret_difference, 0, sizeof *ret_difference);
    while (old_line.key != NULL || new_line.key != NULL) {
        int order = old_line.key == NULL   ? 1
                    : new_line.key == NULL ? -1
                                           : compare_keys(&old_line, &new_line);
        if (order < 0) {
            ret_difference->missing++;
            note_first(ret_difference, &old_line);
        } else if (order > 0) {
            ret_difference->added++;
            note_first(ret_difference, &new_line);
        } else if (old_line.digest_size != new_line.digest_size ||
                   memcmp(old_line.digest, new_line.digest, old_line.digest_size) != 0) {
            ret_difference->changed++;
            note_first(ret_difference, &old_line);
        }
        if (order <= 0)
            old_line = line_at(old_line.next);
        if (order >= 0)
            new_line = line_at(new_line.next);
    }
}
