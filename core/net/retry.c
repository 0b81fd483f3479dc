#include "net/retry.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"

const struct retry_rule retry_rule_default = {
    .attempts = RETRY_ATTEMPTS,
    .statuses = {429, 502, 503, 504},
    .first_ms = RETRY_FIRST_MS,
    .most_ms = RETRY_MOST_MS,
    .budget_ms = RETRY_BUDGET_MS,
};

/* ---- the rule -------------------------------------------------------------------------------- */

static int take_number(const char *name, const json_t *value, int64_t least, int64_t most,
                       int64_t *ret, struct error *reterr)
{
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most)
        return error_set(reterr, EXIT_USAGE, "'%s' is not a whole number of %lld to %lld", name,
                         (long long)least, (long long)most);
    *ret = json_integer_value(value);
    return 0;
}

static int take_statuses(const json_t *value, struct retry_rule *rule, struct error *reterr)
{
    uint16_t statuses[RETRY_STATUSES] = {0};
    size_t index = 0;
    json_t *each = NULL;
    if (!json_is_array(value) || json_array_size(value) >= RETRY_STATUSES)
        return error_set(reterr, EXIT_USAGE, "'statuses' is not an array of fewer than %d numbers",
                         RETRY_STATUSES);
    json_array_foreach (value, index, each) {
        int64_t status = 0;
        if (take_number("statuses", each, 400, 599, &status, reterr) != 0)
            return -1;
        statuses[index] = (uint16_t)status;
    }
    memcpy(rule->statuses, statuses, sizeof statuses);
    return 0;
}

static int take_member(const char *name, const json_t *value, struct retry_rule *rule,
                       struct error *reterr)
{
    static const char *const names[] = {"attempts",        "statuses",  "backoff_ms",
                                        "backoff_most_ms", "budget_ms", NULL};
    int64_t number = 0;
    if (text_equal(name, "statuses"))
        return take_statuses(value, rule, reterr);
    if (text_equal(name, "attempts")) {
        if (take_number(name, value, 1, 20, &number, reterr) != 0)
            return -1;
        rule->attempts = (uint32_t)number;
        return 0;
    }
    if (text_equal(name, "backoff_ms"))
        return take_number(name, value, 0, 3600000, &rule->first_ms, reterr);
    if (text_equal(name, "backoff_most_ms"))
        return take_number(name, value, 0, 3600000, &rule->most_ms, reterr);
    if (text_equal(name, "budget_ms"))
        return take_number(name, value, 0, 86400000, &rule->budget_ms, reterr);
    const char *near = text_nearest(name, names);
    (void)error_set(reterr, EXIT_USAGE, "a retry rule has no '%s'", name);
    return near != NULL ? error_hint(reterr, "did you mean '%s'?", near) : -1;
}

int retry_rule_parse(const json_t *options, struct retry_rule *rule, struct error *reterr)
{
    struct retry_rule changed = *rule;
    const char *name = NULL;
    json_t *value = NULL;
    if (options == NULL)
        return 0;
    if (!json_is_object(options))
        return error_set(reterr, EXIT_USAGE, "'retry' is not an object");
    json_object_foreach ((json_t *)(uintptr_t)options, name, value)
        if (take_member(name, value, &changed, reterr) != 0)
            return -1;
    *rule = changed;
    return 0;
}

uint32_t retry_certainty(uint32_t so_far, uint32_t last)
{
    if (last == SALVOR_CERTAINTY_ANSWERED || last == SALVOR_CERTAINTY_SENT)
        return last;
    const int was_sent = so_far == SALVOR_CERTAINTY_SENT || so_far == SALVOR_CERTAINTY_ANSWERED;
    return was_sent ? SALVOR_CERTAINTY_SENT : SALVOR_CERTAINTY_NOT_SENT;
}

/* ---- the decision ---------------------------------------------------------------------------- */

int retry_method_is_repeatable(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", NULL};
    for (size_t i = 0; methods[i] != NULL; i++)
        if (text_equal(method, methods[i]))
            return 1;
    return 0;
}

uint32_t retry_random(void)
{
    return randombytes_random();
}

static int has_status(const struct retry_rule *rule, int32_t code)
{
    for (size_t i = 0; i < RETRY_STATUSES && rule->statuses[i] != 0; i++)
        if (rule->statuses[i] == code)
            return 1;
    return 0;
}

static int is_worth_it(const struct retry_rule *rule, const struct retry_facts *facts)
{
    switch (facts->fault) {
    case NET_FAULT_NONE:
        return has_status(rule, facts->code) && (facts->repeatable || facts->code == 429);
    case NET_FAULT_NAME:
    case NET_FAULT_CONNECT:
    case NET_FAULT_TLS:
    case NET_FAULT_TIMEOUT:
    case NET_FAULT_CUT:
    case NET_FAULT_MALFORMED:
        return facts->repeatable || facts->certainty == SALVOR_CERTAINTY_NOT_SENT;
    default:
        return 0;
    }
}

/* Between half and the whole of first * 2^(n-1), at most most_ms. */
static int64_t back_off(const struct retry_rule *rule, const struct retry_facts *facts)
{
    int64_t whole = rule->first_ms;
    for (uint32_t i = 1; i < facts->attempt && whole < rule->most_ms; i++)
        whole *= 2;
    whole = whole < rule->most_ms ? whole : rule->most_ms;
    return whole - (whole > 1 ? (int64_t)(facts->random % (uint64_t)(whole / 2 + 1)) : 0);
}

int retry_decide(const struct retry_rule *rule, const struct retry_facts *facts,
                 int64_t *ret_delay_ms)
{
    if (facts->attempt >= rule->attempts || !is_worth_it(rule, facts))
        return 0;
    int64_t delay = back_off(rule, facts);
    delay = facts->retry_after_ms > delay ? facts->retry_after_ms : delay;
    /* To wait for what can no longer be tried would only hide the failure for longer. */
    if (facts->spent_ms + delay > rule->budget_ms || delay >= facts->left_ms)
        return 0;
    *ret_delay_ms = delay;
    return 1;
}
