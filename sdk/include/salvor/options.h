/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* salvor/options.h - option values with a fallback, and lists. */
#ifndef SALVOR_OPTIONS_H
#define SALVOR_OPTIONS_H

#include <jansson.h>
#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value, or `fallback` (which may be NULL) when it is not set. */
const char *salvor_option_text(salvor_call *call, const char *name, const char *fallback);

/* INTEGER, DURATION (milliseconds), SIZE (bytes); the fallback when it is not set. */
int64_t salvor_option_integer(salvor_call *call, const char *name, int64_t fallback);

/* BOOLEAN: 1 when it is set and true. */
int salvor_option_flag(salvor_call *call, const char *name);

/* LIST: an array of strings, empty when it is not set. The caller owns *ret_list. */
salvor_status salvor_option_list(salvor_call *call, const char *name, json_t **ret_list);

/* Text that must be there: reports what is missing and returns SALVOR_REFUSED otherwise. For
 * options that only some procedures need. */
salvor_status salvor_option_need(salvor_call *call, const char *name, const char **ret_value);

#ifdef __cplusplus
}
#endif

#endif
