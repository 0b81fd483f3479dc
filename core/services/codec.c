#include "services/codec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/banned.h"
#include "base/text.h"

enum { CHUNK = 65536, GZIP_WINDOW = 15 + 16, ZSTD_LEVEL = 3 };

/* ---- compress -------------------------------------------------------------------------------- */

struct encoder {
    enum codec codec;
    codec_sink sink;
    void *data;
    z_stream gzip;
    ZSTD_CStream *zstd;
    unsigned char chunk[CHUNK];
};

struct encoder *encoder_new(enum codec codec, codec_sink sink, void *data)
{
    struct encoder *encoder = memory_new(1, sizeof *encoder);
    encoder->codec = codec;
    encoder->sink = sink;
    encoder->data = data;
    if (codec == CODEC_GZIP && deflateInit2(&encoder->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                            GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        out_of_memory();
    if (codec == CODEC_ZSTD) {
        encoder->zstd = ZSTD_createCStream();
        if (encoder->zstd == NULL)
            out_of_memory();
        (void)ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        (void)ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_checksumFlag, 1);
    }
    return encoder;
}

void encoder_free(struct encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->codec == CODEC_GZIP)
        (void)deflateEnd(&encoder->gzip);
    (void)ZSTD_freeCStream(encoder->zstd);
    free(encoder);
}

static int deflate_all(struct encoder *encoder, const void *bytes, size_t size, int flush,
                       struct error *reterr)
{
    z_stream *gzip = &encoder->gzip;
    const unsigned char *next = bytes;
    do {
        uInt part = size > UINT_MAX / 2 ? UINT_MAX / 2 : (uInt)size;
        gzip->next_in = (unsigned char *)(uintptr_t)next;
        gzip->avail_in = part;
        next += part;
        size -= part;
        do {
            gzip->next_out = encoder->chunk;
            gzip->avail_out = CHUNK;
            if (deflate(gzip, size == 0 ? flush : Z_NO_FLUSH) == Z_STREAM_ERROR)
                return error_set(reterr, EXIT_FAILED, "gzip compression failed");
            if (encoder->sink(encoder->data, encoder->chunk, CHUNK - gzip->avail_out, reterr) != 0)
                return -1;
        } while (gzip->avail_out == 0);
    } while (size > 0);
    return 0;
}

static int zstd_all(struct encoder *encoder, const void *bytes, size_t size,
                    ZSTD_EndDirective directive, struct error *reterr)
{
    ZSTD_inBuffer in = {bytes, size, 0};
    for (;;) {
        ZSTD_outBuffer out = {encoder->chunk, CHUNK, 0};
        size_t left = ZSTD_compressStream2(encoder->zstd, &out, &in, directive);
        if (ZSTD_isError(left))
            return error_set(reterr, EXIT_FAILED, "zstd compression failed: %s",
                             ZSTD_getErrorName(left));
        if (encoder->sink(encoder->data, encoder->chunk, out.pos, reterr) != 0)
            return -1;
        if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size)
            return 0;
    }
}

int encoder_write(struct encoder *encoder, const void *bytes, size_t size, struct error *reterr)
{
    if (encoder->codec == CODEC_GZIP)
        return deflate_all(encoder, bytes, size, Z_NO_FLUSH, reterr);
    if (encoder->codec == CODEC_ZSTD)
        return zstd_all(encoder, bytes, size, ZSTD_e_continue, reterr);
    return encoder->sink(encoder->data, bytes, size, reterr);
}

int encoder_end(struct encoder *encoder, struct error *reterr)
{
    if (encoder->codec == CODEC_GZIP)
        return deflate_all(encoder, "", 0, Z_FINISH, reterr);
    if (encoder->codec == CODEC_ZSTD)
        return zstd_all(encoder, "", 0, ZSTD_e_end, reterr);
    return 0;
}

/* ---- decompress ------------------------------------------------------------------------------ */

struct decoder {
    enum codec codec;
    z_stream gzip;
    ZSTD_DStream *zstd;
    int at_end; /* of a member, its trailer checked */
};

struct decoder *decoder_new(enum codec codec)
{
    struct decoder *decoder = memory_new(1, sizeof *decoder);
    decoder->codec = codec;
    if (codec == CODEC_GZIP && inflateInit2(&decoder->gzip, GZIP_WINDOW) != Z_OK)
        out_of_memory();
    if (codec == CODEC_ZSTD && (decoder->zstd = ZSTD_createDStream()) == NULL)
        out_of_memory();
    decoder->at_end = codec == CODEC_NONE;
    return decoder;
}

void decoder_reset(struct decoder *decoder)
{
    if (decoder->codec == CODEC_GZIP)
        (void)inflateReset(&decoder->gzip);
    if (decoder->codec == CODEC_ZSTD)
        (void)ZSTD_DCtx_reset(decoder->zstd, ZSTD_reset_session_only);
    decoder->at_end = decoder->codec == CODEC_NONE;
}

void decoder_free(struct decoder *decoder)
{
    if (decoder == NULL)
        return;
    if (decoder->codec == CODEC_GZIP)
        (void)inflateEnd(&decoder->gzip);
    (void)ZSTD_freeDStream(decoder->zstd);
    free(decoder);
}

int decoder_may_end(const struct decoder *decoder)
{
    return decoder->at_end;
}

static int inflate_step(struct decoder *decoder, const void *in, size_t in_size, size_t *ret_used,
                        void *out, size_t out_size, size_t *ret_made, struct error *reterr)
{
    z_stream *gzip = &decoder->gzip;
    if (decoder->at_end && in_size > 0) {
        (void)inflateReset(gzip);
        decoder->at_end = 0;
    }
    if (decoder->at_end)
        return 0;
    gzip->next_in = (unsigned char *)(uintptr_t)in;
    gzip->avail_in = (uInt)in_size;
    gzip->next_out = out;
    gzip->avail_out = (uInt)out_size;
    int result = inflate(gzip, Z_NO_FLUSH);
    *ret_used = in_size - gzip->avail_in;
    *ret_made = out_size - gzip->avail_out;
    if (result == Z_STREAM_END)
        decoder->at_end = 1;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return error_set(reterr, EXIT_FAILED, "the gzip data is damaged: %s",
                         gzip->msg != NULL ? gzip->msg : "it needs a dictionary");
    return 0;
}

static int zstd_step(struct decoder *decoder, const void *in, size_t in_size, size_t *ret_used,
                     void *out, size_t out_size, size_t *ret_made, struct error *reterr)
{
    ZSTD_inBuffer from = {in, in_size, 0};
    ZSTD_outBuffer to = {out, out_size, 0};
    if (decoder->at_end && in_size == 0)
        return 0;
    size_t result = ZSTD_decompressStream(decoder->zstd, &to, &from);
    if (ZSTD_isError(result))
        return error_set(reterr, EXIT_FAILED, "the zstd data is damaged: %s",
                         ZSTD_getErrorName(result));
    *ret_used = from.pos;
    *ret_made = to.pos;
    /* Without input and output nothing was decided about the end. */
    if (from.pos > 0 || to.pos > 0)
        decoder->at_end = result == 0;
    return 0;
}

int decoder_step(struct decoder *decoder, const void *in, size_t in_size, size_t *ret_used,
                 void *out, size_t out_size, size_t *ret_made, struct error *reterr)
{
    *ret_used = 0;
    *ret_made = 0;
    if (in_size > (size_t)CHUNK * 16)
        in_size = (size_t)CHUNK * 16;
    if (out_size > (size_t)CHUNK * 16)
        out_size = (size_t)CHUNK * 16;
    if (decoder->codec == CODEC_GZIP)
        return inflate_step(decoder, in, in_size, ret_used, out, out_size, ret_made, reterr);
    if (decoder->codec == CODEC_ZSTD)
        return zstd_step(decoder, in, in_size, ret_used, out, out_size, ret_made, reterr);
    *ret_used = *ret_made = in_size < out_size ? in_size : out_size;
    if (*ret_used > 0)
        memcpy(out, in, *ret_used);
    return 0;
}
