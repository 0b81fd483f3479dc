#include "resource-set.h"

#include <string.h>

#include <salvor/memory.h>
#include <salvor/report.h>
#include <salvor/scan.h>

static const char *const pattern_names[SELECTOR_PATTERNS] = {
    [PATTERN_KINDS] = "kindsRegexp",
    [PATTERN_NAME] = "resourceNameRegexp",
    [PATTERN_EXCLUDE_NAME] = "excludeResourceNameRegexp",
    [PATTERN_NAMESPACE] = "namespaceRegexp",
};

const char *selector_pattern_name(enum selector_pattern pattern)
{
    return pattern_names[pattern];
}

/* ---- reading ----------------------------------------------------------------------------- */

static salvor_status read_selector(salvor_call *call, const json_t *json, struct selector *selector)
{
    const char *api_version = json_string_value(json_object_get(json, "apiVersion"));
    selector->json = json;
    selector->api_version = api_version != NULL ? api_version : "";
    const char *slash = strchr(selector->api_version, '/');
    selector->version = slash != NULL ? slash + 1 : selector->api_version;
    selector->group = salvor_copy_bytes(
        selector->api_version, slash != NULL ? (size_t)(slash - selector->api_version) : 0);
    if (selector->group == NULL)
        return salvor_fail_memory(call, "a resource selector");
    for (size_t i = 0; i < SELECTOR_PATTERNS; i++) {
        const char *text = json_string_value(json_object_get(json, pattern_names[i]));
        if (text == NULL || *text == '\0')
            continue;
        selector->patterns[i].text = text;
        selector->patterns[i].status =
            go_regex_compile(text, &selector->patterns[i].regex, selector->patterns[i].problem);
        if (selector->patterns[i].status == SALVOR_FAILED)
            return salvor_fail_memory(call, "a resource selector");
    }
    return SALVOR_OK;
}

static salvor_status read_selectors(salvor_call *call, struct resource_set *set)
{
    const json_t *list = json_object_get(set->json, "resourceSelectors");
    const size_t count = json_array_size(list);
    set->selectors = salvor_allocate_zeroed((count + 1) * sizeof *set->selectors);
    if (set->selectors == NULL)
        return salvor_fail_memory(call, "the resource selectors");
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        if (!json_is_object(one))
            return salvor_fail(call, SALVOR_FAILED, NULL, "resource selector %zu is no object", i);
        set->selector_count++;
        SALVOR_TRY(read_selector(call, one, &set->selectors[i]));
    }
    return SALVOR_OK;
}

static salvor_status read_controllers(salvor_call *call, struct resource_set *set)
{
    const json_t *list = json_object_get(set->json, "controllerReferences");
    const size_t count = json_array_size(list);
    set->controllers = salvor_allocate_zeroed((count + 1) * sizeof *set->controllers);
    if (set->controllers == NULL)
        return salvor_fail_memory(call, "the controller references");
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        struct controller_reference *controller = &set->controllers[i];
        SALVOR_TRY(salvor_json_need(call, one, "/apiVersion", "a controller reference",
                                    &controller->api_version));
        SALVOR_TRY(salvor_json_need(call, one, "/resource", "a controller reference",
                                    &controller->resource));
        SALVOR_TRY(
            salvor_json_need(call, one, "/name", "a controller reference", &controller->name));
        controller->ns = salvor_json_text(one, "/namespace", "");
        set->controller_count++;
    }
    return SALVOR_OK;
}

static salvor_status read_set(salvor_call *call, struct salvor_span json, struct resource_set *set)
{
    SALVOR_TRY(salvor_json_parse(call, json, "the ResourceSet", &set->json));
    const json_t *selectors = json_object_get(set->json, "resourceSelectors");
    if (!json_is_object(set->json) ||
        (selectors != NULL && !json_is_array(selectors) && !json_is_null(selectors)))
        return salvor_fail(call, SALVOR_FAILED, NULL, "it is no ResourceSet");
    set->name = salvor_json_text(set->json, "/metadata/name", "");
    SALVOR_TRY(read_selectors(call, set));
    return read_controllers(call, set);
}

salvor_status resource_set_read(salvor_call *call, struct salvor_span json,
                                struct resource_set **ret_set)
{
    struct resource_set *set = salvor_allocate_zeroed(sizeof *set);
    if (set == NULL)
        return salvor_fail_memory(call, "the ResourceSet");
    const salvor_status status = read_set(call, json, set);
    if (status != SALVOR_OK) {
        resource_set_free(set);
        return status;
    }
    *ret_set = set;
    return SALVOR_OK;
}

void resource_set_free(struct resource_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; set->selectors != NULL && i < set->selector_count; i++) {
        for (size_t j = 0; j < SELECTOR_PATTERNS; j++)
            go_regex_free(set->selectors[i].patterns[j].regex);
        salvor_release(set->selectors[i].group);
    }
    salvor_release(set->selectors);
    salvor_release(set->controllers);
    json_decref(set->json);
    salvor_release(set);
}

salvor_status resource_set_check_patterns(salvor_call *call, const struct resource_set *set)
{
    for (size_t i = 0; i < set->selector_count; i++) {
        for (size_t j = 0; j < SELECTOR_PATTERNS; j++) {
            if (set->selectors[i].patterns[j].status != SALVOR_OK)
                return salvor_fail(call, SALVOR_REFUSED, "correct the ResourceSet",
                                   "resource selector %zu of '%s': %s '%s': %s", i, set->name,
                                   pattern_names[j], set->selectors[i].patterns[j].text,
                                   set->selectors[i].patterns[j].problem);
        }
    }
    return SALVOR_OK;
}

/* ---- matching ---------------------------------------------------------------------------- */

static int in_list(const json_t *list, struct salvor_span word)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (list, index, one) {
        if (json_string_length(one) == word.size &&
            memcmp(json_string_value(one), word.data, (size_t)word.size) == 0)
            return 1;
    }
    return 0;
}

static const json_t *list_of(const struct selector *selector, const char *field)
{
    return json_object_get(selector->json, field);
}

/* 1, 0, or -1 when it cannot be evaluated. */
static int pattern_matches(const struct selector *selector, enum selector_pattern pattern,
                           struct salvor_span text)
{
    if (selector->patterns[pattern].regex == NULL)
        return -1;
    const salvor_status status = go_regex_search(selector->patterns[pattern].regex, text);
    return status == SALVOR_OK ? 1 : status == SALVOR_NOT_FOUND ? 0 : -1;
}

int selector_takes_type(const struct selector *selector, const char *kind, const char *plural)
{
    const struct salvor_span words[] = {salvor_span_of(kind), salvor_span_of(plural)};
    const json_t *kinds = list_of(selector, "kinds");
    const json_t *excluded = list_of(selector, "excludeKinds");
    if (json_array_size(kinds) == 0 && selector->patterns[PATTERN_KINDS].text == NULL)
        return 1; /* then nothing is excluded, either */
    if (in_list(kinds, words[0]) || in_list(kinds, words[1]))
        return 1;
    if (selector->patterns[PATTERN_KINDS].text == NULL)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        const int matches = pattern_matches(selector, PATTERN_KINDS, words[i]);
        if (matches < 0)
            return -1;
        if (matches)
            return !in_list(excluded, words[0]) && !in_list(excluded, words[1]);
    }
    return 0;
}

int selector_takes_name(const struct selector *selector, struct salvor_span name)
{
    const json_t *names = list_of(selector, "resourceNames");
    const int included = selector->patterns[PATTERN_NAME].text != NULL;
    const int excluded = selector->patterns[PATTERN_EXCLUDE_NAME].text != NULL;
    if (json_array_size(names) == 0 && !included && !excluded)
        return 1;
    if (in_list(names, name))
        return 1; /* whatever is excluded */
    if (!included && !excluded)
        return 0;
    const int in = included ? pattern_matches(selector, PATTERN_NAME, name) : 1;
    if (in <= 0 || !excluded)
        return in;
    const int out = pattern_matches(selector, PATTERN_EXCLUDE_NAME, name);
    return out < 0 ? -1 : !out;
}

int selector_takes_namespace(const struct selector *selector, struct salvor_span ns)
{
    const json_t *listed = list_of(selector, "namespaces");
    const int pattern = selector->patterns[PATTERN_NAMESPACE].text != NULL;
    if (json_array_size(listed) == 0 && !pattern)
        return 1;
    if (in_list(listed, ns))
        return 1;
    return pattern ? pattern_matches(selector, PATTERN_NAMESPACE, ns) : 0;
}

int resource_set_takes_secrets(const struct resource_set *set)
{
    for (size_t i = 0; i < set->selector_count; i++) {
        const struct selector *selector = &set->selectors[i];
        if (strcmp(selector->api_version, "v1") == 0 &&
            selector_takes_type(selector, "Secret", "secrets") != 0)
            return 1;
    }
    return 0;
}

const json_t *selector_names(const struct selector *selector)
{
    return list_of(selector, "resourceNames");
}

const json_t *selector_namespaces(const struct selector *selector)
{
    return list_of(selector, "namespaces");
}

/* ---- queries ------------------------------------------------------------------------------ */

static void put_comma(struct salvor_text *out, int *any)
{
    if (*any)
        salvor_text_put(out, ",");
    *any = 1;
}

static int put_expression(const json_t *expression, struct salvor_text *out)
{
    const char *key = json_string_value(json_object_get(expression, "key"));
    const char *operator= json_string_value(json_object_get(expression, "operator"));
    const json_t *values = json_object_get(expression, "values");
    size_t index = 0;
    const json_t *value = NULL;
    if (key == NULL || operator== NULL)
        return -1;
    if (strcmp(operator, "Exists") == 0 || strcmp(operator, "DoesNotExist") == 0) {
        salvor_text_format(out, "%s%s", *operator== 'D' ? "!" : "", key);
        return json_array_size(values) == 0 ? 0 : -1;
    }
    if ((strcmp(operator, "In") != 0 && strcmp(operator, "NotIn") != 0) ||
        json_array_size(values) == 0)
        return -1;
    salvor_text_format(out, "%s %s (", key, *operator== 'I' ? "in" : "notin");
    json_array_foreach (values, index, value)
        salvor_text_format(out, "%s%s", index > 0 ? "," : "",
                           json_is_string(value) ? json_string_value(value) : "");
    salvor_text_put(out, ")");
    return 0;
}

int selector_label_query(const struct selector *selector, struct salvor_text *out)
{
    const json_t *labels = json_object_get(selector->json, "labelSelectors");
    int any = 0;
    const char *key = NULL;
    json_t *value = NULL;
    size_t index = 0;
    const json_t *expression = NULL;
    json_object_foreach (json_object_get(labels, "matchLabels"), key, value) {
        put_comma(out, &any);
        salvor_text_format(out, "%s=%s", key,
                           json_is_string(value) ? json_string_value(value) : "");
    }
    json_array_foreach (json_object_get(labels, "matchExpressions"), index, expression) {
        put_comma(out, &any);
        if (put_expression(expression, out) != 0)
            return -1;
    }
    return 0;
}

void selector_field_query(const struct selector *selector, struct salvor_text *out)
{
    int any = 0;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (json_object_get(selector->json, "fieldSelectors"), key, value) {
        put_comma(out, &any);
        salvor_text_format(out, "%s=", key);
        for (const char *at = json_string_value(value); at != NULL && *at != '\0'; at++)
            salvor_text_format(out, "%s%c", strchr("\\,=", *at) != NULL ? "\\" : "", *at);
    }
}

/* ---- what never matches -------------------------------------------------------------------- */

const char *selector_dead_reason(const struct selector *selector)
{
    static const struct {
        const char *api_version; /* NULL: any */
        const char *pattern;
        const char *reason;
    } dead[] = {
        {"apps/v1", "^services$", "apps/v1 has no services"},
        {NULL, "^globalrole$", "kinds are compared with case: GlobalRole, globalroles"},
        {NULL, "^apiservice$", "kinds are compared with case: APIService, apiservices"},
        {NULL, "^WebhookConfiguration$", "no kind has exactly that name"},
        {NULL, "^ingress$", "kinds are compared with case: Ingress, ingresses"},
    };
    const char *pattern = selector->patterns[PATTERN_KINDS].text;
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++) {
        if (dead[i].api_version != NULL && strcmp(selector->api_version, dead[i].api_version) != 0)
            continue;
        if ((pattern != NULL && strcmp(pattern, dead[i].pattern) == 0 &&
             json_array_size(list_of(selector, "kinds")) == 0) ||
            (pattern == NULL && json_array_size(list_of(selector, "kinds")) == 1 &&
             in_list(list_of(selector, "kinds"), salvor_span_of(dead[i].pattern))))
            return dead[i].reason;
    }
    return NULL;
}
