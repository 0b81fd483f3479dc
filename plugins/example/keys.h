/*
 * Every key by digest: a line a key, "base64(key) sha256(value)", in etcd's own order, so that
 * after a restore each key can be proved to be back, or named when it is not.
 */
#ifndef SALVOR_EXAMPLE_KEYS_H
#define SALVOR_EXAMPLE_KEYS_H

#include <salvor/helpers.h>

#define KEYS_ARTIFACT "keys.txt"

/* Lines of all keys in etcdctl's JSON answer; *ret_count is their number. */
salvor_status keys_list(salvor_call *call, struct salvor_span etcdctl_json,
                        struct salvor_text *ret_lines, int64_t *ret_count);

/* Reads the artifact that the backup made. NOT_FOUND: the backup has none. */
salvor_status keys_load(salvor_call *call, struct salvor_text *ret_lines);

struct keys_difference {
    int64_t missing;
    int64_t changed;
    int64_t added;
    char first[128]; /* base64 of the first key that differs */
};

/* Both in the same order. */
void keys_compare(const char *before, const char *now, struct keys_difference *ret_difference);

#endif
