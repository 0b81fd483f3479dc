#include "engine/facts.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { OBSERVE_DEADLINE_MS = 60000 };

static json_t *names_to_observe(const struct run *run, const json_t *guards)
{
    json_t *names = json_array();
    const char *name = NULL;
    const json_t *fact = NULL;
    json_object_foreach (run->state->facts, name, fact) {
        if (text_equal(json_text(fact, "class"), "identity"))
            json_add(names, json_string(name));
    }
    size_t index = 0;
    json_t *guard = NULL;
    json_array_foreach (guards, index, guard)
        json_add(names, json_incref(guard));
    return names;
}

static int differs(const struct run *run, const char *name, const char *moment,
                   struct error *reterr)
{
    const json_t *frozen = json_object_get(run->state->facts, name);
    const json_t *now = json_object_get(run->observed, name);
    const json_t *before = json_object_get(frozen, "value");
    if (now != NULL && before != NULL && json_equal(now, before))
        return 0;
    cleanup_free char *old_text = before != NULL ? json_canonical(before) : text_copy("absent");
    cleanup_free char *new_text = now != NULL ? json_canonical(now) : text_copy("not to be seen");
    (void)error_set(reterr, EXIT_REFUSED, "%s fact '%s' is no longer what the plan rests on, %s",
                    json_text(frozen, "class") != NULL ? json_text(frozen, "class") : "guard", name,
                    moment);
    (void)error_detail(reterr, "it was %s, now it is %s", old_text, new_text);
    return error_hint(reterr,
                      "find out who changed it; then plan anew from what stands now, or "
                      "put it back and 'salvor resume %s'",
                      run->id);
}

int facts_recheck(struct run *run, const json_t *guards, const char *moment, struct error *reterr)
{
    cleanup_json json_t *names = names_to_observe(run, guards);
    if (json_array_size(names) == 0)
        return 0;
    json_t *body = run_call_body(run, "observe", SALVOR_EFFECT_DECLARED_READ, OBSERVE_DEADLINE_MS);
    json_put(body, "names", json_incref(names));

    cleanup_json json_t *observed = json_object();
    struct client_outcome outcome = {0};
    run->observed = observed;
    int result = run_call(run, body, &outcome, reterr);
    if (result == 0 && (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK)) {
        result = run_outcome_error(&outcome, reterr);
        if (reterr != NULL && reterr->code == EXIT_FAILED)
            reterr->code = EXIT_REFUSED;
        (void)error_prefix(reterr, "cannot look at the identity of the site %s", moment);
    }
    size_t index = 0;
    const json_t *name = NULL;
    if (result == 0) {
        json_array_foreach (names, index, name) {
            result = differs(run, json_string_value(name), moment, reterr);
            if (result != 0)
                break;
        }
    }
    run->observed = NULL;
    error_clear(&outcome.error);
    return result;
}
