/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/json.h - single JSON documents on jansson: reading by path, building, writing.
 *
 * For answers, parameters and facts. Not for bulk: see scan.h and canonical.h.
 * A path is a JSON pointer: "/metadata/labels/app.kubernetes.io~1name", "/items/0"; "" is the
 * whole.
 */
#ifndef SALVOR_JSON_H
#define SALVOR_JSON_H

#include <jansson.h>
#include <salvor/memory.h>
#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SALVOR_JSON_LIMIT (64u << 20) /* bytes of a document that is parsed or written */

/* Parses strictly (no duplicate keys, bounded depth). A failure is reported as being about `what`
 * ("the answer of 'etcdctl'"). The caller owns *ret_json. */
salvor_status salvor_json_parse(salvor_call *call, struct salvor_span text, const char *what,
                                json_t **ret_json);
salvor_status salvor_json_parse_text(salvor_call *call, const char *text, const char *what,
                                     json_t **ret_json);

/* The value at the path, owned by `root`; NULL when it is not there. */
json_t *salvor_json_at(const json_t *root, const char *path);

/* Values of that type at the path, else the fallback. */
const char *salvor_json_text(const json_t *root, const char *path, const char *fallback);
int64_t salvor_json_integer(const json_t *root, const char *path, int64_t fallback);
int salvor_json_flag(const json_t *root, const char *path, int fallback);
size_t salvor_json_count(const json_t *root, const char *path); /* items; 0 for anything else */

/* Text that must be there: reports the missing path of `what` and returns SALVOR_FAILED. */
salvor_status salvor_json_need(salvor_call *call, const json_t *root, const char *path,
                               const char *what, const char **ret_text);

/*
 * Builds from json_pack()'s format. NULL when there is no memory or a text is no UTF-8; the error
 * is reported, and values given with "o" are released all the same.
 */
json_t *salvor_json_build(salvor_call *call, const char *format, ...);

/* Puts a value (its reference is taken over, also on failure) at a path below `root`, making the
 * objects on the way. SALVOR_FAILED: no memory; SALVOR_REFUSED: something else stands there. */
salvor_status salvor_json_put(json_t *root, const char *path, json_t *value);

/* The document with sorted keys, compact. NULL when there is no memory; salvor_release() it. */
char *salvor_json_write(const json_t *json);

#if defined(__GNUC__)
static inline void salvor_auto_json_at(json_t **json)
{
    json_decref(*json);
}
#define salvor_auto_json __attribute__((__cleanup__(salvor_auto_json_at)))
#endif

#ifdef __cplusplus
}
#endif

#endif
