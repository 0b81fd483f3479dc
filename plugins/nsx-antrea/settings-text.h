/* The settings that interworking keeps as YAML text inside ConfigMaps (facts 2.1): bootstrap.conf,
 * cluster-id.conf. */
#ifndef NSX_ANTREA_SETTINGS_TEXT_H
#define NSX_ANTREA_SETTINGS_TEXT_H

#include <jansson.h>
#include <salvor/types.h>

/*
 * The top-level members as JSON: scalars and lists of scalars as texts, deeper ones left out; owned
 * by the caller. NULL: it is no YAML map, larger than 256 KiB, or there is no memory; `problem`
 * says why.
 */
json_t *settings_read(struct salvor_span text, char *problem, size_t problem_size);

#endif
