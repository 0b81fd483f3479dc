/* gzip and zstd as streams: compress into a sink, decompress by pulling, nothing kept in between.
 */
#ifndef SALVOR_SERVICES_CODEC_H
#define SALVOR_SERVICES_CODEC_H

#include <stddef.h>

#include "base/error.h"

enum codec { CODEC_NONE, CODEC_GZIP, CODEC_ZSTD };

/* Takes `size` bytes; -1 with *reterr. */
typedef int (*codec_sink)(void *data, const void *bytes, size_t size, struct error *reterr);

struct encoder;
struct encoder *encoder_new(enum codec codec, codec_sink sink, void *data);
int encoder_write(struct encoder *encoder, const void *bytes, size_t size, struct error *reterr);
/* Writes what is left and the trailer. */
int encoder_end(struct encoder *encoder, struct error *reterr);
void encoder_free(struct encoder *encoder);

struct decoder;
struct decoder *decoder_new(enum codec codec);
/*
 * Decodes from `in` into `out`; what was used and made goes to *ret_used and *ret_made. Members
 * behind each other are one stream, as gunzip and zstd have it. -1 with *reterr for damaged bytes.
 */
int decoder_step(struct decoder *decoder, const void *in, size_t in_size, size_t *ret_used,
                 void *out, size_t out_size, size_t *ret_made, struct error *reterr);
/* 1 when the stream may end here: after a trailer that was checked. */
int decoder_may_end(const struct decoder *decoder);
void decoder_reset(struct decoder *decoder);
void decoder_free(struct decoder *decoder);

#endif
