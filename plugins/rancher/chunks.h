/* A list of millions of small items in blocks: it grows without being copied. */
#ifndef SALVOR_RANCHER_CHUNKS_H
#define SALVOR_RANCHER_CHUNKS_H

#include <stddef.h>

struct chunks {
    void **blocks;
    size_t block_count;
    size_t count;
    size_t item_size; /* set by the owner before the first item */
};

/* A new zeroed item at the end; NULL: no memory. It stays where it is. */
void *chunks_add(struct chunks *chunks);
void *chunks_at(const struct chunks *chunks, size_t index);
size_t chunks_bytes(const struct chunks *chunks);
void chunks_clear(struct chunks *chunks);

#endif
