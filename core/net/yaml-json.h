/*
 * A YAML document as the JSON that Kubernetes' own tools make of it: YAML 1.1 words and numbers,
 * anchors, aliases and merge keys, the first of several documents, of duplicate keys the last. Tags
 * are not heeded.
 * Bounded in size, depth and the values that aliases unfold to.
 */
#ifndef SALVOR_NET_YAML_JSON_H
#define SALVOR_NET_YAML_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

enum { YAML_JSON_DEPTH = 64, YAML_JSON_VALUES = 1 << 18 };

/*
 * *ret_json is the caller's; null for a text without a document. Errors begin with "NAME:LINE:
 * COLUMN: " and never quote the text.
 */
int yaml_json(const char *text, size_t size, const char *name, json_t **ret_json,
              struct error *reterr);

#endif
