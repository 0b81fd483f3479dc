/*
 * A ResourceSet: which objects a backup holds, and which controllers a restore stops. Read from an
 * archive's filters.json or from the cluster; matching follows the operator to the letter.
 */
#ifndef SALVOR_RANCHER_RESOURCE_SET_H
#define SALVOR_RANCHER_RESOURCE_SET_H

#include <salvor/json.h>
#include <salvor/text.h>

#include "go-regex.h"

/* The regular expressions of a selector. */
enum selector_pattern { PATTERN_KINDS, PATTERN_NAME, PATTERN_EXCLUDE_NAME, PATTERN_NAMESPACE };
#define SELECTOR_PATTERNS 4u

struct selector {
    const char *api_version; /* "apps/v1", as it stands */
    char *group;             /* "" for the core */
    const char *version;
    const json_t *json; /* the selector itself */
    struct {
        const char *text; /* NULL: not given */
        go_regex *regex;  /* NULL: not given, or it cannot be used */
        salvor_status status;
        char problem[GO_REGEX_PROBLEM_SIZE];
    } patterns[SELECTOR_PATTERNS];
};

struct controller_reference {
    const char *api_version;
    const char *resource;
    const char *ns;
    const char *name;
};

struct resource_set {
    json_t *json;
    const char *name;
    struct selector *selectors;
    size_t selector_count;
    struct controller_reference *controllers;
    size_t controller_count;
};

/* Name of a pattern's field: "kindsRegexp". */
const char *selector_pattern_name(enum selector_pattern pattern);

/*
 * Reads a ResourceSet. A pattern that cannot be used does not fail it: see selector.patterns.
 * SALVOR_FAILED is reported: it is no ResourceSet, or there is no memory.
 */
salvor_status resource_set_read(salvor_call *call, struct salvor_span json,
                                struct resource_set **ret_set);
void resource_set_free(struct resource_set *set);

/* The first pattern that cannot be used, as SALVOR_REFUSED (reported); SALVOR_OK: there is none. */
salvor_status resource_set_check_patterns(salvor_call *call, const struct resource_set *set);

/* 1: some selector takes Secrets. */
int resource_set_takes_secrets(const struct resource_set *set);

/*
 * Does the selector take this type, this name, this namespace? 1, 0, or -1 when a pattern cannot be
 * evaluated. A type takes its kind ("Secret") and its plural ("secrets"); `ns` only matters for
 * namespaced types.
 */
int selector_takes_type(const struct selector *selector, const char *kind, const char *plural);
int selector_takes_name(const struct selector *selector, struct salvor_span name);
int selector_takes_namespace(const struct selector *selector, struct salvor_span ns);

/* Label and field selector as the API takes them, "" for none. -1: the label selector is not one.
 */
int selector_label_query(const struct selector *selector, struct salvor_text *out);
void selector_field_query(const struct selector *selector, struct salvor_text *out);

/* Names that the selector asks for one by one, for types that cannot be listed. */
const json_t *selector_names(const struct selector *selector);
const json_t *selector_namespaces(const struct selector *selector);

/* Why the selector can never match anything, or NULL: entries of the vendor's own sets. */
const char *selector_dead_reason(const struct selector *selector);

#if defined(__GNUC__)
static inline void resource_set_free_at(struct resource_set **set)
{
    resource_set_free(*set);
}
#define auto_resource_set __attribute__((__cleanup__(resource_set_free_at)))
#endif

#endif
