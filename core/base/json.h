/* Small reads and the canonical form of JSON values, on jansson. */
#ifndef SALVOR_BASE_JSON_H
#define SALVOR_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/digest.h"

/* Members of an object; NULL, 0 or `otherwise` when absent or of another type. Borrowed. */
const char *json_text(const json_t *object, const char *key);
int64_t json_whole(const json_t *object, const char *key, int64_t otherwise);
int json_flag(const json_t *object, const char *key);

/* json_object_set_new and json_array_append_new that cannot fail silently; `value` is stolen. */
void json_put(json_t *object, const char *key, json_t *value);
void json_put_text(json_t *object, const char *key, const char *text); /* NULL: null */
void json_add(json_t *array, json_t *value);

/* json_pack that cannot fail silently. */
json_t *json_make(const char *format, ...);

/* A deep copy; NULL for NULL. */
json_t *json_clone(const json_t *value);

/* Sorted keys, no white space; owned by the caller. The SHA-256 of exactly these bytes. */
char *json_canonical(const json_t *value);
void json_digest(const json_t *value, char ret_text[DIGEST_TEXT_SIZE]);

#endif
