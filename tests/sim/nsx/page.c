#include "page.h"

#include <stdlib.h>
#include <string.h>

#include "errors.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { PAGE_MAXIMUM = 1000 };

struct page {
    size_t begin, size;
};

/* -1 after answering: a cursor that is no offset, a page size out of bounds. */
static int read_page(const struct sim_nsx *sim, const struct nsx_request *request, struct page *ret,
                     struct nsx_answer *answer)
{
    const char *cursor = nsx_query(request, "cursor"), *size = nsx_query(request, "page_size");
    int64_t begin = 0, count = PAGE_MAXIMUM;
    if (cursor != NULL && cursor[0] != '\0' &&
        (text_parse_integer(cursor, &begin) != 0 || begin < 0)) {
        nsx_error(answer, 400, 255, "common-services", "Invalid cursor value %s.", cursor);
        return -1;
    }
    if (size != NULL &&
        (text_parse_integer(size, &count) != 0 || count < 1 || count > PAGE_MAXIMUM)) {
        nsx_error(answer, 400, 255, "common-services", "The page_size %s is not between 1 and %d.",
                  size, PAGE_MAXIMUM);
        return -1;
    }
    if (sim->page_limit > 0 && count > sim->page_limit)
        count = sim->page_limit;
    *ret = (struct page){(size_t)begin, (size_t)count};
    return 0;
}

/* Keeps the fields named by included_fields, a comma list; identity is kept as well. */
static json_t *reduce(const struct nsx_request *request, json_t *object)
{
    const char *fields = nsx_query(request, "included_fields");
    if (fields == NULL || fields[0] == '\0')
        return object;
    cleanup_free char *wanted = text_format(",%s,", fields);
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        cleanup_free char *name = text_format(",%s,", key);
        if (strstr(wanted, name) == NULL && strcmp(key, "id") != 0)
            json_object_del(object, key);
    }
    return object;
}

static const char *sort_field;

static int by_field(const void *a, const void *b)
{
    const json_t *one = json_object_get(*(json_t *const *)a, sort_field);
    const json_t *two = json_object_get(*(json_t *const *)b, sort_field);
    if (json_is_string(one) && json_is_string(two))
        return strcmp(json_string_value(one), json_string_value(two));
    json_int_t left = json_integer_value(one), right = json_integer_value(two);
    return left < right ? -1 : left > right;
}

static json_t *sorted(const struct nsx_request *request, json_t *all)
{
    size_t count = json_array_size(all), i;
    json_t *element;
    sort_field = nsx_query(request, "sort_by");
    if (sort_field == NULL || count == 0)
        return all;
    cleanup_free json_t **items = memory_new(count, sizeof *items);
    json_array_foreach (all, i, element)
        items[i] = element;
    qsort(items, count, sizeof *items, by_field);
    int descends = nsx_query_is(request, "sort_ascending", "false");
    json_t *result = json_array();
    for (i = 0; i < count; i++)
        json_add(result, json_incref(items[descends ? count - 1 - i : i]));
    json_decref(all);
    return result;
}

void nsx_page_of(const struct sim_nsx *sim, const struct nsx_request *request, size_t count,
                 nsx_element *element, const void *context, struct nsx_answer *answer)
{
    struct page page;
    if (read_page(sim, request, &page, answer) != 0)
        return;
    json_t *results = json_array(), *reply = json_object();
    size_t at = page.begin;
    for (; at < count && at - page.begin < page.size; at++)
        json_add(results, reduce(request, element(sim, request, at, context)));
    json_put(reply, "results", results);
    if (page.begin == 0 || nsx_switch_is(sim, SW_RESULT_COUNT, "all-pages"))
        json_put(reply, "result_count", json_integer((json_int_t)count));
    if (at < count) {
        cleanup_free char *cursor = text_format("%zu", at);
        json_put_text(reply, "cursor", cursor);
    }
    const char *by = nsx_query(request, "sort_by");
    json_put_text(reply, "sort_by", by == NULL ? "displayName" : by);
    json_put(reply, "sort_ascending",
             json_boolean(!nsx_query_is(request, "sort_ascending", "false")));
    nsx_answer_json(answer, 200, reply);
}

static json_t *array_element(const struct sim_nsx *sim, const struct nsx_request *request,
                             size_t index, const void *context)
{
    (void)sim;
    (void)request;
    return json_incref(json_array_get(context, index));
}

void nsx_page(const struct sim_nsx *sim, const struct nsx_request *request, json_t *all,
              struct nsx_answer *answer)
{
    cleanup_json json_t *list = sorted(request, all);
    nsx_page_of(sim, request, json_array_size(list), array_element, list, answer);
}
