/*
 * Secrets never leave: everything that the parent prints or records passes through here. Known
 * values are kept in locked memory and replaced by "[redacted]" in raw, URL-encoded and base64 form
 * (all three alignments), JSON-escaped text included.
 */
#ifndef SALVOR_HOST_REDACT_H
#define SALVOR_HOST_REDACT_H

#include <jansson.h>
#include <stddef.h>

/* From now on `data` is redacted; values shorter than 4 bytes are not (they would hide ordinary
 * text). */
void redact_add(const void *data, size_t size);

/* New text, owned by the caller. */
char *redact_text(const char *text);

/* The same for every string in `json`, in place (keys too). */
void redact_json(json_t *json);

/* Zeroes and forgets everything. */
void redact_clear(void);

#endif
