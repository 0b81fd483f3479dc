#include "wire/frame-rules.h"

#include <ctype.h>

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"

enum { MEMBER_LIMIT = 8 };

/* kind: s text, n count (integer, not negative), b boolean, o object, a array of texts, c fact
 * class, v severity, * anything; in capitals it may be null or absent. */
struct member {
    const char *key;
    char kind;
};

struct rule {
    enum frame_type type;
    const char *what; /* of a PLAN frame: its "do" */
    struct member members[MEMBER_LIMIT];
};

static const struct rule rules[] = {
    {FRAME_READY, NULL, {{"descriptor", 'O'}, {"build_id", 's'}}},
    {FRAME_REFUSED, NULL, {{"message", 's'}, {"detail", 'S'}, {"hint", 'S'}}},
    {FRAME_LOG, NULL, {{"level", 'n'}, {"text", 's'}}},
    {FRAME_PROGRESS, NULL, {{"done", 'n'}, {"total", 'n'}, {"what", 's'}}},
    {FRAME_ITEM, NULL, {{"kind", 's'}, {"name", 's'}, {"details", 'o'}}},
    {FRAME_FACT, NULL, {{"name", 's'}, {"class", 'c'}, {"value", '*'}}},
    {FRAME_FINDING, NULL, {{"id", 's'}, {"severity", 'v'}, {"object", 's'}, {"detail", 's'}}},
    {FRAME_PLAN, "decide", {{"procedure", 's'}, {"reason", 's'}}},
    {FRAME_PLAN, "rule_out", {{"procedure", 's'}, {"reason", 's'}}},
    {FRAME_PLAN, "fact", {{"name", 's'}, {"class", 'c'}, {"value", '*'}}},
    {FRAME_PLAN,
     "step",
     {{"row", 's'},
      {"target", 's'},
      {"parameters", 'o'},
      {"guards", 'a'},
      {"consequence", 'S'},
      {"confirmation", 'S'}}},
    {FRAME_PLAN, "objects", {{"index", 'n'}, {"names", 'a'}}},
    {FRAME_PLAN, "next_stage", {{"stage", 's'}}},
    {FRAME_NOTE, NULL, {{"text", 's'}}},
    {FRAME_RESULT, NULL, {{NULL, 0}}},
    {FRAME_ARTIFACT,
     NULL,
     {{"name", 's'},
      {"media_type", 's'},
      {"size", 'n'},
      {"sha256", 's'},
      {"sensitive", 'b'},
      {"encryption", 'S'},
      {"left_out", 'B'}}},
    {FRAME_EVIDENCE, NULL, {{"service", 's'}, {"what", 's'}, {"duration_ms", 'n'}}},
    {FRAME_LEDGER, NULL, {{"name", 's'}, {"entries", 'n'}, {"sha256", 's'}}},
    {FRAME_REQUEST, NULL, {{"serial", 'n'}, {"ask", 's'}}},
    {FRAME_STATE, NULL, {{"serial", 'n'}, {"state", 'o'}}},
    {FRAME_DONE, NULL, {{"status", 'n'}, {"answer", 'N'}, {"error", 'O'}}},
};

enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

static int is_text_array(const json_t *value)
{
    size_t index = 0;
    const json_t *entry = NULL;
    if (!json_is_array(value))
        return 0;
    json_array_foreach (value, index, entry) {
        if (!json_is_string(entry))
            return 0;
    }
    return 1;
}

static int is_one_of(const json_t *value, const char *a, const char *b, const char *c)
{
    const char *text = json_string_value(value);
    return text != NULL && (text_equal(text, a) || text_equal(text, b) || text_equal(text, c));
}

static int is_of_kind(const json_t *value, int kind)
{
    switch (kind) {
    case 's':
        return json_is_string(value);
    case 'n':
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case 'b':
        return json_is_boolean(value);
    case 'o':
        return json_is_object(value);
    case 'a':
        return is_text_array(value);
    case 'c':
        return is_one_of(value, "identity", "guard", "info");
    case 'v':
        return is_one_of(value, "info", "warning", "blocker");
    default:
        return value != NULL;
    }
}

static int fits(const json_t *value, char kind)
{
    if (isupper((unsigned char)kind) && (value == NULL || json_is_null(value)))
        return 1;
    return is_of_kind(value, tolower((unsigned char)kind));
}

/* What is inside the error of a DONE frame. */
static int check_error_member(const json_t *body, struct error *reterr)
{
    const json_t *failure = json_object_get(body, "error");
    if (!json_is_object(failure) || (fits(json_object_get(failure, "message"), 's') &&
                                     fits(json_object_get(failure, "detail"), 'S') &&
                                     fits(json_object_get(failure, "hint"), 'S')))
        return 0;
    return error_set(reterr, EXIT_FAILED, "a 'done' frame with a broken 'error'");
}

static int check_members(const struct rule *rule, const json_t *body, struct error *reterr)
{
    for (size_t i = 0; i < MEMBER_LIMIT && rule->members[i].key != NULL; i++) {
        const struct member *member = &rule->members[i];
        if (!fits(json_object_get(body, member->key), member->kind))
            return error_set(reterr, EXIT_FAILED, "a '%s' frame without a sound '%s'",
                             frame_type_name(rule->type), member->key);
    }
    return rule->type == FRAME_DONE ? check_error_member(body, reterr) : 0;
}

int frame_check(enum frame_type type, const json_t *body, struct error *reterr)
{
    const char *what = type == FRAME_PLAN ? json_text(body, "do") : NULL;
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (rules[i].type == type && text_equal(rules[i].what, what))
            return check_members(&rules[i], body, reterr);
    }
    if (type == FRAME_PLAN)
        return error_set(reterr, EXIT_FAILED, "a 'plan' frame that does '%s'",
                         what != NULL ? what : "");
    return error_set(reterr, EXIT_FAILED, "a '%s' frame, which a worker never sends",
                     frame_type_name(type));
}
