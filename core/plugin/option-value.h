/* The text of one option value, as a user writes it, to its typed JSON. */
#ifndef SALVOR_PLUGIN_OPTION_VALUE_H
#define SALVOR_PLUGIN_OPTION_VALUE_H

#include <jansson.h>

#include "base/error.h"
#include "plugin/plugin-info.h"

/*
 * String, path, URL and choice become text, boolean true or false, integer, duration (milliseconds)
 * and size (bytes) a number, list an array of this one text. Paths are not made absolute here: only
 * the caller knows what they are relative to. The error (exit code 2) says what was expected, not
 * where the text came from, and names neither option nor value of a secret.
 */
int option_value_parse(const struct plugin_option *option, const char *text, json_t **ret_value,
                       struct error *reterr);

#endif
