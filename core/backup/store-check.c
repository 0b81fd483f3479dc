#include "backup/store-check.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#define CONTENT "salvor looks whether it may write here; this object can be removed\n"

struct check {
    struct store *store;
    const char *key;
    int seen; /* the object in a listing */
};

static int see(void *data, const char *key, const struct store_info *info, struct error *reterr)
{
    struct check *check = data;
    (void)info;
    (void)reterr;
    check->seen |= text_equal(key, check->key);
    return 0;
}

static int try_list(struct check *check, struct error *reterr)
{
    return store_list(check->store, "", 0, see, check, reterr);
}

static int try_write(struct check *check, struct error *reterr)
{
    return store_put_text(check->store, check->key, CONTENT, reterr);
}

static int try_look(struct check *check, struct error *reterr)
{
    struct store_info info;
    int found = store_head(check->store, check->key, &info, reterr);
    if (found < 0)
        return -1;
    if (found == STORE_ABSENT || info.size != (int64_t)strlen(CONTENT))
        return error_set(reterr, EXIT_FAILED, "what was just written is not there");
    check->seen = 0;
    if (store_list(check->store, "", 0, see, check, reterr) != 0)
        return -1;
    if (!check->seen)
        return error_set(reterr, EXIT_FAILED, "what was just written is not in the listing");
    return 0;
}

static int try_read(struct check *check, struct error *reterr)
{
    cleanup_free char *text = NULL;
    int found = store_read(check->store, check->key, 4096, &text, NULL, reterr);
    if (found < 0)
        return -1;
    if (found == STORE_ABSENT || !text_equal(text, CONTENT))
        return error_set(reterr, EXIT_FAILED, "what was just written comes back as something else");
    return 0;
}

static int try_large(struct check *check, struct error *reterr)
{
    return check->store->operations->probe != NULL
               ? check->store->operations->probe(check->store, check->key, reterr)
               : 0;
}

static int try_remove(struct check *check, struct error *reterr)
{
    struct store_info info;
    if (store_remove(check->store, check->key, reterr) != 0)
        return -1;
    int found = store_head(check->store, check->key, &info, reterr);
    if (found == 0)
        return error_set(reterr, EXIT_FAILED, "what was just removed is still there");
    return found == STORE_ABSENT ? 0 : -1;
}

int store_check(struct store *store, json_t **ret_rows, struct error *reterr)
{
    static const struct {
        const char *name;
        const char *needed_for;
        int (*attempt)(struct check *check, struct error *reterr);
        int needs_object;
    } attempts[] = {
        {"list", "backups list, --from latest", try_list, 0},
        {"write", "backup, recording what verify found", try_write, 0},
        {"look", "backup: what is already there is not sent again", try_look, 1},
        {"read", "restore, validate, verify", try_read, 1},
        {"large", "artifacts of more than one part", try_large, 1},
        {"remove", "prune", try_remove, 1},
    };
    unsigned char random[8];
    char hex[2 * sizeof random + 1];
    cleanup_json json_t *rows = json_array();
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(hex, sizeof hex, random, sizeof random);
    cleanup_free char *key = text_format("salvor-check-%s", hex);
    struct check check = {store, key, 0};
    int written = 0;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        cleanup_error struct error err = ERROR_INIT;
        const int tried = !attempts[i].needs_object || written;
        const int result = tried ? attempts[i].attempt(&check, &err) : -1;
        if (result != 0 && err.code == EXIT_INTERRUPTED)
            return error_move(reterr, &err);
        written |= result == 0 && attempts[i].attempt == try_write;
        json_add(rows, json_make("{s:s, s:s, s:s, s:s?, s:s?}", "check", attempts[i].name,
                                 "needed_for", attempts[i].needed_for, "state",
                                 result == 0 ? "ok"
                                 : tried     ? "failed"
                                             : "not tried",
                                 "problem", err.message, "hint", err.hint));
    }
    *ret_rows = json_incref(rows);
    return 0;
}
