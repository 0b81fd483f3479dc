/* usage: seal-tool seal RECIPIENT... | seal-tool open KEY-FILE: stdin to stdout, with the program's
 * own code, for comparing with that of others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "seal/seal.h"

static int put(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)data;
    if (fwrite(bytes, 1, size, stdout) != size)
        return error_set(reterr, EXIT_FAILED, "cannot write");
    return 0;
}

static int each_chunk(int (*take)(void *data, const void *bytes, size_t size, struct error *reterr),
                      void *data, struct error *reterr)
{
    char chunk[10000];
    size_t got = 0;
    while ((got = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        if (take(data, chunk, got, reterr) != 0)
            return -1;
    }
    return 0;
}

static int seal_chunk(void *data, const void *bytes, size_t size, struct error *reterr)
{
    return sealer_write(data, bytes, size, reterr);
}

static int unseal_chunk(void *data, const void *bytes, size_t size, struct error *reterr)
{
    return unsealer_write(data, bytes, size, reterr);
}

static int seal_all(int count, char **recipients, struct error *reterr)
{
    unsigned char keys[SEAL_RECIPIENTS_LIMIT][SEAL_KEY_SIZE];
    for (int i = 0; i < count; i++) {
        if (recipient_parse(recipients[i], keys[i], reterr) != 0)
            return -1;
    }
    struct sealer *sealer =
        sealer_new((const unsigned char(*)[SEAL_KEY_SIZE])keys, (size_t)count, put, NULL);
    int result = each_chunk(seal_chunk, sealer, reterr);
    if (result == 0)
        result = sealer_end(sealer, reterr);
    sealer_free(sealer);
    return result;
}

static int open_all(const char *path, struct error *reterr)
{
    cleanup_identity struct identity *identity = identity_new();
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (file_read(path, 65536, &text, &size, reterr) != 0 ||
        identity_add(identity, text, size, path, reterr) != 0)
        return -1;
    struct unsealer *unsealer = unsealer_new(identity, NULL, put, NULL);
    int result = each_chunk(unseal_chunk, unsealer, reterr);
    if (result == 0)
        result = unsealer_end(unsealer, reterr);
    unsealer_free(unsealer);
    return result;
}

int main(int argc, char **argv)
{
    cleanup_error struct error err = ERROR_INIT;
    if (argc < 3 || argc > 2 + SEAL_RECIPIENTS_LIMIT)
        return EXIT_USAGE;
    int result =
        text_equal(argv[1], "seal") ? seal_all(argc - 2, argv + 2, &err) : open_all(argv[2], &err);
    if (result == 0 && fflush(stdout) == 0)
        return EXIT_DONE;
    (void)fprintf(stderr, "seal-tool: %s\n", err.message != NULL ? err.message : "cannot write");
    return EXIT_FAILED;
}
