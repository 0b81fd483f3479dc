#include "chunks.h"

#include <salvor/memory.h>

enum { BLOCK_ITEMS = 1024 };

void *chunks_add(struct chunks *chunks)
{
    if (chunks->count == chunks->block_count * BLOCK_ITEMS) {
        void **blocks = salvor_resize(chunks->blocks, (chunks->block_count + 1) * sizeof *blocks);
        if (blocks == NULL)
            return NULL;
        chunks->blocks = blocks;
        blocks[chunks->block_count] = salvor_allocate_zeroed(BLOCK_ITEMS * chunks->item_size);
        if (blocks[chunks->block_count] == NULL)
            return NULL;
        chunks->block_count++;
    }
    return chunks_at(chunks, chunks->count++);
}

void *chunks_at(const struct chunks *chunks, size_t index)
{
    char *block = chunks->blocks[index / BLOCK_ITEMS];
    return block + index % BLOCK_ITEMS * chunks->item_size;
}

size_t chunks_bytes(const struct chunks *chunks)
{
    return chunks->block_count * (BLOCK_ITEMS * chunks->item_size + sizeof(void *));
}

void chunks_clear(struct chunks *chunks)
{
    for (size_t i = 0; i < chunks->block_count; i++)
        salvor_release(chunks->blocks[i]);
    salvor_release(chunks->blocks);
    chunks->blocks = NULL;
    chunks->block_count = chunks->count = 0;
}
