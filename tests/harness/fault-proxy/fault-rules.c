#include "fault-proxy/fault-rules.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char *const names[] = {
    [FAULT_NONE] = "none",
    [FAULT_REFUSE] = "refuse",
    [FAULT_RESET] = "reset",
    [FAULT_CLOSE] = "close",
    [FAULT_STALL] = "stall",
    [FAULT_DELAY] = "delay",
    [FAULT_STATUS] = "status",
    [FAULT_CUT] = "cut",
    [FAULT_DRIP] = "drip",
    [FAULT_BAD_STATUS_LINE] = "bad-status-line",
    [FAULT_BAD_CHUNK] = "bad-chunk",
    [FAULT_SHORT_BODY] = "short-body",
    [FAULT_LONG_BODY] = "long-body",
    [FAULT_OVERSIZED] = "oversized",
    [FAULT_TLS_EXPIRED] = "tls-expired",
    [FAULT_TLS_WRONG_NAME] = "tls-wrong-name",
    [FAULT_TLS_SELF_SIGNED] = "tls-self-signed",
    [FAULT_TLS_CUT] = "tls-cut",
};
enum { FAULT_COUNT = sizeof names / sizeof *names };

const char *fault_name(enum fault fault)
{
    return names[fault];
}

void fault_rules_init(struct fault_rules *rules, uint64_t seed)
{
    *rules = (struct fault_rules){.random_state = seed};
    pthread_mutex_init(&rules->lock, NULL);
}

static void rule_clear(struct fault_rule *rule)
{
    free(rule->method);
    free(rule->path);
    free(rule->site);
}

void fault_rules_clear(struct fault_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        rule_clear(&rules->items[i]);
    free(rules->items);
    pthread_mutex_destroy(&rules->lock);
}

static int take_fault(struct fault_rule *rule, const char *name)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            rule->fault = (enum fault)i;
            return 0;
        }
    return -1;
}

/* "3", "3-5" or "3+" */
static int take_range(struct fault_rule *rule, const char *text)
{
    size_t size = strcspn(text, "-+");
    cleanup_free char *first = text_copy_span(text, size);
    if (text_parse_integer(first, &rule->first) != 0 || rule->first < 1)
        return -1;
    if (text[size] == '\0')
        rule->last = rule->first;
    else if (text[size] == '+')
        return text[size + 1] == '\0' ? 0 : -1;
    else if (text_parse_integer(text + size + 1, &rule->last) != 0 || rule->last < rule->first)
        return -1;
    return 0;
}

static int take_probability(struct fault_rule *rule, const char *text)
{
    char *end;
    rule->probability = strtod(text, &end);
    return end != text && *end == '\0' && rule->probability >= 0 && rule->probability <= 1 ? 0 : -1;
}

static int take_number(const char *text, int64_t limit, int64_t *ret)
{
    return text_parse_integer(text, ret) == 0 && *ret >= 0 && *ret <= limit ? 0 : -1;
}

static int take_pattern(char **slot, const char *text)
{
    free(*slot);
    *slot = text_copy(text);
    return text[0] == '\0' ? -1 : 0;
}

static int take_word(struct fault_rule *rule, const char *key, const char *value)
{
    int64_t number = 0;
    int result = -1;
    if (strcmp(key, "method") == 0)
        return take_pattern(&rule->method, value);
    if (strcmp(key, "path") == 0)
        return take_pattern(&rule->path, value);
    if (strcmp(key, "site") == 0)
        return take_pattern(&rule->site, value);
    if (strcmp(key, "nth") == 0)
        return take_range(rule, value);
    if (strcmp(key, "probability") == 0)
        return take_probability(rule, value);
    if (strcmp(key, "fault") == 0)
        return take_fault(rule, value);
    if (strcmp(key, "bytes") == 0)
        return take_number(value, (int64_t)1 << 40, &rule->bytes);
    if (strcmp(key, "ms") == 0)
        return take_number(value, 24 * 3600 * 1000, &rule->ms);
    if (strcmp(key, "status") == 0) {
        result = take_number(value, 599, &number);
        rule->status = (int)number;
        return number < 200 ? -1 : result;
    }
    if (strcmp(key, "retry-after") == 0) {
        result = take_number(value, 24 * 3600, &number);
        rule->retry_after = (int)number;
    } else if (strcmp(key, "forward") == 0) {
        result = take_number(value, 1, &number);
        rule->forward = (int)number;
    }
    return result;
}

/* What a finished rule must and must not have; NULL or the complaint. */
static const char *complaint(const struct fault_rule *rule)
{
    if (rule->fault == FAULT_NONE)
        return "has no fault";
    if (rule->fault == FAULT_STATUS && rule->status == 0)
        return "needs 'status=N'";
    if (rule->fault >= FAULT_TLS_EXPIRED && (rule->method || rule->path || rule->site))
        return "is about connections, before any method, path or site is known";
    if (rule->forward && rule->fault != FAULT_STATUS && rule->fault != FAULT_RESET &&
        rule->fault != FAULT_CLOSE && rule->fault != FAULT_STALL)
        return "cannot have 'forward': it always has an answer to spoil, or never";
    if (rule->fault == FAULT_DRIP && rule->bytes == 0)
        return "needs 'bytes=N'";
    return NULL;
}

static int parse_line(struct fault_rules *rules, char *text, int line, struct error *reterr)
{
    struct fault_rule rule = {.first = 1, .probability = 1, .retry_after = -1, .line = line};
    char *state, *word;
    int words = 0;
    text[strcspn(text, "#")] = '\0';
    for (word = strtok_r(text, " \t\r", &state); word != NULL;
         word = strtok_r(NULL, " \t\r", &state), words++) {
        char *equal = strchr(word, '=');
        if (equal != NULL)
            *equal = '\0';
        if (equal == NULL || take_word(&rule, word, equal + 1) != 0) {
            error_set(reterr, EXIT_USAGE, "line %d: bad word '%s%s%s'", line, word,
                      equal == NULL ? "" : "=", equal == NULL ? "" : equal + 1);
            rule_clear(&rule);
            return -1;
        }
    }
    if (words == 0)
        return 0;
    const char *wrong = complaint(&rule);
    if (wrong != NULL) {
        error_set(reterr, EXIT_USAGE, "line %d: fault '%s' %s", line, names[rule.fault], wrong);
        rule_clear(&rule);
        return -1;
    }
    rules->items = memory_resize(rules->items, rules->count + 1, sizeof rule);
    rules->items[rules->count++] = rule;
    return 0;
}

int fault_rules_parse(struct fault_rules *rules, const char *text, struct error *reterr)
{
    for (int line = 1; *text != '\0'; line++) {
        size_t size = strcspn(text, "\n");
        cleanup_free char *copy = text_copy_span(text, size);
        if (parse_line(rules, copy, line, reterr) != 0)
            return -1;
        text += size + (text[size] == '\n');
    }
    return 0;
}

static int matches(const char *pattern, const char *text)
{
    return pattern == NULL || (text != NULL && fnmatch(pattern, text, 0) == 0);
}

/* A number in [0, 1) of the seeded generator (splitmix64). */
static double chance(struct fault_rules *rules)
{
    uint64_t value = (rules->random_state += 0x9e3779b97f4a7c15ULL);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return (double)((value ^ (value >> 31)) >> 11) / 9007199254740992.0;
}

struct fault_rule fault_rules_choose(struct fault_rules *rules, const char *method,
                                     const char *path, const char *site)
{
    struct fault_rule chosen = {.fault = FAULT_NONE, .retry_after = -1};
    pthread_mutex_lock(&rules->lock);
    for (size_t i = 0; i < rules->count; i++) {
        struct fault_rule *rule = &rules->items[i];
        if ((rule->fault >= FAULT_TLS_EXPIRED) != (method == NULL) ||
            !matches(rule->method, method) || !matches(rule->path, path) ||
            !matches(rule->site, site))
            continue;
        rule->seen++;
        if (chosen.fault == FAULT_NONE && rule->seen >= rule->first &&
            (rule->last == 0 || rule->seen <= rule->last) &&
            (rule->probability >= 1 || chance(rules) < rule->probability))
            chosen = *rule;
    }
    pthread_mutex_unlock(&rules->lock);
    return chosen;
}
