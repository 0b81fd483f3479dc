/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An artifact as decoded bytes: gzip members inflated by zlib to the proven end, anything else as
 * it is. Internal to the archive reader.
 */
#ifndef SALVOR_LIB_INFLATE_H
#define SALVOR_LIB_INFLATE_H

#include <salvor/services.h>
#include <stddef.h>
#include <zlib.h>

#define INFLATE_BLOCK 65536u

struct inflate_source {
    salvor_call *call;
    const struct salvor_stream *stream;
    salvor_stream_reader *reader;
    z_stream z;
    int started;        /* the first bytes were seen */
    int gzip;           /* they began a gzip member */
    int z_ready;        /* `z` holds memory */
    int in_member;      /* between a member's header and its trailer */
    int ended;          /* the stream was verified and every member complete */
    uint64_t total;     /* decoded bytes */
    uint64_t zero_tail; /* zero bytes at the end of what was decoded */
    uint64_t total_limit;
    const char *problem; /* constant text; NULL: none, or the host recorded it */
    unsigned char in[INFLATE_BLOCK];
    unsigned char out[INFLATE_BLOCK];
};

/* Starts anew from the beginning of the stream (which the caller rewound). */
salvor_status inflate_begin(struct inflate_source *source);

/* The next decoded block, in source->out or source->in. SALVOR_END: the proven end. */
salvor_status inflate_next(struct inflate_source *source, const void **ret_data, size_t *ret_size);

void inflate_end(struct inflate_source *source);

#endif
