#include "engine/approval.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/lease.h"
#include "engine/policy.h"
#include "plugin/vocabulary.h"

static int was_approved_by_hash(const json_t *hashes, const char *hash)
{
    size_t index = 0;
    const json_t *given = NULL;
    json_array_foreach (hashes, index, given) {
        if (text_equal(json_string_value(given), hash))
            return 1;
    }
    return 0;
}

static int ask_person(const struct run *run, uint32_t effect)
{
    const json_t *body = json_object_get(run->state->plan, "body");
    cleanup_free char *question =
        text_format("run stage '%s' of '%s' (%zu step%s, up to %s)?", json_text(body, "stage"),
                    json_text(body, "procedure"), run->state->step_count,
                    run->state->step_count == 1 ? "" : "s", word_for(words_effect, effect));
    if (effect < SALVOR_EFFECT_DESTRUCTIVE)
        return run->ui.ask != NULL ? run->ui.ask(run->ui.data, question) : -1;
    cleanup_free char *strict = text_format("%s type 'yes' to go on", question);
    return run->ui.ask_text != NULL ? run->ui.ask_text(run->ui.data, strict, "yes") : -1;
}

static int nobody_approved(const struct run *run, const struct approval_means *means, int asked,
                           const char *policy_why, struct error *reterr)
{
    const char *hash = run_state_plan_hash(run->state);
    const json_t *body = json_object_get(run->state->plan, "body");
    (void)error_set(reterr, EXIT_WAITS, "run '%s' waits for approval of stage '%s'", run->id,
                    json_text(body, "stage"));
    if (asked == 0)
        (void)error_detail(reterr, "the answer was no; nothing of this stage was changed");
    else if (policy_why != NULL)
        (void)error_detail(reterr, "the policy does not cover it: %s", policy_why);
    else if (json_array_size(means->hashes) > 0)
        (void)error_detail(reterr,
                           "the plan that was approved is another one than what was planned now");
    return error_hint(reterr, "read the plan, then 'salvor resume %s --approve %s'", run->id, hash);
}

int approval_obtain(struct run *run, const struct approval_means *means, struct error *reterr)
{
    const char *hash = run_state_plan_hash(run->state);
    const json_t *body = json_object_get(run->state->plan, "body");
    uint32_t effect = plan_effect(body);
    cleanup_free char *policy_why = NULL;
    const char *by = NULL;
    const char *policy_sha256 = NULL;
    int asked = -1;

    const char *before = json_text(run->state->plan, "approved_by");
    int named = was_approved_by_hash(means->hashes, hash);
    if (run->state->approved && (!named || text_equal(before, "hash")))
        return 0;
    if (effect < SALVOR_EFFECT_CHANGE) {
        by = "not-needed";
    } else if (named) {
        by = "hash";
    } else if (means->policy != NULL && policy_covers(means->policy, body, &policy_why)) {
        by = "policy";
        policy_sha256 = means->policy_sha256;
    } else if (means->yes) {
        by = "yes"; /* irreversible steps still ask for themselves */
    } else {
        asked = ask_person(run, effect);
        by = asked == 1 ? "prompt" : NULL;
    }
    if (run_interrupted(run))
        return run_interrupted_error(run, reterr);
    if (by == NULL)
        return nobody_approved(run, means, asked, policy_why, reterr);
    if (run_record(run, "approval",
                   json_make("{s:s, s:s, s:s, s:s, s:s?}", "hash", hash, "stage",
                             json_text(body, "stage"), "by", by, "who", run_who(run),
                             "policy_sha256", policy_sha256),
                   JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point("-", "approval-committed");
    if (effect >= SALVOR_EFFECT_CHANGE) {
        char head[DIGEST_TEXT_SIZE];
        journal_head(run->journal, head);
        lease_put_head(run, head);
        run_log(run, SALVOR_LOG_INFO, "approved by %s; journal head %s", by, head);
    }
    return 0;
}
