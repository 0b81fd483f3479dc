#include "backup/set-reader.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"
#include "seal/seal.h"

struct reading {
    struct digest digest;
    int64_t size;
    int64_t expected;          /* size: more is not taken, however much the store gives */
    struct unsealer *unsealer; /* NULL: as it is stored */
    store_sink sink;
    void *data;
    int refused; /* by the sink or the unsealer: that is the error that counts */
};

static int to_sink(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct reading *reading = data;
    return reading->sink != NULL ? reading->sink(reading->data, bytes, size, reterr) : 0;
}

static int take(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct reading *reading = data;
    if ((int64_t)size > reading->expected - reading->size)
        return error_set(reterr, EXIT_BLOCKED, "it has more than %lld bytes",
                         (long long)reading->expected);
    digest_add(&reading->digest, bytes, size);
    reading->size += (int64_t)size;
    if ((reading->unsealer != NULL ? unsealer_write(reading->unsealer, bytes, size, reterr)
                                   : to_sink(reading, bytes, size, reterr)) == 0)
        return 0;
    reading->refused = 1;
    return -1;
}

static int check_stored(struct reading *reading, const json_t *artifact, struct error *reterr)
{
    unsigned char hash[DIGEST_SIZE];
    char sha256[DIGEST_TEXT_SIZE];
    digest_end(&reading->digest, hash);
    digest_text(hash, sha256);
    if (reading->size != reading->expected)
        return error_set(reterr, EXIT_BLOCKED, "it has %lld bytes instead of %lld",
                         (long long)reading->size, (long long)reading->expected);
    if (!text_equal(sha256, json_text(artifact, "sha256")))
        return error_set(reterr, EXIT_BLOCKED, "its SHA-256 is not the recorded one");
    return 0;
}

/* Damage of the content is damage of the artifact; no key is something else. */
static int content_error(struct error *reterr)
{
    if (reterr != NULL && reterr->code == EXIT_FAILED)
        reterr->code = EXIT_BLOCKED;
    return -1;
}

static int read_all(struct reading *reading, struct store *store, const char *key,
                    const json_t *artifact, struct error *reterr)
{
    int found = store_get(store, key, take, reading, reterr);
    if (found == STORE_ABSENT)
        return error_set(reterr, EXIT_BLOCKED, "it is missing");
    if (found != 0)
        return reading->unsealer != NULL && reading->refused ? content_error(reterr) : -1;
    if (check_stored(reading, artifact, reterr) != 0)
        return -1;
    if (reading->unsealer != NULL && unsealer_end(reading->unsealer, reterr) != 0)
        return content_error(reterr);
    return 0;
}

int set_read_artifact(struct store *store, const char *key, const json_t *artifact,
                      enum set_reading how, const struct identity *identity, store_sink sink,
                      void *data, struct error *reterr)
{
    struct reading reading = {
        .expected = json_whole(artifact, "size", 0), .sink = sink, .data = data};
    digest_begin(&reading.digest);
    if (how == READ_OPENED && json_text(artifact, "encryption") != NULL)
        reading.unsealer = unsealer_new(identity, NULL, to_sink, &reading);
    int result = read_all(&reading, store, key, artifact, reterr);
    unsealer_free(reading.unsealer);
    return result;
}
