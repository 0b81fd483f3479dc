/*
 * Secrets are given by reference: "env:NAME", "file:PATH" (not readable by others), "exec:COMMAND
 * …" (words, no shell; its stdout without the last newline), "prompt:QUESTION" (asked at the
 * terminal, nothing is shown of the answer). Resolved in the parent when first asked for.
 */
#ifndef SALVOR_CONFIG_SECRET_REFERENCE_H
#define SALVOR_CONFIG_SECRET_REFERENCE_H

#include <stddef.h>

#include "base/error.h"

enum { SECRET_LIMIT = 65536 };

/* -1 unless `reference` has one of the forms; says which forms there are. */
int secret_reference_check(const char *reference, struct error *reterr);

/*
 * Whoever can ask a person: shows `question` and reads one line without showing it into `line`, of
 * at most `size` bytes. 0 and *ret_size; -1 with errno: ENXIO nobody is there, EINTR the question
 * was interrupted or left, EFBIG the line is longer. Without one nobody is there.
 */
typedef int (*secret_asker)(const char *question, char *line, size_t size, size_t *ret_size);
void secret_reference_set_asker(secret_asker asker);

/* Fetches the value into memory from sodium_malloc, registers it for redaction. Free with
 * sodium_free. */
int secret_reference_fetch(const char *reference, char **ret_value, size_t *ret_size,
                           struct error *reterr);

#endif
