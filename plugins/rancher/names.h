/* Texts numbered from 0, each kept once. */
#ifndef SALVOR_RANCHER_NAMES_H
#define SALVOR_RANCHER_NAMES_H

#include <salvor/types.h>
#include <stddef.h>

#define NAME_NONE UINT32_MAX /* no such text, or no memory */

struct names {
    char **texts;
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots; /* number + 1 of the text, 0: free */
    uint32_t slot_count;
    uint64_t bytes; /* of memory */
};

/* Number of the text, which is added when it is new. */
uint32_t names_add(struct names *names, struct salvor_span text);
uint32_t names_find(const struct names *names, struct salvor_span text);
const char *names_text(const struct names *names, uint32_t number);
void names_clear(struct names *names);

#endif
