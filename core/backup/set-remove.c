#include "backup/set-remove.h"

#include <string.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-list.h"
#include "backup/set-proof.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

/* That what was decided about is still what is there. */
static int check_same(struct store *store, const char *key, const char *digest,
                      struct error *reterr)
{
    cleanup_free char *manifest_key = text_format("%s/" SET_MANIFEST, key);
    cleanup_free char *place = store_place(store, key);
    cleanup_free char *text = NULL;
    char found[DIGEST_TEXT_SIZE] = "";
    size_t size = 0;
    int read = store_read(store, manifest_key, MANIFEST_LIMIT, &text, &size, reterr);
    if (read < 0)
        return -1;
    if (read == 0)
        digest_text_of(text, size, found);
    if (read == STORE_ABSENT || text_equal(found, digest))
        return 0;
    return error_set(reterr, EXIT_REFUSED, "'%s' has changed since it was decided about", place);
}

int set_remove(struct store *store, const char *key, const char *digest, struct error *reterr)
{
    const char *slash = strchr(key, '/');
    cleanup_free char *prefix = text_format("%s/", key);
    if (slash == NULL || check_same(store, key, digest, reterr) != 0)
        return slash != NULL ? -1 : error_set(reterr, EXIT_USAGE, "'%s' is no set", key);
    cleanup_free char *provider = text_copy_span(key, (size_t)(slash - key));
    cleanup_free char *proof = set_proof_key(provider, slash + 1);
    if (store_remove_all(store, prefix, SET_MANIFEST, reterr) != 0)
        return -1;
    return store_remove(store, proof, reterr);
}
