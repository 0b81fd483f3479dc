/* Facts 1.2, 1.9, 7.13. */
#include "search-index.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { BROKEN_MS = 600000, TERMS = 8 };

struct term {
    char *field, *value;
};

void nsx_search_refresh(struct sim_nsx *sim)
{
    nsx_intent_clear(&sim->index);
    nsx_intent_copy(&sim->index, &sim->intent);
    sim->index_due_ms = 0;
    sim->index_broken_until_ms = 0;
}

void nsx_search_break(struct sim_nsx *sim)
{
    sim->index_broken_until_ms = nsx_now(sim) + BROKEN_MS;
}

static void follow(struct sim_nsx *sim)
{
    int64_t now = nsx_now(sim);
    int64_t due = sim->index_broken_until_ms != 0 ? sim->index_broken_until_ms : sim->index_due_ms;
    if (due != 0 && now >= due)
        nsx_search_refresh(sim);
}

/* "field:value AND ...", a backslash takes the next character as it is. */
static size_t parse(const char *query, struct term terms[TERMS])
{
    size_t count = 0;
    while (*query != '\0' && count < TERMS) {
        struct buffer word = BUFFER_INIT(4096);
        char *field = NULL;
        while (*query == ' ')
            query++;
        for (; *query != '\0' && *query != ' '; query++) {
            if (*query == '\\' && query[1] != '\0')
                query++;
            else if (*query == ':' && field == NULL) {
                field = buffer_take(&word);
                continue;
            } else if (*query == '"')
                continue;
            buffer_append(&word, query, 1);
        }
        char *value = buffer_take(&word);
        if (field != NULL)
            terms[count++] = (struct term){field, value};
        else
            free(value); /* AND */
    }
    return count;
}

/* A value with a star at its end is a prefix. */
static int is_like(const char *have, const char *want)
{
    size_t size = strlen(want);
    if (have == NULL)
        return 0;
    return size > 0 && want[size - 1] == '*' ? strncasecmp(have, want, size - 1) == 0
                                             : strcasecmp(have, want) == 0;
}

static int fits_tag(const json_t *object, const char *part, const char *value)
{
    size_t i;
    json_t *tag;
    json_array_foreach (json_object_get(object, "tags"), i, tag)
        if (is_like(json_text(tag, part), value))
            return 1;
    return 0;
}

static int fits(const json_t *object, const struct term *terms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *field = terms[i].field, *value = terms[i].value;
        if (strcasecmp(field, "resource_type") == 0) {
            const char *type = json_text(object, "resource_type");
            /* Both names of a cluster control plane are in use. */
            if (!is_like(type, value) && !(strcasecmp(value, "clustercontrolplane") == 0 &&
                                           text_equal(type, "AntreaClusterControlPlane")))
                return 0;
        } else if (strncasecmp(field, "tags.", 5) == 0) {
            if (!fits_tag(object, field + 5, value))
                return 0;
        } else if (!is_like(json_text(object, field), value)) {
            return 0;
        }
    }
    return 1;
}

void nsx_search(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    struct term terms[TERMS];
    const char *query = nsx_query(request, "query");
    follow(sim);
    if (sim->index_broken_until_ms != 0) {
        nsx_error(answer, 400, 60515, "search-framework",
                  "Search index is out of sync with the data store.");
        return;
    }
    if (query == NULL) {
        nsx_error(answer, 400, 60504, "search-framework", "query is missing.");
        return;
    }
    size_t count = parse(query, terms);
    json_t *all = json_array();
    for (int t = 0; t < NSX_SETTINGS; t++) {
        const struct nsx_table *table = &sim->index.tables[t];
        for (size_t i = 0; i < table->count; i++) {
            json_t *object = nsx_record_tree(table->items[i]);
            if (fits(object, terms, count))
                json_add(all, nsx_shown(sim, request, object));
            else
                json_decref(object);
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(terms[i].field);
        free(terms[i].value);
    }
    nsx_page(sim, request, all, answer);
}

void nsx_search_reconcile(struct sim_nsx *sim, struct nsx_request *request,
                          struct nsx_answer *answer)
{
    static const char *const actions[] = {"PRODUCT_RESTORE", "COMPLETE_REINDEXING",
                                          "OPENSEARCH_RESTORE", "PRODUCT_UPGRADE", "REBALANCE"};
    const char *action = nsx_query(request, "action");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (text_equal(action, actions[i])) {
            nsx_search_refresh(sim);
            nsx_answer_empty(answer, 200);
            return;
        }
    nsx_error(answer, 400, 60504, "search-framework", "action is missing or unknown.");
}
