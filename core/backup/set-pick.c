#include "backup/set-pick.h"

#include <string.h>

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"

static int is_in_state(const json_t *row, const char *state)
{
    return text_equal(json_text(row, "state"), state);
}

static int is_of_provider(const json_t *row, const struct set_wish *wish)
{
    return wish->provider == NULL || text_equal(json_text(row, "provider"), wish->provider);
}

static int is_of_site(const json_t *row, const struct set_wish *wish)
{
    return wish->site == NULL || text_equal(json_text(row, "site"), wish->site);
}

int set_pick_nothing(const struct set_wish *wish, struct error *reterr)
{
    (void)error_set(reterr, EXIT_USAGE, "there is no backup set '%s'%s%s%s in '%s'", wish->what,
                    wish->provider != NULL ? " of provider '" : "",
                    wish->provider != NULL ? wish->provider : "", wish->provider != NULL ? "'" : "",
                    wish->place);
    return error_hint(
        reterr, "'salvor backups list' shows the sets; a file needs its path ('./%s')", wish->what);
}

/* A damaged set has no readable sequence: it could be the newest of all. */
static int refuse_doubt(const json_t *damaged, const json_t *latest, struct error *reterr)
{
    (void)error_set(reterr, EXIT_REFUSED, "backup set '%s' is damaged and may be the latest",
                    json_text(damaged, "set"));
    (void)error_detail(reterr, "%s", json_text(damaged, "problem"));
    return error_hint(reterr, "the latest that can be read is '%s': name it with '--from %s'",
                      json_text(latest, "set"), json_text(latest, "set"));
}

/* Verify read it to its end: what is known is not found out in the middle of a restore. */
static int refuse_damage(const json_t *latest, struct error *reterr)
{
    (void)error_set(reterr, EXIT_REFUSED,
                    "backup set '%s' is the latest, and verify found that it is damaged",
                    json_text(latest, "set"));
    return error_hint(reterr, "'salvor backups list' shows what verify found: name another one "
                              "with '--from SET', or this one");
}

static int no_latest(const struct set_wish *wish, struct error *reterr)
{
    const char *site = wish->site;
    (void)error_set(reterr, EXIT_USAGE, "there is no backup set of provider '%s'%s%s%s in '%s'",
                    wish->provider, site != NULL ? ", site '" : "", site != NULL ? site : "",
                    site != NULL ? "'" : "", wish->place);
    return error_hint(reterr, "'salvor backups list' shows the sets of all sites; name one with "
                              "'--from SET'");
}

static int pick_latest(const json_t *list, const struct set_wish *wish, const json_t **ret_row,
                       struct error *reterr)
{
    const json_t *latest = NULL;
    size_t index = 0;
    const json_t *row = NULL;
    if (wish->provider == NULL) {
        (void)error_set(reterr, EXIT_USAGE, "the latest set of which provider?");
        return error_hint(reterr, "say it with --provider NAME");
    }
    json_array_foreach (list, index, row) {
        if (latest == NULL && is_in_state(row, "complete") && is_of_provider(row, wish) &&
            is_of_site(row, wish))
            latest = row;
    }
    if (latest == NULL)
        return no_latest(wish, reterr);
    json_array_foreach (list, index, row) {
        /* set names begin with the time of their run */
        if (is_in_state(row, "damaged") && is_of_provider(row, wish) &&
            strcmp(json_text(row, "set"), json_text(latest, "set")) > 0)
            return refuse_doubt(row, latest, reterr);
    }
    if (wish->sound &&
        text_equal(json_text(json_object_get(latest, "verified"), "state"), "damaged"))
        return refuse_damage(latest, reterr);
    *ret_row = latest;
    return 0;
}

int set_pick(const json_t *list, const struct set_wish *wish, const json_t **ret_row,
             struct error *reterr)
{
    size_t index = 0;
    const json_t *row = NULL;
    if (text_equal(wish->what, "latest"))
        return pick_latest(list, wish, ret_row, reterr);
    json_array_foreach (list, index, row) {
        if (!text_equal(json_text(row, "set"), wish->what) || !is_of_provider(row, wish))
            continue;
        if (is_in_state(row, "partial")) {
            (void)error_set(reterr, EXIT_REFUSED, "backup set '%s' was never completed",
                            wish->what);
            return error_hint(reterr, "complete it with 'salvor resume %s', or take another",
                              wish->what);
        }
        *ret_row = row;
        return 0;
    }
    return SET_NOT_THERE;
}
