/* What answers of the managers mean, whatever form they come in. */
#include "nsx-antrea/answer.h"

#include <salvor/helpers.h>
#include <string.h>

#include "unit.h"

static struct answer read_text(int status, const char *body)
{
    struct answer answer;
    answer_read(status, (struct salvor_span){body, strlen(body)}, &answer);
    return answer;
}

static void expect(int status, const char *body, enum answer_kind kind)
{
    struct answer answer = read_text(status, body);
    if (answer.kind != kind)
        fail_msg("%d %s: %s", status, body, answer_words(answer.kind));
    answer_clear(&answer);
}

static void successes(void **state)
{
    (void)state;
    expect(200, "", ANSWER_DONE);
    expect(201, "{}", ANSWER_DONE);
    expect(202, "", ANSWER_DONE);
    expect(204, "", ANSWER_DONE);
}

static void codes(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum answer_kind kind;
    } rows[] = {
        {400, "289", ANSWER_OWNED},      {400, "500030", ANSWER_REFERENCED},
        {400, "500045", ANSWER_PURGING}, {400, "500087", ANSWER_STALE},
        {400, "500232", ANSWER_STALE},   {400, "100148", ANSWER_STALE},
        {400, "500127", ANSWER_STALE},   {404, "500090", ANSWER_STALE},
        {404, "202", ANSWER_ABSENT},     {404, "600", ANSWER_ABSENT},
        {403, "98", ANSWER_LOGIN},       {403, "403", ANSWER_LOGIN},
        {403, "505", ANSWER_LICENCE},    {500, "98", ANSWER_BUSY},
        {500, "99", ANSWER_LOGIN},       {500, "607", ANSWER_BUSY},
        {429, "102", ANSWER_BUSY},       {400, "60515", ANSWER_NO_INDEX},
        {400, "1", ANSWER_FAILED},       {500, "1", ANSWER_FAILED},
        {409, "1", ANSWER_STALE},        {412, "1", ANSWER_STALE},
        {503, "1", ANSWER_BUSY},         {307, "1", ANSWER_ELSEWHERE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[200];
        (void)snprintf(body, sizeof body, "{\"error_code\": %s, \"error_message\": \"m\"}",
                       rows[i].code);
        expect(rows[i].status, body, rows[i].kind);
        (void)snprintf(body, sizeof body, "{\"error_code\": \"%s\"}", rows[i].code);
        expect(rows[i].status, body, rows[i].kind);
    }
}

static void a_related_error_tells_the_cause(void **state)
{
    (void)state;
    struct answer answer = read_text(
        400, "{\"error_code\": 500157, \"error_message\": \"children\", \"related_errors\": ["
             "{\"error_code\": 1}, {\"error_code\": 289, \"error_message\": \"the cause\"}]}");
    assert_int_equal(answer.kind, ANSWER_OWNED);
    assert_int_equal(answer.code, 289);
    assert_string_equal(answer.message, "the cause");
    answer_clear(&answer);
}

static void users_of_a_referenced_object(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"error_code\": 500030, \"error_message\": \"The object path=[/infra/g] cannot be "
        "deleted as either it has children or it is being referenced by other objects "
        "path=[/infra/a,/infra/b].\"}",
        "{\"error_code\": 500030, \"error_message\": \"being referenced by other objects "
        "[/infra/a, /infra/b]\"}"};
    for (size_t i = 0; i < 2; i++) {
        struct answer answer = read_text(400, bodies[i]);
        assert_int_equal(answer.kind, ANSWER_REFERENCED);
        assert_int_equal(json_array_size(answer.references), 2);
        assert_string_equal(salvor_json_text(answer.references, "/0", ""), "/infra/a");
        assert_string_equal(salvor_json_text(answer.references, "/1", ""), "/infra/b");
        answer_clear(&answer);
    }
    struct answer answer = read_text(400, "{\"error_code\": 500030, \"error_message\": \"[a\"}");
    assert_int_equal(json_array_size(answer.references), 0);
    answer_clear(&answer);
}

static void words_where_codes_are_not_known(void **state)
{
    (void)state;
    expect(400, "{\"error_code\": 7, \"error_message\": \"Name already exists\"}",
           ANSWER_DUPLICATE);
    expect(409, "{\"error_message\": \"must be unique\"}", ANSWER_DUPLICATE);
    expect(400, "{\"error_message\": \"certificate is in use by x\"}", ANSWER_REFERENCED);
    expect(412, "{\"error_message\": \"certificate is used by x\"}", ANSWER_REFERENCED);
}

static void bodies_that_are_no_json(void **state)
{
    (void)state;
    expect(502, "<html><body>Bad Gateway</body></html>", ANSWER_BUSY);
    expect(404, "{\"error_code\": 50", ANSWER_ABSENT);
    expect(500, "[1]", ANSWER_FAILED);
    expect(400, "\"text\"", ANSWER_FAILED);
    struct answer answer = read_text(500, "one\nline\tand \x01 more");
    assert_string_equal(answer.message, "one line and more");
    char large[4096];
    memset(large, 'x', sizeof large);
    answer_read(500, (struct salvor_span){large, sizeof large}, &answer);
    assert_int_equal(strlen(answer.message), sizeof answer.message - 1);
    memset(large, 0xc3, sizeof large);
    answer_read(500, (struct salvor_span){large, sizeof large}, &answer);
    answer_clear(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(successes),
        cmocka_unit_test(codes),
        cmocka_unit_test(a_related_error_tells_the_cause),
        cmocka_unit_test(users_of_a_referenced_object),
        cmocka_unit_test(words_where_codes_are_not_known),
        cmocka_unit_test(bodies_that_are_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
