/* The JSON options of services: known members only, each of its type. */
#ifndef SALVOR_NET_OPTIONS_H
#define SALVOR_NET_OPTIONS_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

/* The object in `text` (NULL or "": an empty one), owned by the caller. `what`: "options of
 * http.client_open", for messages. */
int options_parse(const char *what, const char *text, json_t **ret_options, struct error *reterr);

/* -1 when `object` is none, or has a member that is not among `names` (ends with NULL): the error
 * names it and the nearest known one. */
int options_check(const char *what, const json_t *object, const char *const *names,
                  struct error *reterr);

/* Members; left as they are (0) when absent, -1 when of another type or out of range. Texts are
 * borrowed. */
int options_text(const json_t *object, const char *name, const char **value, struct error *reterr);
int options_flag(const json_t *object, const char *name, int *value, struct error *reterr);
int options_number(const json_t *object, const char *name, int64_t least, int64_t most,
                   int64_t *value, struct error *reterr);

#endif
