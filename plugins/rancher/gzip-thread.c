#include "gzip-thread.h"

#include <pthread.h>
#include <string.h>
#include <zlib.h>

#include <salvor/memory.h>

enum { BLOCKS = 4, BLOCK_SIZE = 128 << 10 };

struct block {
    size_t size;
    unsigned char data[BLOCK_SIZE];
};

/* Blocks that one side fills and the other empties, in order. */
struct ring {
    struct block blocks[BLOCKS];
    unsigned filled; /* how often one was, in all */
    unsigned emptied;
};

struct gzip_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ring in;
    struct ring out;
    int ended;    /* nothing more comes in */
    int stopping; /* and nobody wants anything any more */
    int finished; /* all that came in went out */
    int failed;
    int holds; /* a block of `out` is in the taker's hands */
    z_stream z;
    gz_header header;
};

static int is_full(const struct ring *ring)
{
    return ring->filled - ring->emptied == BLOCKS;
}

static int is_empty(const struct ring *ring)
{
    return ring->filled == ring->emptied;
}

/* ---- the thread --------------------------------------------------------------------------------
 */

static void change(struct gzip_thread *gzip)
{
    (void)pthread_cond_broadcast(&gzip->changed);
}

/* The next block to fill; NULL: stopping. */
static struct block *await_room(struct gzip_thread *gzip)
{
    (void)pthread_mutex_lock(&gzip->lock);
    while (is_full(&gzip->out) && !gzip->stopping)
        (void)pthread_cond_wait(&gzip->changed, &gzip->lock);
    struct block *block = gzip->stopping ? NULL : &gzip->out.blocks[gzip->out.filled % BLOCKS];
    (void)pthread_mutex_unlock(&gzip->lock);
    return block;
}

static void hand_out(struct gzip_thread *gzip)
{
    (void)pthread_mutex_lock(&gzip->lock);
    gzip->out.filled++;
    change(gzip);
    (void)pthread_mutex_unlock(&gzip->lock);
}

/* The next block to compress; NULL: there is none any more. */
static const struct block *await_input(struct gzip_thread *gzip)
{
    (void)pthread_mutex_lock(&gzip->lock);
    while (is_empty(&gzip->in) && !gzip->ended && !gzip->stopping)
        (void)pthread_cond_wait(&gzip->changed, &gzip->lock);
    const struct block *block =
        is_empty(&gzip->in) || gzip->stopping ? NULL : &gzip->in.blocks[gzip->in.emptied % BLOCKS];
    (void)pthread_mutex_unlock(&gzip->lock);
    return block;
}

static void let_go(struct gzip_thread *gzip)
{
    (void)pthread_mutex_lock(&gzip->lock);
    gzip->in.emptied++;
    change(gzip);
    (void)pthread_mutex_unlock(&gzip->lock);
}

/* Compresses what z.next_in has into `*block`, handing full ones out. -1: failed or stopping. */
static int compress_all(struct gzip_thread *gzip, struct block **block, int flush)
{
    for (;;) {
        if (*block == NULL) {
            *block = await_room(gzip);
            if (*block == NULL)
                return -1;
            gzip->z.next_out = (*block)->data;
            gzip->z.avail_out = BLOCK_SIZE;
        }
        const int result = deflate(&gzip->z, flush);
        if (result == Z_STREAM_ERROR)
            return -1;
        if (gzip->z.avail_out > 0 && result != Z_STREAM_END)
            return 0;
        (*block)->size = BLOCK_SIZE - gzip->z.avail_out;
        *block = NULL;
        hand_out(gzip);
        if (result == Z_STREAM_END)
            return 0;
    }
}

static void *work(void *data)
{
    struct gzip_thread *gzip = data;
    struct block *block = NULL;
    int result = 0;
    const struct block *input;
    while (result == 0 && (input = await_input(gzip)) != NULL) {
        gzip->z.next_in = (unsigned char *)(uintptr_t)input->data;
        gzip->z.avail_in = (unsigned)input->size;
        result = compress_all(gzip, &block, Z_NO_FLUSH);
        let_go(gzip);
    }
    if (result == 0)
        result = compress_all(gzip, &block, Z_FINISH);
    (void)pthread_mutex_lock(&gzip->lock);
    gzip->finished = 1;
    gzip->failed = result != 0;
    change(gzip);
    (void)pthread_mutex_unlock(&gzip->lock);
    return NULL;
}

/* ---- the other side ----------------------------------------------------------------------------
 */

static int start(struct gzip_thread *gzip)
{
    if (deflateInit2(&gzip->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return -1;
    gzip->header.os = 255;
    if (deflateSetHeader(&gzip->z, &gzip->header) != Z_OK ||
        pthread_mutex_init(&gzip->lock, NULL) != 0)
        goto no_lock;
    if (pthread_cond_init(&gzip->changed, NULL) != 0)
        goto no_condition;
    if (pthread_create(&gzip->thread, NULL, work, gzip) != 0)
        goto no_thread;
    return 0;
no_thread:
    (void)pthread_cond_destroy(&gzip->changed);
no_condition:
    (void)pthread_mutex_destroy(&gzip->lock);
no_lock:
    (void)deflateEnd(&gzip->z);
    return -1;
}

struct gzip_thread *gzip_thread_start(void)
{
    struct gzip_thread *gzip = salvor_allocate_zeroed(sizeof *gzip);
    if (gzip == NULL || start(gzip) == 0)
        return gzip;
    salvor_release(gzip);
    return NULL;
}

int gzip_thread_give(struct gzip_thread *gzip, const void *data, size_t size)
{
    (void)pthread_mutex_lock(&gzip->lock);
    const int room = !is_full(&gzip->in);
    if (room) {
        struct block *block = &gzip->in.blocks[gzip->in.filled % BLOCKS];
        memcpy(block->data, data, size);
        block->size = size;
        gzip->in.filled++;
        change(gzip);
    }
    (void)pthread_mutex_unlock(&gzip->lock);
    return room;
}

void gzip_thread_end(struct gzip_thread *gzip)
{
    (void)pthread_mutex_lock(&gzip->lock);
    gzip->ended = 1;
    change(gzip);
    (void)pthread_mutex_unlock(&gzip->lock);
}

salvor_status gzip_thread_take(struct gzip_thread *gzip, int wait, const void **ret_data,
                               size_t *ret_size)
{
    salvor_status status = SALVOR_PENDING;
    (void)pthread_mutex_lock(&gzip->lock);
    if (gzip->holds) {
        gzip->holds = 0;
        gzip->out.emptied++;
        change(gzip);
    }
    /* waiting makes sense while something will come, or room for more is being made */
    while (wait && is_empty(&gzip->out) && !gzip->finished && (gzip->ended || is_full(&gzip->in)))
        (void)pthread_cond_wait(&gzip->changed, &gzip->lock);
    if (!is_empty(&gzip->out)) {
        const struct block *block = &gzip->out.blocks[gzip->out.emptied % BLOCKS];
        *ret_data = block->data;
        *ret_size = block->size;
        gzip->holds = 1;
        status = SALVOR_OK;
    } else if (gzip->finished) {
        status = gzip->failed ? SALVOR_FAILED : SALVOR_END;
    }
    (void)pthread_mutex_unlock(&gzip->lock);
    return status;
}

void gzip_thread_stop(struct gzip_thread *gzip)
{
    if (gzip == NULL)
        return;
    (void)pthread_mutex_lock(&gzip->lock);
    gzip->stopping = 1;
    change(gzip);
    (void)pthread_mutex_unlock(&gzip->lock);
    (void)pthread_join(gzip->thread, NULL);
    (void)deflateEnd(&gzip->z);
    (void)pthread_cond_destroy(&gzip->changed);
    (void)pthread_mutex_destroy(&gzip->lock);
    salvor_release(gzip);
}
