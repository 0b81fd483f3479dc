#include "list.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "output.h"
#include "selector.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

char *list_prefix(const struct sim_route *route)
{
    return route->space[0] == '\0' ? text_copy("") : text_format("%s/", route->space);
}

int list_revision(const struct sim_request *request, int64_t *ret_revision)
{
    const char *text = request_query(request, "resourceVersion");
    *ret_revision = 0;
    if (text == NULL || text[0] == '\0')
        return 0;
    return text_parse_integer(text, ret_revision) == 0 && *ret_revision >= 0 ? 0 : -1;
}

json_t *list_too_new(const struct sim_kube *sim, int64_t revision)
{
    json_t *details =
        json_pack("{s:[{s:s, s:s}], s:i}", "causes", "reason", "ResourceVersionTooLarge", "message",
                  "Too large resource version", "retryAfterSeconds", 1);
    return status_failure(504, "Timeout", details,
                          "Too large resource version: %lld, current: %lld", (long long)revision,
                          (long long)sim->store->revision);
}

static json_t *options_invalid(const char *reason, const char *field, const char *message)
{
    return status_invalid("meta.k8s.io", "ListOptions", "", reason, field, message);
}

/* The token names the revision and the last key that was answered; NUL ends the key as in etcd. */
static char *token_make(int64_t revision, const char *last_key)
{
    cleanup_json json_t *token = json_pack("{s:s, s:I, s:s}", "v", "meta.k8s.io/v1", "rv",
                                           (json_int_t)revision, "start", last_key);
    cleanup_free char *text = json_dumps(token, JSON_COMPACT);
    size_t size = strlen(text);
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *encoded = memory_new(room, 1);
    sodium_bin2base64(encoded, room, (const unsigned char *)text, size,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return encoded;
}

static int token_read(const char *token, int64_t *ret_revision, char **ret_key)
{
    size_t room = strlen(token) + 1, size;
    cleanup_free unsigned char *text = memory_new(room, 1);
    if (sodium_base642bin(text, room, token, strlen(token), NULL, &size, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return -1;
    cleanup_json json_t *tree = json_loadb((const char *)text, size, 0, NULL);
    const char *key = tree_text(tree, "start");
    if (key == NULL || !json_is_integer(tree_at(tree, "rv")))
        return -1;
    *ret_revision = tree_integer(tree, "rv", 0);
    *ret_key = text_copy(key);
    return 0;
}

struct listing {
    int64_t revision;
    int64_t limit; /* 0: all */
    char *from;    /* keys after this one; NULL: from the start */
    struct selector *selector;
};

static void listing_clear(struct listing *listing)
{
    free(listing->from);
    selector_free(listing->selector);
}

/* Reads limit, continue, resourceVersion and resourceVersionMatch; NULL or the failure. */
static json_t *read_options(const struct sim_kube *sim, const struct sim_request *request,
                            struct listing *listing)
{
    const char *limit = request_query(request, "limit");
    const char *token = request_query(request, "continue");
    const char *version = request_query(request, "resourceVersion");
    const char *match = request_query(request, "resourceVersionMatch");
    int has_version = version != NULL && version[0] != '\0';
    int64_t revision;
    if (limit != NULL && limit[0] != '\0' && text_parse_integer(limit, &listing->limit) != 0)
        return status_bad_request("limit: '%s' is no number", limit);
    if (listing->limit < 0)
        return options_invalid("FieldValueInvalid", "limit", "must be non-negative");
    if (list_revision(request, &revision) != 0)
        return status_failure(400, "BadRequest", NULL, "Invalid value: \"%s\": strconv.ParseUint",
                              version);
    if (match != NULL && match[0] != '\0') {
        if (!has_version)
            return options_invalid("FieldValueForbidden", "resourceVersionMatch",
                                   "Forbidden: resourceVersionMatch is forbidden unless "
                                   "resourceVersion is provided");
        if (token != NULL && token[0] != '\0')
            return options_invalid("FieldValueForbidden", "resourceVersionMatch",
                                   "Forbidden: resourceVersionMatch is forbidden when continue is "
                                   "provided");
        if (strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0)
            return options_invalid("FieldValueNotSupported", "resourceVersionMatch",
                                   "Unsupported value: supported values: \"Exact\", "
                                   "\"NotOlderThan\"");
        if (strcmp(match, "Exact") == 0 && revision == 0)
            return options_invalid("FieldValueForbidden", "resourceVersionMatch",
                                   "Forbidden: resourceVersionMatch \"exact\" is forbidden for "
                                   "resourceVersion \"0\"");
    }
    listing->revision = sim->store->revision;
    if (token != NULL && token[0] != '\0') {
        if (has_version && revision != 0)
            return status_bad_request("specifying resource version is not allowed when using "
                                      "continue");
        int64_t at;
        if (token_read(token, &at, &listing->from) != 0)
            return status_bad_request("continue key is not valid: %s", "illegal base64 data");
        if (at < 0)
            return NULL;
        if (at < sim->store->compacted) {
            cleanup_free char *rest = token_make(-1, listing->from);
            return status_expired(
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter, or use the continue "
                "token in this response to retrieve the remainder of the results. Continuing with "
                "the provided token results in an inconsistent list - objects that were created, "
                "modified, or deleted between the time the first chunk was returned and now may "
                "show up in the list.",
                rest);
        }
        listing->revision = at;
        return NULL;
    }
    if (revision > sim->store->revision)
        return list_too_new(sim, revision);
    int exact = match != NULL && strcmp(match, "Exact") == 0;
    /* Without a match rule, a page at a given revision means exactly that revision. */
    if (revision > 0 && (exact || ((match == NULL || match[0] == '\0') && listing->limit > 0))) {
        if (revision < sim->store->compacted)
            return status_expired("The resourceVersion for the provided list is too old.", NULL);
        listing->revision = revision;
    }
    return NULL;
}

/* How many objects follow the cursor, all of them matching. */
static int64_t count_rest(struct store_cursor cursor)
{
    int64_t count = 0;
    const char *key;
    while (store_walk_next(&cursor, &key) != NULL)
        count++;
    return count;
}

/* Finds the page: its last key when there is more after it, and how many follow. */
static char *find_end(const struct sim_request *request, const struct listing *listing,
                      const char *prefix, const char *from, int64_t *ret_remaining)
{
    struct store_cursor cursor;
    const struct store_object *object;
    const char *key;
    int64_t taken = 0;
    cleanup_free char *last = NULL;
    *ret_remaining = -1;
    store_walk(&cursor, request->route.type->table, listing->revision, prefix, from);
    while (listing->limit > 0 && taken < listing->limit &&
           (object = store_walk_next(&cursor, &key)) != NULL) {
        if (!selector_matches(listing->selector, key, object))
            continue;
        taken++;
        free(last);
        last = text_copy(key);
    }
    if (listing->limit == 0 || taken < listing->limit)
        return NULL;
    int64_t rest = count_rest(cursor);
    if (rest == 0)
        return NULL;
    if (selector_is_empty(listing->selector))
        *ret_remaining = rest;
    return take_pointer(last);
}

static void write_list(struct sim_request *request, struct sim_answer *answer, enum output output,
                       const struct listing *listing)
{
    cleanup_free char *prefix = list_prefix(&request->route);
    /* No key holds a byte below '-', so this is what follows the last key. */
    cleanup_free char *from =
        listing->from == NULL ? text_copy(prefix) : text_format("%s\001", listing->from);
    struct output_list head = {.revision = listing->revision, .remaining = -1};
    cleanup_free char *end = find_end(request, listing, prefix, from, &head.remaining);
    cleanup_free char *token = end == NULL ? NULL : token_make(listing->revision, end);
    head.continue_token = token;

    struct store_cursor cursor;
    const struct store_object *object;
    const char *key;
    int first = 1;
    store_walk(&cursor, request->route.type->table, listing->revision, prefix, from);
    answer->status = 200;
    output_list_begin(&answer->body, output, request->route.type, &head);
    while ((object = store_walk_next(&cursor, &key)) != NULL) {
        if (selector_matches(listing->selector, key, object)) {
            output_list_item(&answer->body, output, request->route.type, object, first);
            first = 0;
        }
        if (end != NULL && strcmp(key, end) == 0)
            break;
    }
    output_list_end(&answer->body, output, request->route.type, &head);
}

void list_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    __attribute__((cleanup(listing_clear))) struct listing listing = {0, 0, NULL, NULL};
    enum output output;
    json_t *failure = NULL;
    if (output_choose(request, answer, &output) != 0)
        return;
    listing.selector = selector_new(request->route.type, request_query(request, "labelSelector"),
                                    request_query(request, "fieldSelector"), &failure);
    if (failure == NULL)
        failure = read_options(sim, request, &listing);
    if (failure != NULL)
        answer_status(answer, failure);
    else
        write_list(request, answer, output, &listing);
}
