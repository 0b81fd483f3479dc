/* Every allocation of the helper library, and of jansson below it, fails in turn: each use ends in
 * a failing status, never in a crash, a leak or a wrong success. */
#include "../unit.h"

#include <salvor/helpers.h>
#include <stdlib.h>
#include <string.h>

#include "fake-host.h"

static size_t allocations; /* so far in this round */
static size_t failing;     /* the one that fails, from 1; 0: none */
static size_t alive;       /* allocated and not released */

static void *torture_allocate(size_t size)
{
    if (++allocations == failing)
        return NULL;
    void *memory = malloc(size);
    alive += memory != NULL;
    return memory;
}

static void *torture_resize(void *memory, size_t size)
{
    if (++allocations == failing)
        return NULL;
    void *resized = realloc(memory, size);
    alive += resized != NULL && memory == NULL;
    return resized;
}

static void torture_release(void *memory)
{
    alive -= memory != NULL;
    free(memory);
}

typedef salvor_status (*use)(salvor_call *call);

static salvor_status use_text(salvor_call *call)
{
    struct salvor_text text = SALVOR_TEXT_INIT(100000);
    for (int i = 0; i < 300; i++)
        salvor_text_format(&text, "line %d of the text\n", i);
    salvor_text_quote(&text, "a\"b\n", 4);
    const salvor_status status = salvor_text_check(call, &text, "a text");
    const int good = status != SALVOR_OK || strcmp(text.data + text.size - 8, "\"a\\\"b\\n\"") == 0;
    salvor_text_clear(&text);
    return good ? status : SALVOR_BUG;
}

static salvor_status use_json(salvor_call *call)
{
    salvor_auto_json json_t *json = NULL;
    salvor_auto_release char *text = NULL;
    SALVOR_TRY(salvor_json_parse_text(
        call, "{\"a\":{\"b\":[1,2,{\"c\":\"text \\u00e9\"}]},\"d\":null}", "a document", &json));
    json_t *part = salvor_json_build(call, "{s:[i,s,b]}", "list", 1, "two", 1);
    if (part == NULL)
        return SALVOR_FAILED;
    SALVOR_TRY(salvor_json_put(json, "/new/place", part));
    text = salvor_json_write(json);
    if (text == NULL)
        return SALVOR_FAILED;
    return strcmp(text,
                  "{\"a\":{\"b\":[1,2,{\"c\":\"text \xc3\xa9\"}]},\"d\":null,\"new\":{\"place\":"
                  "{\"list\":[1,\"two\",true]}}}") == 0
               ? SALVOR_OK
               : SALVOR_BUG;
}

/* An object with `members` unsorted members, each with a map of its own. */
static void large_object(struct salvor_text *text, int members)
{
    salvor_text_put(text, "{");
    for (int i = 0; i < members; i++)
        salvor_text_format(text, "%s\"k%d\":{\"z\":\"\\u0041\\n\",\"a\":[%d]}", i > 0 ? "," : "",
                           (i * 7919) % 1000, i);
    salvor_text_put(text, "}");
}

static salvor_status use_canonical(salvor_call *call)
{
    static const char *const drops[] = {"/k1", "/k2/z"};
    static const char expected[] = "{\"k0\":{\"a\":[0],\"z\":\"A\\n\"}";
    struct salvor_text large = SALVOR_TEXT_INIT(1000000);
    salvor_canonicalizer *canonicalizer = salvor_canonicalizer_create(drops, 2);
    salvor_status status = SALVOR_FAILED;
    large_object(&large, 200);
    if (canonicalizer != NULL && large.failed == SALVOR_OK) {
        struct salvor_span json;
        struct salvor_scan_error error;
        status = salvor_canonicalize(canonicalizer, salvor_text_as_span(&large), &json, &error);
        if (status == SALVOR_OK && strncmp(json.data, expected, strlen(expected)) != 0)
            status = SALVOR_BUG;
        if (status == SALVOR_REFUSED)
            status = strcmp(error.problem, "no memory") == 0 ? SALVOR_FAILED : SALVOR_BUG;
    }
    salvor_text_clear(&large);
    salvor_canonicalizer_free(canonicalizer);
    (void)call;
    return status;
}

static salvor_status use_edit(salvor_call *call)
{
    const struct salvor_edit edits[] = {{"/k3", {"\"new\"", 5}}, {"/k4", {NULL, 0}}};
    struct salvor_text large = SALVOR_TEXT_INIT(1000000);
    struct salvor_text out = SALVOR_TEXT_INIT(1000000);
    salvor_status status = SALVOR_FAILED;
    large_object(&large, 50);
    if (large.failed == SALVOR_OK) {
        status = salvor_json_edit(salvor_text_as_span(&large), edits, 2, &out, NULL);
        if (status == SALVOR_REFUSED)
            status = out.size == 0 && out.failed == SALVOR_OK ? SALVOR_FAILED : SALVOR_BUG;
    }
    salvor_text_clear(&large);
    salvor_text_clear(&out);
    (void)call;
    return status;
}

static salvor_status use_steps(salvor_call *call)
{
    salvor_auto_json json_t *fact = NULL;
    salvor_auto_json json_t *list = NULL;
    salvor_auto_json json_t *result = NULL;
    char text[8];
    SALVOR_TRY(salvor_fact(call, "f", &fact));
    SALVOR_TRY(salvor_fact_text(call, "f", text, sizeof text));
    SALVOR_TRY(salvor_option_list(call, "list", &list));
    SALVOR_TRY(salvor_option_list(call, "none", &result));
    json_decref(result);
    result = NULL;
    SALVOR_TRY(
        salvor_plan_step(call,
                         &(struct salvor_step_plan){
                             .row = "r", .parameters = salvor_json_build(call, "{s:i}", "n", 1)},
                         NULL));
    SALVOR_TRY(salvor_observed(call, "g", SALVOR_FACT_GUARD, json_pack("[i,i]", 1, 2)));
    SALVOR_TRY(salvor_result(call, salvor_json_build(call, "{}")));
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_CURSOR, json_integer(1)));
    return salvor_result_of(call, "[{\"row\":\"a\",\"target\":\"\",\"result\":{}}]", "a", NULL,
                            &result);
}

static void torture(use exercise, const char *name, size_t least)
{
    static const struct fake_option options[] = {{"list", "[\"a\"]", 0}, {NULL, NULL, 0}};
    struct fake_host host = {.options = options,
                             .facts = "{\"f\":{\"class\":\"info\",\"value\":\"v\"}}"};
    salvor_call *call = fake_call(&host);
    failing = allocations = alive = 0;
    assert_int_equal(exercise(call), SALVOR_OK);
    assert_int_equal(alive, 0);
    const size_t total = allocations;
    if (total < least)
        fail_msg("%s allocates %zu times: the exercise is too small", name, total);
    for (size_t at = 1; at <= total; at++) {
        fake_reset(&host);
        failing = at;
        allocations = 0;
        const salvor_status status = exercise(call);
        /* A step planned without its parameters would be a wrong success. */
        if (strstr(host.recorded, "step r '' {} ") != NULL)
            fail_msg("%s, allocation %zu: planned without parameters", name, at);
        if (status == SALVOR_FAILED && host.reported != 0 &&
            strstr(host.message, "no memory") == NULL &&
            strstr(host.message, "cannot build") == NULL)
            fail_msg("%s, allocation %zu: told '%s'", name, at, host.message);
        if (status == SALVOR_OK && allocations >= at)
            print_message("%s survives the failure of allocation %zu\n", name, at);
        else if (status != SALVOR_FAILED)
            fail_msg("%s, allocation %zu: status %u", name, at, status);
        if (alive != 0)
            fail_msg("%s, allocation %zu: %zu blocks leak", name, at, alive);
    }
    failing = 0;
}

static void every_allocation_fails_once(void **state)
{
    const struct salvor_memory functions = {torture_allocate, torture_resize, torture_release};
    (void)state;
    salvor_memory_use(&functions);
    json_set_alloc_funcs(torture_allocate, torture_release);
    torture(use_text, "text", 3);
    torture(use_json, "json", 20);
    torture(use_canonical, "canonical", 8);
    torture(use_edit, "edit", 3);
    torture(use_steps, "steps", 40);
    json_set_alloc_funcs(malloc, free);
    salvor_memory_use(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
