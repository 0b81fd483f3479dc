/*
 * JSON as the API server writes it: sorted keys, <, > and & escaped, 64-bit integers exact, the
 * shortest digits that read back as the same double. jansson's own writer does none of the last
 * two.
 */
#ifndef SIM_KUBE_JSON_TEXT_H
#define SIM_KUBE_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buffer.h"

/* Appends the value; -1 when the buffer's limit would be passed. */
int json_text_write(struct buffer *out, const json_t *value);

/* Appends a quoted, escaped string. */
int json_text_write_string(struct buffer *out, const char *text, size_t size);

/*
 * Appends an object with its "metadata" first and the other keys sorted; *ret_metadata_size is the
 * size of the metadata value, which begins right after `{"metadata":`.
 */
int json_text_write_object(struct buffer *out, const json_t *object, size_t *ret_metadata_size);

/* Parses a whole document; NULL with a message in the manner of the API server's. */
json_t *json_text_read(const char *text, size_t size, char **ret_message);

#endif
