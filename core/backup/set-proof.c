#include "backup/set-proof.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum { PROOF_FORMAT = 1 };

char *set_proof_key(const char *provider, const char *set)
{
    return text_format("%s/.verified/%s.json", provider, set);
}

int set_proof_record(struct store *store, const json_t *verification, struct error *reterr)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), now);
    cleanup_json json_t *proof = json_make(
        "{s:i, s:O?, s:O?, s:O?, s:O?, s:s, s:s, s:I}", "salvor-proof", PROOF_FORMAT, "set",
        json_object_get(verification, "set"), "digest", json_object_get(verification, "digest"),
        "state", json_object_get(verification, "state"), "read",
        json_object_get(verification, "read"), "at", now, "salvor", SALVOR_VERSION, "problems",
        (json_int_t)json_whole(verification, "problem_count", 0));
    cleanup_free char *key =
        set_proof_key(json_text(verification, "provider"), json_text(verification, "set"));
    cleanup_free char *text = json_dumps(proof, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text == NULL)
        out_of_memory();
    return store_put_text(store, key, text, reterr);
}

json_t *set_proof_of(const char *text, const char *digest)
{
    cleanup_json json_t *proof =
        text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_whole(proof, "salvor-proof", 0) != PROOF_FORMAT ||
        !text_equal(json_text(proof, "digest"), digest) || json_text(proof, "state") == NULL)
        return json_null();
    return json_make("{s:O, s:O?, s:O?, s:O?}", "state", json_object_get(proof, "state"), "read",
                     json_object_get(proof, "read"), "at", json_object_get(proof, "at"), "problems",
                     json_object_get(proof, "problems"));
}
