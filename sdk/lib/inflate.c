/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "inflate.h"

#include <salvor/memory.h>

#include <stdint.h>
#include <string.h>

static void *z_allocate(void *opaque, unsigned count, unsigned size)
{
    (void)opaque;
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return salvor_allocate_zeroed((size_t)count * size);
}

static void z_release(void *opaque, void *memory)
{
    (void)opaque;
    salvor_release(memory);
}

static salvor_status broken(struct inflate_source *source, const char *problem)
{
    source->problem = problem;
    return SALVOR_FAILED;
}

salvor_status inflate_begin(struct inflate_source *source)
{
    source->started = source->gzip = source->in_member = source->ended = 0;
    source->total = source->zero_tail = 0;
    source->problem = NULL;
    if (source->z_ready) {
        if (inflateReset(&source->z) != Z_OK)
            return broken(source, "zlib cannot start again");
        source->z.avail_in = 0;
        return SALVOR_OK;
    }
    memset(&source->z, 0, sizeof source->z);
    source->z.zalloc = z_allocate;
    source->z.zfree = z_release;
    /* 15 + 16: gzip only, with its checksum and length verified. */
    if (inflateInit2(&source->z, 15 + 16) != Z_OK)
        return broken(source, "no memory");
    source->z_ready = 1;
    return SALVOR_OK;
}

/* More input. SALVOR_END: the stream is at its verified end. */
static salvor_status refill(struct inflate_source *source)
{
    uint64_t size = 0;
    const salvor_status status =
        source->stream->read(source->call, source->reader, source->in, sizeof source->in, &size);
    if (status != SALVOR_OK)
        return status;
    source->z.next_in = source->in;
    source->z.avail_in = (unsigned)size;
    return SALVOR_OK;
}

static salvor_status give(struct inflate_source *source, const unsigned char *data, size_t size,
                          const void **ret_data, size_t *ret_size)
{
    size_t zeros = 0;
    while (zeros < size && data[size - 1 - zeros] == 0)
        zeros++;
    source->zero_tail = zeros == size ? source->zero_tail + zeros : zeros;
    source->total += size;
    if (source->total > source->total_limit)
        return broken(source, "it unpacks to more than the limit");
    *ret_data = data;
    *ret_size = size;
    return SALVOR_OK;
}

static salvor_status next_inflated(struct inflate_source *source, const void **ret_data,
                                   size_t *ret_size)
{
    source->z.next_out = source->out;
    source->z.avail_out = sizeof source->out;
    while (source->z.avail_out > 0) {
        if (source->z.avail_in == 0) {
            const salvor_status status = refill(source);
            if (status == SALVOR_END) {
                if (source->in_member)
                    return broken(source, "the gzip data are cut off");
                source->ended = 1;
                break;
            }
            if (status != SALVOR_OK)
                return status;
            if (source->z.avail_in == 0)
                continue;
        }
        if (!source->in_member) {
            if (inflateReset(&source->z) != Z_OK)
                return broken(source, "zlib cannot start again");
            source->in_member = 1;
        }
        switch (inflate(&source->z, Z_NO_FLUSH)) {
        case Z_OK:
        case Z_BUF_ERROR: /* wants more input or output, which the loop gives */
            break;
        case Z_STREAM_END:
            source->in_member = 0;
            break;
        case Z_MEM_ERROR:
            return broken(source, "no memory");
        default:
            return broken(source, source->z.msg != NULL ? source->z.msg : "bad gzip data");
        }
    }
    const size_t size = sizeof source->out - source->z.avail_out;
    if (size == 0)
        return SALVOR_END;
    return give(source, source->out, size, ret_data, ret_size);
}

static salvor_status next_plain(struct inflate_source *source, const void **ret_data,
                                size_t *ret_size)
{
    while (source->z.avail_in == 0) {
        const salvor_status status = refill(source);
        if (status == SALVOR_END)
            source->ended = 1;
        if (status != SALVOR_OK)
            return status;
    }
    const size_t size = source->z.avail_in;
    source->z.avail_in = 0;
    return give(source, source->in, size, ret_data, ret_size);
}

/* Decides by the two magic bytes of gzip, which may come in two reads. */
static salvor_status look(struct inflate_source *source)
{
    unsigned have = 0;
    while (have < 2) {
        uint64_t size = 0;
        const salvor_status status = source->stream->read(
            source->call, source->reader, source->in + have, sizeof source->in - have, &size);
        if (status == SALVOR_END)
            break;
        if (status != SALVOR_OK)
            return status;
        have += (unsigned)size;
    }
    source->z.next_in = source->in;
    source->z.avail_in = have;
    source->gzip = have >= 2 && source->in[0] == 0x1f && source->in[1] == 0x8b;
    source->started = 1;
    return SALVOR_OK;
}

salvor_status inflate_next(struct inflate_source *source, const void **ret_data, size_t *ret_size)
{
    if (source->problem != NULL)
        return SALVOR_FAILED;
    if (source->ended)
        return SALVOR_END;
    if (!source->started) {
        const salvor_status status = look(source);
        if (status != SALVOR_OK)
            return status;
    }
    return source->gzip ? next_inflated(source, ret_data, ret_size)
                        : next_plain(source, ret_data, ret_size);
}

void inflate_end(struct inflate_source *source)
{
    if (source->z_ready)
        (void)inflateEnd(&source->z);
    source->z_ready = 0;
}
