/*
 * The few members of a descriptor's JSON that a listing shows, without building the rest: parsing
 * five whole descriptors would take most of the time of `plugin list`.
 */
#ifndef SALVOR_PLUGIN_NOTE_SKIM_H
#define SALVOR_PLUGIN_NOTE_SKIM_H

#include <jansson.h>
#include <stddef.h>

/*
 * The string members "abi", "name", "summary" and "version" of the JSON object in `text` as a new
 * object owned by the caller; of a member given twice the last counts. NULL when `text` is not
 * exactly one object with balanced brackets and ended strings. What lies in other members is not
 * checked further.
 */
json_t *note_skim(const char *text, size_t size);

#endif
