#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "gzip-thread.h"

enum { CHUNK = 100000 };

/* Collects what is ready. */
static salvor_status take_all(struct gzip_thread *gzip, int wait, char **data, size_t *size)
{
    for (;;) {
        const void *block = NULL;
        size_t block_size = 0;
        const salvor_status status = gzip_thread_take(gzip, wait, &block, &block_size);
        if (status != SALVOR_OK)
            return status;
        *data = realloc(*data, *size + block_size);
        assert_non_null(*data);
        memcpy(*data + *size, block, block_size);
        *size += block_size;
    }
}

static void gives_back_what_it_got(void **state)
{
    static char chunk[CHUNK];
    static char back[CHUNK * 30];
    const size_t counts[] = {0, 1, 30};
    (void)state;
    for (size_t c = 0; c < 3; c++) {
        struct gzip_thread *gzip = gzip_thread_start();
        char *data = NULL;
        size_t size = 0;
        uint32_t random = 1;
        assert_non_null(gzip);
        for (size_t i = 0; i < counts[c]; i++) {
            for (size_t j = 0; j < CHUNK; j++) {
                random = random * 1664525u + 1013904223u;
                chunk[j] = (char)(random >> 28);
            }
            while (!gzip_thread_give(gzip, chunk, CHUNK))
                (void)take_all(gzip, 1, &data, &size);
        }
        gzip_thread_end(gzip);
        assert_int_equal(take_all(gzip, 1, &data, &size), SALVOR_END);
        gzip_thread_stop(gzip);
        /* the operator's header: no name, no time, no system */
        assert_memory_equal(data, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
        z_stream z;
        memset(&z, 0, sizeof z);
        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        z.next_in = (Bytef *)data;
        z.avail_in = (uInt)size;
        z.next_out = (Bytef *)back;
        z.avail_out = sizeof back;
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, counts[c] * CHUNK);
        assert_int_equal(z.avail_in, 0);
        if (counts[c] > 0)
            assert_memory_equal(back + (counts[c] - 1) * CHUNK, chunk, CHUNK);
        (void)inflateEnd(&z);
        free(data);
    }
}

static void stops_in_the_middle(void **state)
{
    static char chunk[CHUNK];
    (void)state;
    for (int blocks = 0; blocks < 8; blocks++) {
        struct gzip_thread *gzip = gzip_thread_start();
        for (int i = 0; i < blocks; i++)
            (void)gzip_thread_give(gzip, chunk, CHUNK);
        gzip_thread_stop(gzip);
    }
    gzip_thread_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_it_got),
        cmocka_unit_test(stops_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
