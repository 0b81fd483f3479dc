/*
 * Secrets are given by reference: "env:NAME", "file:PATH" (not readable by others), "exec:COMMAND
 * …" (words, no shell; its stdout without the last newline). Resolved in the parent when first
 * asked for.
 */
#ifndef SALVOR_CONFIG_SECRET_REFERENCE_H
#define SALVOR_CONFIG_SECRET_REFERENCE_H

#include <stddef.h>

#include "base/error.h"

enum { SECRET_LIMIT = 65536 };

/* -1 unless `reference` has one of the forms; says which forms there are. */
int secret_reference_check(const char *reference, struct error *reterr);

/* Fetches the value into memory from sodium_malloc, registers it for redaction. Free with
 * sodium_free. */
int secret_reference_fetch(const char *reference, char **ret_value, size_t *ret_size,
                           struct error *reterr);

#endif
